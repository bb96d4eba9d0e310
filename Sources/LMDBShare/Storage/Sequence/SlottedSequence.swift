// Elements of any size, side by side in blocks of up to 4,080 bytes; a larger element has a block of its own.
//
// The keys of the blocks ascend in the order of the list. The first and the last block, at which most lists change, are found by
// their keys; a directory (BlockDirectory) has the numbers of elements of all blocks between them.

/// The elements of any size of a list within one transaction: in slotted blocks, or, in a list of the older layout, one under each
/// key.
@usableFromInline
final class SlottedSequence: StructureState {
  /// The mutable state.
  @usableFromInline
  struct Fields {
    @usableFromInline var epoch: UInt64 = 0
    @usableFromInline var count = 0
    /// The keys of the first and of the last block; the same when there is only one.
    @usableFromInline var firstKey: UInt64 = 0
    @usableFromInline var lastKey: UInt64 = 0
    /// The number of elements of the first block, if there are several.
    @usableFromInline var firstCount = 0
    /// The number of elements of all blocks between the first and the last.
    @usableFromInline var innerCount = 0
    /// The key of the block that the window shows, and whether the window has changes that are not stored yet.
    @usableFromInline var windowKey: UInt64 = 0
    @usableFromInline var isDirty = false
    /// The key of the first block of an empty list.
    @usableFromInline var originKey = BlockSequence.middleKey
    /// The position of the last insertion.
    @usableFromInline var lastInsertion = -1
  }
  @usableFromInline let fields = Cell(Fields())

  /// The distance between the keys of blocks that are added at an end.
  static let keyStep: UInt64 = 1 << 20

  @usableFromInline let reference: StructureReference
  @usableFromInline let database: Database
  @usableFromInline let window = SlottedWindow()
  /// The elements of a list of the older layout.
  let indexed: IndexedSequence?
  var directory: BlockDirectory?

  /// The epoch of the transaction for which this state is current.
  @inlinable var epoch: UInt64 {
    get { fields.value.epoch }
    _modify { yield &fields.value.epoch }
  }
  @inlinable var count: Int {
    get { fields.value.count }
    _modify { yield &fields.value.count }
  }
  @inlinable var isDirty: Bool {
    get { fields.value.isDirty }
    _modify { yield &fields.value.isDirty }
  }

  deinit { fields.destroy() }

  init(_ reference: StructureReference, _ database: Database) {
    self.reference = reference
    self.database = database
    indexed = reference.description.layout == .indexed ? IndexedSequence(reference, database) : nil
  }

  /// Reads where the blocks are, unless that is current.
  func load(_ core: Transaction) {
    forget()
    epoch = core.epoch
    // What a reader could not read is not remembered. A writer's failure ends with its epoch.
    defer { if core.hasFailed, !core.isWritable { epoch = 0 } }
    guard !core.hasFailed else { return }
    if let indexed {
      indexed.load(core)
      count = indexed.count
      return
    }
    let cursor = Cursor(core, database)
    guard cursor.move(.last) else { return }
    guard let lastKey = cursor.key.littleEndian(UInt64.self), let last = SlottedBytes.count(of: cursor.value),
      cursor.seek(BlockSequence.firstBlockKey), let firstKey = cursor.key.littleEndian(UInt64.self),
      let first = SlottedBytes.count(of: cursor.value)
    else { return core.fail(reference.damage("its last key is not that of a block")) }
    fields.value.firstKey = firstKey
    fields.value.lastKey = lastKey
    let directory = BlockDirectory(core, reference, database, capacity: SlottedBytes.mostElements)
    guard !core.hasFailed else { return }
    if let directory {
      guard !directory.leaves.isEmpty, firstKey < lastKey else {
        return core.fail(reference.damage("its directory is damaged"))
      }
      self.directory = directory
      fields.value.innerCount = directory.count
    } else if core.count(database) > 2 {
      return core.fail(reference.damage("its directory is missing"))
    }
    fields.value.firstCount = first
    count = isSingle ? first : first + fields.value.innerCount + last
  }

  /// Returns to the state of an empty list.
  func forget() {
    window.clear()
    let epoch = epoch
    fields.value = Fields()
    fields.value.epoch = epoch
    directory = nil
  }

  /// Whether there is only one block, or none.
  var isSingle: Bool { fields.value.firstKey == fields.value.lastKey }

  // MARK: Finding

  /// A block: its key, the position of its first element, the number of its elements, and its place in the directory.
  struct Block {
    var key: UInt64
    var start: Int
    var count: Int
    var place: BlockDirectory.Place?
    var end: Int { start + count }
  }

