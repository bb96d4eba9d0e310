internal import LMDBSharePages

/// A position in a tree of a snapshot. It behaves as LMDB's cursors do: at an end it stays where it is.
@safe struct TreeCursor {
  /// The result of a move.
  enum Move {
    case moved
    case end
    /// The pages contradict the format.
    case damage
  }

  /// A branch on the way from the root to the leaf.
  private struct Level {
    var page: SnapshotPages.Page
    var index: Int
  }

  private var pages: SnapshotPages
  private var tree: TreeRecord
  /// The page of the entry; one without entries before the first move.
  private var leaf = SnapshotPages.Page.none
  /// The index of the entry in the leaf.
  private var index = 0
  /// Whether a page was damaged, so that the cursor cannot move any more.
  private var isStuck = false
  /// The number of branches above the leaf.
  private var depth = 0
  private let levels: UnsafeMutablePointer<Level>

  init(_ pages: SnapshotPages, _ tree: TreeRecord) {
    self.pages = pages
    self.tree = tree
    unsafe levels = .allocate(capacity: PageLayout.mostLevels)
  }

  /// Frees the memory.
  func destroy() { unsafe levels.deallocate() }

  /// Resets the cursor to another tree.
  mutating func reset(_ pages: SnapshotPages, _ tree: TreeRecord) {
    self.pages = pages
    self.tree = tree
    leaf = .none
    isStuck = false
  }

  /// Moves to the first or last entry.
  mutating func goToEnd(_ isFirst: Bool) -> Move {
    leaf = .none
    isStuck = false
    depth = 0
    guard tree.root != PageLayout.noRoot else { return .end }
    return descend(tree.root, isFirst)
  }

  /// Moves to the next entry, or to the first one.
  @inline(__always)
  mutating func next() -> Move {
    guard index + 1 < leaf.count else { return nextPage() }
    index += 1
    return .moved
  }

  @inline(never)
  private mutating func nextPage() -> Move {
    guard leaf.count > 0 else { return isStuck ? .damage : goToEnd(true) }
    var level = depth - 1
    while level >= 0, unsafe levels[level].index + 1 >= levels[level].page.count { level -= 1 }
    guard level >= 0 else { return .end }
    unsafe levels[level].index += 1
    return descend(below: level, true)
  }

  /// Moves to the previous entry, or to the last one.
  @inline(__always)
  mutating func previous() -> Move {
    guard leaf.count > 0, index > 0 else { return previousPage() }
    index -= 1
    return .moved
  }

  @inline(never)
  private mutating func previousPage() -> Move {
    guard leaf.count > 0 else { return isStuck ? .damage : goToEnd(false) }
    var level = depth - 1
    while level >= 0, unsafe levels[level].index == 0 { level -= 1 }
    guard level >= 0 else { return .end }
    unsafe levels[level].index -= 1
    return descend(below: level, false)
  }

  /// Moves to a key, or to the first one after it.
  @inline(__always)
  mutating func seek(_ key: UnsafeRawBufferPointer, exactly: Bool) -> Move {
    if tree.hasIntegerKeys {
      if key.count == 8 { return unsafe seek(IntegerKey(key.loadUnaligned(as: UInt64.self)), exactly) }
      if key.count == 4 { return unsafe seek(IntegerKey(key.loadUnaligned(as: UInt32.self)), exactly) }
      return .end
    }
    if key.count == 8 { return unsafe seek(EightBytesKey(key), exactly) }
    return unsafe seek(BytesKey(key), exactly)
  }

  private mutating func seek(_ key: some SearchKey, _ exactly: Bool) -> Move {
    leaf = .none
    isStuck = false
    depth = 0
    guard tree.root != PageLayout.noRoot else { return .end }
    var number = tree.root
    let below = tree.levels - 1
    while depth < below {
      guard let page = pages.page(number, isLeaf: false), let place = page.search(key),
        let entry = page.entry(place.index)
      else { return damage() }
      unsafe (levels + depth).initialize(to: Level(page: page, index: place.index))
      depth += 1
      number = entry.child
    }
    guard below >= 0, let page = pages.page(number, isLeaf: true), let place = page.search(key) else { return damage() }
    leaf = page
    index = place.index
    if place.isExact { return .moved }
    if exactly { return .end }
    return index < page.count ? .moved : nextPage()
  }

  /// Descends to a leaf along the first or last entries.
  private mutating func descend(_ root: UInt64, _ isFirst: Bool) -> Move {
    var number = root
    let below = tree.levels - 1
    while depth < below {
      guard let page = pages.page(number, isLeaf: false) else { return damage() }
      let index = isFirst ? 0 : page.count - 1
      guard let entry = page.entry(index) else { return damage() }
      unsafe (levels + depth).initialize(to: Level(page: page, index: index))
      depth += 1
      number = entry.child
    }
    guard below >= 0, let page = pages.page(number, isLeaf: true) else { return damage() }
    leaf = page
    index = isFirst ? 0 : page.count - 1
    return .moved
  }

  private mutating func descend(below level: Int, _ isFirst: Bool) -> Move {
    guard let entry = unsafe levels[level].page.entry(levels[level].index) else { return damage() }
    depth = level + 1
    return descend(entry.child, isFirst)
  }

  /// Records that the cursor cannot move any more.
  @inline(never)
  @discardableResult
  private mutating func damage() -> Move {
    leaf = .none
    isStuck = true
    return .damage
  }

  /// The entry at this position; nil when its page is damaged, and then the cursor cannot move any more.
  @inline(__always)
  mutating func current() -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
    guard index < leaf.count, let entry = leaf.entry(index), let value = unsafe pages.value(entry) else {
      damage()
      return nil
    }
    return unsafe (entry.key, value)
  }
}
