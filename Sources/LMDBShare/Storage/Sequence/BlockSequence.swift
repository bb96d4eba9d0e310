// Elements of a fixed size, side by side in blocks of up to 4,080 bytes (which with LMDB's header fill a page of 4,096).
//
// Blocks are stored under ascending keys. While a list only grows and shrinks at its ends, the keys are dense, every block except
// the first and the last is full, and the block of a position is computed. The first change in the middle adds a directory
// (BlockDirectory), which is used for lookups from then on.

/// The blocks of a packed list or array within one transaction.
@usableFromInline
final class BlockSequence: StructureState {
  /// The mutable state.
  @usableFromInline
  struct Fields {
    @usableFromInline var epoch: UInt64 = 0
    @usableFromInline var count: Int = 0
    @usableFromInline var settled: Shape = .regular(Regular())
    /// The number of elements that were appended to the last block since the shape was updated.
    @usableFromInline var growth = 0
    @usableFromInline var windowKey: UInt64 = 0
    @usableFromInline var isDirty: Bool = false
  }
  @usableFromInline let fields = Cell(Fields())

  static let blockBytes = 4080
  /// Keys below this one belong to the directory.
  static let firstBlockKey: UInt64 = 1 << 32
  /// The key at which a new list starts, with room on both sides.
  static let middleKey: UInt64 = 1 << 62

  @usableFromInline let reference: StructureReference
  @usableFromInline let database: Database
  @usableFromInline let window: BlockWindow
  @usableFromInline let size: Int
  /// The number of elements that fit into a block.
  let capacity: Int
  /// The epoch of the transaction for which this state is current.
  @inlinable var epoch: UInt64 {
    get { fields.value.epoch }
    _modify { yield &fields.value.epoch }
  }
  @inlinable var count: Int {
    get { fields.value.count }
    _modify { yield &fields.value.count }
  }

  /// Blocks that need no directory.
  @usableFromInline struct Regular {
    var firstKey = BlockSequence.middleKey
    var blocks = 0
    /// The numbers of elements of the first and of the last block; the same when there is only one.
    var first = 0
    var last = 0
  }
  @usableFromInline enum Shape {
    case regular(Regular)
    case directory(BlockDirectory)
  }
  /// The arrangement of the blocks.
  var shape: Shape {
    get {
      if fields.value.growth > 0 { settle() }
      return fields.value.settled
    }
    set { fields.value.settled = newValue }
  }

  /// Updates the shape after elements were appended to the last block, which is put off until the shape is needed.
  private func settle() {
    let elements = fields.value.growth
    fields.value.growth = 0
    guard case .regular(var regular) = fields.value.settled else { return }
    regular.last += elements
    if regular.blocks == 1 { regular.first = regular.last }
    fields.value.settled = .regular(regular)
  }
  /// The key of the block that the window shows, and whether the window has changes that are not stored yet.
  var windowKey: UInt64 {
    get { fields.value.windowKey }
    _modify { yield &fields.value.windowKey }
  }
  @inlinable var isDirty: Bool {
    get { fields.value.isDirty }
    _modify { yield &fields.value.isDirty }
  }

  deinit { fields.destroy() }

  init(_ reference: StructureReference, _ database: Database, size: Int) {
    self.reference = reference
    self.database = database
    self.size = size
    capacity = max(1, Self.blockBytes / size)
    window = BlockWindow(elementSize: size, capacity: capacity)
  }

  /// Reads the shape, unless it is current.
  func load(_ core: Transaction) {
    epoch = core.epoch
    // A shape that a reader could not read is not remembered. A writer's failure ends with its epoch.
    defer { if core.hasFailed, !core.isWritable { epoch = 0 } }
    window.clear()
    isDirty = false
    count = 0
    fields.value.growth = 0
    shape = .regular(Regular())
    guard !core.hasFailed else { return }
    if let directory = BlockDirectory(core, reference, database, capacity: capacity) {
      shape = .directory(directory)
      count = directory.count
      return
    }
    guard !core.hasFailed else { return }
    let blocks = core.count(database)
    guard blocks > 0 else { return }
    let cursor = Cursor(core, database)
    guard cursor.move(.first), let firstKey = cursor.key.littleEndian(UInt64.self) else {
      return fail(core, "its keys are no numbers of blocks")
    }
    let first = elements(cursor.value)
    guard cursor.move(.last), let lastKey = cursor.key.littleEndian(UInt64.self) else {
      return fail(core, "its keys are no numbers of blocks")
    }
    let last = elements(cursor.value)
    guard let first, let last, firstKey >= Self.firstBlockKey, lastKey >= firstKey,
      lastKey - firstKey == UInt64(blocks - 1), blocks <= BlockDirectory.most / capacity
    else { return fail(core, "its blocks are not dense") }
    shape = .regular(Regular(firstKey: firstKey, blocks: blocks, first: first, last: last))
    count = blocks == 1 ? first : first + (blocks - 2) * capacity + last
  }

