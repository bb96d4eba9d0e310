import Foundation
import LMDBShare
import TestSupport
import Testing

/// Readers that die, and pages that they would hold forever.
@Suite(.timeLimit(.minutes(20)), .serialized)
struct ReaderTests {
  let directory = TemporaryDirectory()
  var path: String { directory.file("store") }

  private func open() throws -> SharedStore {
    try SharedStore(path: path, options: .durability(.processCrashOnly))
  }

  /// Starts workers that die in the middle of a read, several at a time.
  private func killReaders(_ count: Int) throws {
    var running: [Program] = []
    for _ in 0..<count {
      running.append(try Program("TestWorker", ["read-and-die", path]))
      if running.count >= 4 { expectKilled(running.removeFirst()) }
    }
    running.forEach(expectKilled)
  }

  private func expectKilled(_ worker: Program) {
    let result = worker.finish()
    #expect(result.status == -SIGKILL, "\(result.output)")
  }

  /// More readers die than there are slots.
  @Test(arguments: [(slots: 16, dead: 100), (slots: 1024, dead: 2000)])
  func killedReadersDoNotFillTheTable(slots: Int, dead: Int) throws {
    var options = StoreOptions.durability(.processCrashOnly)
    options.maximumReaders = slots
    let store = try SharedStore(path: path, options: options)
    let list = try store.list("list", of: Int.self)
    try list.append(1)
    try killReaders(dead)
    #expect(try list.count == 1)
    #expect(try store.statistics().readers.count <= slots)
  }

  @Test func slotsOfTheDeadAreTakenOver() throws {
    // All slots belong to readers that die together, while no process opens the store or commits.
    var options = StoreOptions.durability(.processCrashOnly)
    options.maximumReaders = 16
    let store = try SharedStore(path: path, options: options)
    let value = try store.value("v", initial: 7)
    var holders: [Program] = []
    while holders.count < 100 {
      let holder = try Program("TestWorker", ["hold-snapshot", path])
      holders.append(holder)
      guard holder.line()?.hasPrefix("reading") == true else { break }
    }
    // LMDB's table fills its page.
    #expect(holders.count < 100 && holders.count > 4)
    holders.forEach { $0.signal(SIGKILL) }
    holders.forEach { $0.finish() }
    var held: [Snapshot] = []
    while held.count < 12 { held.append(try store.snapshot()) }
    #expect(try held[11][value] == 7)
  }

  /// A reader that is delayed while it takes a snapshot gets the snapshot that matches its number.
  @Test func aSnapshotIsThatOfItsNumber() throws {
    let directory = TemporaryDirectory()
    let store = try SharedStore(path: directory.file("store"), options: .durability(.processCrashOnly))
    let (value, list) = (try store.value("value", initial: 0), try store.list("list", of: String.self))
    func commit() throws {
      try store.write { txn in
        let number = txn.snapshotID
        txn[value] = number
        txn[list] = SharedList<String>.Contents((0..<number % 7).map { _ in "\(number)" })
      }
    }
    try commit()
    let reader = try Program(
      path: Program.directory.appendingPathComponent("TestWorker").path,
      ["read-numbers", directory.file("store"), "200"], environment: try heldUp())
    #expect(reader.line() == "ready")
    // It ends after a number of snapshots, and reports those that did not match.
    let deadline = ContinuousClock.now + .seconds(60)
    while reader.isRunning {
      try #require(deadline > .now)
      try commit()
    }
    #expect(reader.finish() == (0, "200 snapshots\n"))
  }

