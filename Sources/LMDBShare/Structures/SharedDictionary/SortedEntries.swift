/// Entries in memory, sorted by their stored keys: the representation of a detached copy of a dictionary.
@usableFromInline
struct SortedEntries<Key, Value> {
  @usableFromInline typealias Entry = (stored: [UInt8], key: Key, value: Value)
  @usableFromInline var entries: [Entry] = []

  @usableFromInline init() {}

  /// Appends an entry after all others.
  mutating func append(_ stored: [UInt8], _ key: Key, _ value: Value) { entries.append((stored, key, value)) }

  /// Returns the first position whose key is not less than `stored`.
  @usableFromInline
  func position(_ stored: [UInt8]) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].stored.lexicographicallyPrecedes(stored) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Returns the position of a key, or nil when it is missing.
  @usableFromInline
  func find(_ stored: [UInt8]) -> Int? {
    let place = position(stored)
    return place < entries.count && entries[place].stored == stored ? place : nil
  }

  @usableFromInline @discardableResult
  mutating func set(_ stored: [UInt8], _ key: Key, _ value: Value) -> Value? {
    let place = position(stored)
    guard place < entries.count, entries[place].stored == stored else {
      entries.insert((stored, key, value), at: place)
      return nil
    }
    defer { entries[place].value = value }
    return entries[place].value
  }

  @usableFromInline
  mutating func remove(_ stored: [UInt8]) -> Value? {
    find(stored).map { entries.remove(at: $0).value }
  }
}
