import Foundation
import LMDBShare
import TestSupport
import Testing

/// Stores in shared memory: made, removed and left behind by several processes.
@Suite(.timeLimit(.minutes(20)))
struct EphemeralTests {
  let name = "test-\(UInt64.random(in: 0...UInt64.max))"
  let path: String
  let files = FileManager.default

  init() throws {
    path = try SharedStore.ephemeral(named: name).path
    try SharedStore.removeEphemeral(named: name)
  }

  private func worker(_ action: String, _ number: Int = 0) throws -> Program {
    try Program("TestWorker", ["ephemeral", name, action, "\(number)"])
  }

  @Test func removingIsCompleteWhateverAKilledProcessLeft() throws {
    let worker = try worker("hold")
    #expect(worker.line() == "open")
    worker.signal(SIGKILL)
    worker.finish()
    #expect(files.fileExists(atPath: path + "/unsynced"))
    // Unfinished data files, too.
    #expect(files.createFile(atPath: path + "/data.mdb.12.34", contents: nil))
    try SharedStore.removeEphemeral(named: name)
    #expect(!files.fileExists(atPath: path))
    try SharedStore.removeEphemeral(named: name)
    // One that had lost files before.
    _ = try SharedStore.ephemeral(named: name)
    for file in ["data.mdb", "owners"] { try files.removeItem(atPath: path + "/" + file) }
    try SharedStore.removeEphemeral(named: name)
    #expect(!files.fileExists(atPath: path))
    // One whose remover was killed half-way.
    _ = try SharedStore.ephemeral(named: name)
    let removed = URL(fileURLWithPath: path).deletingLastPathComponent().path + "/.removed-\(name)"
    try files.moveItem(atPath: path, toPath: removed)
    try files.removeItem(atPath: removed + "/data.mdb")
    try SharedStore.removeEphemeral(named: name)
    #expect(!files.fileExists(atPath: removed))
  }

  @Test func removingAnOpenStoreFreesItsName() throws {
    let worker = try worker("hold")
    #expect(worker.line() == "open")
    try SharedStore.removeEphemeral(named: name)
    #expect(!files.fileExists(atPath: path))
    let store = try SharedStore.ephemeral(named: name)
    #expect(try store.structures().isEmpty)
    #expect(worker.finish().output == "replaced\n")
    #expect(try store.structures().isEmpty && store.value("value", initial: 7).get() == 7)
    try SharedStore.removeEphemeral(named: name)
  }

  @Test func otherFilesStayAndAreNamed() throws {
    _ = try SharedStore.ephemeral(named: name)
    #expect(files.createFile(atPath: path + "/notes.txt", contents: Data([1])))
    for _ in 0..<2 {
      let error = #expect(throws: StoreError.self) { try SharedStore.removeEphemeral(named: name) }
      #expect(error?.code == .notAStore && error?.reason.contains("notes.txt") == true)
      #expect(try files.contentsOfDirectory(atPath: path) == ["notes.txt"])
    }
    try files.removeItem(atPath: path + "/notes.txt")
    try SharedStore.removeEphemeral(named: name)
    #expect(!files.fileExists(atPath: path))
  }

