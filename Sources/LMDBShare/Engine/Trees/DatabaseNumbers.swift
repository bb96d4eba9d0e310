/// The numbers by which this process knows named databases, for as long as the environment is open.
///
/// They are not LMDB's: those belong to the writer alone (see `OpenDatabases`). A structure that is made anew under an old name
/// has another identity, and so another number, whereby nothing that is remembered of the old one is taken for the new one's.
struct DatabaseNumbers {
  private struct Key: Hashable {
    let name: [UInt8]
    let identity: UInt64
  }

  private var numbers: [Key: UInt32] = [:]
  private var names: [[UInt8]] = []
  /// Numbers that were lent, and came back.
  private var idle: [UInt32] = []

  /// Those below are LMDB's own databases: the free list and the main one.
  private static let first: UInt32 = 2

  /// The number of a name, which gets one by need.
  mutating func number(_ name: [UInt8], _ identity: UInt64) -> UInt32 {
    let key = Key(name: name, identity: identity)
    if let known = numbers[key] { return known }
    let number = add(name)
    numbers[key] = number
    return number
  }

  /// A number for a short time.
  mutating func lend(_ name: [UInt8]) -> UInt32 {
    guard let number = idle.popLast() else { return add(name) }
    names[Int(number - Self.first)] = name
    return number
  }

  mutating func giveBack(_ number: UInt32) { idle.append(number) }

  private mutating func add(_ name: [UInt8]) -> UInt32 {
    names.append(name)
    return UInt32(names.count - 1) + Self.first
  }

  /// The name that has the number, as its bytes: LMDB tells names apart that are equal as strings, since they differ in their
  /// normal form alone.
  func name(_ number: UInt32) -> [UInt8]? {
    let index = Int(number) - Int(Self.first)
    return names.indices.contains(index) ? names[index] : nil
  }
}
