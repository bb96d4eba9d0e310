// Changes of elements; SlottedSequence+Blocks has what they need of blocks.

extension SlottedSequence {
  // MARK: Adding

  /// Appends an element.
  @inlinable @inline(__always)
  func append(_ core: Transaction, _ bytes: RawSpan) {
    if isDirty, window.hasRoom(bytes.byteCount, at: count) {
      core.wrote(database)
      window.append(bytes)
      fields.value.count &+= 1
    } else {
      appendElsewhere(core, bytes)
    }
  }

  @usableFromInline @inline(never)
  func appendElsewhere(_ core: Transaction, _ bytes: RawSpan) {
    if let indexed { return change(indexed) { $0.append(core, bytes) } }
    let wanted = count + 1
    defer { follow(core, wanted) }
    guard canTake(core, bytes) else { return }
    core.wrote(database)
    guard count > 0 else { return addBlock(core, bytes, after: nil) }
    appendToLast(core, bytes)
  }

  /// Inserts elements before a position.
  @usableFromInline
  func insert(_ core: Transaction, _ position: Int, _ elements: [[UInt8]]) {
    if let indexed { return change(indexed) { $0.insert(core, position, elements) } }
    for (offset, element) in elements.enumerated() {
      withBytes(of: element) { insert(core, position + offset, $0) }
    }
  }

  /// Inserts an element before a position.
  @usableFromInline
  func insert(_ core: Transaction, _ position: Int, _ bytes: RawSpan) {
    if let indexed { return change(indexed) { $0.insert(core, position, [bytes.copied()]) } }
    if position == count { return append(core, bytes) }
    let wanted = count + 1
    defer { follow(core, wanted) }
    guard canTake(core, bytes) else { return }
    core.wrote(database)
    let isRun = position == fields.value.lastInsertion + 1
    fields.value.lastInsertion = position
    if position == 0 { return insertIntoFirst(core, bytes) }
    insert(core, position, bytes, isRun: isRun)
  }

  private func insert(_ core: Transaction, _ position: Int, _ bytes: RawSpan, isRun: Bool) {
    guard let target = block(core, position), show(core, target) else { return }
    if window.hasRoom(bytes.byteCount) {
      window.insert(bytes, at: position)
      isDirty = true
      return resize(core, target, by: 1)
    }
    let index = position - target.start
    if index == 0 {
      // Between two blocks.
      guard position > 0 else { return addBlock(core, bytes, after: nil) }
      guard let left = block(core, position - 1), show(core, left) else { return }
      guard window.hasRoom(bytes.byteCount) else { return addBlock(core, bytes, after: left) }
      window.append(bytes)
      isDirty = true
      return resize(core, left, by: 1)
    }
    // Elements that are inserted one after the other fill the blocks; others find half of a block free.
    split(core, target, at: isRun || bytes.byteCount > SlottedBytes.capacity / 4 ? index : window.middle)
    guard !core.hasFailed else { return }
    insert(core, position, bytes, isRun: true)
  }

  /// Overwrites the element at a position.
  @usableFromInline
  func replace(_ core: Transaction, _ position: Int, _ bytes: RawSpan) {
    if let indexed {
      window.clear()
      return indexed.replace(core, position, bytes)
    }
    guard canTake(core, bytes), let target = block(core, position), show(core, target) else { return }
    core.wrote(database)
    isDirty = true
    if window.fits(bytes.byteCount, at: position) { return window.replace(position, bytes) }
    window.remove(position..<position + 1)
    resize(core, target, by: -1)
    if position == count { return appendElsewhere(core, bytes) }
    insert(core, position, bytes, isRun: false)
  }

  /// Whether an element can be stored; an element that is too large fails the transaction.
  private func canTake(_ core: Transaction, _ bytes: RawSpan) -> Bool {
    if bytes.byteCount > Limits.valueBytes - 2 { core.fail(Limits.tooLarge(bytes.byteCount)) }
    return !core.hasFailed
  }

  /// Changes a list of the older layout.
  private func change(_ indexed: IndexedSequence, _ body: (IndexedSequence) -> Void) {
    window.clear()
    body(indexed)
    count = indexed.count
  }

  /// Sets the count as if the change had been made, when the transaction has failed. Nothing is stored any more then, but a loop
  /// that adds or removes elements until a count is reached still ends.
  private func follow(_ core: Transaction, _ wanted: Int) {
    if core.hasFailed { count = max(0, wanted) }
  }

  // MARK: Removing

  /// Removes the elements at these positions.
  @usableFromInline
  func remove(_ core: Transaction, _ positions: Range<Int>) {
    if let indexed { return change(indexed) { $0.remove(core, positions) } }
    let wanted = count - positions.count
    defer { follow(core, wanted) }
    guard !core.hasFailed, !positions.isEmpty else { return }
    if positions.count == count { return removeAll(core) }
    core.wrote(database)
    let isAtEnd = positions.lowerBound == 0 || positions.upperBound == count
    var end = positions.upperBound
    // This goes backwards, so that the elements still to be removed keep their positions.
    while end > positions.lowerBound, !core.hasFailed {
      guard let target = block(core, end - 1) else { return }
      let start = max(positions.lowerBound, target.start)
      if end - start == target.count {
        drop(core, target)
      } else if show(core, target) {
        let (isNew, isLast) = (!isDirty, end == count)
        window.remove(start..<end)
        isDirty = true
        resize(core, target, by: start - end)
        if !isAtEnd {
          mergeIfSmall(core, target.start)
        } else if isNew, start == 0 || isLast {
          shrinkEnd(core, atStart: start == 0)
        }
      }
      end = start
    }
  }

  /// Removes all elements.
  @usableFromInline
  func removeAll(_ core: Transaction) {
    if let indexed { return change(indexed) { $0.removeAll(core) } }
    core.removeAll(database)
    forget()
  }

  /// Fills this new list with the elements of one of the older layout in the same database, which are removed.
  func take(_ old: IndexedSequence, _ core: Transaction) {
    old.load(core)
    epoch = core.epoch
    let lastKey = old.firstKey &+ UInt64(max(0, old.count - 1))
    // No block may get the key of an element that is still to be moved.
    fields.value.originKey =
      lastKey < 1 << 63
      ? max(lastKey, BlockSequence.firstBlockKey) + Self.keyStep : BlockSequence.firstBlockKey + Self.keyStep
    for position in 0..<old.count where !core.hasFailed {
      guard let bytes = old.element(core, position)?.copied() else { return }
      core.delete(database, old.firstKey &+ UInt64(position))
      withBytes(of: bytes) { append(core, $0) }
    }
    flush(core)
  }
}
