// The directory of blocks that are filled unevenly: all of a packed list, or the inner ones of a slotted list. It has two levels,
// each a sequence of 16-byte entries (a key and a number of elements). The upper level is stored under key 0 and names the leaves;
// a leaf names up to 255 blocks in the order of the list.

@usableFromInline
final class BlockDirectory {
  /// One entry: 16 bytes in memory as in the file, least significant first.
  struct Entry: BitwiseCopyable {
    var key: UInt64
    var count: Int
  }

  final class Leaf {
    let key: UInt64
    var count: Int
    /// Nil until they are needed.
    var entries: [Entry]? { didSet { starts = nil } }
    /// The sum of the counts before each entry, for lookups in a leaf that does not change.
    private var starts: [Int]?
    var isDirty: Bool

    init(key: UInt64, count: Int, entries: [Entry]?, isDirty: Bool) {
      self.key = key
      self.count = count
      self.entries = entries
      self.isDirty = isDirty
    }

    /// Returns the last entry that starts at or before an offset among the leaf's elements, which has the element there or is the
    /// last of all; and where it starts.
    func find(_ offset: Int, in entries: [Entry]) -> (index: Int, start: Int) {
      if isDirty { return BlockDirectory.find(offset, entries.count) { entries[$0].count } }
      if starts == nil {
        var sum = 0
        starts = entries.map { entry in
          defer { sum += entry.count }
          return sum
        }
      }
      guard let starts else { return (0, 0) }
      var (low, high) = (0, starts.count - 1)
      while low < high {
        let middle = (low + high + 1) / 2
        if starts[middle] <= offset { low = middle } else { high = middle - 1 }
      }
      return (low, starts[low])
    }
  }

  /// Returns which of some groups of elements has the element at an offset, or the last one; and where it starts.
  private static func find(_ offset: Int, _ groups: Int, count: (Int) -> Int) -> (index: Int, start: Int) {
    var (index, start) = (0, 0)
    while index < groups - 1, offset >= start + count(index) {
      start += count(index)
      index += 1
    }
    return (index, start)
  }

  /// The position of a block in the directory.
  struct Place {
    var leaf: Int
    var index: Int
    /// The position of the block's first element.
    var start: Int
    var entry: Entry
  }

  static let topKey: UInt64 = 0
  static let entriesPerLeaf = 255

  /// More elements than any list can have: a larger stored count is damage, and adding two smaller ones never overflows.
  static let most = 1 << 48

  private let reference: StructureReference
  private let database: Database
  private(set) var leaves: [Leaf]
  private(set) var isDirty: Bool
  private var nextLeafKey: UInt64
  private var removedLeaves: [UInt64] = []

  /// Reads the upper level; returns nil when there is none, or when it is damaged, which fails the transaction.
  ///
  /// - Parameter capacity: The most elements that a block can have. More than fit into all blocks are damage: a program that
  ///   takes elements until a list is short enough would otherwise hardly ever end.
  init?(_ core: Transaction, _ reference: StructureReference, _ database: Database, capacity: Int) {
    guard let top = core.get(database, Self.topKey) else { return nil }
    let most = core.count(database).bounded(times: capacity)
    guard let entries = Self.parse(top, keys: 1..<BlockSequence.firstBlockKey, most: min(most, Self.most)) else {
      core.fail(reference.damage("its directory is damaged"))
      return nil
    }
    self.reference = reference
    self.database = database
    leaves = entries.map { Leaf(key: $0.key, count: $0.count, entries: nil, isDirty: false) }
    isDirty = false
    nextLeafKey = (leaves.map(\.key).max() ?? 0) + 1
  }

  /// Creates a directory of blocks that had none.
  init(_ reference: StructureReference, _ database: Database, _ entries: [Entry]) {
    self.reference = reference
    self.database = database
    leaves = []
    isDirty = true
    nextLeafKey = 1
    for start in stride(from: 0, to: entries.count, by: Self.entriesPerLeaf) {
      addLeaf(Array(entries[start..<min(start + Self.entriesPerLeaf, entries.count)]), at: leaves.count)
    }
  }

  private func addLeaf(_ entries: [Entry], at index: Int) {
    let count = entries.reduce(0) { $0 + $1.count }
    // Another program may have used the last key.
    if nextLeafKey >= BlockSequence.firstBlockKey {
      let used = Set(leaves.map(\.key))
      nextLeafKey = (1...).first { !used.contains($0) } ?? 1
    }
    leaves.insert(Leaf(key: nextLeafKey, count: count, entries: entries, isDirty: true), at: index)
    nextLeafKey += 1
    isDirty = true
  }

  var count: Int { leaves.reduce(0) { $0 + $1.count } }