  /// Checks that an array has the number of elements with which it was created; callers rely on every position below that.
  func checkCount(_ core: Transaction) {
    guard let wanted = reference.description.count, database != Database.missing, count != wanted, !core.hasFailed
    else {
      return
    }
    fail(core, "it has \(count) elements instead of \(wanted)")
  }

  private func elements(_ block: RawSpan) -> Int? {
    let elements = block.byteCount / size
    return block.byteCount % size == 0 && elements > 0 && elements <= capacity ? elements : nil
  }

  @inline(never)
  func fail(_ core: Transaction, _ reason: String) {
    core.fail(
      StoreError(
        .damaged, "read", structure: reference.name, reason: reason,
        advice: "another program may have written to it; restore a backup"))
  }

  /// Fails the transaction because a codec with a fixed size encoded a value of another size.
  @usableFromInline @inline(never)
  func failSize(_ core: Transaction, _ found: Int) {
    core.failUnencodable(
      reference.name,
      EncodingFailure("its codec \(reference.description.element) gave \(found) bytes instead of \(size)"))
  }

  // MARK: Finding

  /// A block: its key, the position of its first element, the number of its elements, and its place in the directory.
  struct Block {
    var key: UInt64
    var start: Int
    var count: Int
    var place: BlockDirectory.Place?
  }

  /// Returns the block of a position; for the end position, the last block. Returns nil when there are no blocks.
  func block(_ core: Transaction, _ position: Int) -> Block? {
    switch shape {
    case .regular(let regular):
      guard regular.blocks > 0 else { return nil }
      if position < regular.first || regular.blocks == 1 {
        return Block(key: regular.firstKey, start: 0, count: regular.first)
      }
      let number = min(1 + (position - regular.first) / capacity, regular.blocks - 1)
      return Block(
        key: regular.firstKey + UInt64(number), start: regular.first + (number - 1) * capacity,
        count: number == regular.blocks - 1 ? regular.last : capacity)
    case .directory(let directory):
      guard let place = directory.place(core, position) else {
        if !core.hasFailed { fail(core, "its directory is damaged") }
        return nil
      }
      return Block(key: place.entry.key, start: place.start, count: place.entry.count, place: place)
    }
  }

  /// Makes the window show the block of a position. Returns false when it cannot be read.
  @usableFromInline
  func show(_ core: Transaction, _ position: Int) -> Bool {
    if window.holds(position) { return true }
    guard let block = block(core, position), show(core, block) else { return false }
    return holds(core, window, position)
  }

  /// Checks that the window shows the position after its block was loaded. If not, the directory or a count is wrong.
  private func holds(_ core: Transaction, _ window: BlockWindow, _ position: Int) -> Bool {
    if window.holds(position) { return true }
    if !core.hasFailed { fail(core, "the block of position \(position) is not where it should be") }
    return false
  }

  func show(_ core: Transaction, _ block: Block) -> Bool {
    if windowKey == block.key, window.count == block.count, window.start == block.start, window.count > 0 {
      return true
    }
    flushWindow(core)
    guard let bytes = stored(core, block) else {
      window.clear()
      return false
    }
    // In a write transaction, the next write may move the page.
    if core.isWritable { window.copy(bytes, start: block.start) } else { window.show(bytes, start: block.start) }
    windowKey = block.key
    return true
  }

  /// Creates a separate window for a walk: in place for a reader; a copy for a writer, since each write may move pages.
  @usableFromInline
  func makeWindow(_ core: Transaction) -> BlockWindow {
    BlockWindow(elementSize: size, capacity: core.isWritable ? capacity : 0)
  }

  /// Makes such a window show the block of a position. Returns false when it cannot be read.
  @usableFromInline
  func fill(_ core: Transaction, _ window: BlockWindow, _ position: Int) -> Bool {
    if isDirty { flushWindow(core) }
    guard position < count, let block = block(core, position), let bytes = stored(core, block) else { return false }
    if core.isWritable { window.copy(bytes, start: block.start) } else { window.show(bytes, start: block.start) }
    return holds(core, window, position)
  }

  @_lifetime(borrow core)
  private func stored(_ core: Transaction, _ block: Block) -> RawSpan? {
    guard let bytes = core.get(database, block.key), elements(bytes) == block.count else {
      if !core.hasFailed { fail(core, "the block of position \(block.start) is missing or has a wrong size") }
      return nil
    }
    return bytes
  }

  // MARK: Writing changes

  func flushWindow(_ core: Transaction) {
    guard isDirty else { return }
    isDirty = false
    // Views were updated when the change was made.
    window.withBytes { _ = core.put(database, windowKey, $0, isNew: false) }
  }

  @usableFromInline func flush(_ core: Transaction) {
    guard epoch == core.epoch, core.isWritable else { return }
    flushWindow(core)
    if case .directory(let directory) = shape { directory.flush(core) }
  }
}
