import LMDBShare
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct SetTests {
  /// Random operations, against a set in memory.
  private func differential<Element: StorableKey & Comparable>(
    _ name: String, _ make: @escaping (inout SeededGenerator) -> Element
  ) throws {
    var random = SeededGenerator(name)
    let test = try TestStore()
    let shared = try test.store.set("set", of: Element.self)
    var model: Set<Element> = []
    var done = 0
    while done < SeededGenerator.operations(4000) {
      let before = model
      let some = (0..<Int.random(in: 0...20, using: &random)).map { _ in make(&random) }
      do {
        try test.store.write { txn in
          for _ in 0..<20 {
            done += 1
            let element = (Bool.random(using: &random) ? model.randomElement(using: &random) : nil) ?? make(&random)
            switch Int.random(in: 0..<11, using: &random) {
            case 0...3:
              #expect(txn[shared].insert(element).inserted == model.insert(element).inserted)
            case 4, 5: #expect(txn[shared].remove(element) == model.remove(element))
            case 6:
              txn[shared].formUnion(some)
              model.formUnion(some)
            case 7:
              txn[shared].formSymmetricDifference(some)
              model.formSymmetricDifference(Set(some))
            case 8:
              txn[shared].subtract(some)
              model.subtract(some)
            case 9:
              let kept = model.filter { _ in Int.random(in: 0..<8, using: &random) > 0 }
              txn[shared].formIntersection(kept)
              model.formIntersection(kept)
            default:
              #expect(txn[shared].popFirst() == model.min())
              if let least = model.min() { model.remove(least) }
            }
            #expect(txn[shared].contains(element) == model.contains(element) && txn[shared].count == model.count)
          }
          if Int.random(in: 0..<5, using: &random) == 0 { throw Undone() }
        }
      } catch is Undone {
        model = before
      }
      let sorted = model.sorted()
      try test.store.read { txn in
        let view = txn[shared]
        #expect(Array(view) == sorted && view.reversed() == sorted.reversed() && view.last == sorted.last)
        #expect(view.union(some) == model.union(some) && view.intersection(some) == model.intersection(some))
        #expect(
          view.subtracting(some) == model.subtracting(some) && view.isSuperset(of: some) == model.isSuperset(of: some))
        #expect(view.isDisjoint(with: some) == model.isDisjoint(with: some) && view.isSubset(of: model))
        let (a, b) = (make(&random), make(&random))
        let range = min(a, b)..<max(a, b)
        #expect(Array(view[range]) == sorted.filter(range.contains))
        #expect(Array(view[a...]) == sorted.filter { $0 >= a } && view[...a].last == sorted.last { $0 <= a })
      }
    }
    #expect(try test.store.check() == [])
  }

  private struct Undone: Error {}

  @Test func numbersAgainstASet() throws {
    try differential("numbersAgainstASet") { Int.random(in: -200..<200, using: &$0) }
  }

  /// Keys longer than LMDB's limit, too.
  @Test func textAgainstASet() throws {
    try differential("textAgainstASet") { random in
      let length = Int.random(in: 0..<4, using: &random) == 0 ? 600 : Int.random(in: 0..<4, using: &random)
      return String((0..<length).map { _ in "abé".randomElement(using: &random)! })
    }
  }

  @Test func setsOfOneTransaction() throws {
    let test = try TestStore()
    let (a, b) = (try test.store.set("a", of: String.self), try test.store.set("b", of: String.self))
    try test.store.write { txn in
      txn[a] = ["one", "two", "three"]
      txn[b].formUnion(["two", "three", "four"])
      txn[a].formIntersection(txn[b])
      txn[b].subtract(txn[a])
    }
    #expect(try a.read { Array($0) } == ["three", "two"] && b.read { Array($0) } == ["four"])
    try test.store.write { txn in
      var copy = txn[a]
      copy.insert("zero")
      #expect(copy == ["three", "two", "zero"] && txn[a].count == 2)
      #expect(copy.description == "[\"three\", \"two\", \"zero\"]" && Set([copy]).contains(copy))
    }
    #expect("\(a)" == "set 'a' (2 elements)")
    let snapshot = try test.store.snapshot()
    try a.removeAll()
    #expect(try Array(snapshot[a]) == ["three", "two"] && a.isEmpty)
    #expect(code { _ = try test.store.dictionary("a", of: String.self, Int.self) } == .typeMismatch)
    #expect(code { _ = try test.store.set("a", of: Int.self) } == .typeMismatch)
  }

  /// Several processes each add their own elements and some that all add; none is lost, none occurs twice.
  @Test func processesShareASet() throws {
    let test = try TestStore()
    let set = try test.store.set("set", of: Int.self)
    let workers = try (0..<3).map { try Program("TestWorker", ["fill-set", test.path, "\($0)"]) }
    let added = workers.compactMap { worker in
      let end = worker.finish()
      #expect(end.status == 0)
      return Int(end.output.split(separator: "\n").last ?? "")
    }
    #expect(try set.read { Array($0) } == Array(0..<1200))
    // Each of the 300 common elements was new for exactly one process.
    #expect(added.reduce(0, +) == 1200)
    try test.store.remove("set")
    #expect(code { _ = try set.count } == .structureRemoved)
  }

  @Test func inTasks() async throws {
    let test = try TestStore()
    let set = try await test.store.set("set", of: Int.self)
    try await withThrowingTaskGroup { group in
      for number in 0..<100 { group.addTask { try await set.insert(number % 50).inserted } }
      var inserted = 0
      for try await isNew in group where isNew { inserted += 1 }
      #expect(inserted == 50)
    }
    try await set.formIntersection(0..<10)
    #expect(try set.count == 10 && set.contains(9) && !set.contains(10))
  }

  /// The ends of a set and of a dictionary's keys, in a snapshot and in a transaction that has failed: nil, and an error at the end.
  @Test func endsThatCannotBeDecoded() throws {
    let test = try TestStore()
    let set = try test.store.set("set", of: String.self)
    let dictionary = try test.store.dictionary("dictionary", of: String.self, String.self)
    let (rawSet, rawDictionary) = (try test.store.untyped("set"), try test.store.untyped("dictionary"))
    try set.formUnion(["a", "b"])
    try dictionary.set("1", forKey: "a")
    // No UTF-8: before and after all others.
    for wrong in [[], [0x80], [0xFF]] as [[UInt8]] {
      try set.removeAll()
      try dictionary.removeAll()
      try test.store.write { txn in
        txn[set].insert("a")
        txn[dictionary]["a"] = "1"
        for bytes in [wrong + [0xFF], [0x80]] {
          withBytes(of: bytes) { key in
            withBytes(of: [UInt8]()) { txn.contents(rawSet).set($0, forKey: key) }
            withBytes(of: [0x31] as [UInt8]) { txn.contents(rawDictionary).set($0, forKey: key) }
          }
        }
      }
      let snapshot = try test.store.snapshot()
      #expect(try snapshot[set].last == nil)
      #expect(code { try snapshot.check() } == .undecodable)
      #expect(try snapshot[set]["a"...].last == nil)
      #expect(code { try snapshot.check() } == .undecodable)
      #expect(try snapshot[dictionary].keys.last == nil)
      #expect(code { try snapshot.check() } == .undecodable)
      var last: String? = "none"
      #expect(code { try set.read { last = $0.last } } == .undecodable)
      #expect(last == nil)
      // Nothing is removed in a transaction that has failed; a loop until nothing is left ends.
      #expect(
        code {
          try set.write { contents in
            _ = contents.last
            while let first = contents.first { contents.remove(first) }
            while let last = contents.last { contents.remove(last) }
          }
        } == .undecodable)
    }
  }
}
