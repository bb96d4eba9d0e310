import Foundation
import LMDBShare
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct StoreTests {
  let test: TestStore
  var store: SharedStore { test.store }

  init() throws { test = try TestStore() }

  @Test func structuresAreListedWithTheirTypes() throws {
    _ = try store.list("names", of: String.self)
    _ = try store.list("numbers", of: Int.self, maximumCount: 9)
    _ = try store.dictionary("scores", of: String.self, [Double].self)
    _ = try store.array("samples", of: Int32.self, count: 3)
    _ = try store.value("total", initial: 0)
    _ = try store.queue("jobs", of: [UInt8].self)
    #expect(
      try store.structures().map { "\($0.name): \($0)" } == [
        "jobs: queue of bytes (packed)", "names: list of string (slotted)", "numbers: list of i64 (packed, at most 9)",
        "samples: array of i32 (packed, 3 elements)", "scores: dictionary string to [f64]", "total: value of i64",
      ])
  }

  @Test func otherTypesAreRefused() throws {
    _ = try store.list("names", of: String.self)
    _ = try store.dictionary("scores", of: String.self, Int.self)
    #expect(code { _ = try store.list("names", of: Int.self) } == .typeMismatch)
    #expect(code { _ = try store.queue("names", of: String.self) } == .typeMismatch)
    #expect(code { _ = try store.value("names", initial: "") } == .typeMismatch)
    #expect(code { _ = try store.dictionary("scores", of: Int.self, Int.self) } == .typeMismatch)
    #expect(code { _ = try store.dictionary("scores", of: String.self, String.self) } == .typeMismatch)
    #expect(try store.list("names", of: String.self).isEmpty)
  }

  @Test(arguments: ["", ".catalogue", ".x", "a\u{0}b", "line\nbreak", String(repeating: "x", count: 256)])
  func impossibleNames(_ name: String) throws {
    #expect(code { _ = try store.list(name, of: Int.self) } == .invalidName)
    #expect(code { _ = try store.value(name, initial: 0) } == .invalidName)
    #expect(try store.structures().isEmpty)
  }

  @Test func namesInTwoNormalFormsAreTwoStructures() throws {
    let one = try store.list("caf\u{E9}", of: Int.self)
    let other = try store.list("cafe\u{301}", of: Int.self)
    try one.append(1)
    try other.append(2)
    #expect(try one[0] == 1 && other[0] == 2)
    #expect(try store.structures().count == 2)
  }

  @Test func removingAndMakingAnew() throws {
    let list = try store.list("a", of: Int.self)
    try list.append(contentsOf: 0..<10_000)
    let snapshot = try store.snapshot()
    #expect(try store.remove("a"))
    #expect(try store.remove("a") == false)
    #expect(code { _ = try list.count } == .structureRemoved)
    #expect(code { _ = try list[0] } == .structureRemoved)
    #expect(code { try list.append(1) } == .structureRemoved)
    // An earlier snapshot still has it.
    #expect(try snapshot[list].count == 10_000)
    snapshot.end()
    let again = try store.list("a", of: String.self)
    try again.append("x")
    #expect(try again[0] == "x")
    #expect(code { _ = try list.count } == .structureRemoved)
    let value = try store.value("v", initial: 5)
    #expect(try store.remove("v"))
    #expect(code { _ = try value.get() } == .structureRemoved)
    #expect(try store.value("v", initial: "text").get() == "text")
  }

  @Test func removingManyLeavesNothingBehind() throws {
    for round in 0..<300 {
      try store.list("temporary \(round % 3)", of: Int.self).append(contentsOf: 0..<1000)
      try store.remove("temporary \(round % 3)")
    }
    let statistics = try store.statistics()
    #expect(statistics.structures.isEmpty)
    #expect(statistics.usedBytes < 100_000)
  }

  @Test func renaming() throws {
    let list = try store.list("old", of: Int.self)
    try list.append(contentsOf: [1, 2, 3])
    _ = try store.value("value", initial: 7)
    try store.rename("old", to: "new")
    try store.rename("value", to: "other")
    #expect(code { _ = try list.count } == .structureRemoved)
    #expect(try store.list("new", of: Int.self).read { Array($0) } == [1, 2, 3])
    #expect(try store.value("other", initial: 0).get() == 7)
    #expect(code { try store.rename("gone", to: "x") } == .structureNotFound)
    #expect(code { try store.rename("new", to: "other") } == .structureExists)
    #expect(code { try store.rename("new", to: ".x") } == .invalidName)
    #expect(try store.list("old", of: String.self).isEmpty)
  }

  @Test func whatAnotherProcessRemovedOrMadeAnewIsNamed() throws {
    #expect(try Program.run("TestWorker", "increment", test.path, "0").status == 0)
    let (list, names) = (try store.list("list", of: Int.self), try store.list("names", of: String.self))
    let dictionary = try store.dictionary("dictionary", of: String.self, Int.self)
    try list.append(1)
    try names.append("a")
    try dictionary.set(1, forKey: "a")
    #expect(try Program.run("TestWorker", "recreate", test.path).status == 0)
    #expect(code { _ = try list.count } == .structureRemoved)
    #expect(code { try names.append("b") } == .structureRemoved)
    #expect(code { _ = try dictionary["a"] } == .structureRemoved)
    #expect(code { _ = try store.list("list", of: Int.self) } == .typeMismatch)
    // Opened again with their present kinds, also where LMDB's kind of keys has changed.
    #expect(try store.list("list", of: String.self).isEmpty)
    #expect(try store.list("names", of: Int.self).read { Array($0) } == [5])
    #expect(try store.dictionary("dictionary", of: Int.self, Int.self).isEmpty)
    #expect(try Program.run("TestWorker", "remove", test.path).status == 3)
    try store.remove("list")
  }

  @Test func handlesOfAnotherStoreAreRefused() throws {
    let other = try TestStore()
    let list = try other.store.list("list", of: Int.self)
    #expect(code { try store.write { $0[list].append(1) } } == .outOfRange)
    #expect(code { try store.read { _ = $0[list].count } } == .outOfRange)
  }

  @Test(arguments: [false, true])
  func backup(_ compacting: Bool) throws {
    let list = try store.list("list", of: Int.self)
    try list.append(contentsOf: 0..<50_000)
    for _ in 0..<20 { try list.write { $0.removeFirst(1000) } }
    let target = test.directory.file("backup")
    try store.backup(to: target, compacting: compacting)
    try list.removeAll()
    let copy = try SharedStore(path: target)
    #expect(try copy.list("list", of: Int.self).read { Array($0) } == Array(20_000..<50_000))
    if compacting { #expect(try copy.statistics().freePages == 0) }
    #expect(code { try store.backup(to: target) } == .storeExists)
    #expect(try FileManager.default.contentsOfDirectory(atPath: target).allSatisfy { !$0.hasPrefix("data.mdb.") })
  }

  @Test func backupWhileOthersWrite() async throws {
    let (a, b) = (try await store.value("a", initial: 0), try await store.value("b", initial: 0))
    let writer = Task.detached { [store] in
      for round in 1...300 {
        try await store.write { txn in
          txn[a] = round
          txn[b] = -round
        }
      }
    }
    for round in 0..<10 {
      let path = test.directory.file("backup \(round)")
      try await store.backup(to: path, compacting: round % 2 == 0)
      let copy = try await SharedStore(path: path)
      #expect(try copy.read { txn in try txn[copy.value("a", initial: 0)] + txn[copy.value("b", initial: 0)] } == 0)
    }
    try await writer.value
  }

  /// Operations that do not need the writer's lock do not wait for a write of this process.
  @Test func syncAndBackupBesideAWrite() throws {
    let value = try store.value("value", initial: 1)
    let path = test.directory.file("beside")
    try store.write { txn in
      txn[value] = 2
      let beside = DispatchSemaphore(value: 0)
      Thread { [store] in
        try? store.sync()
        _ = try? store.clearStaleReaders()
        try? store.backup(to: path, compacting: true)
        beside.signal()
      }.start()
      #expect(beside.wait(timeout: .now() + 20) == .success)
    }
    #expect(try SharedStore(path: path).value("value", initial: 0).get() == 1)
  }

  @Test func ephemeralStores() throws {
    let name = "test-\(UInt64.random(in: 0...UInt64.max))"
    do {
      let store = try SharedStore.ephemeral(named: name)
      try store.list("list", of: Int.self).append(5)
      #expect(try SharedStore.ephemeral(named: name).list("list", of: Int.self)[0] == 5)
    }
    #expect(try SharedStore.ephemeral(named: name).list("list", of: Int.self)[0] == 5)
    try SharedStore.removeEphemeral(named: name)
    try SharedStore.removeEphemeral(named: name)
    #expect(code { _ = try SharedStore.ephemeral(named: "../x") } == .invalidName)
    #expect(code { _ = try SharedStore.ephemeral(named: "") } == .invalidName)
  }

  @Test func statistics() throws {
    let numbers = try store.dictionary("numbers", of: Int.self, Int.self)
    try numbers.merge((0..<10_000).map { ($0, $0) }) { $1 }
    let found = try store.statistics()
    let structure = try #require(found.structures.first)
    #expect(
      structure.entries == 10_000 && structure.depth >= 2 && structure.leafPages > 50 && structure.branchPages >= 1)
    #expect(found.usedBytes > 200_000 && found.fileBytes >= found.usedBytes - found.freePages * 4096)
    #expect(found.reservedBytes >= found.fileBytes)
    #expect(found.pageSize == 4096)
    try numbers.removeAll()
    #expect(try store.statistics().freePages > found.freePages)
    try store.sync()
  }

  @Test(arguments: [StoreOptions.Durability.durable, .relaxed, .processCrashOnly])
  func durabilities(_ durability: StoreOptions.Durability) throws {
    let directory = TemporaryDirectory(inMemory: false)
    do {
      let store = try SharedStore(path: directory.path, options: .durability(durability))
      try store.list("list", of: Int.self).append(contentsOf: 0..<10)
    }
    // Opened in another way, it is found.
    #expect(try SharedStore(path: directory.path).list("list", of: Int.self).count == 10)
  }
}
