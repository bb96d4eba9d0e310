import LMDBShare
import TestSupport
import Testing

/// Sizes around the edges of blocks, which hold 510 integers.
private let sizes = [0, 1, 2, 509, 510, 511, 1019, 1020, 1021, 1531]

@Suite(.timeLimit(.minutes(20)))
struct ConformanceTests {
  @Test(arguments: sizes)
  func packedList(_ size: Int) throws {
    let test = try TestStore()
    let list = try test.store.list("packed", of: Int.self)
    let elements = (0..<size).map { $0 * 3 }
    try list.append(contentsOf: elements)
    try list.read { checkRandomAccess($0, elements) }
    try list.write { contents in
      checkRandomAccess(contents, elements)
      checkMutable(&contents, elements, replacing: -1)
    }
    try list.write { contents in
      contents = .init(elements)
      #expect(Array(contents) == elements)
    }
    try list.write { checkRangeReplaceable(&$0, elements, inserting: (0..<700).map { -$0 }) }
    try list.read { checkRandomAccess($0, []) }
  }

  @Test(arguments: [0, 1, 2, 37])
  func indexedList(_ size: Int) throws {
    let test = try TestStore()
    let list = try test.store.list("indexed", of: String.self)
    let elements = (0..<size).map { "element \($0)" }
    try list.append(contentsOf: elements)
    try list.read { checkRandomAccess($0, elements) }
    try list.write { contents in
      checkRandomAccess(contents, elements)
      checkMutable(&contents, elements, replacing: "other")
    }
    try list.write { contents in contents = .init(elements) }
    try list.write { checkRangeReplaceable(&$0, elements, inserting: ["a", "", "c", "d"]) }
  }

  @Test(arguments: sizes)
  func array(_ size: Int) throws {
    let test = try TestStore()
    let array = try test.store.array("array", of: Int32.self, count: size)
    let elements = (0..<size).map { Int32($0) }
    try array.read { checkRandomAccess($0, [Int32](repeating: 0, count: size)) }
    try array.setAll(elements)
    try array.read { checkRandomAccess($0, elements) }
    try array.write { contents in
      checkRandomAccess(contents, elements)
      checkMutable(&contents, elements, replacing: -1)
    }
  }

  @Test(arguments: [0, 1, 2, 300])
  func dictionary(_ size: Int) throws {
    let test = try TestStore()
    let dictionary = try test.store.dictionary("dictionary", of: Int.self, String.self)
    let pairs = (0..<size).map { Pair(key: $0 - size / 2, value: "value \($0)") }
    try dictionary.merge(pairs.shuffled().map { ($0.key, $0.value) }) { $1 }
    func check(_ contents: SharedDictionary<Int, String>.Contents) {
      let view = contents.lazy.map { Pair(key: $0.key, value: $0.value) }
      checkBidirectional(view, pairs)
      checkBidirectional(contents.keys, pairs.map(\.key))
      checkBidirectional(contents.values, pairs.map(\.value))
      for (lower, upper) in [(-3, 3), (0, 0), (-1000, 1000), (5, 90)] {
        let inside = pairs.filter { $0.key >= lower && $0.key < upper }
        checkBidirectional(contents[lower..<upper].lazy.map { Pair(key: $0.key, value: $0.value) }, inside)
      }
      #expect(contents.reversed().map(\.key) == pairs.map(\.key).reversed())
    }
    try dictionary.read { check($0) }
    try dictionary.write { check($0) }
    // The same in memory.
    try dictionary.read { contents in
      var copy = contents
      copy[100_000] = "x"
      copy[100_000] = nil
      check(copy)
    }
  }

  @Test func queueItems() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: String.self)
    try queue.push(contentsOf: ["a", "b", "c"])
    try test.store.read { txn in
      checkSequence(txn[queue].items.map(\.element), ["a", "b", "c"])
      checkSequence(txn[queue].items.map(\.sequence), [1, 2, 3])
    }
  }
}
