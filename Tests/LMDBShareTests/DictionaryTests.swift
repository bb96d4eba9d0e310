import Foundation
import LMDBShare
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct DictionaryTests {
  /// Random operations, against a dictionary in memory whose keys are sorted by `order`.
  private func differential<Key: StorableKey>(
    _ name: String, _ operations: Int, make: @escaping (inout SeededGenerator) -> Key,
    order: @escaping (Key, Key) -> Bool
  ) throws {
    var random = SeededGenerator(name)
    let test = try TestStore()
    var store = test.store
    var shared = try store.dictionary("d", of: Key.self, Int.self)
    var model: [Key: Int] = [:]
    func sorted() -> [Key] { model.keys.sorted(by: order) }
    var done = 0
    while done < operations {
      let before = model
      let batch = Int.random(in: 1...80, using: &random)
      do {
        try store.write { txn in
          for _ in 0..<batch {
            let fresh = Bool.random(using: &random)
            let key = (fresh ? nil : model.keys.randomElement(using: &random)) ?? make(&random)
            let value = Int.random(in: 0..<1000, using: &random)
            switch Int.random(in: 0..<16, using: &random) {
            case 0...2:
              txn[shared][key] = value
              model[key] = value
            case 3, 4: #expect(txn[shared].updateValue(value, forKey: key) == model.updateValue(value, forKey: key))
            case 5, 6: #expect(txn[shared].removeValue(forKey: key) == model.removeValue(forKey: key))
            case 7:
              txn[shared][key, default: 5] += value
              model[key, default: 5] += value
            case 8:
              txn[shared].update(key, default: 1) { $0 *= 2 }
              model[key, default: 1] *= 2
            case 9:
              same(txn[shared].setIfAbsent(value, forKey: key), (model[key] == nil))
              model[key] = model[key] ?? value
            case 10:
              let other = (0..<5).map { _ in (make(&random), value) }
              txn[shared].merge(other) { $0 + $1 }
              for (key, value) in other { model[key] = model[key].map { $0 + value } ?? value }
            case 11:
              let key = sorted().first
              same(txn[shared].popFirst()?.key, key)
              if let key { model[key] = nil }
            case 12:
              let key = sorted().last
              same(txn[shared].popLast()?.key, key)
              if let key { model[key] = nil }
            case 13:
              let keys = sorted()
              #expect(txn[shared].entry(before: key)?.key == keys.last { order($0, key) })
              #expect(txn[shared].entry(after: key)?.key == keys.first { order(key, $0) })
              #expect(txn[shared].entry(atOrBefore: key)?.key == keys.last { !order(key, $0) })
              #expect(txn[shared].entry(atOrAfter: key)?.key == keys.first { !order($0, key) })
            case 14:
              if Int.random(in: 0..<20, using: &random) == 0 {
                txn[shared].removeAll { $0.value < 300 }
                model = model.filter { $0.value >= 300 }
              }
            default:
              #expect(txn[shared][key] == model[key])
              #expect(txn[shared].keys.contains(key) == (model[key] != nil))
            }
            try #require(txn[shared].count == model.count)
          }
          if Int.random(in: 0..<10, using: &random) == 0 { throw Undo() }
        }
      } catch is Undo {
        model = before
      }
      done += batch
      if Int.random(in: 0..<6, using: &random) == 0 {
        let keys = sorted()
        try shared.read { contents in
          try #require(contents.map(\.key) == keys)
          try #require(contents.values.elementsEqual(keys.compactMap { model[$0] }))
          try #require(Dictionary(contents) == model)
        }
      }
      if model.count > 800 {
        try shared.removeAll()
        model = [:]
      }
      if Int.random(in: 0..<20, using: &random) == 0 {
        store = try SharedStore(path: test.path, options: .durability(.processCrashOnly))
        shared = try store.dictionary("d", of: Key.self, Int.self)
      }
    }
  }

  @Test func integersAgainstDictionary() throws {
    try differential(
      "integersAgainstDictionary", SeededGenerator.operations(100_000),
      make: { Int.random(in: -400...400, using: &$0) },
      order: <)
  }

  @Test func stringsAgainstDictionary() throws {
    try differential(
      "stringsAgainstDictionary", SeededGenerator.operations(100_000),
      make: { random in
        let letters = ["a", "b", "\0", "z", "é", "😀"]
        return (0..<Int.random(in: 0...4, using: &random)).map { _ in letters.randomElement(using: &random) ?? "" }
          .joined()
      }, order: { $0.utf8.lexicographicallyPrecedes($1.utf8) })
  }

  @Test func compositesAgainstDictionary() throws {
    try differential(
      "compositesAgainstDictionary", SeededGenerator.operations(20_000),
      make: { random in
        Composite(["", "a", "a\0", "b"].randomElement(using: &random) ?? "", Int.random(in: -20...20, using: &random))
      }, order: <)
  }

  @Test func longKeys() throws {
    let test = try TestStore()
    let dictionary = try test.store.dictionary("long", of: String.self, Int.self)
    let lengths = [0, 1, 478, 479, 480, 509, 510, 511, 512, 600, 5000, 100_000]
    var model: [String: Int] = [:]
    for length in lengths {
      for last in ["a", "b", "\0"] {
        let key = length == 0 ? "" : String(repeating: "k", count: length - 1) + last
        try dictionary.updateValue(length, forKey: key)
        model[key] = length
        // Only zeros, of the same length.
        let zeros = String(repeating: "\0", count: length)
        try dictionary.updateValue(-length, forKey: zeros)
        model[zeros] = -length
      }
    }
    try dictionary.read { contents in
      #expect(Dictionary(contents) == model)
      for (key, value) in model { #expect(contents[key] == value) }
      #expect(contents[String(repeating: "k", count: 5000)] == nil)
      // Sorted by the first 479 bytes.
      let prefixes = contents.map { Array($0.key.utf8.prefix(479)) }
      for (a, b) in zip(prefixes, prefixes.dropFirst()) { #expect(!b.lexicographicallyPrecedes(a)) }
    }
    for key in model.keys { #expect(try dictionary.removeValue(forKey: key) == model[key]) }
    #expect(try dictionary.isEmpty)
  }

  @Test func ranges() throws {
    let test = try TestStore()
    let dictionary = try test.store.dictionary("d", of: String.self, Int.self)
    try dictionary.merge(["a", "b", "c", "d", "e"].enumerated().map { ($1, $0) }) { $1 }
    try dictionary.read { contents in
      #expect(contents["b"..<"d"].map(\.key) == ["b", "c"])
      #expect(contents["b"..."d"].map(\.key) == ["b", "c", "d"])
      #expect(contents["c"...].map(\.key) == ["c", "d", "e"])
      #expect(contents[..<"c"].map(\.key) == ["a", "b"])
      #expect(contents[..."c"].map(\.key) == ["a", "b", "c"])
      #expect(contents["bb"..<"dd"].map(\.key) == ["c", "d"])
      #expect(contents["x"..<"z"].isEmpty)
      #expect(contents.entries(after: "b", before: "d").map(\.key) == ["c"])
      #expect(contents.entries(from: nil, through: "b").map(\.key) == ["a", "b"])
      #expect(contents["b"..<"d"].reversed().map(\.key) == ["c", "b"])
      #expect(contents["b"..<"d"].first?.key == "b")
      #expect(contents["b"..<"d"].last?.key == "c")
      #expect(contents.filter { $0.value > 2 } == ["d": 3, "e": 4])
      #expect(contents.mapValues { $0 * 2 }["e"] == 8)
    }
  }

  @Test func prefixes() throws {
    let test = try TestStore()
    let names = try test.store.dictionary("names", of: String.self, Int.self)
    try names.merge(["", "a", "ab", "abc", "ac", "b", "\0", "\0a"].map { ($0, 1) }) { $1 }
    let bytes = try test.store.dictionary("bytes", of: [UInt8].self, Int.self)
    let keys: [[UInt8]] = [
      [], [0], [0, 0], [0, 1], [1], [0xFE, 0xFF], [0xFF], [0xFF, 0], [0xFF, 0xFF], [0xFF, 0xFF, 3],
    ]
    try bytes.merge(keys.map { ($0, 1) }) { $1 }
    try test.store.read { txn in
      #expect(txn[names].entries(withPrefix: "ab").map(\.key) == ["ab", "abc"])
      #expect(txn[names].entries(withPrefix: "").count == 8)
      #expect(txn[names].entries(withPrefix: "\0").map(\.key) == ["\0", "\0a"])
      #expect(txn[names].entries(withPrefix: "x").isEmpty)
      for prefix in keys {
        let expected = keys.filter { $0.starts(with: prefix) }
        #expect(txn[bytes].entries(withPrefix: prefix).map(\.key) == expected, "\(prefix)")
      }
    }
    struct Path: RawRepresentable, StorableKey { var rawValue: String }
    let data = try test.store.set("data", of: Data.self)
    let paths = try test.store.dictionary("paths", of: Path.self, Int.self)
    try data.formUnion(keys.map { Data($0) })
    try paths.merge(["a", "a/b", "a/c", "b"].map { (Path(rawValue: $0), 1) }) { $1 }
    try test.store.read { txn in
      for prefix in keys {
        let expected = keys.filter { $0.starts(with: prefix) }.map { Data($0) }
        #expect(txn[data].elements(withPrefix: Data(prefix)).map { $0 } == expected, "\(prefix)")
      }
      #expect(txn[paths].entries(withPrefix: Path(rawValue: "a/")).map(\.key.rawValue) == ["a/b", "a/c"])
    }
    let places = try test.store.dictionary("places", of: Composite<String, Int>.self, Int.self)
    try places.merge([("Berlin", 1), ("Berlin", 2), ("Berlina", 1), ("Bonn", 9)].map { (Composite($0.0, $0.1), 1) }) {
      $1
    }
    try places.read { #expect($0.entries(withFirst: "Berlin").map(\.key.parts.1) == [1, 2]) }
  }

  @Test func bulkLoadOfSortedInput() throws {
    let test = try TestStore()
    let dictionary = try test.store.dictionary("d", of: Int.self, Int.self)
    try dictionary.write { $0.append(sorted: (0..<50_000).map { ($0, $0 * 2) }) }
    #expect(try dictionary.count == 50_000)
    #expect(try dictionary[49_999] == 99_998)
    #expect(code { try dictionary.write { $0.append(sorted: [(60_000, 1), (5, 1)]) } } == .notSorted)
    #expect(try dictionary.count == 50_000)
  }

  @Test func literalsAndComparison() throws {
    let test = try TestStore()
    let dictionary = try test.store.dictionary("d", of: String.self, Int.self)
    try dictionary.write { $0 = ["b": 2, "a": 1] }
    try dictionary.read { contents in
      #expect(contents == ["a": 1, "b": 2])
      #expect(contents.hashValue == SharedDictionary<String, Int>.Contents(["a": 1, "b": 2]).hashValue)
      #expect(contents.description == #"["a": 1, "b": 2]"#)
      #expect(SharedDictionary<String, Int>.Contents().description == "[:]")
    }
  }

  @Test func operationsOnTheHandle() throws {
    let test = try TestStore()
    let scores = try test.store.dictionary("scores", of: String.self, Int.self)
    #expect(try scores.updateValue(1, forKey: "a") == nil)
    #expect(try scores.updateValue(2, forKey: "a") == 1)
    try scores.set(5, forKey: "b")
    #expect(try scores["a"] == 2)
    #expect(try scores["zz"] == nil)
    #expect(try scores["zz", default: 9] == 9)
    #expect(try scores.setIfAbsent(3, forKey: "a") == false)
    try scores.update("c", default: 10) { $0 += 1 }
    #expect(try scores["c"] == 11)
    #expect(try scores.removeValue(forKey: "c") == 11)
    #expect(try scores.popFirst()?.key == "a")
    #expect(try scores.popLast()?.key == "b")
    #expect(try scores.popLast() == nil)
  }
}
