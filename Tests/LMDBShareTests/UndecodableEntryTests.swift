import Foundation
import LMDBShare
import TestSupport
import Testing

/// Entries of dictionaries whose key or value cannot be decoded: they are reported, block nothing, and can be removed.
@Suite(.timeLimit(.minutes(20)))
struct UndecodableEntryTests {
  private func reads<K: StorableKey & Comparable, V: Storable & Hashable>(
    _ keys: [K], _: V.Type
  ) -> [(String, (SharedDictionary<K, V>.Contents) -> String)] {
    [
      (
        "for",
        { entries in
          var text = ""
          for (key, value) in entries { text += "\(key)\(value)" }
          return text
        }
      ),
      ("[key]", { entries in keys.map { "\(entries[$0] as Any)" }.joined() }),
      ("value(forKey:)", { entries in "\(keys.map { try? entries.value(forKey: $0) })" }),
      ("[key, default:]", { entries in "\(entries[keys[0], default: entries[keys[2]]!])" }),
      ("[index]", { entries in entries.indices.map { "\(entries[$0])" }.joined() }),
      ("first", { "\($0.first as Any)" }), ("last", { "\($0.last as Any)" }),
      ("keys", { "\(Array($0.keys))" }), ("keys.map", { "\($0.keys.map { "\($0)" })" }),
      ("keys.first", { "\($0.keys.first as Any)\($0.keys.last as Any)" }),
      ("keys[index]", { entries in "\(entries.keys[entries.keys.startIndex])" }),
      ("keys.contains", { entries in "\(keys.map { entries.keys.contains($0) })" }),
      ("index(forKey:)", { entries in "\(keys.map { entries.index(forKey: $0) == nil })" }),
      ("values", { "\(Array($0.values))" }), ("values.map", { "\($0.values.map { "\($0)" })" }),
      ("values.first", { "\($0.values.first as Any)\($0.values.last as Any)" }),
      ("values[index]", { entries in "\(entries.values[entries.values.startIndex])" }),
      ("range", { entries in "\(Array(entries[keys[0]...]).count)" }),
      ("range.map", { entries in "\(entries[keys[0]...].map { "\($0)" })" }),
      ("range.reversed", { entries in entries[...keys[3]].reversed().map { "\($0)" }.joined() }),
      ("range.first", { entries in "\(entries[keys[1]...].first as Any)\(entries[...keys[2]].last as Any)" }),
      ("after", { entries in "\(entries.entry(after: keys[0]) as Any)\(entries.entry(atOrBefore: keys[3]) as Any)" }),
      ("reversed", { $0.reversed().map { "\($0)" }.joined() }),
      ("Array", { "\(Array($0))" }), ("map", { "\($0.map { "\($0)" })" }),
      ("filter", { "\($0.filter { _ in true }.count)" }),
      ("mapValues", { "\($0.mapValues { "\($0)" }.count)" }),
      ("Dictionary", { "\(Dictionary($0).count)" }),
      ("==", { "\($0 == SharedDictionary<K, V>.Contents(Dictionary($0)))" }),
      ("hashValue", { entries in "\(entries.hashValue == entries.hashValue)" }),
      ("description", { $0.description }),
      ("randomElement", { entries in "\((0..<20).allSatisfy { _ in entries.randomElement() != nil })" }),
      ("prefix", { "\(Array($0.prefix(2)))" }), ("dropFirst", { "\($0.dropFirst().map { "\($0)" })" }),
      ("contains", { "\($0.contains { _ in false })" }),
      ("count", { "\($0.count)\($0.isEmpty)" }),
    ]
  }

  private func changes<K: StorableKey, V: Storable & Hashable>(
    _ keys: [K], _ value: V
  ) -> [(String, (inout SharedDictionary<K, V>.Contents) -> Void)] {
    func change(_ old: inout V) { old = value }
    return [
      ("set", { entries in for key in keys { entries[key] = value } }),
      ("set default", { entries in for key in keys { entries[key, default: value] = value } }),
      ("nil", { entries in for key in keys { entries[key] = nil } }),
      ("setIfAbsent", { entries in for key in keys { entries.setIfAbsent(value, forKey: key) } }),
      ("updateValue", { entries in for key in keys { entries.updateValue(value, forKey: key) } }),
      ("update", { entries in for key in keys { entries.update(key, default: value) { $0 = value } } }),
      ("default", { entries in for key in keys { change(&entries[key, default: value]) } }),
      ("removeValue", { entries in for key in keys { entries.removeValue(forKey: key) } }),
      ("popFirst", { $0.popFirst() }), ("popLast", { $0.popLast() }),
      ("removeAll", { $0.removeAll() }),
      ("removeAll(where:)", { $0.removeAll { $0.value == value } }),
      ("merge", { entries in entries.merge(keys.map { ($0, value) }) { _, new in new } }),
      ("while popFirst", { while $0.popFirst() != nil {} }),
      ("while !isEmpty", { while !$0.isEmpty { $0.popLast() } }),
      ("while first", { entries in while let first = entries.first { entries[first.key] = nil } }),
    ]
  }