  /// Returns the block that contains a position less than the count. Returns nil when it cannot be found, which fails the
  /// transaction.
  func block(_ core: Transaction, _ position: Int) -> Block? {
    if isSingle { return Block(key: fields.value.firstKey, start: 0, count: count) }
    if position < fields.value.firstCount {
      return Block(key: fields.value.firstKey, start: 0, count: fields.value.firstCount)
    }
    let innerEnd = fields.value.firstCount + fields.value.innerCount
    if position >= innerEnd { return Block(key: fields.value.lastKey, start: innerEnd, count: count - innerEnd) }
    guard let place = directory?.place(core, position - fields.value.firstCount),
      fields.value.firstKey < place.entry.key, place.entry.key < fields.value.lastKey
    else {
      if !core.hasFailed { core.fail(reference.damage("its directory is damaged")) }
      return nil
    }
    return Block(
      key: place.entry.key, start: fields.value.firstCount + place.start, count: place.entry.count, place: place)
  }

  /// Makes the window show the block of a position less than the count. Returns false when it cannot be read.
  @usableFromInline
  func show(_ core: Transaction, _ position: Int) -> Bool {
    if window.holds(position) { return true }
    if let indexed { return indexed.show(core, window, nil, position) }
    guard let block = block(core, position) else { return false }
    return show(core, block)
  }

  func show(_ core: Transaction, _ block: Block) -> Bool {
    // A damaged directory may name a block twice.
    if fields.value.windowKey == block.key, window.start == block.start, window.count == block.count { return true }
    flushWindow(core)
    fields.value.windowKey = block.key
    return fill(core, window, block)
  }

  /// Makes a separate window show the block of a position, for a walk. Returns false when it cannot be read.
  ///
  /// - Parameter cursor: A cursor that moves with the walk, for lists of the older layout.
  @usableFromInline
  func fill(_ core: Transaction, _ window: SlottedWindow, _ cursor: Cursor?, _ position: Int) -> Bool {
    if let indexed { return indexed.show(core, window, cursor, position) }
    flushWindow(core)
    guard position < count, let block = block(core, position) else { return false }
    return fill(core, window, block)
  }

  private func fill(_ core: Transaction, _ window: SlottedWindow, _ block: Block) -> Bool {
    // In a write transaction, the next write may move the page.
    guard let bytes = core.get(database, block.key),
      core.isWritable ? window.copy(bytes, start: block.start) : window.show(bytes, start: block.start),
      window.count == block.count
    else {
      window.clear()
      if !core.hasFailed { core.fail(reference.damage("the block of position \(block.start) is missing or damaged")) }
      return false
    }
    return true
  }

  /// Creates a cursor for a walk, which only a list of the older layout needs.
  @usableFromInline
  func makeCursor(_ core: Transaction) -> Cursor? { indexed == nil ? nil : Cursor(core, database) }

  /// Returns how many elements of a list of the older layout were removed at the start since an earlier snapshot of the same
  /// store; nil for another list. Elements that stay keep their keys.
  func shiftOfKeys(since old: SlottedSequence) -> Int? {
    guard let indexed, let before = old.indexed else { return nil }
    return Int(clamping: Int128(indexed.firstKey) - Int128(before.firstKey))
  }

  /// Returns how many elements were removed at the start since an earlier snapshot of the same store, if the first block has only
  /// lost elements at its start since then; nil when that is not known. Blocks that stay keep their keys.
  func shiftOfBlocks(since old: SlottedSequence, _ oldCore: Transaction) -> Int? {
    guard indexed == nil, old.indexed == nil, !isSingle, old.count > 0,
      fields.value.firstKey >= old.fields.value.firstKey
    else { return nil }
    let (key, count) = (fields.value.firstKey, fields.value.firstCount)
    // Blocks before the first one that is still there are gone.
    var (low, high) = (0, old.count - 1)
    while low < high {
      guard let block = old.block(oldCore, (low + high) / 2) else { return nil }
      if block.key < key { low = block.end } else { high = block.start }
    }
    guard low < old.count, let same = old.block(oldCore, low), same.key == key, same.count >= count else { return nil }
    return same.end - count
  }

  // MARK: Writing changes

  func flushWindow(_ core: Transaction) {
    guard isDirty else { return }
    isDirty = false
    // Views were updated when the change was made.
    window.withStored { _ = core.put(database, fields.value.windowKey, $0, isNew: false) }
  }

  @usableFromInline func flush(_ core: Transaction) {
    guard epoch == core.epoch, core.isWritable else { return }
    flushWindow(core)
    directory?.flush(core)
  }
}
