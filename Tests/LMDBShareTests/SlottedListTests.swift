import LMDBShare
import TestSupport
import Testing

extension SharedStore {
  /// Makes a list of a layout, which is not always the one that new lists have.
  func makeList<Element: Storable>(_ name: String, _ layout: StructureDescription.Layout, of _: Element.Type) throws {
    let identifier = Element.StorageCodec.identifier
    try write { _ = try $0.create(StructureDescription(name, .list, layout: layout, element: identifier)) }
  }
}

/// Lists of elements of any size, as they are stored.
@Suite(.timeLimit(.minutes(20)))
struct SlottedListTests {
  /// One after the other at one place, upwards and downwards: the keys between two blocks are used up many times.
  @Test(arguments: [1, 0, -1])
  func keysThatAreUsedUpAreSpread(_ step: Int) throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: String.self)
    let rest = String(repeating: "x", count: 390)
    var model = (0..<100).map { "\($0) \(rest)" }
    try list.append(contentsOf: model)
    let operations = SeededGenerator.operations(4000)
    for start in stride(from: 0, to: operations, by: 500) {
      try list.write { list in
        for number in start..<min(start + 500, operations) {
          let position = step > 0 ? 50 + number : step < 0 ? model.count - 30 : 50
          let element = "\(number) inserted \(rest)"
          list.insert(element, at: position)
          model.insert(element, at: position)
        }
      }
      try list.read { try #require($0.elementsEqual(model)) }
      #expect(try test.store.check() == [])
    }
    #expect(throws: Undo.self) {
      try list.write { list in
        for number in 0..<2000 { list.insert("\(number) \(rest)", at: 50) }
        throw Undo()
      }
    }
    try list.read { try #require($0.elementsEqual(model)) }
    // From both ends to the middle.
    while model.count > 1 {
      try list.write { list in
        for _ in 0..<min(100, model.count / 2) {
          #expect(list.popFirst() == model.removeFirst() && list.popLast() == model.popLast())
        }
      }
      #expect(try test.store.check() == [])
    }
  }

  /// The first and the last key of the range for blocks.
  @Test(arguments: [1 << 32, 1 << 32 + 1, .max - 1, .max] as [UInt64])
  func blocksAtTheEndOfTheKeys(_ key: UInt64) throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: String.self)
    try test.store.putRaw("list", key, [97, 98, 1, 0, 2, 0])
    var model = ["a", "b"]
    let long = String(repeating: "x", count: 3000)
    for number in 0..<20 {
      try list.write { list in
        list.append("\(number) \(long)")
        list.prepend("\(number) \(long)")
      }
      model = ["\(number) \(long)"] + model + ["\(number) \(long)"]
    }
    try list.read { try #require($0.elementsEqual(model)) }
    #expect(try test.store.check() == [])
  }

  @Test func eachElementTakesTwoBytesMoreThanItsOwn() throws {
    let test = try TestStore()
    for length in [10, 100] {
      let list = try test.store.list("list of \(length)", of: String.self)
      let count = 200_000
      try list.append(contentsOf: repeatElement(String(repeating: "x", count: length), count: count))
      let bytes = try test.store.pages(of: list.name) * 4096
      #expect(bytes <= count * (length + 4), "\(Double(bytes) / Double(count)) bytes")
    }
  }

  /// A list that grows by one element in each transaction has small blocks at its end only.
  @Test func blocksAreFilledByManyTransactionsToo() throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: String.self)
    let count = 20_000
    for number in 0..<count { try list.append("\(number) ".padded(to: 100)) }
    let pages = try test.store.pages(of: "list")
    #expect(pages * 4096 <= count * 104 + 10 * 4096, "\(pages) pages")
    try list.read { list in try #require((0..<count).allSatisfy { list[$0] == "\($0) ".padded(to: 100) }) }
    // From both ends, and at both ends.
    for number in 0..<1000 {
      #expect(try list.popFirst() == "\(number) ".padded(to: 100))
      #expect(try list.popLast() == "\(count - 1 - number) ".padded(to: 100))
    }
    for number in (0..<1000).reversed() {
      try list.prepend("\(number) ".padded(to: 100))
      try list.append("\(count - 1 - number) ".padded(to: 100))
    }
    try list.read { list in try #require((0..<count).allSatisfy { list[$0] == "\($0) ".padded(to: 100) }) }
    #expect(try test.store.check() == [])
  }

  @Test func aListIsEmptiedInOneTransaction() throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: String.self)
    for isFirst in [true, false] {
      try list.append(contentsOf: (0..<5000).map { "element \($0)" })
      #expect(try test.store.rawKeys("list").first == 0)
      try list.write { list in
        while (isFirst ? list.popFirst() : list.popLast()) != nil {}
      }
      #expect(try list.isEmpty && test.store.rawKeys("list").isEmpty)
      #expect(try test.store.check() == [])
    }
  }

  // MARK: Damage

  private static let damagedBlocks: [(String, [UInt8])] = [
    ("nothing", []), ("one byte", [1]), ("no elements", [97, 0, 0]), ("more ends than bytes", [97, 9, 0]),
    ("ends that descend", [97, 98, 99, 2, 0, 1, 0, 3, 0]), ("an end behind all bytes", [97, 98, 3, 0, 2, 0]),
    ("the greatest end", [97, 98, 255, 255, 2, 0]),
    ("too many bytes", [UInt8](repeating: 97, count: 5000) + [1, 0, 2, 0]),
  ]

  @Test(arguments: damagedBlocks.indices, [0, 1, 2])
  func aBlockIsDamaged(_ damage: Int, at place: Int) throws {
    let (what, bytes) = Self.damagedBlocks[damage]
    let test = try TestStore()
    let list = try test.store.list("list", of: String.self)
    try list.append(contentsOf: (0..<1000).map { "element \($0)" })
    let keys = try test.store.rawKeys("list").filter { $0 >= 1 << 32 }
    #expect(keys.count > 3)
    try test.store.putRaw("list", [keys[0], keys[1], keys[keys.count - 1]][place], bytes)
    #expect(try test.store.check().map(\.code) == [.damaged], "\(what)")
    let fine: Set<StoreError.Code?> = [nil, .damaged, .undecodable, .outOfRange]
    for position in [0, 300, 999] {
      #expect(fine.contains(code { _ = try list[position] }), "\(what)")
      #expect(fine.contains(code { try list.set("x", at: position) }), "\(what)")
      #expect(fine.contains(code { try list.insert("x", at: position) }), "\(what)")
      #expect(fine.contains(code { try list.remove(at: position) }), "\(what)")
    }
    #expect(code { try list.read { _ = Array($0) } } == .damaged, "\(what)")
    #expect(fine.contains(code { try list.append("x") }), "\(what)")
    #expect(fine.contains(code { try list.prepend("x") }), "\(what)")
    #expect(fine.contains(code { _ = try list.popFirst() }), "\(what)")
    #expect(fine.contains(code { _ = try list.popLast() }), "\(what)")
    try test.store.remove("list")
    #expect(try test.store.list("list", of: String.self).isEmpty, "\(what)")
  }

  @Test func aDirectoryThatContradictsItsBlocksIsFound() throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: String.self)
    try list.append(contentsOf: (0..<3000).map { "element \($0)" })
    let blocks = try test.store.rawKeys("list").filter { $0 >= 1 << 32 }
    func entries(_ numbers: [UInt64]) -> [UInt8] {
      numbers.flatMap { n in (0..<8).map { UInt8(truncatingIfNeeded: n >> ($0 * 8)) } }
    }
    // The same block twice, descending keys, the first block's key, counts that are too large, and no directory.
    for leaf in [
      [blocks[1], 1, blocks[1], 1], [blocks[2], 1, blocks[1], 1], [blocks[0], 2], [blocks[1], 1 << 40],
      [blocks[1], .max], [],
    ] as [[UInt64]] {
      let sum = stride(from: 1, to: leaf.count, by: 2).reduce(UInt64(0)) { $0 &+ leaf[$1] }
      try test.store.putRaw("list", 1, entries(leaf))
      try test.store.putRaw("list", 0, entries(leaf.isEmpty ? [] : [1, sum]))
      #expect(try test.store.check().map(\.code) == [.damaged])
      let fine: Set<StoreError.Code?> = [nil, .damaged, .outOfRange]
      #expect(code { try list.read { _ = Array($0) } } == .damaged)
      for _ in 0..<2 {
        #expect(fine.contains(code { try list.insert("x", at: 300) }))
        #expect(fine.contains(code { _ = try list.remove(at: 300) }))
        #expect(fine.contains(code { _ = try list.popFirst() }))
        #expect(fine.contains(code { try list.write { $0.removeSubrange($0.count / 3..<$0.count / 2) } }))
      }
    }
  }

  // MARK: The older layout

  @Test func compactingAndLoadingBringListsToTheNewLayout() throws {
    let directory = TemporaryDirectory()
    let elements = (0..<5000).map { String(repeating: "x", count: $0 % 300) }
    do {
      let store = try SharedStore(path: directory.path)
      try store.makeList("old", .indexed, of: String.self)
      try store.makeList("empty", .indexed, of: String.self)
      try store.list("old", of: String.self).append(contentsOf: elements)
      #expect(try store.structures().map(\.layout) == [.indexed, .indexed])
    }
    try SharedStore.compact(path: directory.path)
    let store = try SharedStore(path: directory.path)
    #expect(try store.structures().map(\.layout) == [.slotted, .slotted])
    #expect(try store.list("old", of: String.self).read { $0.elementsEqual(elements) })
    #expect(try store.list("empty", of: String.self).isEmpty)
    #expect(try store.check() == [])
  }

  /// A list is converted wherever its keys are; a damaged one is left alone, and keeps no other from being converted.
  @Test(arguments: [0, 1, 1 << 32 - 2, 1 << 32, 1 << 62, 1 << 63 - 1, 1 << 63, .max - 4] as [UInt64])
  func listsOfAllKeysAreConverted(_ first: UInt64) throws {
    let directory = TemporaryDirectory()
    do {
      let store = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
      for name in ["a", "damaged", "z"] { try store.makeList(name, .indexed, of: String.self) }
      for name in ["a", "z"] {
        for number in 0..<3 { try store.putRaw(name, first + UInt64(number), Array("element \(number)".utf8)) }
      }
      try store.putRaw("damaged", 5, [])
      try store.putRaw("damaged", 7, [])
    }
    try SharedStore.compact(path: directory.path)
    let store = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
    #expect(try store.structures().map(\.layout) == [.slotted, .indexed, .slotted])
    let list = try store.list("a", of: String.self)
    #expect(try list.read { Array($0) } == ["element 0", "element 1", "element 2"])
    let long = String(repeating: "x", count: 3000)
    for _ in 0..<50 {
      try list.prepend(long)
      try list.append(long)
    }
    #expect(try list.count == 103 && list[50] == "element 0" && list[102] == long)
    #expect(try store.check().map(\.structure) == ["damaged"])
  }

  /// A difference is as long as the change.
  @Test func aDifferenceIsThatOfTheChange() throws {
    let test = try TestStore()
    let array = try test.store.array("array", of: Int.self, count: 100)
    let list = try test.store.list("list", of: String.self, maximumCount: 300)
    let free = try test.store.list("free", of: String.self)
    let texts = (0..<300).map { "\($0) " + String(repeating: "x", count: 36) }
    try list.append(contentsOf: texts)
    try free.append(contentsOf: ["a", "b", "c"])
    func kinds(_ name: String, _ change: () throws -> Void) throws -> [Difference.Kind] {
      let before = try test.store.snapshot()
      try change()
      let after = try test.store.snapshot()
      let structure = try test.store.untyped(name)
      var found: [Difference.Kind] = []
      try before.read { old in
        try after.read { new in
          try Difference.walk(from: old.contents(structure), to: new.contents(structure)) { found.append($0.kind) }
        }
      }
      return found
    }
    #expect(try kinds("array") { try array.set(5, at: 50) } == [.updated])
    #expect(try kinds("free") { try free.set("c", at: 0) } == [.updated])
    #expect(try kinds("free") { try free.insert("x", at: 1) } == [.inserted])
    for number in 0..<50 {
      #expect(try kinds("list") { try list.append("new \(number)") } == [.removed, .inserted])
    }
  }
}

