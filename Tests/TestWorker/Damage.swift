import CTestShims
import Foundation
import LMDBShare
import TestSupport

/// Puts wrong numbers into the stored bytes of a store with every structure, and uses all of it: whatever is found, the process
/// continues.
struct Damage {
  private let base: String
  private let path: String
  private let options = StoreOptions.durability(.processCrashOnly)
  static let seedsPerProcess = 20

  init(_ path: String) throws {
    self.path = path
    base = path + "-base"
  }

  /// Once for each seed.
  func useAll(from first: Int) throws {
    try fill()
    let copies = FileManager.default
    for seed in first..<first + Self.seedsPerProcess {
      say("seed \(seed)")
      try? copies.removeItem(atPath: path)
      try copies.createDirectory(atPath: path, withIntermediateDirectories: true)
      try copies.copyItem(atPath: base + "/data.mdb", toPath: path + "/data.mdb")
      var random = SeededGenerator(seed: UInt64(seed))
      try damage(&random)
      do {
        try Everything(path, options).use()
      } catch let error as StoreError {
        // The store's own format may be damaged.
        guard error.operation.hasPrefix("open") else { throw error }
      }
    }
    say("done")
  }

  private func fill() throws {
    let all = try Everything(base, options)
    for step in all.filling { try all.store.write { txn in try step(&txn) } }
    _ = try all.queue?.lease(for: .seconds(1000))
    _ = try all.queue?.pop(atMost: 3)
    if let lease = try all.queue?.lease(for: .seconds(1000)) { try all.queue?.reject(lease, reason: "test") }
    for _ in 0..<3 { try all.store.write(token: try all.store.commitToken()) { txn in txn[all.value!] += 1 } }
    guard try all.store.check() == [] else { throw Backwards() }
  }

  private static let extremes: [UInt64] = [
    0, 1, 2, 1 << 31, 1 << 32 - 1, 1 << 32, 1 << 48, 1 << 55, 1 << 56, 1 << 62, 1 << 63 - 1, 1 << 63, .max - 1, .max,
  ]

  private func damage(_ random: inout SeededGenerator) throws {
    let store = try SharedStore(path: path, options: options)
    let names = try store.structures().filter { ![.lock, .semaphore].contains($0.kind) }.map(\.name).filter {
      $0 != "value"
    }
    let name = (names + [".values", ".catalogue", ".commits"]).randomElement(using: &random)!
    let database = try store.environment.database(name) ?? .freeList
    let core = try store.environment.beginWrite()
    for _ in 0..<Int.random(in: 1...2, using: &random) {
      let cursor = Cursor(core, database)
      // Numbers that are used in arithmetic are at the ends.
      var isThere = cursor.move(Bool.random(using: &random) ? .first : .last)
      if Int.random(in: 0..<3, using: &random) == 0 {
        isThere = cursor.move(.first)
        for _ in 0..<Int.random(in: 0..<min(300, max(1, core.count(database))), using: &random) where isThere {
          if !cursor.move(.next) { isThere = cursor.move(.last) }
        }
      }
      guard isThere else { break }
      var (key, value) = (cursor.key.copied(), cursor.value.copied())
      let number = Self.extremes.randomElement(using: &random)!
      switch Int.random(in: 0..<8, using: &random) {
      case 0:
        withBytes(of: key) { _ = core.delete(database, $0) }
        put(number, into: &key, &random)
      case 1: flip(&key, &random)
      case 2: withBytes(of: key) { _ = core.delete(database, $0) }
      case 3: value.removeLast(Int.random(in: 0...value.count, using: &random))
      case 4: value += [UInt8](repeating: 0xFF, count: [1, 8, 16].randomElement(using: &random)!)
      case 5: flip(&value, &random)
      default: put(number, into: &value, &random)
      }
      if name == ".catalogue", let text = String(validating: value, as: UTF8.self), text.hasPrefix("kind") {
        let lines = text.split(separator: "\n").map { line in
          let parts = line.split(separator: " ")
          return Int(parts.last ?? "") != nil && Bool.random(using: &random) ? "\(parts[0]) \(number)" : String(line)
        }
        value = Array(lines.joined(separator: "\n").utf8)
      }
      withBytes(of: key) { key in
        withBytes(of: value) { value in _ = core.put(database, key, value) }
      }
    }
    if core.failure == nil { try store.environment.commit(core) } else { store.environment.abort(core) }
  }

  /// A number of eight or four bytes at any position.
  private func put(_ number: UInt64, into bytes: inout [UInt8], _ random: inout SeededGenerator) {
    let size = bytes.count >= 8 && Int.random(in: 0..<4, using: &random) > 0 ? 8 : 4
    guard bytes.count >= size else { return }
    let place = Int.random(in: 0...min(bytes.count - size, 256) / size, using: &random) * size
    for index in 0..<size { bytes[place + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(index))) }
  }

  private func flip(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    guard let place = bytes.indices.randomElement(using: &random) else { return }
    bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
  }
}

