import Foundation
import LMDBShare
import TestSupport
import Testing

/// Stored bytes that are not a value of the element's type never end the process, are reported by the transaction that reads
/// them, and do not affect other transactions.
@Suite(.timeLimit(.minutes(20)))
struct UndecodableTests {
  enum Shape: Codable, Storable, Hashable { case circle(Int), square(side: Int) }
  struct Order: Codable, Storable, Hashable {
    var id: UUID
    var price: Decimal
    var link: URL?
    var tags: [String: [Int]]
    var kind: Kind
    enum Kind: String, Codable { case small, large }
  }
  enum Flag: UInt8, FixedSizeStorable { case off = 3, on = 7 }
  enum Word: String, Storable { case yes, no }

  static let order = Order(id: UUID(), price: 2.5, link: nil, tags: ["a": [1]], kind: .large)

  /// Reads a list in various ways, and returns the results.
  private func reads<E: Storable & Hashable>(_: E.Type) -> [(String, (SharedList<E>.Contents) -> String)] {
    [
      ("[i]", { list in list.indices.map { "\(list[$0])" }.joined() }),
      ("[0]", { "\($0[0])" }),
      ("first", { "\($0.first as Any)" }),
      ("last", { "\($0.last as Any)" }),
      (
        "randomElement",
        { list in (0..<40).map { _ in list.randomElement().map { list.contains($0) } ?? false }.description }
      ),
      (
        "for",
        { list in
          var text = ""
          for element in list { text += "\(element)" }
          return text
        }
      ),
      ("Array", { "\(Array($0))" }),
      ("map", { "\($0.map { "\($0)" })" }),
      ("filter", { "\($0.filter { _ in true } as [E])" }),
      ("reduce", { $0.reduce("") { $0 + "\($1)" } }),
      ("reversed", { list in list.reversed().map { "\($0)" }.joined() }),
      ("slice", { "\(Array($0[1..<3]))" }),
      ("suffix", { "\(Array($0.suffix(2)))" }),
      ("dropFirst", { "\($0.dropFirst().map { "\($0)" })" }),
      ("prefix", { "\($0.prefix { _ in true }.count)" }),
      ("firstIndex", { "\($0.firstIndex { _ in false } as Any)" }),
      ("firstIndex(of:)", { list in "\(list.firstIndex(of: list[0]) as Any)" }),
      ("lastIndex", { "\($0.lastIndex { _ in true } as Any)" }),
      ("last(where:)", { "\($0.last { _ in false } as Any)" }),
      ("partitioningIndex", { "\($0.partitioningIndex { _ in true })" }),
      ("min", { "\($0.min { "\($0)" < "\($1)" } as Any)" }),
      ("enumerated", { $0.enumerated().map { "\($0)" }.joined() }),
      ("==", { "\($0 == SharedList<E>.Contents(Array($0)))" }),
      ("hashValue", { list in "\(list.hashValue == list.hashValue)" }),
      ("description", { $0.description }),
      ("elementsEqual", { "\($0.elementsEqual(Array($0)))" }),
      ("lazy", { $0.lazy.map { "\($0)" }.joined() }),
      ("count", { "\($0.count) \($0.isEmpty)" }),
    ]
  }

  private func changes<E: Storable & Hashable>(_: E.Type) -> [(String, (inout SharedList<E>.Contents, E) -> Void)] {
    [
      ("append", { $0.append($1) }),
      ("prepend", { $0.prepend($1) }),
      ("insert", { $0.insert($1, at: 2) }),
      ("set 0", { $0[0] = $1 }), ("set 1", { $0[1] = $1 }), ("set 3", { $0[3] = $1 }),
      ("copy", { list, _ in list[0] = list[3] }),
      ("swapAt", { list, _ in list.swapAt(0, 2) }),
      ("popFirst", { list, _ in list.popFirst() }),
      ("popLast", { list, _ in list.popLast() }),
      ("removeFirst()", { list, _ in list.removeFirst() }),
      ("removeLast()", { list, _ in list.removeLast() }),
      ("remove(at:)", { list, _ in list.remove(at: 1) }),
      ("removeFirst(1)", { list, _ in list.removeFirst(1) }),
      ("removeLast(1)", { list, _ in list.removeLast(1) }),
      ("removeSubrange", { list, _ in list.removeSubrange(1..<3) }),
      ("replaceSubrange", { list, new in list.replaceSubrange(0..<2, with: [new, new, new]) }),
      ("removeAll", { list, _ in list.removeAll() }),
      ("removeAll(where:)", { list, new in list.removeAll { $0 == new } }),
      ("sort", { list, _ in list.sort { "\($0)" < "\($1)" } }),
      ("reverse", { list, _ in list.reverse() }),
      ("shuffle", { list, _ in list.shuffle() }),
      ("slice sort", { list, _ in list[0..<3].sort { "\($0)" < "\($1)" } }),
      ("while popFirst", { list, _ in while list.popFirst() != nil {} }),
      ("while removeLast", { list, _ in while !list.isEmpty { list.removeLast() } }),
      (
        "while append",
        { list, new in
          _ = list.popLast()
          while list.count < 9 { list.append(new) }
        }
      ),
      (
        "while insert",
        { list, new in
          _ = list.popFirst()
          while list.count < 9 { list.insert(new, at: 0) }
        }
      ),
      ("+", { list, new in list += [new] }),
    ]
  }