extension String {
  fileprivate func padded(to length: Int) -> String { self + String(repeating: "x", count: length - utf8.count) }
}

extension SharedStore {
  /// The number of pages of a structure.
  fileprivate func pages(of name: String) throws -> Int {
    try read { txn in
      try txn.withContents(of: try #require(try description(of: name)), in: self) {
        let pages = try #require($0.storedPages)
        return pages.leafPages + pages.branchPages + pages.overflowPages
      }
    }
  }

  /// Puts bytes under a key of a structure's database, as another program could.
  func putRaw(_ name: String, _ key: UInt64, _ bytes: [UInt8]) throws {
    let database = try #require(try environment.database(name))
    let core = try environment.beginWrite()
    _ = withBytes(of: bytes) { core.put(database, key, $0) }
    try environment.commit(core)
  }

  /// The keys of a list's database.
  func rawKeys(_ name: String) throws -> [UInt64] {
    let database = try #require(try environment.database(name))
    let core = try environment.beginWrite()
    let cursor = Cursor(core, database)
    var keys: [UInt64] = []
    var isThere = cursor.move(.first)
    while isThere {
      keys.append(cursor.key.littleEndian() ?? 0)
      isThere = cursor.move(.next)
    }
    try environment.commit(core)
    return keys
  }
}
