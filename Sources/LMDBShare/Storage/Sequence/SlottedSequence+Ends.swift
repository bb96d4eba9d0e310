// A list that changes by one element in each transaction would store a block of 4,080 bytes anew each time, on a page of its own. So
// a transaction that finds a block of more than 1,000 bytes at an end leaves it, and makes a small one, which lies beside others in
// a page of LMDB's tree. What becomes too large for that goes into the block beside it.

extension SlottedSequence {
  /// The number of bytes up to which a block at an end is changed in another transaction.
  static let endBytes = 1000

  /// Whether the window has changes of a block, which is stored anew in any case.
  private func isChanged(_ block: Block) -> Bool { isDirty && fields.value.windowKey == block.key }

  /// Returns the number of bytes of a stored block.
  private func storedBytes(_ core: Transaction, _ block: Block) -> Int {
    if isChanged(block) { return window.used }
    if let bytes = core.get(database, block.key) { return bytes.byteCount }
    if !core.hasFailed { core.fail(reference.damage("the block of position \(block.start) is missing")) }
    return .max
  }

  /// Whether a block at an end can take an element: it has room for it, and is small or changed already.
  private func canTake(_ core: Transaction, _ byteCount: Int, _ block: Block) -> Bool {
    (isChanged(block) || storedBytes(core, block) <= Self.endBytes) && show(core, block) && window.hasRoom(byteCount)
  }

  /// Appends an element to the last block, or makes a new one.
  func appendToLast(_ core: Transaction, _ bytes: RawSpan) {
    guard let last = block(core, count - 1) else { return }
    let limit = isChanged(last) ? SlottedBytes.capacity : Self.endBytes
    if storedBytes(core, last) > limit - 2 - bytes.byteCount { fillBlock(core, before: last) }
    guard !core.hasFailed, let end = block(core, count - 1) else { return }
    let isRoom = canTake(core, bytes.byteCount, end)
    guard !core.hasFailed else { return }
    guard isRoom else { return addBlock(core, bytes, after: end) }
    window.append(bytes)
    isDirty = true
    count += 1
  }

  /// Inserts an element at the start of the first block, or makes a new one.
  func insertIntoFirst(_ core: Transaction, _ bytes: RawSpan) {
    guard let first = block(core, 0) else { return }
    let size = storedBytes(core, first)
    if !isChanged(first), size <= Self.endBytes, size > Self.endBytes - 2 - bytes.byteCount, first.end < count {
      flushWindow(core)
      if let next = block(core, first.end), merge(core, first, next, limit: SlottedBytes.capacity) {
        return addBlock(core, bytes, after: nil)
      }
    }
    let isRoom = canTake(core, bytes.byteCount, first)
    guard !core.hasFailed else { return }
    guard isRoom else { return addBlock(core, bytes, after: nil) }
    window.insert(bytes, at: 0)
    isDirty = true
    resize(core, first, by: 1)
  }

  /// Moves elements of the last block to the one before it, as many as it has room for.
  private func fillBlock(_ core: Transaction, before last: Block) {
    guard last.start > 0, let previous = block(core, last.start - 1) else { return }
    let room = SlottedBytes.capacity - storedBytes(core, previous)
    guard room >= 2, !core.hasFailed else { return }
    flushWindow(core)
    guard let bytes = core.get(database, last.key), let elements = SlottedBytes(bytes, start: 0),
      elements.count == last.count
    else { return core.fail(reference.damage("the block of position \(last.start) is damaged")) }
    guard elements.element(0).byteCount <= room - 2, show(core, previous) else { return }
    var moved = 0
    while moved < last.count, window.hasRoom(elements.element(moved).byteCount) {
      window.append(elements.element(moved))
      moved += 1
    }
    guard moved > 0 else { return }
    isDirty = true
    if moved == last.count {
      // `drop` would store the window and forget it.
      drop(core, last, keepsWindow: true)
      return count += moved
    }
    resize(core, previous, by: moved)
    count -= moved
    flushWindow(core)
    guard show(core, last) else { return }
    window.remove(last.start..<last.start + moved)
    window.shift(by: moved)
    isDirty = true
  }

  /// Makes the block at an end small, after elements of a large one were removed there: the window shows it.
  func shrinkEnd(_ core: Transaction, atStart: Bool) {
    guard window.used > 2 * Self.endBytes, window.count > 1, let block = block(core, atStart ? 0 : count - 1) else {
      return
    }
    split(core, block, at: window.index(reaching: atStart ? Self.endBytes : window.used - Self.endBytes))
  }
}