  @Test func makersAndRemoversDoNotMeet() throws {
    let workers = try (0..<4).map { _ in try worker("churn", 100) }
    for worker in workers { #expect(worker.finish().output == "done\n") }
    try SharedStore.removeEphemeral(named: name)
    #expect(!files.fileExists(atPath: path))
  }

  @Test func anExclusiveStoreIsOneRunsOwn() throws {
    let first = try worker("hold-exclusive")
    #expect(first.line() == "open")
    let error = #expect(throws: StoreError.self) { try SharedStore.ephemeral(named: name, exclusive: true) }
    #expect(error?.code == .busy && error?.processID == Int(first.pid))
    // Processes that belong to the run join it.
    #expect(try SharedStore.ephemeral(named: name).value("value", initial: 0).get() == 1)
    first.signal(SIGKILL)
    first.finish()
    // The leftovers of a run are not used by the next one.
    let store = try SharedStore.ephemeral(named: name, exclusive: true)
    #expect(try store.structures().isEmpty)
    #expect(code { _ = try SharedStore.ephemeral(named: name, exclusive: true) } == .busy)
    try SharedStore.removeEphemeral(named: name)
  }

  /// The owners file also reveals a process that has the store open.
  @Test func anExclusiveStoreIsOneRunsOwnWithoutItsLockFile() throws {
    let first = try worker("hold-exclusive")
    #expect(first.line() == "open")
    try files.removeItem(atPath: path + "/lock.mdb")
    let error = #expect(throws: StoreError.self) { try SharedStore.ephemeral(named: name, exclusive: true) }
    #expect(error?.code == .busy && error?.processID == Int(first.pid), "\(error as Any)")
    #expect(files.fileExists(atPath: path + "/data.mdb"))
    first.signal(SIGKILL)
    first.finish()
    #expect(try SharedStore.ephemeral(named: name, exclusive: true).structures().isEmpty)
    try SharedStore.removeEphemeral(named: name)
  }

  @Test func aStoreWithoutANameGoesWithItsLastProcess() throws {
    var path = ""
    do {
      let store = try SharedStore.ephemeral()
      path = store.path
      #expect(try SharedStore.ephemeral().path != path)
      // Another process that has it open keeps it.
      let other = try Program("TestWorker", ["add", path, "1"])
      #expect(other.finish().status == 0)
      #expect(try store.value("value", initial: 0).get() == 1)
    }
    #expect(!files.fileExists(atPath: path))
    for keeps in [0, 1] {
      let worker = try worker("anonymous", keeps)
      path = try #require(worker.line())
      #expect(files.fileExists(atPath: path))
      #expect(worker.finish().status == 0)
      #expect(!files.fileExists(atPath: path), "\(keeps)")
    }
  }

  @Test func itGoesWhileOtherProcessesLookForLeftStores() throws {
    let workers = try (0..<4).map { _ in try worker("fleeting", 100) }
    #expect(workers.map { $0.finish().output } == ["0\n", "0\n", "0\n", "0\n"])
  }

  @Test func itGoesWithProcessesThatEndTogether() throws {
    for round in 0..<20 {
      var store: SharedStore? = try SharedStore.ephemeral()
      let path = try #require(store?.path)
      let workers = try (0..<3).map { number in
        try Program("TestWorker", ["ephemeral", path, "join", "\((round + number) % 4)"])
      }
      #expect(workers.allSatisfy { $0.line() == "open" })
      store = nil
      #expect(files.fileExists(atPath: path))
      #expect(workers.allSatisfy { $0.send("end") })
      #expect(workers.allSatisfy { $0.finish().status == 0 })
      #expect(!files.fileExists(atPath: path), "round \(round)")
    }
  }

  /// A process that ends has LMDB's lock for longer than it shows that it has the store open.
  @Test func closingWaitsForAProcessThatEnds() throws {
    var store: SharedStore? = try SharedStore.ephemeral()
    let path = try #require(store?.path)
    let worker = try Program("TestWorker", ["ephemeral", path, "join", "5"])
    #expect(worker.line() == "open" && worker.send("end") && worker.line() == "left")
    #expect(files.fileExists(atPath: path))
    store = nil
    #expect(!files.fileExists(atPath: path))
    #expect(worker.finish().status == 0)
  }

  @Test func whatKilledProcessesLeaveIsRemovedByTheNextOne() throws {
    let (dead, living) = (try worker("anonymous"), try worker("anonymous"))
    let paths = try [dead, living].map { try #require($0.line()) }
    #expect(paths.allSatisfy { files.fileExists(atPath: $0) })
    dead.signal(SIGKILL)
    dead.finish()
    _ = try SharedStore.ephemeral()
    #expect(!files.fileExists(atPath: paths[0]) && files.fileExists(atPath: paths[1]))
    living.finish()
  }

  @Test(.enabled(if: Needs.root, "it needs root")) func aProgramWithAnotherUsersRightsLocksNoUserOut() throws {
    let user = 54_321
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().deletingLastPathComponent().path
    #expect(try worker("as-user", user).finish().output == "open\nopen\n")
    let made = "\(directory)/lmdbshare-\(user)"
    #expect(try files.attributesOfItem(atPath: made)[.ownerAccountID] as? Int == user)
    try files.removeItem(atPath: made)
  }
}