  /// Returns the entries of a leaf; nil when it is damaged, which fails the transaction.
  private func entries(_ core: Transaction, _ leaf: Leaf) -> [Entry]? {
    if let known = leaf.entries { return known }
    guard let bytes = core.get(database, leaf.key),
      let parsed = Self.parse(bytes, keys: BlockSequence.firstBlockKey..<UInt64.max, most: leaf.count),
      parsed.reduce(0, { $0 + $1.count }) == leaf.count
    else {
      core.fail(reference.damage("its directory is damaged"))
      return nil
    }
    leaf.entries = parsed
    return parsed
  }

  /// Decodes entries; returns nil when a key is out of range or there are more than `most` elements.
  private static func parse(_ bytes: RawSpan, keys: Range<UInt64>, most: Int) -> [Entry]? {
    guard bytes.byteCount % MemoryLayout<Entry>.stride == 0 else { return nil }
    let entries = bytes.copied(as: Entry.self)
    var rest = most
    for entry in entries {
      guard keys.contains(entry.key), 0...rest ~= entry.count else { return nil }
      rest -= entry.count
    }
    return entries
  }

  /// Returns the block that contains the element at `position`; for the end position, the last block.
  func place(_ core: Transaction, _ position: Int) -> Place? {
    let (number, first) = Self.find(position, leaves.count) { leaves[$0].count }
    guard number < leaves.count, let entries = entries(core, leaves[number]), !entries.isEmpty else { return nil }
    let (index, start) = leaves[number].find(position - first, in: entries)
    return Place(leaf: number, index: index, start: first + start, entry: entries[index])
  }

  /// Returns the block after another one.
  func next(_ core: Transaction, _ place: Place) -> Place? {
    let start = place.start + place.entry.count
    if let entries = entries(core, leaves[place.leaf]), place.index + 1 < entries.count {
      return Place(leaf: place.leaf, index: place.index + 1, start: start, entry: entries[place.index + 1])
    }
    guard place.leaf + 1 < leaves.count, let entries = entries(core, leaves[place.leaf + 1]), let first = entries.first
    else {
      return nil
    }
    return Place(leaf: place.leaf + 1, index: 0, start: start, entry: first)
  }

  /// Records the number of elements of a block.
  func setCount(_ core: Transaction, _ count: Int, at place: Place) {
    let leaf = leaves[place.leaf]
    guard entries(core, leaf) != nil else { return }
    leaf.count += count - place.entry.count
    leaf.entries?[place.index].count = count
    leaf.isDirty = true
    isDirty = true
  }

  /// Records another key of a block.
  func setKey(_ core: Transaction, _ key: UInt64, at place: Place) {
    let leaf = leaves[place.leaf]
    guard entries(core, leaf) != nil else { return }
    leaf.entries?[place.index].key = key
    leaf.isDirty = true
    isDirty = true
  }

  /// Adds a block after a place, or before all blocks.
  func insert(_ core: Transaction, _ entry: Entry, after place: Place?) {
    guard !leaves.isEmpty else { return addLeaf([entry], at: 0) }
    let number = place?.leaf ?? 0
    let leaf = leaves[number]
    guard entries(core, leaf) != nil else { return }
    leaf.entries?.insert(entry, at: place.map { $0.index + 1 } ?? 0)
    leaf.count += entry.count
    leaf.isDirty = true
    isDirty = true
    guard let entries = leaf.entries, entries.count > Self.entriesPerLeaf else { return }
    // A list that grows at its end leaves full leaves behind.
    let isAppending = number == leaves.count - 1 && place?.index == entries.count - 2
    let cut = isAppending ? entries.count - 1 : entries.count / 2
    let moved = Array(entries[cut...])
    leaf.entries = Array(entries[..<cut])
    leaf.count -= moved.reduce(0) { $0 + $1.count }
    addLeaf(moved, at: number + 1)
  }

  /// Removes a block.
  func remove(_ core: Transaction, _ place: Place) {
    let leaf = leaves[place.leaf]
    guard entries(core, leaf) != nil else { return }
    leaf.entries?.remove(at: place.index)
    leaf.count -= place.entry.count
    leaf.isDirty = true
    isDirty = true
    if leaf.entries?.isEmpty == true {
      removedLeaves.append(leaf.key)
      leaves.remove(at: place.leaf)
    }
  }

  /// Writes the changes.
  func flush(_ core: Transaction) {
    guard isDirty else { return }
    for key in removedLeaves { core.delete(database, key) }
    removedLeaves.removeAll()
    for leaf in leaves where leaf.isDirty {
      guard let entries = leaf.entries else { continue }
      _ = withBytes(of: entries) { core.put(database, leaf.key, $0, isNew: false) }
      leaf.isDirty = false
    }
    isDirty = false
    guard !leaves.isEmpty else {
      core.delete(database, Self.topKey)
      return
    }
    let top = leaves.map { Entry(key: $0.key, count: $0.count) }
    _ = withBytes(of: top) { core.put(database, Self.topKey, $0, isNew: false) }
  }
}