/// A store with every structure; those that cannot be opened are nil.
private struct Everything {
  let store: SharedStore
  let value: SharedValue<Int>?
  let numbers: SharedList<Int16>?
  let cut: SharedList<Int128>?
  let names: SharedList<String>?
  let words: SharedDictionary<String, Int>?
  let pairs: SharedDictionary<Composite<String, Int>, [String]>?
  let array: SharedArray<Int>?
  let queue: SharedQueue<String>?
  let barrier: SharedBarrier?
  let event: SharedEvent?
  let lock: SharedLock?

  init(_ path: String, _ options: StoreOptions) throws {
    store = try SharedStore(path: path, options: options)
    func opened<T>(_ body: () throws -> T) throws -> T? {
      do {
        return try body()
      } catch is StoreError {
        return nil
      }
    }
    let store = store
    value = try opened { try store.value("value", initial: 1) }
    numbers = try opened { try store.list("numbers", of: Int16.self) }
    cut = try opened { try store.list("cut", of: Int128.self) }
    names = try opened { try store.list("names", of: String.self) }
    words = try opened { try store.dictionary("words", of: String.self, Int.self) }
    pairs = try opened { try store.dictionary("pairs", of: Composite<String, Int>.self, [String].self) }
    array = try opened { try store.array("array", of: Int.self, count: 2000) }
    queue = try opened { try store.queue("queue", of: String.self, maximumAttempts: 3) }
    barrier = try opened { try store.barrier("barrier", parties: 2) }
    event = try opened { try store.event("event") }
    lock = try opened { try store.lock("lock") }
  }

  /// The initial contents.
  var filling: [(inout WriteTransaction) throws -> Void] {
    [
      { txn in
        txn[numbers!].append(contentsOf: (0..<10_000).map { Int16($0) })
        txn[cut!].append(contentsOf: (0..<70_000).map { Int128($0) })
        for position in stride(from: 0, to: 60_000, by: 20_000) { txn[cut!].insert(1, at: position + 7) }
        txn[names!].append(contentsOf: (0..<50).map { "\($0)" })
        for length in [0, 1, 300, 509, 510, 511, 5000] { txn[words!][String(repeating: "x", count: length)] = length }
        for number in 0..<50 { txn[pairs!][Composite("\(number % 5)\0", number)] = ["\(number)"] }
      },
      { txn in txn[queue!].push(contentsOf: (0..<300).map { "\($0)" }) },
      { txn in
        for number in 0..<10 { txn[queue!].push("\(number)", priority: number % 2 == 0 ? .high : .low) }
        for number in 0..<10 { txn[queue!].push("\(number)", delay: .seconds(number < 5 ? 0.001 : 1000)) }
      },
    ]
  }

  /// Reads and changes everything, each in a separate transaction.
  func use() throws {
    try attempt { _ = try store.structures() }
    for write in changes { try attempt { try store.write { txn in try write(&txn) } } }
    for read in reads { try attempt { try store.read { txn in try read(&txn) } } }
    // Once more, on what the changes have left.
    for write in changes.reversed() { try attempt { try store.write { txn in try write(&txn) } } }
    for read in reads { try attempt { try store.read { txn in try read(&txn) } } }
    try attempt { _ = try queue?.lease(for: .seconds(1)) }
    try attempt { _ = try queue?.deadLetters() }
    try attempt { _ = try queue?.statistics() }
    try attempt { _ = try barrier?.isBroken }
    try attempt { try barrier?.wait(timeout: .milliseconds(1)) }
    try attempt { try barrier?.reset() }
    try attempt { _ = try event?.isSet }
    try attempt { try event?.set() }
    try attempt { try lock?.withLock(timeout: .zero) { _ in } }
    _ = lock?.holder
    try attempt {
      let token = try store.commitToken()
      try store.write(token: token) { txn in if let value { txn[value] &+= 1 } }
      _ = try store.wasCommitted(token)
    }
    for name in ["numbers", "cut", "names", "words", "pairs", "array", "queue", "value", "barrier"] {
      try attempt { try untyped(name) }
    }
    try attempt { _ = try store.statistics() }
    try attempt { _ = try store.check() }
    try attempt { try store.rename("cut", to: "renamed") }
    try attempt { try store.remove("numbers") }
  }

  /// Every thrown error is a store error.
  private func attempt(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch is StoreError {}
  }

  private func untyped(_ name: String) throws {
    let structure = try store.untyped(name)
    try store.read { txn in
      let contents = txn.contents(structure)
      switch structure.description.kind {
      case .list, .array:
        try contents.walk(max(0, contents.count - 3000)..<contents.count, reversed: true) { _, _ in true }
      case .dictionary: try contents.walk(reversed: true) { _, _ in true }
      case .queue: try contents.walkItems { _, _ in true }
      default: _ = contents.value { $0.byteCount }
      }
      if name != "cut" { try Difference.walk(from: contents, to: contents) { _ in } }
    }
  }

