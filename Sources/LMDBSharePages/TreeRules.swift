/// The rules for all pages of one tree.
struct TreeRules {
  enum Kind { case freeList, main, database, duplicates }

  let kind: Kind
  /// The name of the tree in messages.
  let name: String
  let order: KeyOrder
  /// The size of all keys, if it is fixed: of integers, and of keys side by side.
  var keyWidth: Int?
  /// Whether leaves hold keys side by side, without nodes.
  let isFixed: Bool
  /// The order of the duplicates of a key; nil in a tree without duplicates.
  let duplicates: KeyOrder?
  let flags: UInt16
  /// The size of all duplicates, if they must have the same size.
  var duplicateWidth: Int?

  var hasFixedDuplicates: Bool { flags & PageLayout.fixedDuplicates != 0 && kind != .duplicates }

  init(_ kind: Kind, _ tree: Tree, name: String) {
    self.kind = kind
    self.name = name
    flags = tree.flags
    switch kind {
    case .freeList:
      order = .integers
      keyWidth = 8
      isFixed = false
      duplicates = nil
    case .main, .database, .duplicates:
      order = KeyOrder(ofKeys: tree.flags)
      isFixed = false
      duplicates = tree.has(PageLayout.duplicates) ? KeyOrder(ofDuplicates: tree.flags) : nil
    }
  }

  /// The rules for the duplicates of one key, each of which has `width` bytes if all have the same size.
  init(duplicatesOf rules: TreeRules, width: Int?) {
    kind = .duplicates
    name = rules.name
    flags = rules.flags & Tree.Flags.ofDuplicates
    order = rules.duplicates ?? .bytes
    isFixed = rules.hasFixedDuplicates
    keyWidth = isFixed ? width : rules.duplicateWidth
    duplicates = nil
  }

  /// The reason why the tree's record is not a valid one of its kind; nil when it is valid.
  func objection(to tree: Tree, pageSize: Int) -> String? {
    switch kind {
    case .freeList:
      guard tree.flags & ~Tree.Flags.ofEnvironments == PageLayout.integerKeys else { return "has flags \(tree.flags)" }
      guard Int(tree.pad) == pageSize else { return "has a pad of \(tree.pad)" }
    case .main, .database:
      guard tree.flags & ~Tree.Flags.all == 0,
        tree.has(PageLayout.duplicates) || tree.flags & Tree.Flags.ofDuplicates == 0
      else { return "has flags \(tree.flags)" }
      guard tree.pad == 0 else { return "has a pad of \(tree.pad)" }
    case .duplicates:
      let expected = isFixed ? PageLayout.fixedDuplicates | (order == .integers ? PageLayout.integerKeys : 0) : 0
      guard tree.flags == expected else { return "has duplicates with flags \(tree.flags)" }
      guard isFixed ? 1...UInt32(PageLayout.mostKeyBytes) ~= tree.pad : tree.pad == 0 else {
        return "has duplicates with a pad of \(tree.pad)"
      }
      guard order != .integers || !isFixed || tree.pad == 4 || tree.pad == 8 else {
        return "has integers of \(tree.pad) bytes"
      }
      guard tree.root != PageLayout.noRoot else { return "has a key without duplicates" }
    }
    if tree.root == PageLayout.noRoot {
      guard tree.entries == 0, tree.depth == 0, tree.branchPages == 0, tree.leafPages == 0, tree.overflowPages == 0
      else { return "has \(tree.entries) entries but no root" }
    } else {
      // 32 is LMDB's own limit on the depth of its cursors.
      guard tree.depth >= 1, tree.depth <= PageLayout.mostLevels else { return "has a depth of \(tree.depth)" }
    }
    return nil
  }

  /// Records a key's size; returns false when the key is not valid in this tree.
  @inline(__always)
  mutating func accepts(keyOf size: Int) -> Bool {
    guard size >= 1, size <= PageLayout.mostKeyBytes else { return false }
    if let keyWidth { return size == keyWidth }
    guard order == .integers else { return true }
    keyWidth = size
    return size == 4 || size == 8
  }

  /// Records a duplicate's size; returns false when it is not valid in this tree.
  mutating func accepts(duplicateOf size: Int) -> Bool {
    guard size <= PageLayout.mostKeyBytes else { return false }
    if let duplicateWidth { return size == duplicateWidth }
    guard duplicates == .integers || hasFixedDuplicates else { return true }
    duplicateWidth = size
    return duplicates == .integers ? size == 4 || size == 8 : size > 0
  }
}
