import Foundation
import LMDBShare
import LMDBSharePages
import TestSupport
import Testing

/// Damage of each kind of structure, made by hand.
@Suite(.timeLimit(.minutes(20)))
struct PageStructureTests {
  /// A file whose bytes are changed.
  struct File {
    static let pageSize = 4096
    var bytes: [UInt8]

    func number(_ offset: Int, _ size: Int) -> UInt64 {
      (0..<size).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }
    mutating func put(_ value: UInt64, _ offset: Int, _ size: Int) {
      for index in 0..<size { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }

    var newestMeta: Int { number(144, 8) > number(File.pageSize + 144, 8) ? 0 : File.pageSize }
    /// The offsets of the pages that are in use and have these flags.
    func pages(_ flags: UInt64) -> [Int] {
      let free = Set(freePages)
      var found: [Int] = []
      for page in 2..<bytes.count / File.pageSize where !free.contains(UInt64(page)) {
        let offset = page * File.pageSize
        if number(offset + 10, 2) == flags, number(offset, 8) == UInt64(page) { found.append(offset) }
      }
      return found
    }
    func nodes(_ page: Int) -> [Int] {
      (0..<Int(number(page + 12, 2) - 16) / 2).map { page + Int(number(page + 16 + 2 * $0, 2)) }
    }
    private var freePages: [UInt64] {
      let root = number(newestMeta + 80, 8)
      guard root < UInt64(bytes.count / File.pageSize) else { return [] }
      var found: [UInt64] = []
      for node in nodes(Int(root) * File.pageSize) {
        var start = node + 8 + Int(number(node + 6, 2))
        if number(node + 4, 2) == 1 { start = Int(number(start, 8)) * File.pageSize + 16 }
        for index in 0..<Int(number(start, 8)) { found.append(number(start + 8 + 8 * index, 8)) }
      }
      return found
    }
    /// The offsets of the records of databases.
    var records: [Int] {
      let all: [Int] = pages(2).flatMap { nodes($0) }
      return all.filter { number($0 + 4, 2) & 2 != 0 }.map { $0 + 8 + Int(number($0 + 6, 2)) }
    }
    /// The node of the main tree that holds the record of a database.
    func record(of name: String) -> Int? {
      let key = Array(name.utf8)
      let all: [Int] = pages(2).flatMap { nodes($0) }
      return all.first { node in
        guard number(node + 4, 2) == 2, number(node + 6, 2) == UInt64(key.count) else { return false }
        return Array(bytes[node + 8..<node + 8 + key.count]) == key
      }
    }

    var finding: PageProblem? {
      get throws { try DamageTests.finding(bytes) }
    }

    /// The same file with another number at an offset.
    func with(_ value: UInt64, _ offset: Int, _ size: Int) -> File {
      var copy = self
      copy.put(value, offset, size)
      return copy
    }
  }

  private func files() throws -> [File] { try DamageTests.samples().map { File(bytes: $0.now) } }

  /// As described in CVE-2019-16224 to 16228.
  @Test func theDescriptionsOfKnownVulnerabilitiesAreFound() throws {
    let judge = DamageTests.Judge()
    for file in try files() {
      #expect(try file.finding == nil)
      // 16224: flags of databases (md_flags). Flags that LMDB may write are harmless where they are not found.
      for record in [file.newestMeta + 40, file.newestMeta + 88] + file.records.prefix(9) {
        for bit in 0..<16 {
          let damaged = file.with(file.number(record + 4, 2) ^ 1 << UInt64(bit), record + 4, 2)
          guard try damaged.finding == nil else { continue }
          let (verdict, _) = try judge.verdict(on: damaged.bytes, seed: 1)
          #expect(verdict == "sound", "md_flags of record \(record), bit \(bit)")
        }
      }
      for flags: UInt64 in [1, 2, 4, 0x22] {
        guard let page = file.pages(flags).last else { continue }
        // 16225: flags of pages (mp_flags).
        for bit in 0..<16 {
          let damaged = file.with(flags ^ 1 << UInt64(bit), page + 10, 2)
          #expect(try damaged.finding != nil, "mp_flags \(flags), bit \(bit)")
        }
        guard flags == 1 || flags == 2, let node = file.nodes(page).last else { continue }
        for bit in 0..<16 {
          // 16226: the upper half of a size (mn_hi); 16227: flags of nodes (mn_flags).
          let high = file.with(file.number(node + 2, 2) ^ 1 << UInt64(bit), node + 2, 2)
          #expect(try high.finding != nil, "mn_hi of a page with flags \(flags), bit \(bit)")
          let node = file.with(file.number(node + 4, 2) ^ 1 << UInt64(bit), node + 4, 2)
          #expect(try node.finding != nil, "mn_flags of a page with flags \(flags), bit \(bit)")
        }
      }
      // 16228: the size of pages.
      for size: UInt64 in [0, 1, 256, 4095, 65536, 1 << 31] {
        for meta in [0, File.pageSize] {
          let damaged = file.with(size, meta + 40, 4)
          #expect(try damaged.finding != nil, "a page size of \(size)")
        }
      }
    }
  }