  private var reads: [(inout ReadTransaction) throws -> Void] {
    [
      { txn in if let numbers { _ = (Array(txn[numbers]), txn[numbers].last, txn[numbers].reversed().first) } },
      { txn in
        if let numbers, txn[numbers].count > 0 {
          _ = try txn[numbers].withSpan(at: txn[numbers].count - 1) { $0.count + $1 }
        }
      },
      { txn in
        if let cut { _ = (Array(txn[cut].prefix(600)), Array(txn[cut].suffix(600)), txn[cut].first, txn[cut].last) }
      },
      { txn in
        if let cut { for position in [0, 1000, 69_000] where position < txn[cut].count { _ = txn[cut][position] } }
      },
      { txn in if let names { _ = (Array(txn[names]), txn[names].last, txn[names].description, txn[names].hashValue) }
      },
      { txn in
        if let names { for position in [0, 20, 49] where position < txn[names].count { _ = txn[names][position] } }
      },
      { txn in if let words { _ = (Array(txn[words]), txn[words].last, txn[words].keys.map { $0 }, txn[words]["x"]) } },
      { txn in
        if let words {
          _ = (txn[words]["a"..<"z"].map(\.key), txn[words].reversed().map(\.key), txn[words].description)
        }
      },
      { txn in if let pairs { _ = (Array(txn[pairs]), txn[pairs].entries(withFirst: "1\0").map(\.value)) } },
      { txn in if let array { _ = (Array(txn[array]), txn[array].last, txn[array][1000]) } },
      { txn in if let queue { _ = (txn[queue].count, txn[queue].peek(), txn[queue].statistics) } },
      { txn in if let queue { _ = Array(txn[queue].items) } },
      { txn in if let value { _ = txn[value] } },
    ]
  }

  private var changes: [(inout WriteTransaction) throws -> Void] {
    [
      { txn in if let numbers { txn[numbers].append(1) } },
      { txn in if let numbers { txn[numbers].insert(1, at: 0) } },
      { txn in if let numbers { txn[numbers].popFirst() } },
      { txn in if let numbers { txn[numbers].popLast() } },
      { txn in if let numbers, txn[numbers].count > 5000 { txn[numbers].insert(1, at: 5000) } },
      { txn in if let numbers, txn[numbers].count > 5000 { txn[numbers].removeSubrange(100..<4000) } },
      { txn in if let cut { txn[cut].append(contentsOf: (0..<600).map { Int128($0) }) } },
      { txn in if let cut { txn[cut].prepend(1) } },
      { txn in
        if let cut {
          for position in [10, 30_000, 69_999] where position < txn[cut].count { txn[cut].insert(1, at: position) }
        }
      },
      { txn in
        if let cut {
          for position in [10, 30_000, 69_999] where position < txn[cut].count { txn[cut].remove(at: position) }
        }
      },
      { txn in if let cut, txn[cut].count > 60_000 { txn[cut].removeSubrange(300..<50_000) } },
      { txn in if let cut { while txn[cut].count > 60_000 { txn[cut].removeLast(10_000) } } },
      { txn in if let names { txn[names].append("x") } },
      { txn in if let names { txn[names].insert("x", at: 0) } },
      { txn in if let names, txn[names].count > 20 { txn[names].insert("x", at: 20) } },
      { txn in if let names, txn[names].count > 20 { txn[names].remove(at: 20) } },
      { txn in if let names { while txn[names].popFirst() != nil {} } },
      { txn in if let words { txn[words]["new"] = 1 } },
      { txn in if let words { txn[words].removeValue(forKey: String(repeating: "x", count: 5000)) } },
      { txn in if let words { txn[words].removeUndecodable() } },
      { txn in if let pairs { while let first = txn[pairs].first { txn[pairs][first.key] = nil } } },
      { txn in if let array { txn[array][1999] = 1 } },
      { txn in if let array { txn[array].sort() } },
      { txn in if let queue { txn[queue].push("x") } },
      { txn in if let queue { txn[queue].push("x", priority: .high, delay: .seconds(1)) } },
      { txn in if let queue { _ = (txn[queue].pop(), txn[queue].pop(atMost: 400)) } },
      { txn in if let queue { for number in [1, 5, 150, 305, 315] as [UInt64] { _ = txn[queue].remove(number) } } },
      { txn in if let queue { txn[queue].removeAll() } },
      { txn in if let value { txn[value] &+= 1 } },
    ]
  }
}

/// Opens a store with ever fewer descriptors left, and uses operations that need some: prints the error each time.
func openWithFewFiles(_ path: String) throws {
  for left in 0..<24 {
    test_limit_files(Int32(left))
    do {
      let store = try SharedStore(path: path)
      try store.lock("lock").withLock { _ in }
      try store.value("value", initial: 0).update { $0 &+= 1 }
      _ = try store.queue("queue", of: Int.self).lease(for: .seconds(1))
      say("works with \(left)")
    } catch let error as StoreError {
      say("\(error.code): \(error)")
    }
    test_limit_files(-1)
  }
}
