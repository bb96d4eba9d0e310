import Foundation
import LMDBShare
import TestSupport
import Testing

/// Wrong numbers in stored bytes are errors that name their structure: no arithmetic on them ends the process, and no loop runs
/// forever.
@Suite(.timeLimit(.minutes(20)))
struct DamagedNumbersTests {
  /// Each process damages a new store for each of its seeds, and uses all of it.
  @Test func noDamagedNumberEndsTheProcess() throws {
    let directory = TemporaryDirectory(inMemory: true)
    let first =
      ProcessInfo.processInfo.environment["LMDBSHARE_SEED"].flatMap { Int($0) } ?? Int.random(in: 0..<1 << 40)
    let processes = SeededGenerator.operations(8)
    for number in 0..<processes {
      let seed = first + number * 20
      let worker = try Program("TestWorker", ["use-damaged", directory.file("store-\(number % 2)"), "\(seed)"])
      let result = worker.finish(within: 120)
      let lines = result.output.split(separator: "\n").suffix(12).joined(separator: "\n")
      #expect(
        result.status == 0 && result.output.hasSuffix("done\n"), "LMDBSHARE_SEED=\(seed): \(result.status)\n\(lines)")
    }
  }

  private func raw(_ store: SharedStore, _ name: String, _ body: (Transaction, Database) throws -> Void) throws {
    let database = try #require(try store.environment.database(name))
    let core = try store.environment.beginWrite()
    try body(core, database)
    try store.environment.commit(core)
  }

  /// A key of a block or element at the limits of its range, and impossible counts of a list.
  @Test(arguments: [0, 1, 1 << 32 - 1, 1 << 32, 1 << 63, .max - 1, .max] as [UInt64])
  func keysAtTheEndOfTheirNumbers(_ key: UInt64) throws {
    let test = try TestStore()
    let numbers = try test.store.list("numbers", of: Int64.self)
    try test.store.makeList("names", .indexed, of: String.self)
    let names = try test.store.list("names", of: String.self)
    for name in ["numbers", "names"] {
      try raw(test.store, name) { core, database in
        core.removeAll(database)
        withBytes(of: [Int64](repeating: 7, count: 2)) { _ = core.put(database, key, $0) }
      }
    }
    let fine: Set<StoreError.Code?> = [nil, .damaged, .undecodable, .outOfRange]
    for _ in 0..<2 {
      #expect(fine.contains(code { try numbers.append(1) }))
      #expect(fine.contains(code { try numbers.prepend(1) }))
      #expect(fine.contains(code { try numbers.insert(1, at: 1) }))
      #expect(fine.contains(code { _ = try numbers.popFirst() }))
      #expect(fine.contains(code { try names.append("a") }))
      #expect(fine.contains(code { try names.prepend("a") }))
      #expect(fine.contains(code { try names.insert("a", at: 1) }))
      #expect(fine.contains(code { try names.read { _ = Array($0) } }))
      #expect(fine.contains(code { try numbers.read { _ = Array($0) } }))
    }
  }

  /// A directory that declares more elements than its blocks have room for: a program that takes elements until few are left would take
  /// them for days.
  @Test func countsThatTheBlocksHaveNoRoomFor() throws {
    let test = try TestStore()
    let numbers = try test.store.list("numbers", of: Int64.self)
    try numbers.append(contentsOf: 0..<5000)
    try numbers.insert(1, at: 700)
    let names = try test.store.list("names", of: String.self)
    try names.append(contentsOf: (0..<5000).map { "\($0)" })
    for name in ["numbers", "names"] {
      try raw(test.store, name) { core, database in
        var top = core.get(database, 0)?.copied(as: UInt64.self) ?? [1, 0]
        top[1] = 1 << 45
        _ = withBytes(of: top) { core.put(database, 0, $0) }
      }
    }
    #expect(code { _ = try numbers.count } == .damaged)
    #expect(code { _ = try names.count } == .damaged)
    #expect(code { try numbers.write { while $0.count > 10 { $0.removeLast(10) } } } == .damaged)
    #expect(code { try names.write { while $0.count > 10 { $0.removeLast(10) } } } == .damaged)
  }

  /// A directory that declares more elements than fit into memory.
  @Test func countsThatNoListHas() throws {
    let test = try TestStore()
    let numbers = try test.store.list("numbers", of: Int64.self)
    for counts in [[1 << 40], [1 << 47, 1 << 47, 1 << 47], [Int.max], [-1], [Int](repeating: 1 << 48, count: 40_000)] {
      try raw(test.store, "numbers") { core, database in
        core.removeAll(database)
        let entries = counts.enumerated().flatMap { [UInt64($0 + 1), UInt64(bitPattern: Int64($1))] }
        _ = withBytes(of: entries) { core.put(database, 0, $0) }
      }
      #expect(code { try numbers.read { _ = Array($0) } } == .damaged)
      #expect(code { try numbers.read { _ = $0[0] } } == .damaged)
      #expect(code { try numbers.append(1) } == .damaged)
      #expect(code { try numbers.insert(1, at: 0) } == .damaged)
      #expect(code { _ = try numbers.popLast() } == .damaged)
    }
  }

  /// The index of a lock's record in `owners`, for which no file has an offset.
  @Test(arguments: [1 << 40, 1 << 58, 1 << 59, .max - 1, .max] as [UInt64])
  func anIndexThatNoLockHas(_ index: UInt64) throws {
    let directory = TemporaryDirectory()
    let options = StoreOptions.durability(.processCrashOnly)
    do {
      let store = try SharedStore(path: directory.path, options: options)
      _ = try store.lock("lock")
      let (catalogue, core) = (store.environment.catalogue, try store.environment.beginWrite())
      let record = try #require(withUTF8(of: "lock") { core.get(catalogue, $0)?.utf8String() })
      #expect(record.contains("index 1"))
      let damaged = record.replacing("index 1", with: "index \(index)")
      withUTF8(of: "lock") { key in withUTF8(of: damaged) { _ = core.put(catalogue, key, $0) } }
      try store.environment.commit(core)
    }
    // It frees the space of the records that no lock has.
    try SharedStore.compact(path: directory.path)
    let store = try SharedStore(path: directory.path, options: options)
    #expect(code { try store.lock("lock").withLock { _ in } } == nil)
    #expect(code { try store.lock("new").withLock { _ in } } == nil)
  }
}