  @Test func separatorsBoundWhatLiesBelowThem() throws {
    var count = 0
    for file in try files() {
      for page in file.pages(1) {
        let nodes = file.nodes(page)
        for (a, b) in zip(nodes, nodes.dropFirst()) {
          // Two swapped children of a branch.
          let (x, y) = (file.number(a, 6), file.number(b, 6))
          let swapped = file.with(x, b, 6).with(y, a, 6)
          #expect(try swapped.finding != nil)
          count += 1
        }
      }
    }
    #expect(count > 20)
  }

  @Test func nodesThatOverlapAndGapsAreFound() throws {
    for file in try files() {
      for page in file.pages(2).prefix(20) {
        let upper = file.number(page + 14, 2)
        #expect(try file.with(upper - 2, page + 14, 2).finding != nil)
        #expect(try file.with(upper + 2, page + 14, 2).finding != nil)
        let nodes = file.nodes(page)
        guard nodes.count > 1 else { continue }
        #expect(try file.with(UInt64(nodes[1] - page), page + 16, 2).finding != nil)
        #expect(try file.with(UInt64(nodes[1] - page + 2), page + 16, 2).finding != nil)
        let key = file.number(nodes[0] + 6, 2)
        #expect(try file.with(key + 2, nodes[0] + 6, 2).finding != nil)
        #expect(try file.with(0, nodes[0] + 6, 2).finding != nil)
      }
    }
  }

  /// LMDB's own count of entries: whatever its value, it is not used in arithmetic, and does not limit a loop.
  @Test(arguments: [1 << 63 + 3, .max, 1 << 63 - 1, 1 << 50, 1 << 32] as [UInt64])
  func countsThatNoDatabaseHas(_ count: UInt64) throws {
    let directory = TemporaryDirectory()
    do {
      let store = try SharedStore(path: directory.path)
      try store.list("numbers", of: Int.self).append(contentsOf: [1, 2, 3])
      try store.list("names", of: String.self).append(contentsOf: ["a", "b", "c"])
      try store.list("last", of: String.self, maximumCount: 5).append(contentsOf: ["a", "b", "c"])
      try store.dictionary("words", of: String.self, Int.self).merge([("a", 1), ("b", 2)]) { $1 }
    }
    let file = File(bytes: try directory.read("data.mdb"))
    for name in ["numbers", "names", "last", "words"] {
      let node = try #require(file.record(of: name))
      let record = node + 8 + Int(file.number(node + 6, 2))
      try directory.write(file.with(count, record + 32, 8).bytes, to: "data.mdb")
      let store = try SharedStore(path: directory.path)
      let numbers = try store.list("numbers", of: Int.self)
      let names = try store.list("names", of: String.self)
      let last = try store.list("last", of: String.self, maximumCount: 5)
      let words = try store.dictionary("words", of: String.self, Int.self)
      let steps: [(String, () throws -> Void)] = [
        ("numbers", { _ = try numbers.count }), ("numbers", { _ = try numbers.append(4) }),
        ("numbers", { _ = try numbers.insert(4, at: 0) }), ("numbers", { _ = try numbers.popLast() }),
        ("names", { _ = try names.count }), ("names", { _ = try names.append("d") }),
        ("names", { _ = try names.insert("d", at: 1) }), ("names", { try names.write { $0.removeSubrange(1..<2) } }),
        ("last", { _ = try last.append("d") }), ("last", { _ = try last.read { Array($0) } }),
        ("words", { _ = try words.count }),
      ]
      for (index, (structure, step)) in steps.enumerated() where structure == name {
        #expect(throws: StoreError.self, "\(name) \(index)") { try step() }
      }
      #expect(try directory.read("data.mdb").count == file.bytes.count)
    }
  }

  @Test func integersOfOneTreeHaveOneSize() throws {
    let directory = TemporaryDirectory()
    do {
      let jobs = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
        .queue("jobs", of: String.self)
      for number in 0..<3 { try jobs.push("\(number)") }
      _ = try jobs.pop()
    }
    let file = File(bytes: try directory.read("data.mdb"))
    let nodes = file.pages(2).flatMap { file.nodes($0) }
    // The queue's state, under key 0. The node keeps its size: half of the key becomes part of the value.
    let node = try #require(nodes.first { file.number($0 + 6, 2) == 8 && file.number($0 + 8, 8) == 0 })
    #expect(try file.finding == nil)
    #expect(try file.with(4, node + 6, 2).with(file.number(node, 2) + 4, node, 2).finding != nil)
  }

