// New blocks, blocks in two parts, blocks that go, and two that become one; and what the ends and the directory know of them.

extension SlottedSequence {
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

  /// Removes a whole block, which is not the only one.
  ///
  /// - Parameter keepsWindow: Whether the window shows a block before this one, and stays as it is.
  func drop(_ core: Transaction, _ block: Block, keepsWindow: Bool = false) {
    if !keepsWindow {
      if fields.value.windowKey == block.key { isDirty = false }
      flushWindow(core)
      window.clear()
    }
    core.delete(database, block.key)
    count -= block.count
    if let place = block.place {
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

  /// Merges a block with one beside it when it fills less than a quarter, and both together at most three quarters of a block.
  func mergeIfSmall(_ core: Transaction, _ position: Int) {
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
}
