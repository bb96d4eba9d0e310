#if os(Linux)
  import Foundation
  import LMDBShare
  import TestSupport
  import Testing

  /// Conditions that a test machine does not have, simulated for another process by an interposed library.
  @Suite(.timeLimit(.minutes(20)))
  struct InterposedTests {
    let directory = TemporaryDirectory()
    let library: String

    init() throws {
      library = directory.file("interpose.so")
      let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Resources/interpose.c").path
      let built = try Program.shell(
        "for c in clang cc gcc; do command -v $c >/dev/null && exec $c -shared -fPIC -o '\(library)' '\(source)' -ldl 2>&1; done; exit 1"
      )
      try #require(built.status == 0, "no C compiler, or: \(built.output)")
    }

    private func run(_ command: String, _ store: String, _ number: String, _ settings: [String: String]) throws
      -> (status: Int32, output: String)
    {
      try start(command, store, number, settings).finish()
    }

    private func start(
      _ command: String, _ store: String, _ number: String, _ settings: [String: String]
    ) throws -> Program {
      let path = Program.directory.appendingPathComponent("TestWorker").path
      var environment = ProcessInfo.processInfo.environment.merging(settings) { $1 }
      environment["LD_PRELOAD"] = library
      return try Program(path: path, [command, store, number], environment: environment)
    }

    @Test(arguments: [
      ("6969", "NFS"), ("ff534d42", "CIFS"), ("fe534d42", "SMB2"), ("1021997", "9P"), ("c36400", "Ceph"),
      ("65735546", "FUSE"),
    ])
    func networkFileSystemsAreRefused(type: String, name: String) throws {
      let store = directory.file("store")
      let settings = ["TEST_FILE_SYSTEM": type, "TEST_DEVICE": "0"]
      let refused = try run("open", store, "", settings)
      #expect(refused.status == 3 && refused.output.hasPrefix("error networkFileSystem"), "\(refused)")
      #expect(refused.output.contains(name) && refused.output.contains("allowNetworkFileSystem"))
      #expect(!FileManager.default.fileExists(atPath: store + "/data.mdb"))
      let allowed = try run("open-network", store, "", settings)
      #expect(allowed.status == 0, "\(allowed)")
    }

    /// `fuseblk` has the type of FUSE; the device number shows that it is on a device, without /proc.
    @Test func fuseOnADiskIsNoNetworkFileSystem() throws {
      let settings = ["TEST_FILE_SYSTEM": "65735546", "TEST_DEVICE": "8"]
      let opened = try run("open", directory.file("store"), "", settings)
      #expect(opened.output == "opened\n", "\(opened)")
    }

    /// Scattered pages on a disk where each hole takes a millisecond: writers do not wait for all of them.
    @Test func othersWriteWhileManyHolesAreMade() throws {
      let path = directory.file("store")
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      let dictionary = try store.dictionary("dictionary", of: Int.self, [UInt8].self)
      let value = try store.value("value", initial: 0)
      try store.write { txn in
        for key in 0..<2400 { txn[dictionary][key] = [UInt8](repeating: 1, count: 3000) }
      }
      try store.write { txn in
        for key in stride(from: 0, to: 2400, by: 2) { txn[dictionary][key] = nil }
      }
      for _ in 0..<3 { try value.update { $0 += 1 } }
      let worker = try start("trim", path, "", ["TEST_SLOW_PUNCH": "1000"])
      #expect(worker.line() == "trimming")
      var waits: [Duration] = []
      while worker.isRunning {
        let start = ContinuousClock.now
        try value.update { $0 += 1 }
        waits.append(start.duration(to: .now))
        // Writes use free pages, too.
        usleep(30_000)
      }
      let freed = Int(worker.line() ?? "") ?? 0
      #expect(worker.finish().status == 0 && freed > 300 * 4096, "\(freed)")
      // All holes together take more than a second.
      #expect(waits.count > 20 && waits.max() ?? .zero < .milliseconds(300), "\(waits.count) \(waits.max() as Any)")
      #expect(try store.check().isEmpty && dictionary.count == 1200)
    }

    /// A directory that cannot be read is not mistaken for an empty one.
    @Test func aDirectoryThatCannotBeReadIsNotTakenForEmpty() throws {
      let store = directory.file("home")
      try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: false)
      try Data("mine".utf8).write(to: URL(fileURLWithPath: store + "/letters"))
      let refused = try run("open", store, "", ["TEST_FAILING_LISTS": "1"])
      #expect(refused.status == 3 && refused.output.hasPrefix("error inputOutput"), "\(refused)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: store) == ["letters"])
    }

    /// The name of a new directory is on the disk before the store is used, also when its creator failed or died before.
    @Test func theNameOfANewDirectoryIsSyncedByWhoeverGetsToIt() throws {
      let store = directory.file("store")
      let failed = try run("open", store, "", ["TEST_FAILING_SYNC": "1"])
      #expect(failed.status == 3 && failed.output.hasPrefix("error inputOutput"), "\(failed)")
      #expect(!FileManager.default.fileExists(atPath: store + "/data.mdb"))
      let log = directory.file("log")
      #expect(try run("open", store, "", ["TEST_SYNC_LOG": log]).status == 0)
      let parent = URL(fileURLWithPath: directory.path).resolvingSymlinksInPath().path
      let synced = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map(String.init)
      #expect(synced.contains(parent), "\(synced)")
    }

    @Test func transactionsThatFailToBeginAtRandomAreTriedAgain() throws {
      let store = directory.file("store")
      let result = try run("increment", store, "500", ["TEST_FAILING_BEGINS": "2"])
      #expect(result.status == 0, "\(result)")
      // Permanent failures are reported, immediately.
      let hopeless = try run("increment", store, "500", ["TEST_FAILING_BEGINS": "10"])
      #expect(hopeless.status == 3 && hopeless.output.hasPrefix("error "), "\(hopeless)")
    }

    /// The last write of a commit fails: whether it took effect is not known, and the store continues to work.
    @Test(arguments: [8, 9, 12])
    func aFailedCommitIsToldAndTheStoreGoesOn(meta: Int) throws {
      let store = directory.file("store")
      _ = try run("go-on", store, "0", [:])
      let result = try run("go-on", store, "20", ["TEST_FAILING_META": "\(meta)"])
      #expect(result.status == 0, "\(result)")
      let output = result.output.split(separator: "\n")
      let lines = output.dropLast()
      let counts = output.last?.split(separator: " ").compactMap { Int($0) } ?? []
      #expect(lines.count == 20 && lines.filter { $0 == "outcomeUnknown" }.count == 1, "\(result)")
      #expect(lines.allSatisfy { $0 == "outcomeUnknown" || $0 == "stored" }, "\(result)")
      // All acknowledged commits are there, and the rest completely or not at all.
      #expect(counts.count == 2 && counts[0] == counts[1] && (19...20).contains(counts[0]), "\(counts)")
    }

    /// Other processes let the file grow while this one, whose map is small, opens or copies it.
    @Test(arguments: [
      "mdb_txn_begin:1", "mdb_txn_begin:2", "mdb_txn_begin:3", "mdb_txn_begin:4", "mdb_txn_renew:1", "mdb_txn_renew:2",
      "mdb_env_copyfd2:1",
    ])
    func aFileThatGrowsDuringAnOpeningOrACopyIsFollowed(moment: String) throws {
      let store = directory.file("store")
      #expect(try run("fill", store, "1", [:]).status == 0)
      let worker = Program.directory.appendingPathComponent("TestWorker").path
      let settings = [
        "TEST_MEANWHILE": moment, "TEST_MEANWHILE_COMMAND": "'\(worker)' fill '\(store)' \(8 << 20) >/dev/null",
      ]
      let copies = moment.hasPrefix("mdb_env_copyfd2")
      let result = try run(copies ? "back-up-small" : "open-small", store, "", settings)
      let expected = "9 items, 0 findings\n"
      #expect(result.output == (copies ? expected + expected : expected), "\(result)")
    }

    // MARK: Setting the clock

    /// Shows a command the machine's clock, which the command or other processes set.
    private func withClock(_ seconds: Int = 0) throws -> [String: String] {
      let file = directory.file("clock")
      try Data("\(seconds)\n".utf8).write(to: URL(fileURLWithPath: file))
      return ["TEST_CLOCK": file]
    }

    @Test func aClockThatIsSetForwardEndsNoLease() throws {
      let path = directory.file("store")
      let queue = try SharedStore(path: path, options: .durability(.processCrashOnly)).queue("jobs", of: Int.self)
      try queue.push(1)
      let clock = try withClock()
      let worker = try start("lease-and-clock", path, "", clock)
      #expect(worker.line() == "leased")
      // Another process sets the clock, which both see, and finds nothing to take.
      let other = try run("look-and-clock", path, "7200", clock)
      let told = other.output.split(separator: "\n")
      #expect(told.first == "nothing", "\(other)")
      #expect((Int(told.last ?? "") ?? -1) > 500, "\(other)")
      worker.release()
      #expect(worker.line() == "acknowledged")
      #expect(worker.finish().status == 0)
    }

    @Test(arguments: [-7200, 7200]) func aDelayIsAsLongAsItIsWhateverTheClock(seconds: Int) throws {
      let taken = try run("delay-and-clock", directory.file("store"), "\(seconds)", withClock())
      let milliseconds = Int(taken.output.dropLast()) ?? -1
      #expect((1000..<5000).contains(milliseconds), "\(taken)")
    }

    @Test(arguments: [-7200, 7200]) func agesOfSnapshotsGoByNoClockThatIsSet(seconds: Int) throws {
      let age = try run("age-and-clock", directory.file("store"), "\(seconds)", withClock())
      #expect((0..<60).contains(Int(age.output.dropLast()) ?? -1), "\(age)")
    }

    @Test func aWaitForAnotherThreadGoesByNoClockThatIsSet() throws {
      let waited = try run("wait-and-clock", directory.file("store"), "7200", withClock())
      #expect((90..<3000).contains(Double(waited.output.dropLast()) ?? -1), "\(waited)")
    }

    /// The commit wakes no waiter: the waiter checks by itself.
    @Test func aWriterKilledBetweenCommitAndWakeIsNoticed() throws {
      let path = directory.file("store")
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      let value = try store.value("value", initial: 0)
      // So that the worker creates nothing.
      #expect(try Program.run("TestWorker", "open-all", path).status == 0)
      for round in 1...3 {
        let known = try store.read { $0.snapshotID }
        let worker = try start("increment-later", path, "300", ["TEST_KILL_AFTER_COMMIT": "1"])
        #expect(worker.line() == "ready")
        let start = ContinuousClock.now
        #expect(try value.waitForChange(after: known, timeout: .seconds(20)) != nil)
        // It writes after 300 ms.
        #expect(start.duration(to: .now) < .milliseconds(300 + 300))
        #expect(worker.finish().status == -SIGKILL)
        #expect(try value.get() == round)
      }
    }
  }
#endif
