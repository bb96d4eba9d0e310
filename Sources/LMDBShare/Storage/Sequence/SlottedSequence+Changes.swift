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

  // MARK: Blocks

  /// Records that elements of a block were added to it or removed from it.
  func resize(_ core: Transaction, _ block: Block, by change: Int) {
    count += change
    if isSingle { return }
    if block.key == fields.value.firstKey {
      fields.value.firstCount += change
    } else if let place = block.place {
      fields.value.innerCount += change
      directory?.setCount(core, place.entry.count + change, at: place)
    }
  }

  /// Creates a block for one element, after another block or as the first one.
  func addBlock(_ core: Transaction, _ bytes: RawSpan, after left: Block?) {
    flushWindow(core)
    let position = left?.end ?? 0
    guard let (left, key) = makeKey(core, after: left) else { return }
    link(core, .init(key: key, count: 1), after: left)
    window.clear()
    window.copyElement(bytes, position: position)
    fields.value.windowKey = key
    fields.value.isNewLast = key == fields.value.lastKey
    isDirty = true
    count += 1
  }

  /// Splits the block that the window shows. The window keeps the first part.
  func split(_ core: Transaction, _ block: Block, at index: Int) {
    guard let (found, key) = makeKey(core, after: block), var left = found, show(core, left) else { return }
    let tail = window.tail(from: index)
    let moved = left.count - index
    window.remove(left.start + index..<left.end)
    isDirty = true
    resize(core, left, by: -moved)
    left.count -= moved
    left.place?.entry.count -= moved
    link(core, .init(key: key, count: moved), after: left)
    count += moved
    _ = withBytes(of: tail) { core.put(database, key, $0) }
  }

  /// Makes a new block one of the list, after another block or as the first one. The caller counts its elements.
  private func link(_ core: Transaction, _ new: BlockDirectory.Entry, after left: Block?) {
    guard count > 0 else { return (fields.value.firstKey, fields.value.lastKey) = (new.key, new.key) }
    let wasSingle = isSingle
    switch left {
    case nil:
      if !wasSingle { insertInner(core, .init(key: fields.value.firstKey, count: fields.value.firstCount), after: nil) }
      fields.value.firstKey = new.key
      fields.value.firstCount = new.count
    case let left? where left.key == fields.value.lastKey:
      if wasSingle {
        fields.value.firstCount = left.count
      } else {
        insertInner(
          core, .init(key: left.key, count: left.count), after: directory?.place(core, fields.value.innerCount))
      }
      fields.value.lastKey = new.key
    case let left?: insertInner(core, new, after: left.place)
    }
  }

  private func insertInner(_ core: Transaction, _ entry: BlockDirectory.Entry, after place: BlockDirectory.Place?) {
    let directory = directory ?? BlockDirectory(reference, database, [])
    self.directory = directory
    directory.insert(core, entry, after: place)
    fields.value.innerCount += entry.count
  }

  /// Removes a whole block.
  ///
  /// - Parameter keepsWindow: Whether the window shows a block before this one, and stays as it is.
  func drop(_ core: Transaction, _ block: Block, keepsWindow: Bool = false) {
    if !keepsWindow {
      if fields.value.windowKey == block.key { (isDirty, fields.value.isNewLast) = (false, false) }
      flushWindow(core)
      window.clear()
    }
    core.delete(database, block.key)
    count -= block.count
    if isSingle {
      directory?.flush(core)
      forget()
    } else if let place = block.place {
      directory?.remove(core, place)
      fields.value.innerCount -= block.count
    } else if block.key == fields.value.firstKey {
      let next = takeInner(core, atEnd: false)
      fields.value.firstKey = next?.key ?? fields.value.lastKey
      fields.value.firstCount = next?.count ?? count
    } else {
      fields.value.lastKey = takeInner(core, atEnd: true)?.key ?? fields.value.firstKey
    }
  }

  /// Takes the first or the last block out of the directory, which becomes the list's first or last one; nil when there is none.
  private func takeInner(_ core: Transaction, atEnd: Bool) -> BlockDirectory.Entry? {
    guard let directory, let place = directory.place(core, atEnd ? fields.value.innerCount : 0) else { return nil }
    directory.remove(core, place)
    fields.value.innerCount -= place.entry.count
    return place.entry
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

  /// Merges a block with one beside it when it fills less than a quarter, and both together at most three quarters of a block.
  private func mergeIfSmall(_ core: Transaction, _ position: Int) {
    guard window.used < SlottedBytes.capacity / 4 else { return }
    flushWindow(core)
    guard let target = block(core, position) else { return }
    if target.end < count, let next = block(core, target.end), merge(core, target, next, limit: Self.mergedBytes) {
      return
    }
    if target.start > 0, let previous = block(core, target.start - 1) {
      _ = merge(core, previous, target, limit: Self.mergedBytes)
    }
  }

  /// The size up to which blocks are merged.
  private static let mergedBytes = SlottedBytes.capacity * 3 / 4

  /// Merges two blocks if both together have at most so many bytes. Returns whether they did.
  func merge(_ core: Transaction, _ left: Block, _ right: Block, limit: Int) -> Bool {
    guard show(core, left), let bytes = core.get(database, right.key),
      window.used + bytes.byteCount <= limit
    else { return false }
    guard window.append(contentsOf: bytes), window.count == left.count + right.count else {
      core.fail(reference.damage("the block of position \(right.start) is damaged"))
      return false
    }
    isDirty = true
    flushWindow(core)
    drop(core, right)
    if let left = block(core, left.start) { resize(core, left, by: right.count) }
    return true
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

  // MARK: Keys

  /// Returns an unused key for a block after another one, or before all; and that other block, whose own key may have changed.
  private func makeKey(_ core: Transaction, after left: Block?) -> (left: Block?, key: UInt64)? {
    if count == 0 { return (nil, fields.value.originKey) }
    for _ in 0..<2 {
      guard let left else {
        if fields.value.firstKey >= BlockSequence.firstBlockKey + Self.keyStep {
          return (nil, fields.value.firstKey - Self.keyStep)
        }
        spreadKeys(core, around: 0)
        continue
      }
      // Its key and its place may have changed.
      guard let left = block(core, left.start), !core.hasFailed else { return nil }
      if left.key == fields.value.lastKey {
        if left.key <= UInt64.max - Self.keyStep { return (left, left.key + Self.keyStep) }
      } else {
        guard let next = block(core, left.end), next.key > left.key else {
          core.fail(reference.damage("its keys do not ascend"))
          return nil
        }
        if next.key - left.key > 1 { return (left, left.key + (next.key - left.key) / 2) }
      }
      spreadKeys(core, around: left.start)
    }
    core.fail(reference.damage("its keys are used up"))
    return nil
  }

  /// Gives the blocks around a position new keys, evenly spread, where there is no unused key left between two blocks. So many
  /// blocks get new keys that each has at least 256 unused ones before it.
  private func spreadKeys(_ core: Transaction, around position: Int) {
    flushWindow(core)
    window.clear()
    var reach = 16
    while !core.hasFailed {
      guard let found = blocks(core, around: position, reach) else { return }
      let (blocks, before, after) = found
      let room = 2 * Self.keyStep * UInt64(blocks.count)
      let lower = before ?? (blocks[0].key < room ? 0 : blocks[0].key - room)
      let upper = after ?? (blocks[blocks.count - 1].key > .max - room ? .max : blocks[blocks.count - 1].key + room)
      let (least, step): (UInt64, UInt64) =
        if before == nil, after == nil {
          // All blocks: around the middle.
          (BlockSequence.middleKey, Self.keyStep)
        } else {
          (
            max(lower, BlockSequence.firstBlockKey),
            (upper - max(lower, BlockSequence.firstBlockKey)) / UInt64(blocks.count + 1)
          )
        }
      // A block at an end needs as much room beyond it as the next one will take.
      if step > (before == nil || after == nil ? Self.keyStep - 1 : 256) {
        return move(core, blocks) { least + UInt64($0 + 1) * step }
      }
      reach *= 4
    }
  }

  /// Returns the blocks around a position, and the keys of those before and after them; nil when one cannot be found.
  private func blocks(
    _ core: Transaction, around position: Int, _ reach: Int
  ) -> (blocks: [Block], before: UInt64?, after: UInt64?)? {
    var start = position
    var before: UInt64?
    for _ in 0...reach where start > 0 {
      guard let block = block(core, start - 1) else { return nil }
      before = block.start > 0 ? block.key : nil
      start = block.start
    }
    var blocks: [Block] = []
    // The first block found is the one before, unless the list starts here.
    if before != nil, let first = block(core, start) { start = first.end }
    while start < count, blocks.count < 2 * reach {
      guard let block = block(core, start), block.count > 0 else { return nil }
      guard block.key > blocks.last?.key ?? before ?? 0 else {
        core.fail(reference.damage("its keys do not ascend"))
        return nil
      }
      blocks.append(block)
      start = block.end
    }
    guard start < count else { return (blocks, before, nil) }
    guard let after = block(core, start), after.key > blocks.last?.key ?? 0 else {
      core.fail(reference.damage("its keys do not ascend"))
      return nil
    }
    return (blocks, before, after.key)
  }

  /// Stores blocks under other keys, which ascend as well.
  private func move(_ core: Transaction, _ blocks: [Block], to key: (Int) -> UInt64) {
    // In this order, no block gets the key of one that has still to be moved.
    let up = blocks.indices.reversed().filter { key($0) > blocks[$0].key }
    let down = blocks.indices.filter { key($0) < blocks[$0].key }
    for index in up + down where !core.hasFailed {
      let block = blocks[index]
      guard let bytes = core.get(database, block.key)?.copied() else {
        return core.fail(reference.damage("the block of position \(block.start) is missing"))
      }
      _ = withBytes(of: bytes) { core.put(database, key(index), $0) }
      core.delete(database, block.key)
      if let place = block.place { directory?.setKey(core, key(index), at: place) }
      if block.key == fields.value.firstKey { fields.value.firstKey = key(index) }
      if block.key == fields.value.lastKey { fields.value.lastKey = key(index) }
    }
  }
}
