// The keys of blocks, which ascend in the order of the list. New ones come between two others.

extension SlottedSequence {
  /// Returns an unused key for a block after another one, or before all; and that other block, whose own key may have changed.
  func makeKey(_ core: Transaction, after left: Block?) -> (left: Block?, key: UInt64)? {
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
