extension BlockSequence {
  // MARK: Single elements

  /// Overwrites the element at a position.
  @usableFromInline
  func replace(_ core: Transaction, _ position: Int, _ bytes: RawSpan) {
    guard !core.hasFailed, show(core, position) else { return }
    core.wrote(database)
    isDirty = true
    window.replace(position, bytes)
  }

  /// Appends one element.
  @inlinable @inline(__always)
  func append(_ core: Transaction, _ bytes: RawSpan) {
    if isDirty, hasNoDirectory, window.hasRoom(at: count) {
      core.wrote(database)
      window.append(bytes)
      fields.value.count &+= 1
      fields.value.growth &+= 1
    } else {
      appendElsewhere(core, bytes)
    }
  }

  @inlinable @inline(__always)
  var hasNoDirectory: Bool { if case .regular = fields.value.settled { true } else { false } }

  /// Appends one or more elements.
  @usableFromInline @inline(never)
  func appendElsewhere(_ core: Transaction, _ bytes: RawSpan) {
    let wanted = count + bytes.byteCount / size
    defer { follow(core, wanted) }
    guard !core.hasFailed else { return }
    core.wrote(database)
    var rest = bytes.extracting(0..<bytes.byteCount)
    while rest.byteCount > 0 {
      guard let room = roomAtEnd(core) else { return }
      let taken = min(rest.byteCount, room * size)
      window.insert(count, rest.extracting(0..<taken))
      isDirty = true
      grew(core, taken / size)
      rest = rest.extracting(taken..<rest.byteCount)
    }
  }

  /// Makes the window show the last block, or a new one after it. Returns how many elements fit into it.
  private func roomAtEnd(_ core: Transaction) -> Int? {
    if window.count > 0, window.start + window.count == count, window.count < capacity {
      return capacity - window.count
    }
    if let last = block(core, count), last.count < capacity {
      return show(core, last) ? capacity - last.count : nil
    }
    flushWindow(core)
    switch shape {
    case .regular(var regular):
      let (key, overflows) = regular.firstKey.addingReportingOverflow(UInt64(regular.blocks))
      guard !overflows, key < UInt64.max else {
        fail(core, "its keys are used up")
        return nil
      }
      windowKey = key
      regular.blocks += 1
      regular.last = 0
      if regular.blocks == 1 { regular.first = 0 }
      shape = .regular(regular)
    case .directory(let directory):
      guard let key = freshKey(core) else { return nil }
      windowKey = key
      directory.insert(core, .init(key: key, count: 0), after: directory.place(core, count))
    }
    window.copy(RawSpan(), start: count)
    return capacity
  }

  /// Sets the count as if the change had been made, when the transaction has failed. Nothing is stored any more then, but a loop
  /// that adds or removes elements until a count is reached still ends.
  private func follow(_ core: Transaction, _ wanted: Int) {
    if core.hasFailed { count = max(0, wanted) }
  }

  /// Records that elements were appended to the last block.
  private func grew(_ core: Transaction, _ elements: Int) {
    count += elements
    switch shape {
    case .regular(var regular):
      regular.last += elements
      if regular.blocks == 1 { regular.first = regular.last }
      shape = .regular(regular)
    case .directory(let directory):
      if let place = directory.place(core, count) { directory.setCount(core, window.count, at: place) }
    }
  }

  /// Returns a key after those of all blocks.
  private func freshKey(_ core: Transaction) -> UInt64? {
    let cursor = Cursor(core, database)
    let last = cursor.move(.last) ? cursor.key.littleEndian(UInt64.self) ?? 0 : 0
    // The window's own block may not be stored yet.
    let greatest = max(last, windowKey, Self.firstBlockKey)
    guard greatest < UInt64.max - 1 else {
      fail(core, "its keys are used up")
      return nil
    }
    return greatest + 1
  }

  // MARK: Changes at any position

  /// Inserts elements before a position.
  @usableFromInline
  func insert(_ core: Transaction, _ position: Int, _ bytes: RawSpan) {
    let wanted = count + bytes.byteCount / size
    defer { follow(core, wanted) }
    guard !core.hasFailed, bytes.byteCount > 0 else { return }
    if position == count { return appendElsewhere(core, bytes) }
    core.wrote(database)
    if position == 0, case .regular = shape { return prepend(core, bytes) }
    // The elements are inserted in chunks, each after the one before.
    var position = position
    var rest = bytes.extracting(0..<bytes.byteCount)
    while rest.byteCount > 0 {
      let taken = min(rest.byteCount, capacity * size)
      insertChunk(core, position, rest.extracting(0..<taken))
      guard !core.hasFailed else { return }
      position += taken / size
      rest = rest.extracting(taken..<rest.byteCount)
    }
  }