  /// The names of the ways that visit every element.
  private static let touchingAll: Set = [
    "[i]", "for", "Array", "map", "filter", "reduce", "reversed", "==", "hashValue", "description", "enumerated",
    "firstIndex",
    "min", "lazy", "elementsEqual", "last(where:)", "sort", "reverse", "removeAll(where:)", "while popFirst",
    "while removeLast",
  ]

  private func check<E: Storable & Hashable>(
    _ values: [E], bad: [UInt8], _ location: SourceLocation = #_sourceLocation
  ) throws {
    let test = try TestStore()
    let (list, sound) = (try test.store.list("list", of: E.self), try test.store.list("sound", of: E.self))
    let (untyped, model) = (try test.store.untyped("list"), try test.store.untyped("sound"))
    func bytes(_ structure: UntypedStructure) throws -> [[UInt8]] {
      try test.store.read { txn in
        var found: [[UInt8]] = []
        let contents = txn.contents(structure)
        try contents.walk(0..<contents.count) { _, value in
          found.append(value.copied())
          return true
        }
        return found
      }
    }
    func reset(_ position: Int) throws {
      try test.store.write { txn in
        txn[list] = SharedList<E>.Contents(values)
        txn[sound] = SharedList<E>.Contents(values)
      }
      try test.store.write { txn in try txn.contents(untyped).replace(position, bad) }
    }
    func expectNamed(_ error: any Error, _ position: Int?, _ name: String) {
      let error = error as? StoreError
      #expect(
        error?.code == .undecodable && error?.structure == "list"
          && error?.reason.hasPrefix("at index \(position.map { "\($0):" } ?? "")") == true,
        "\(E.self), \(name), \(position as Any): \(error as Any)", sourceLocation: location)
    }
    for position in [0, 1, 3] {
      try reset(position)
      for (name, body) in reads(E.self) {
        let good = try test.store.read { txn in body(txn[sound]) }
        do {
          let found = try test.store.read { txn in body(txn[list]) }
          #expect(!Self.touchingAll.contains(name), "\(E.self), \(name), \(position)", sourceLocation: location)
          #expect(found == good, "\(E.self), \(name), \(position)", sourceLocation: location)
        } catch {
          #expect(name != "count")
          expectNamed(error, position, name)
        }
      }
      let before = try bytes(untyped)
      let good = try E.StorageCodec.withEncoded(values[position]) { $0.copied() }
      for (name, body) in changes(E.self) {
        try reset(position)
        do {
          try test.store.write { txn in body(&txn[list], values[2]) }
          try test.store.write { txn in body(&txn[sound], values[2]) }
          #expect(!Self.touchingAll.contains(name), "\(E.self), \(name), \(position)", sourceLocation: location)
          guard name != "shuffle" else { continue }
          let found = try bytes(untyped).map { $0 == bad ? good : $0 }
          #expect(try found == bytes(model), "\(E.self), \(name), \(position)", sourceLocation: location)
        } catch {
          // The position at that time.
          expectNamed(error, nil, name)
          #expect(try bytes(untyped) == before, "\(name)", sourceLocation: location)
        }
      }
      try reset(position)
      try test.store.read { txn in
        for (index, result) in txn[list].results.enumerated() {
          switch result {
          case .success(let element): #expect(element == values[index] && index != position, sourceLocation: location)
          case .failure(let error):
            #expect(index == position, sourceLocation: location)
            expectNamed(error, position, "results")
          }
        }
        #expect(txn[list].results.reversed().compactMap { try? $0.get() }.count == values.count - 1)
      }
      let snapshot = try test.store.snapshot()
      #expect(try snapshot[list].results.filter { (try? $0.get()) == nil }.count == 1, sourceLocation: location)
      #expect(throws: (any Error).self, sourceLocation: location) { try list.update(at: position) { _ in } }
      let gone = try list.removeUndecodable()
      #expect(gone.count == 1, sourceLocation: location)
      gone.forEach { expectNamed($0, position, "removeUndecodable") }
      var rest = values
      rest.remove(at: position)
      #expect(try list.read { Array($0) } == rest, sourceLocation: location)
      #expect(try list.removeUndecodable().isEmpty, sourceLocation: location)
    }
  }

  @Test func listsOneElementAKey() throws {
    try check((0..<5).map { CodecOrder(id: $0) }, bad: Array("{\"wrong\":1}".utf8))
    try check((0..<5).map { Self.order.with($0) }, bad: Array("nonsense".utf8))
    try check(
      [.circle(1), .square(side: 2), .circle(3), .circle(4), .square(side: 5)] as [Shape], bad: Array("{}".utf8))
    try check([nil, 1, 2, nil, 4] as [Int?], bad: [9])
    try check([1, nil, 2, 3, 4] as [Int??], bad: [1, 1, 0])
    try check([.yes, .no, .yes, .no, .yes] as [Word], bad: Array("maybe".utf8))
    try check(["a", "b", "c", "d", "e"], bad: [0xFF, 0xFE])
    try check([[1], [], [2, 3], [4], [5]] as [[Int]], bad: [1, 2, 3])
    try check([["a"], [], ["b"], ["c"], ["d"]] as [[String]], bad: [255, 255, 255, 255])
  }

  @Test func listsInBlocks() throws {
    try check([true, false, true, true, false], bad: [7])
    try check([.off, .on, .on, .off, .on] as [Flag], bad: [0])
    try check([.low, .high, .middle, .low, .high] as [Level], bad: [9, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test func arrays() throws {
    let test = try TestStore()
    let array = try test.store.array("array", of: Flag.self, count: 4, repeating: .on)
    let untyped = try test.store.untyped("array")
    try test.store.write { txn in try txn.contents(untyped).replace(2, [0]) }
    func named(_ body: () throws -> Void) -> Bool {
      do {
        try body()
        return false
      } catch {
        return (error as? StoreError)?.code == .undecodable && "\(error)".contains("'array': at index 2")
      }
    }
    let reads: [(SharedArray<Flag>.Contents) -> Void] = [
      { _ = $0[2] }, { _ = Array($0) }, { _ = $0.description }, { _ = $0.hashValue }, { _ = $0 == $0 },
      { _ = $0[1...].map { $0 } },
      { _ = $0.reversed().map { $0 } }, { _ = $0.firstIndex(of: .off) }, { _ = $0.lastIndex(of: .off) },
      { _ = $0.contains(.off) },
      { _ = $0.dropLast().last }, { _ = $0.last { $0 == .off } },
    ]
    for body in reads { #expect(named { try array.read { body($0) } }) }
    #expect(try array.read { $0.first } == .on && array.read { $0.last } == .on && array[3] == .on)
    let changes: [(inout SharedArray<Flag>.Contents) -> Void] = [
      { $0.sort { $0.rawValue < $1.rawValue } }, { $0.swapAt(0, 2) }, { $0[0] = $0[2] }, { $0.reverse() },
    ]
    for body in changes { #expect(named { try array.write { body(&$0) } }) }
    try array.set(.off, at: 1)
    try array.set(.off, at: 2)
    #expect(try array.read { Array($0) } == [.on, .off, .off, .on])
  }

  @Test func values() throws {
    let test = try TestStore()
    let value = try test.store.value("value", initial: Self.order)
    let untyped = try test.store.untyped("value")
    func damage() throws { try test.store.write { txn in txn.contents(untyped).setValue(Array("{".utf8)) } }
    try damage()
    #expect(code { _ = try value.get() } == .undecodable)
    #expect(code { try value.update { $0.price += 1 } } == .undecodable)
    #expect(code { _ = try value.compareAndSet(expected: Self.order, new: Self.order) } == .undecodable)
    #expect(code { try test.store.write { txn in txn[value].price += 1 } } == .undecodable)
    #expect(code { _ = try value.get() } == .undecodable)
    try value.set(Self.order)
    #expect(try value.get() == Self.order)
  }

  /// A view of a snapshot reports an error once, and the snapshot remains usable.
  @Test func viewsOfSnapshots() throws {
    let test = try TestStore()
    let (list, other) = (try test.store.list("list", of: Word.self), try test.store.list("other", of: Int.self))
    let untyped = try test.store.untyped("list")
    try list.append(contentsOf: [.yes, .no])
    try other.append(1)
    try test.store.write { txn in try txn.contents(untyped).replace(1, Array("maybe".utf8)) }
    let snapshot = try test.store.snapshot()
    let view = try snapshot[list]
    #expect(Array(view) == [.yes])
    #expect(code { try snapshot.check() } == .undecodable)
    try snapshot.check()
    #expect(try snapshot[other].last == 1)
    #expect(view.last == nil)
    #expect(code { _ = try snapshot[other] } == .undecodable)
    #expect(code { try snapshot.read { txn in _ = txn[list][1] } } == .undecodable)
    #expect(try snapshot[other].first == 1)
  }
}

/// As JSON.
struct CodecOrder: JSONStored, Hashable {
  var id: Int
  var parts: [String: Double] = ["a": 1.5]
}

extension UndecodableTests.Order {
  fileprivate func with(_ number: Int) -> Self {
    var copy = self
    copy.price = Decimal(number)
    return copy
  }
}