  /// Stores the bytes as a value, or under a separate key, and uses the dictionary.
  private func check<K: StorableKey & Comparable, V: Storable & Hashable>(
    _ keys: [K], _ values: [V], badKey: [UInt8]? = nil, badValue: [UInt8]? = nil,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let test = try TestStore()
    let entries = try test.store.dictionary("entries", of: K.self, V.self)
    let sound = try test.store.dictionary("sound", of: K.self, V.self)
    let untyped = try test.store.untyped("entries")
    func raw() throws -> [[[UInt8]]] {
      try test.store.read { txn in
        var found: [[[UInt8]]] = []
        try txn.contents(untyped).walk { key, value in
          found.append([key.copied(), value.copied()])
          return true
        }
        return found
      }
    }
    let damages: [Int?] = badKey == nil ? [0, 2, 3] : [nil]
    for damaged in damages {
      func reset() throws {
        try test.store.write { txn in
          for dictionary in [entries, sound] {
            txn[dictionary].removeAll()
            for (key, value) in zip(keys, values) { txn[dictionary][key] = value }
          }
        }
        try test.store.write { txn in
          let contents = txn.contents(untyped)
          if let badKey {
            try V.StorageCodec.withEncoded(values[0]) { value in
              withBytes(of: badKey) { contents.set(value, forKey: $0) }
            }
          } else if let badValue, let damaged {
            try K.OrderedCodec.withEncoded(keys[damaged]) { key in
              withBytes(of: badValue) { contents.set($0, forKey: key) }
            }
          }
        }
      }
      func expectNamed(_ error: any Error, _ name: String) {
        let error = error as? StoreError
        #expect(
          error?.code == .undecodable && error?.structure == "entries" && error?.reason.hasPrefix("at key ") == true,
          "\(K.self), \(V.self), \(name): \(error as Any)", sourceLocation: location)
      }
      try reset()
      for (name, body) in reads(keys, V.self) {
        // One more entry is counted, and may be visited.
        let good = try test.store.read { txn in body(txn[sound]) }
        do {
          let found = try test.store.read { txn in body(txn[entries]) }
          if badKey == nil, name != "value(forKey:)" {
            #expect(found == good, "\(K.self), \(V.self), \(name)", sourceLocation: location)
          }
          let mayPass: Set = [
            "[key]", "value(forKey:)", "[key, default:]", "first", "last", "keys", "keys.map", "keys.first",
            "keys[index]",
            "keys.contains", "index(forKey:)", "values", "values.map", "values.first", "values[index]", "range",
            "range.map",
            "range.first", "range.reversed", "after", "prefix", "dropFirst", "randomElement", "count",
          ]
          #expect(mayPass.contains(name), "\(K.self), \(V.self), \(name)", sourceLocation: location)
        } catch {
          #expect(
            !["count", "keys.contains", "index(forKey:)", "value(forKey:)"].contains(name), sourceLocation: location)
          if badKey == nil { #expect(!["keys", "keys.map"].contains(name), sourceLocation: location) }
          expectNamed(error, name)
        }
      }
      let before = try raw()
      for (name, body) in changes(keys, values[1]) {
        try reset()
        do {
          try test.store.write { txn in body(&txn[entries]) }
          if badKey == nil {
            #expect(
              ["set", "set default", "nil", "setIfAbsent", "removeAll"].contains(name) || name.hasPrefix("pop"),
              "\(name)",
              sourceLocation: location)
          }
        } catch {
          #expect(!["set", "set default", "nil", "removeAll"].contains(name), sourceLocation: location)
          expectNamed(error, name)
          #expect(try raw() == before, "\(name)", sourceLocation: location)
        }
      }
      try reset()
      let gone = try entries.removeUndecodable()
      #expect(gone.count == 1, sourceLocation: location)
      gone.forEach { expectNamed($0, "removeUndecodable") }
      let left = keys.indices.filter { $0 != damaged }
      #expect(try entries.read { Array($0.keys) } == left.map { keys[$0] }, sourceLocation: location)
      #expect(try entries.removeUndecodable().isEmpty, sourceLocation: location)
    }
  }

  @Test func badValues() throws {
    let orders = (0..<4).map { CodecOrder(id: $0) }
    try check(["a", "b", "c", "d"], orders, badValue: Array("{\"wrong\":1}".utf8))
    try check([1, 2, 3, 4], [nil, 1, 2, 3] as [Int?], badValue: [9])
    try check([-1, 0.5, 2, 3] as [Double], ["a", "b", "c", "d"], badValue: [0xFF])
    try check([UInt8](0..<4), [true, false, true, false], badValue: [2])
    try check(
      (0..<4).map { Composite("\($0)", $0) },
      [.circle(1), .circle(2), .square(side: 3), .circle(4)] as [UndecodableTests.Shape], badValue: Array("[]".utf8))
    let long = (0..<4).map { String(repeating: "\($0)", count: 600) }
    try check(long, orders, badValue: Array("{".utf8))
  }

  @Test func badKeys() throws {
    let orders = (0..<4).map { CodecOrder(id: $0) }
    try check(["a", "b", "c", "d"], orders, badKey: [0x62, 0xFF])
    try check(["a", "b", "c", "d"], orders, badKey: [0xFF, 0xFF])
    try check((0..<4).map { Composite("\($0)", $0) }, [1, 2, 3, 4], badKey: [0x31, 0, 0, 1])
    try check([1, 2, 3, 4] as [Int16], [1, 2, 3, 4], badKey: [0x80])
  }
}
