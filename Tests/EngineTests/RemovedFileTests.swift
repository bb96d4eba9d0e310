import Foundation
import LMDBShare
import TestSupport
import Testing

/// Files of an open store that are removed, linked or truncated.
@Suite(.timeLimit(.minutes(20)))
struct RemovedFileTests {
  let directory = TemporaryDirectory()
  var path: String { directory.file("store") }

  private func open() throws -> SharedStore {
    try SharedStore(path: path, options: .durability(.processCrashOnly))
  }

  private func code(_ body: () throws -> Void) -> StoreError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? StoreError)?.code
    }
  }

  @Test func noSecondLockFileIsMadeBesideALivingProcess() throws {
    let store = try open()
    let value = try store.value("value", initial: 1)
    unlink(path + "/lock.mdb")
    let other = try Program.run("TestWorker", "open", path)
    #expect(other.output.hasPrefix("error replaced"), "\(other)")
    #expect(!directory.exists("store/lock.mdb"))
    #expect(code { try value.set(2) } == .replaced)
    #expect(try value.get() == 1)
  }

  @Test func aReaderCountsAsALivingProcess() throws {
    _ = try open().value("value", initial: 1)
    var options = StoreOptions.durability(.processCrashOnly)
    options.access = .readOnly
    var store: SharedStore? = try SharedStore(path: path, options: options)
    unlink(path + "/lock.mdb")
    #expect(try Program.run("TestWorker", "open", path).output.hasPrefix("error replaced"))
    #expect(store != nil)
    store = nil
    #expect(try Program.run("TestWorker", "open", path).output == "opened\n")
  }

  @Test(arguments: ["lock.mdb", "data.mdb"])
  func aFileThatIsRemovedDuringAWriteFailsTheWrite(_ name: String) throws {
    let saved = directory.file("saved")
    do {
      let store = try open()
      let value = try store.value("value", initial: 1)
      try store.sync()
      link(path + "/" + name, saved)
      let told = code {
        try store.write { txn in
          txn[value] = 2
          unlink(path + "/" + name)
        }
      }
      #expect(told == .replaced)
    }
    rename(saved, path + "/" + name)
    #expect(try open().value("value", initial: 0).get() == 1)
  }

  @Test func missingDataIsNoNewStore() throws {
    try open().value("value", initial: 1).set(2)
    unlink(path + "/data.mdb")
    let told = code { _ = try open() }
    #expect(told == .storeNotFound)
    #expect(!directory.exists("store/data.mdb"))
    for name in try FileManager.default.contentsOfDirectory(atPath: path) { unlink(path + "/" + name) }
    #expect(code { _ = try open() } == nil)
  }

  /// A mark for unsynced commits from before the machine went down changes nothing about that.
  @Test(arguments: [StoreOptions.Unsynced.refuse, .check, .discard])
  func missingDataIsNoNewStoreAfterAReboot(_ policy: StoreOptions.Unsynced) throws {
    var options = StoreOptions.durability(.processCrashOnly)
    options.unsyncedAfterReboot = policy
    try SharedStore(path: path, options: options).value("value", initial: 1).set(2)
    unlink(path + "/data.mdb")
    try directory.write(Array("another boot\n".utf8), to: "store/unsynced")
    #expect(code { _ = try SharedStore(path: path, options: options) } == .storeNotFound)
    options.createIfMissing = false
    #expect(code { _ = try SharedStore(path: path, options: options) } == .storeNotFound)
    #expect(!directory.exists("store/data.mdb"))
    // A mark without data may be left from an old creation or removal; a newly created store is not suspect.
    for name in ["lock.mdb", "owners", "signal"] { unlink(path + "/" + name) }
    options.createIfMissing = true
    #expect(code { _ = try SharedStore(path: path, options: options) } == nil)
    #expect(code { _ = try SharedStore(path: path, options: options) } == nil)
  }

  @Test(arguments: ["data.mdb", "lock.mdb", "signal", "owners", "unsynced"])
  func hardLinksAreNotWrittenTo(_ name: String) throws {
    try open().value("value", initial: 1).set(2)
    let victim = directory.file("victim")
    let bytes = name == "data.mdb" ? try directory.read("store/data.mdb") : Array("must stay".utf8)
    try directory.write(bytes, to: "victim")
    unlink(path + "/" + name)
    link(victim, path + "/" + name)
    #expect(code { _ = try open() } == .wrongFileKind)
    #expect(try directory.read("victim") == bytes)
  }

  /// The handler for truncated files leaves the effect of a signal that was sent unchanged.
  @Test(arguments: [("", -SIGBUS), ("trap '' BUS; ", -SIGKILL)])
  func aBusErrorThatIsSentIsNotSurvived(_ before: String, _ expected: Int32) throws {
    let worker = Program.directory.appendingPathComponent("TestWorker").path
    _ = try open()
    let program = try Program(
      path: "/bin/sh", ["-c", "\(before)exec '\(worker)' observe '\(path)' 1"],
      environment: ["SWIFT_BACKTRACE": "enable=no"])
    #expect(program.line() == "observing")
    program.signal(SIGBUS)
    if expected == -SIGKILL {
      // Nothing happens in the time in which the first one would have ended it.
      usleep(50_000)
      program.signal(SIGKILL)
    }
    #expect(program.finish().status == expected)
  }

  @Test func aTruncatedSignalFileEndsNoProcess() throws {
    let store = try open()
    let value = try store.value("value", initial: 0)
    let queue = try store.queue("queue", of: [UInt8].self)
    let waiter = try Program("TestWorker", ["observe", path, "200"])
    #expect(waiter.line() == "observing")
    for round in 1...200 {
      if round % 50 == 1 { #expect(truncate(path + "/signal", off_t(round % 3 * 1000)) == 0) }
      try value.update { $0 += 1 }
      try queue.push([1])
      #expect(try queue.pop(timeout: .seconds(5)) == [1])
    }
    #expect(waiter.finish().status == 0)
    // It is complete again, and shared.
    #expect(try directory.read("store/signal").count == 8192)
    let other = try Program("TestWorker", ["observe", path, "201"])
    #expect(other.line() == "observing")
    try value.update { $0 += 1 }
    #expect(other.finish().status == 0)
  }

  /// However often it happens in the life of a process.
  @Test func aSignalFileMayBeReplacedAnyNumberOfTimes() throws {
    let store = try open()
    let value = try store.value("value", initial: 0)
    for round in 1...40 {
      if round % 2 == 0 { unlink(path + "/signal") } else { #expect(truncate(path + "/signal", 0) == 0) }
      // This makes it check the files.
      try directory.write([], to: "store/data.mdb.1.\(round)")
      try value.update { $0 += 1 }
      #expect(try directory.read("store/signal").starts(with: "LMDBSHARE-SIGNAL".utf8), "round \(round)")
    }
    let other = try Program("TestWorker", ["observe", path, "41"])
    #expect(other.line() == "observing")
    try value.update { $0 += 1 }
    #expect(other.finish().status == 0)
  }

  @Test func manyStoresSurviveThatTheirSignalFilesAreTruncated() throws {
    #expect(try Program.run("TestWorker", "truncate-many", directory.path, "300").output == "300\n")
  }

  /// A process that waits for the lock file while the store is removed creates no data file in its place.
  @Test func anOpeningThatWaitedWhileTheStoreWentLeavesNothing() throws {
    _ = try open().value("value", initial: 1)
    let holder = try Program("TestWorker", ["stop-with-lock-file", path])
    #expect(holder.line() == "locked")
    let opener = try Program("TestWorker", ["open-without-limit", path])
    #expect(opener.opens(path + "/lock.mdb") && opener.reaches("S"))
    for name in try FileManager.default.contentsOfDirectory(atPath: path) { unlink(path + "/" + name) }
    holder.signal(SIGCONT)
    holder.finish()
    #expect(opener.finish().output.hasPrefix("error replaced"))
    #expect(!directory.exists("store/data.mdb"))
    #expect(code { _ = try open() } == nil)
  }

  /// Also if the store is already open.
  @Test func pagesAreCheckedWheneverThatIsAskedFor() throws {
    let store = try open()
    try store.list("list", of: [UInt8].self).append(
      contentsOf: (0..<50).map { _ in [UInt8](repeating: 1, count: 1000) })
    var options = StoreOptions.durability(.processCrashOnly)
    options.verification = .pages
    #expect(code { _ = try SharedStore(path: path, options: options) } == nil)
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path + "/data.mdb"))
    // Each page except the meta pages has the number of another page.
    for page in 2..<(try directory.read("store/data.mdb").count / 4096) {
      try file.seek(toOffset: UInt64(page * 4096))
      try file.write(contentsOf: Data([0xFF, 0xFF, 0xFF]))
    }
    #expect(code { _ = try SharedStore(path: path, options: options) } == .damaged)
  }
}
