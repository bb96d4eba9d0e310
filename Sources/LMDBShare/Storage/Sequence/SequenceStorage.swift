/// The elements of a list or array within one transaction, by position and as bytes, independent of how they are stored.
enum SequenceStorage {
  case blocks(Transaction, BlockSequence)
  case slotted(Transaction, SlottedSequence)

  /// - Parameter reference: A list or array. The transaction fails if it is stored in blocks and its elements have no size.
  init(_ core: Transaction, _ reference: StructureReference, _ database: Database) {
    guard reference.description.layout == .packed else {
      self = .slotted(core, core.slots(reference, database))
      return
    }
    // An array that is being loaded grows until it has all of its elements.
    let size = reference.description.elementSize ?? 1
    self = .blocks(core, core.loadBlocks(reference, database, size, isNew: core.isWritable))
  }

  /// The number of elements.
  var count: Int {
    switch self {
    case .blocks(_, let blocks): blocks.count
    case .slotted(_, let elements): elements.count
    }
  }

  /// Walks elements in order, until `body` returns false.
  func walk(_ positions: Range<Int>, reversed: Bool, _ body: (Int, RawSpan) throws -> Bool) throws {
    let positions = positions.clamped(to: 0..<count)
    guard !positions.isEmpty else { return }
    var position = reversed ? positions.upperBound - 1 : positions.lowerBound
    let step = reversed ? -1 : 1
    switch self {
    case .blocks(let core, let blocks):
      let window = blocks.makeWindow(core)
      while positions.contains(position) {
        guard window.holds(position) || blocks.fill(core, window, position) else { return }
        guard try body(position, window.element(position)) else { return }
        position += step
      }
    case .slotted(let core, let elements):
      let window = SlottedWindow()
      let cursor = elements.makeCursor(core)
      while positions.contains(position) {
        guard window.holds(position) || elements.fill(core, window, cursor, position) else { return }
        guard try body(position, window.element(position)) else { return }
        position += step
      }
    }
  }

  // In the following methods positions must be in range, and bytes must have the size of an element.

  /// Overwrites an element.
  func replace(_ position: Int, _ bytes: RawSpan) {
    switch self {
    case .blocks(let core, let blocks): blocks.replace(core, position, bytes)
    case .slotted(let core, let elements): elements.replace(core, position, bytes)
    }
  }

  /// Inserts an element before a position, or appends it if the position is the count.
  func insert(_ bytes: [UInt8], at position: Int) {
    switch self {
    case .blocks(let core, let blocks): withBytes(of: bytes) { blocks.insert(core, position, $0) }
    case .slotted(let core, let elements): withBytes(of: bytes) { elements.insert(core, position, $0) }
    }
  }

  /// Appends an element.
  func append(_ bytes: RawSpan) {
    switch self {
    case .blocks(let core, let blocks): blocks.append(core, bytes)
    case .slotted(let core, let elements): elements.append(core, bytes)
    }
  }

  /// Removes elements.
  func remove(_ positions: Range<Int>) {
    switch self {
    case .blocks(let core, let blocks): blocks.remove(core, positions)
    case .slotted(let core, let elements): elements.remove(core, positions)
    }
  }

  /// Removes all elements.
  func removeAll() {
    switch self {
    case .blocks(let core, let blocks): blocks.removeAll(core)
    case .slotted(let core, let elements): elements.removeAll(core)
    }
  }

  /// Walks everything that is stored. Throws an error if it contradicts the format.
  func checkInvariants() throws(StoreError) {
    switch self {
    case .blocks(let core, let blocks): try blocks.checkInvariants(core)
    case .slotted(let core, let elements): try elements.checkInvariants(core)
    }
  }
}

// MARK: What a transaction knows of a sequence

extension Transaction {
  /// Returns the blocks of a packed structure as of this transaction.
  @inlinable
  func blocks(_ reference: StructureReference, _ database: Database, _ size: Int) -> BlockSequence {
    if let known = state(database, as: BlockSequence.self), known.reference === reference, known.epoch == epoch {
      return known
    }
    return loadBlocks(reference, database, size)
  }

  @usableFromInline @inline(never)
  func loadBlocks(
    _ reference: StructureReference, _ database: Database, _ size: Int, isNew: Bool = false
  ) -> BlockSequence {
    // Another handle of the same structure may have unwritten changes.
    if let known = state(database, as: BlockSequence.self), known.epoch == epoch,
      known.reference.description.identity == reference.description.identity
    {
      return known
    }
    let blocks = BlockSequence(reference, database, size: size)
    blocks.load(self)
    if !isNew { blocks.checkCount(self) }
    if database != Database.missing { setState(database, blocks) }
    return blocks
  }

  /// Returns the elements of any size of a list as of this transaction.
  @inlinable
  func slots(_ reference: StructureReference, _ database: Database) -> SlottedSequence {
    if let known = state(database, as: SlottedSequence.self), known.reference === reference, known.epoch == epoch {
      return known
    }
    return loadSlots(reference, database)
  }

  @usableFromInline @inline(never)
  func loadSlots(_ reference: StructureReference, _ database: Database) -> SlottedSequence {
    if let known = state(database, as: SlottedSequence.self), known.epoch == epoch,
      known.reference.description.identity == reference.description.identity
    {
      return known
    }
    let elements = SlottedSequence(reference, database)
    elements.load(self)
    if database != Database.missing { setState(database, elements) }
    return elements
  }
}
