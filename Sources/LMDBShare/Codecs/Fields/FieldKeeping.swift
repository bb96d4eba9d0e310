/// What the stored bytes of a value have beyond its declared fields, and where in them is what is being written.
struct FieldKeeping: Sendable {
  private struct Level {
    /// The entries of the stored map; nil when there was none, and for an array.
    let entries: CBOREntries?
    let position: Int?
  }
  private let items: CBORItems
  /// One for each open array or map.
  private var levels: [Level] = []
  /// Where the stored value begins in place of which the next one is written.
  private var next: Int? = 0

  init(_ old: [UInt8]) { items = CBORItems(old) }

  /// Opens an array: its elements have no names by which to find them again.
  mutating func openElements() {
    levels.append(Level(entries: nil, position: nil))
    next = nil
  }

  /// Opens a map.
  mutating func openEntries() {
    levels.append(Level(entries: next.flatMap { try? items.entries($0) }, position: next))
    next = nil
  }

  /// Closes the last array or map.
  mutating func close() {
    // A type may end more than it began; the writer notices it.
    _ = levels.popLast()
    next = nil
  }

  /// The next value is that of an entry of the open map.
  mutating func select(_ name: String) { next = levels.last?.entries?.value(name) }

  /// The stored bytes in place of which the next value is written.
  var selected: [UInt8]? {
    guard let next, let end = try? items.skip(next) else { return nil }
    return Array(items.bytes[next..<end])
  }

  /// An entry, by the bytes of its key and of the whole.
  typealias Entry = (key: ArraySlice<UInt8>, all: ArraySlice<UInt8>)

  /// The entries of the open map that are not declared.
  func unknown(_ keys: FieldKeys) -> [Entry] {
    guard let level = levels.last, let position = level.position, level.entries != nil,
      let head = try? items.untagged(position)
    else { return [] }
    // A key without a name is none of the declared ones.
    return Self.entries(items, head).filter { entry in
      guard let name = (try? items.name(entry.key.startIndex)) ?? nil else { return true }
      return keys.index(of: name) == nil
    }
  }

  /// The written entries of a map and others, in the order of their keys.
  static func merged(_ written: [UInt8], _ others: [Entry]) -> [UInt8] {
    let items = CBORItems(written)
    var entries = others
    var position = 0
    while position < written.count, let entry = try? Self.entry(items, position) {
      entries.append(entry)
      position = entry.all.endIndex
    }
    entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
    return entries.flatMap(\.all)
  }

  private static func entries(_ items: CBORItems, _ head: CBORItems.Head) -> [Entry] {
    var entries: [Entry] = []
    _ = try? items.forEach(head) { (position) throws(DecodingFailure) in
      entries.append(try entry(items, position))
      return entries[entries.count - 1].all.endIndex
    }
    return entries
  }

  private static func entry(_ items: CBORItems, _ position: Int) throws(DecodingFailure) -> Entry {
    let value = try items.skip(position, 1)
    let end = try items.skip(value, 1)
    return (items.bytes[position..<value], items.bytes[position..<end])
  }
}