  /// Prepends to blocks without a directory: fills the first block, then creates new ones before it.
  private func prepend(_ core: Transaction, _ bytes: RawSpan) {
    var rest = bytes.extracting(0..<bytes.byteCount)
    while rest.byteCount > 0 {
      guard case .regular(var regular) = shape else { return }
      if regular.first == capacity {
        flushWindow(core)
        guard regular.firstKey > Self.firstBlockKey else { return fail(core, "its keys are used up") }
        regular.firstKey -= 1
        regular.blocks += 1
        if regular.blocks == 2 { regular.last = regular.first }
        regular.first = 0
        windowKey = regular.firstKey
        window.copy(RawSpan(), start: 0)
      } else {
        guard let first = block(core, 0), show(core, first) else { return }
      }
      let taken = min(rest.byteCount / size, capacity - regular.first)
      window.insert(0, rest.extracting(rest.byteCount - taken * size..<rest.byteCount))
      isDirty = true
      regular.first += taken
      if regular.blocks == 1 { regular.last = regular.first }
      shape = .regular(regular)
      count += taken
      rest = rest.extracting(0..<rest.byteCount - taken * size)
    }
  }

  private func insertChunk(_ core: Transaction, _ position: Int, _ bytes: RawSpan) {
    let added = bytes.byteCount / size
    guard var target = block(core, position), show(core, target) else { return }
    if target.count + added <= capacity, isEdge(target) {
      window.insert(position, bytes)
      isDirty = true
      resize(core, target, to: target.count + added)
      return
    }
    let directory = makeDirectory(core)
    if target.place == nil {
      guard let found = block(core, position), show(core, found) else { return }
      target = found
    }
    if target.count + added > capacity {
      split(core, target, at: position == target.start ? target.start : position, directory)
      // The block before the split has room, or a new block is made.
      guard let left = block(core, max(position - 1, 0)), show(core, left) else { return }
      target = left
      if target.start + target.count != position || target.count + added > capacity {
        return addBlock(core, position, bytes, before: position == target.start, directory)
      }
    }
    window.insert(position, bytes)
    isDirty = true
    resize(core, target, to: target.count + added)
  }

  /// Whether a block may hold any number of elements without a directory.
  private func isEdge(_ block: Block) -> Bool {
    guard case .regular(let regular) = shape else { return true }
    return block.key == regular.firstKey || block.key == regular.firstKey + UInt64(regular.blocks - 1)
  }

  /// Records the number of elements of a block after the window has changed.
  private func resize(_ core: Transaction, _ block: Block, to elements: Int) {
    count += elements - block.count
    switch shape {
    case .regular(var regular):
      if block.key == regular.firstKey { regular.first = elements }
      if block.key == regular.firstKey + UInt64(regular.blocks - 1) { regular.last = elements }
      shape = .regular(regular)
    case .directory(let directory):
      if let place = block.place { directory.setCount(core, elements, at: place) }
    }
  }

  /// Returns the directory; creates it from the regular blocks if there is none yet.
  private func makeDirectory(_ core: Transaction) -> BlockDirectory {
    switch shape {
    case .directory(let directory): return directory
    case .regular(let regular):
      let entries = (0..<regular.blocks).map { number in
        let count = number == 0 ? regular.first : number == regular.blocks - 1 ? regular.last : capacity
        return BlockDirectory.Entry(key: regular.firstKey + UInt64(number), count: count)
      }
      let directory = BlockDirectory(reference, database, entries)
      shape = .directory(directory)
      return directory
    }
  }

  /// Splits a block in two.
  private func split(_ core: Transaction, _ block: Block, at position: Int, _ directory: BlockDirectory) {
    guard let place = block.place, position > block.start, position < block.start + block.count else { return }
    guard let key = freshKey(core) else { return }
    let offset = (position - block.start) * size
    let tail = window.withBytes { $0.extracting(offset..<$0.byteCount).copied() }
    window.remove(position..<block.start + block.count)
    isDirty = true
    flushWindow(core)
    directory.setCount(core, position - block.start, at: place)
    var shortened = place
    shortened.entry.count = position - block.start
    directory.insert(core, .init(key: key, count: tail.count / size), after: shortened)
    _ = withBytes(of: tail) { core.put(database, key, $0) }
  }