  /// The variables for a process that is delayed each time it has taken a snapshot from LMDB, or every other time.
  private func heldUp() throws -> [String: String] {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "Resources/interpose.c")
    let library = directory.file("interpose.so")
    let built = try Program.shell(
      "for c in clang cc gcc; do command -v $c >/dev/null && exec $c -shared -fPIC -o '\(library)' '\(source.path)' -ldl 2>&1; done; exit 1"
    )
    try #require(built.status == 0, "no C compiler, or: \(built.output)")
    return ProcessInfo.processInfo.environment.merging(["LD_PRELOAD": library, "TEST_SLOW_RENEW": "2000"]) { $1 }
  }

  @Test func deadReadersHoldNoPages() throws {
    func grow(_ dead: Int) throws -> Int {
      try? FileManager.default.removeItem(atPath: path)
      let store = try open()
      let list = try store.list("list", of: Int.self)
      try list.append(contentsOf: 0..<30_000)
      try killReaders(dead)
      for round in 0..<1000 { try list.write { contents in for index in 0..<2000 { contents[index] = round } } }
      return try store.statistics().fileBytes
    }
    let without = try grow(0)
    let with = try grow(100)
    #expect(with - without <= 1 << 20, "\(without) and \(with) bytes")
  }

  @Test func statisticsTellOfReaders() throws {
    let store = try open()
    let value = try store.value("v", initial: 0)
    let worker = try Program("TestWorker", ["hold-snapshot", path])
    #expect(worker.line()?.hasPrefix("reading") == true)
    for round in 0..<3 { try value.set(round) }
    let reader = try #require(
      try store.statistics().readers.first { $0.processID == Int(worker.pid) && $0.snapshotID != nil })
    #expect(reader.lag == 3)
    let age = try #require(reader.age)
    #expect(age >= .zero && age < .seconds(60))
    worker.finish()
    let mine = try store.snapshot()
    let own = try #require(
      try store.statistics().readers.first { $0.processID == Int(getpid()) && $0.snapshotID == mine.id })
    #expect(own.lag == 0 && own.age == nil)
  }

  /// Commit times of an earlier boot in the `signal` file are not compared with the time since the start of this boot.
  @Test func agesOutliveAReboot() throws {
    let store = try open()
    let value = try store.value("v", initial: 0)
    let mine = try store.snapshot()
    try value.set(1)
    func age() throws -> Duration? {
      try store.statistics().readers.first { $0.processID == Int(getpid()) && $0.snapshotID == mine.id }?.age
    }
    #expect(try #require(try age()) < .seconds(60))
    // The entry of the commit: its time of day, and the stamp that identifies the boot.
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path + "/signal"))
    let entry = UInt64(4096 + 32 * ((mine.id + 1) % 128))
    func set(_ offset: UInt64, _ number: UInt64) throws {
      try file.seek(toOffset: entry + offset)
      try file.write(contentsOf: withUnsafeBytes(of: number) { Data($0) })
    }
    try file.seek(toOffset: entry + 24)
    let stamp = try #require(try file.read(upToCount: 8)).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    try set(24, stamp ^ 1 << 48)
    #expect(try #require(try age()) < .seconds(60))
    try set(8, (microsecondsSince1970() - 7_200_000_000) * 1000)
    #expect((Duration.seconds(7190)..<Duration.seconds(7260)).contains(try #require(try age())))
    // Impossible ages are not reported.
    try set(8, (microsecondsSince1970() + 7_200_000_000) * 1000)
    #expect(try age() == nil)
    // An entry that an older program has left from an earlier commit.
    try set(24, stamp ^ 1 << 40)
    #expect(try age() == nil)
    try set(24, stamp)
    #expect(try #require(try age()) < .seconds(60))
  }

  @Test func moreReadsThanSlotsAreAnError() throws {
    var options = StoreOptions.durability(.processCrashOnly)
    options.maximumReaders = 4
    let store = try SharedStore(path: path, options: options)
    let value = try store.value("v", initial: 5)
    var held: [Snapshot] = []
    do {
      while held.count < 10 { held.append(try store.snapshot()) }
      Issue.record("\(held.count) snapshots")
    } catch let error as StoreError {
      #expect(error.code == .readersFull)
    }
    held.removeAll()
    #expect(try value.get() == 5)
  }
}
