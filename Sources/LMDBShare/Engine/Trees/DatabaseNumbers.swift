/// The numbers by which this process identifies named databases, while the environment is open.
///
/// They are not LMDB's numbers, which only the writer uses (see `OpenDatabases`). A structure that is created again under an old
/// name has another identity, and so another number: nothing that is remembered of the old one is used for the new one.
struct DatabaseNumbers {
  private struct Key: Hashable {
    let name: [UInt8]
    let identity: UInt64
  }

  private var numbers: [Key: Database] = [:]
  private var names: [[UInt8]] = []
  /// Lent numbers that were returned.
  private var idle: [Database] = []

  /// Lower numbers are LMDB's own databases: the free list and the main one.
  private static let first = 2

  /// The number of a name; a new name gets one.
  mutating func number(_ name: [UInt8], _ identity: UInt64) -> Database {
    let key = Key(name: name, identity: identity)
    if let known = numbers[key] { return known }
    let number = add(name)
    numbers[key] = number
    return number
  }

  /// A number for a short time.
  mutating func lend(_ name: [UInt8]) -> Database {
    guard let number = idle.popLast() else { return add(name) }
    names[number.index - Self.first] = name
    return number
  }

  mutating func giveBack(_ database: Database) { idle.append(database) }

  private mutating func add(_ name: [UInt8]) -> Database {
    names.append(name)
    return Database(UInt32(names.count - 1 + Self.first))
  }

  /// The name with this number, as bytes: names that are equal as strings, because they differ only in their normalization, are
  /// different names for LMDB.
  func name(_ database: Database) -> [UInt8]? {
    // LMDB's numbers, and the one that stands for no database, have the same range of indices.
    guard database.numberOfLMDB == nil else { return nil }
    let index = database.index - Self.first
    return names.indices.contains(index) ? names[index] : nil
  }
}
