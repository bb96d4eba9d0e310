import Foundation
import LMDBShare
import TestSupport
import Testing

/// The inherited state of a process does no harm: closed streams, the working directory, the umask, the user.
@Suite(.timeLimit(.minutes(20)))
struct InheritedTests {
  let directory = TemporaryDirectory()
  private var worker: String { Program.directory.appendingPathComponent("TestWorker").path }

  /// Runs a worker by the shell, with a preparation before.
  private func shell(_ before: String, _ command: String, _ path: String, _ number: Int = 0, _ after: String = "")
    throws
    -> (status: Int32, output: String)
  {
    try Program.shell("\(before) '\(worker)' \(command) '\(path)' \(number) \(after)")
  }

  // MARK: Streams

  /// Which streams are closed at the start, and which ones later.
  @Test(arguments: [(0b111, 0), (0b110, 0), (0b001, 0b110), (0b010, 0), (0b101, 0b010), (0, 0b111), (0b100, 0b001)])
  func noFileOfAStoreIsAStandardStream(_ closed: Int, _ later: Int) throws {
    let path = directory.file("store")
    let redirections = ["<&-", ">&-", "2>&-"].enumerated().filter { closed >> $0.offset & 1 == 1 }.map(\.element)
    let end = try shell("exec", "closed-streams", path, later, redirections.joined(separator: " "))
    #expect(end.status == 0, "\(end)")
    #expect(try String(decoding: directory.read("store.result"), as: UTF8.self) == "")
    #expect(try SharedStore(path: path, options: .durability(.processCrashOnly)).check().isEmpty)
    #expect(try SharedStore(path: path + ".copy", options: .durability(.processCrashOnly)).check().isEmpty)
  }

  // MARK: The working directory

  @Test func aRelativePathLeadsToTheSameStoreFromEverywhere() throws {
    let end = try Program.run("TestWorker", "elsewhere", directory.path)
    #expect(end.output.hasPrefix("exited(0) 11 \(directory.path)/store"), "\(end)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("elsewhere")).isEmpty)
  }

  @Test func aStoreThatWasMovedGoesOn() throws {
    let path = directory.file("store")
    // So small that LMDB's environment has to be opened again, or its map moved.
    var options = StoreOptions.durability(.processCrashOnly)
    options.mapReservation = 1 << 16
    let store = try SharedStore(path: path, options: options)
    let list = try store.list("list", of: [UInt8].self)
    rename(path, directory.file("moved"))
    mkdir(path, 0o700)
    for _ in 0..<50 { try list.append([UInt8](repeating: 1, count: 50_000)) }
    #expect(try list.count == 50)
    #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
  }

  @Test func aWorkerMakesNoStore() throws {
    let path = directory.file("store")
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    try FileManager.default.removeItem(atPath: path)
    let end = try WorkerProcess(role: "open-as-worker", store: store, executable: worker).wait(timeout: .seconds(60))
    #expect(end == .exited(3))
    #expect(!directory.exists("store"))
  }

  // MARK: Modes

  @Test(arguments: ["000", "022", "027", "077", "777"])
  func aModeThatIsNamedIsTheMode(_ umask: String) throws {
    for modes in [0o600, 0o640, 0o660, 0o666] {
      let path = directory.file("store-\(umask)-\(modes)")
      let end = try shell("umask \(umask); exec", "make", path, modes)
      let bits = String(modes, radix: 8)
      let place = String(modes | modes >> 2 & 0o111, radix: 8)
      let expected = ["data.mdb", "lock.mdb", "owners", "signal", "unsynced"].map { "\($0) \(bits)" } + [". \(place)"]
      #expect(end.output == expected.joined(separator: "\n") + "\n", "umask \(umask), mode \(bits)")
    }
  }

  @Test(
    .enabled(if: Needs.root, "root alone opens what it may not"),
    arguments: [("000", "600", "700"), ("022", "600", "700"), ("277", "400", "500")])
  func modesThatAreNotNamedObeyTheUmask(_ umask: String, _ file: String, _ place: String) throws {
    let end = try shell("umask \(umask); exec", "make", directory.file("store"))
    let names = ["data.mdb", "lock.mdb", "owners", "signal", "unsynced"]
    #expect(end.output == (names.map { "\($0) \(file)" } + [". \(place)"]).joined(separator: "\n") + "\n")
  }

  // MARK: Users