  /// Creates a block for elements at a position between two blocks.
  private func addBlock(
    _ core: Transaction, _ position: Int, _ bytes: RawSpan, before: Bool, _ directory: BlockDirectory
  ) {
    guard let key = freshKey(core) else { return }
    flushWindow(core)
    let place = position == 0 ? nil : directory.place(core, position - 1)
    directory.insert(core, .init(key: key, count: bytes.byteCount / size), after: place)
    core.put(database, key, bytes)
    count += bytes.byteCount / size
    window.clear()
  }

  // MARK: Removing

  /// Removes the elements at these positions.
  @usableFromInline
  func remove(_ core: Transaction, _ positions: Range<Int>) {
    let wanted = count - positions.count
    defer { follow(core, wanted) }
    guard !core.hasFailed, !positions.isEmpty else { return }
    if positions.count == count { return removeAll(core) }
    core.wrote(database)
    var end = positions.upperBound
    // This goes backwards, so that the elements still to be removed keep their positions.
    while end > positions.lowerBound, !core.hasFailed {
      guard let target = block(core, end - 1) else { return }
      let start = max(positions.lowerBound, target.start)
      remove(core, start..<end, of: target)
      end = start
    }
  }

  private func remove(_ core: Transaction, _ positions: Range<Int>, of block: Block) {
    let isWhole = positions.count == block.count
    if isEdge(block) {
      if isWhole { return dropBlock(core, block) }
      guard show(core, block) else { return }
      shrink(core, block, positions)
      return
    }
    let directory = makeDirectory(core)
    guard let target = self.block(core, positions.lowerBound) else { return }
    if isWhole { return dropBlock(core, target) }
    guard show(core, target) else { return }
    shrink(core, target, positions)
    mergeIfSmall(core, positions.lowerBound, directory)
  }

  private func shrink(_ core: Transaction, _ block: Block, _ positions: Range<Int>) {
    window.remove(positions)
    isDirty = true
    resize(core, block, to: block.count - positions.count)
    if case .directory(let directory) = shape { mergeIfSmall(core, positions.lowerBound, directory) }
  }

  /// Removes a whole block.
  private func dropBlock(_ core: Transaction, _ block: Block) {
    if windowKey == block.key {
      window.clear()
      isDirty = false
    } else {
      flushWindow(core)
      window.clear()
    }
    windowKey = 0
    core.delete(database, block.key)
    count -= block.count
    switch shape {
    case .regular(var regular):
      regular.blocks -= 1
      if block.key == regular.firstKey {
        regular.firstKey &+= 1
        regular.first = regular.blocks == 1 ? regular.last : capacity
      } else {
        regular.last = regular.blocks == 1 ? regular.first : capacity
      }
      shape = .regular(regular)
    case .directory(let directory):
      if let place = block.place { directory.remove(core, place) }
    }
  }

  /// Merges a block with the next one when both together fill at most three quarters of a block.
  private func mergeIfSmall(_ core: Transaction, _ position: Int, _ directory: BlockDirectory) {
    guard let place = directory.place(core, position), place.entry.count < capacity / 4,
      let next = directory.next(core, place),
      place.entry.count + next.entry.count <= capacity * 3 / 4
    else { return }
    let block = Block(key: place.entry.key, start: place.start, count: place.entry.count, place: place)
    guard show(core, block), let tail = core.get(database, next.entry.key)?.copied(),
      tail.count == next.entry.count * size
    else { return }
    directory.remove(core, next)
    directory.setCount(core, place.entry.count + next.entry.count, at: place)
    withBytes(of: tail) { window.insert(place.start + place.entry.count, $0) }
    isDirty = true
    core.delete(database, next.entry.key)
  }

  /// Removes all elements.
  @usableFromInline
  func removeAll(_ core: Transaction) {
    window.clear()
    isDirty = false
    windowKey = 0
    core.removeAll(database)
    count = 0
    fields.value.growth = 0
    shape = .regular(Regular())
  }
}