  @Test func numbersBeyondAllBoundsAreFoundAtOpening() throws {
    let directory = TemporaryDirectory()
    let file = File(bytes: try DamageTests.samples()[0].now)
    for meta in [0, File.pageSize] {
      for (offset, value): (Int, UInt64) in [
        (144, 1 << 63), (144, .max), (144, 1 << 62), (136, 1 << 51), (136, .max), (0, 7), (80, 1 << 40), (128, 1),
      ] {
        let damaged = file.with(value, meta + offset, 8)
        #expect(
          try damaged.finding != nil || meta != file.newestMeta && ![144, 136, 0].contains(offset),
          "\(value) at \(meta + offset)")
        guard offset == 144 || offset == 136 || offset == 0 else { continue }
        try directory.write(damaged.bytes, to: "data.mdb")
        #expect { _ = try SharedStore(path: directory.path) } throws: {
          [.damaged, .truncated].contains(($0 as? StoreError)?.code)
        }
      }
    }
    // Overflow counts.
    for page in file.pages(4).prefix(5) {
      for count: UInt64 in [0, 1 << 31, 1 << 31 + 1, UInt64(UInt32.max)] {
        #expect(try file.with(count, page + 12, 4).finding != nil)
      }
    }
  }

  /// Only the main tree has databases: no reader's stack grows with the depth of a file.
  @Test func databasesWithinDatabasesAreRefused() throws {
    let depth = 16_000
    let empty = try DamageTests.foreign(keys: 2, rounds: 1, freed: 0)
    var file = File(bytes: Array(empty[..<(2 * File.pageSize)]) + [UInt8](repeating: 0, count: depth * File.pageSize))
    func record(_ root: UInt64, at offset: Int) {
      for (place, size, value): (Int, Int, UInt64) in [
        (0, 4, 0), (4, 2, 0), (6, 2, 1), (8, 8, 0), (16, 8, 1), (24, 8, 0), (32, 8, 1), (40, 8, root),
      ] { file.put(value, offset + place, size) }
    }
    for number in 2..<depth + 2 {
      let page = number * File.pageSize
      let node = File.pageSize - 58
      for (place, size, value): (Int, Int, UInt64) in [
        (0, 8, UInt64(number)), (10, 2, 2), (12, 2, 18), (14, 2, UInt64(node)), (16, 2, UInt64(node)),
        (node, 2, 48), (node + 2, 2, 0), (node + 4, 2, number == depth + 1 ? 0 : 2), (node + 6, 2, 1),
        (node + 8, 1, 100),
      ] { file.put(value, page + place, size) }
      record(UInt64(number + 1), at: page + node + 9)
    }
    let meta = file.newestMeta
    record(2, at: meta + 88)
    file.put(UInt64(depth + 1), meta + 136, 8)
    file.put(.max, meta + 80, 8)
    for offset in [46, 48, 56, 64, 72] { file.put(0, meta + offset, offset == 46 ? 2 : 8) }
    let finding = try file.finding
    #expect(finding?.description.contains("flags 2") == true, "\(String(describing: finding))")
  }

  /// A database of integers whose flag is missing would put the next key in another place.
  @Test func databasesOfOtherFlagsThanTheirKindsAreNamed() throws {
    let directory = TemporaryDirectory()
    do {
      let store = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
      try store.list("list", of: String.self).append("a")
      _ = try store.dictionary("words", of: String.self, Int.self)
    }
    let file = File(bytes: try directory.read("data.mdb"))
    let record = try #require(file.record(of: "list"))
    let damaged = file.with(0, record + 8 + 4 + 4, 2)
    // For LMDB that is a database like any other.
    #expect(try damaged.finding == nil)
    try directory.write(damaged.bytes, to: "data.mdb")
    let store = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
    #expect { try store.list("list", of: String.self) } throws: { ($0 as? StoreError)?.code == .damaged }
    #expect(try store.check().map(\.structure) == ["list"])
    #expect(try store.dictionary("words", of: String.self, Int.self).read { $0.count } == 0)
  }

  @Test func sumsAndProductsOfStoredNumbersHaveBounds() {
    #expect(Int.max.bounded(plus: 1) == .max && Int.min.bounded(plus: -1) == .min && 2.bounded(plus: 3) == 5)
    #expect(Int.max.bounded(times: 2) == .max && Int.min.bounded(times: 2) == .min && 2.bounded(times: -3) == -6)
    #expect([Int.max, 5, -7].boundedSum() == .max - 7)
  }
}