  @Test(.enabled(if: Needs.root, "it needs root"))
  func twoUsersShareAStore() throws {
    let path = TemporaryDirectory(inMemory: false).file("store")
    chmod((path as NSString).deletingLastPathComponent, 0o755)
    let first = try shell("umask 077; exec", "make", path, 0o666)
    #expect(first.status == 0, "\(first)")
    // The first user can use what the second one creates again.
    for name in ["signal", "owners", "lock.mdb"] { unlink(path + "/" + name) }
    let second = try shell("umask 077; exec", "use-as-nobody", path)
    #expect(second.output == "2\n", "\(second)")
    var options = StoreOptions.durability(.processCrashOnly)
    options.allowForeignOwner = true
    let store = try SharedStore(path: path, options: options)
    try store.value("value", initial: 0).set(5)
    #expect(try shell("exec", "use-as-nobody", path).output == "6\n")
  }

  @Test(.enabled(if: Needs.root, "it needs root"))
  func aReaderWithoutPermissionIsToldWhatItNeeds() throws {
    let path = TemporaryDirectory(inMemory: false).file("store")
    chmod((path as NSString).deletingLastPathComponent, 0o755)
    #expect(try shell("umask 0; exec", "make", path, 0o644).status == 0)
    let denied = try shell("exec", "read-as-nobody", path).output
    #expect(denied.contains("permissionDenied") && denied.contains("lock.mdb cannot be written by user 65534"))
    #expect(denied.contains(".readOnlyUnlocked"))
    #expect(try shell("exec", "use-as-nobody", path).output.contains("data.mdb cannot be written by user 65534"))
    #expect(try shell("exec", "read-unlocked-as-nobody", path).output == "1\n")
  }

  @Test(.enabled(if: Needs.root, "it needs root"))
  func rootTrustsNoStoreOfOthers() throws {
    let path = directory.file("store")
    var options = StoreOptions.durability(.processCrashOnly)
    func code() -> StoreError.Code? {
      do {
        try SharedStore(path: path, options: options).value("value", initial: 0).update { $0 += 1 }
        return nil
      } catch {
        return (error as? StoreError)?.code
      }
    }
    #expect(code() == nil)
    chmod(path, 0o777)
    #expect(code() == .foreignOwner)
    chmod(path, 0o770)
    #expect(code() == nil)
    chown(path, 0, 65534)
    #expect(code() == .foreignOwner)
    chown(path, 0, 0)
    chmod(path, 0o700)
    // Each file by itself.
    for name in ["data.mdb", "lock.mdb", "owners", "signal"] {
      var info = stat()
      #expect(stat(path + "/" + name, &info) == 0)
      chmod(path + "/" + name, 0o666)
      #expect(code() == .foreignOwner, "\(name)")
      chmod(path + "/" + name, info.st_mode & 0o7777)
      chown(path + "/" + name, 65534, 0)
      #expect(code() == .foreignOwner, "\(name)")
      chown(path + "/" + name, 0, 0)
    }
    #expect(code() == nil)
    chown(path, 65534, 65534)
    #expect(code() == .foreignOwner)
    chown(path + "/data.mdb", 65534, 65534)
    for name in ["signal", "owners", "lock.mdb"] { unlink(path + "/" + name) }
    options.allowForeignOwner = true
    #expect(code() == nil)
    // Root has not excluded any user.
    for name in try FileManager.default.contentsOfDirectory(atPath: path) {
      var info = stat()
      #expect(stat(path + "/" + name, &info) == 0 && info.st_uid == 65534, "\(name)")
    }
  }

  @Test(.enabled(if: Needs.withoutProc, "/proc cannot be hidden here"))
  func withoutProcAStoreIsMadeAsWell() throws {
    let path = directory.file("store")
    // Swift finds no arguments there.
    func open(_ path: String, _ before: String) throws -> (status: Int32, output: String) {
      try Program.shell(
        "export LMDBSHARE_WORKER_ROLE=open LMDBSHARE_WORKER_STORE='\(path)'; exec unshare -m sh -c "
          + "'umount -l /proc && \(before) exec \"\(worker)\"'")
    }
    let made = try open(path, "")
    #expect(made.output == "opened\n", "\(made)")
    #expect(try SharedStore(path: path).structures().isEmpty)
    // A failed creation leaves no directory behind.
    let failed = try open(path + "-2", "mount -t tmpfs -o size=4k,nr_inodes=2 none \"\(directory.path)\" &&")
    #expect(failed.status == 3 && failed.output.contains("diskFull"), "\(failed)")
    let left = try open(
      path + "-2",
      "mount -t tmpfs -o size=4k,nr_inodes=2 none \"\(directory.path)\"; \"\(worker)\"; ls \"\(directory.path)\";")
    #expect(!left.output.contains("store-2\n"), "\(left)")
  }
}
