extension PageFile {
  /// Walks every page that the newest transaction reaches and throws the first contradiction: references out of bounds
  /// or twice, depths, counts, unsorted keys, pages both free and in use.
  ///
  /// - Complexity: O(*pages*), each read once.
  package func check() throws {
    let meta = try newestMeta()
    var walk = Walk(file: self, meta: meta)
    try walk.tree(meta.free, name: "the free list", isFreeList: true)
    try walk.tree(meta.main, name: "the main tree", isFreeList: false)
    try walk.compareFree()
  }

  /// The pages that the free list names.
  func freePages(_ meta: Meta) throws -> Set<UInt64> {
    var walk = Walk(file: self, meta: meta)
    try walk.tree(meta.free, name: "the free list", isFreeList: true)
    return walk.free
  }
}

/// One walk over a file's trees.
private struct Walk<Source: PageSource> {
  let file: PageFile<Source>
  let meta: Meta
  var seen: Set<UInt64> = []
  var free: Set<UInt64> = []

  private struct Totals {
    var branch: UInt64 = 0
    var leaf: UInt64 = 0
    var overflow: UInt64 = 0
    var entries: UInt64 = 0
  }

  init(file: PageFile<Source>, meta: Meta) {
    self.file = file
    self.meta = meta
  }

  mutating func tree(_ tree: Tree, name: String, isFreeList: Bool) throws {
    guard tree.root != Tree.empty else {
      guard tree.entries == 0 else { throw PageProblem(.damaged, "\(name) has \(tree.entries) entries but no root") }
      return
    }
    // 32 is LMDB's own bound on the depth of its cursors.
    guard tree.depth >= 1, tree.depth <= 32 else { throw PageProblem(.damaged, "\(name) has a depth of \(tree.depth)") }
    var totals = Totals()
    try visit(tree.root, depth: tree.depth, tree: tree, name: name, isFreeList: isFreeList, &totals)
    guard tree.hasDuplicates || totals.entries == tree.entries,
      totals.branch == tree.branchPages, totals.leaf == tree.leafPages, totals.overflow == tree.overflowPages
    else {
      throw PageProblem(.damaged, "\(name) counts \(tree.entries) entries, but holds \(totals.entries)")
    }
  }

  private mutating func visit(
    _ number: UInt64, depth: Int, tree: Tree, name: String, isFreeList: Bool, _ totals: inout Totals
  ) throws {
    try claim(number, name)
    let page = try file.page(number, of: meta)
    guard depth > 1 ? page.isBranch : page.isLeaf else {
      throw PageProblem(.damaged, "\(name): page \(number) is no \(depth > 1 ? "branch" : "leaf")")
    }
    if page.isBranch { totals.branch += 1 } else { totals.leaf += 1 }
    if page.flags & Page.Flags.leaf2 != 0 { return }
    guard page.nodeCount > (page.isBranch ? 1 : 0) else {
      throw PageProblem(.damaged, "\(name): page \(number) has \(page.nodeCount) entries")
    }
    var last: Range<Int>?
    for index in 0..<page.nodeCount {
      let node = try page.node(index)
      if let last, !(page.isBranch && index == 1) { try order(page, last, node.key, tree, name) }
      last = node.key
      if page.isBranch {
        try visit(node.child, depth: depth - 1, tree: tree, name: name, isFreeList: isFreeList, &totals)
      } else {
        totals.entries += 1
        try leaf(page, node, name: name, isFreeList: isFreeList, &totals)
      }
    }
  }

  private mutating func leaf(
    _ page: Page, _ node: Page.Node, name: String, isFreeList: Bool, _ totals: inout Totals
  ) throws {
    var value = Array(page.bytes[node.data])
    if node.flags & Page.NodeFlags.bigData != 0 {
      let first = value.u64(0)
      let pages = UInt64((Page.headerSize + node.size + meta.pageSize - 1) / meta.pageSize)
      let head = try file.page(first, of: meta)
      // A value that was replaced by a shorter one keeps its pages.
      let kept = head.isOverflow ? head.overflowCount : 0
      guard kept >= pages, first + kept - 1 <= meta.lastPage else {
        throw PageProblem(.damaged, "\(name): page \(first) does not hold a value of \(node.size) bytes")
      }
      for number in first..<first + kept { try claim(number, name) }
      totals.overflow += kept
      value =
        isFreeList
        ? try file.source.read(offset: Int(first) * meta.pageSize + Page.headerSize, count: node.size) : []
    }
    if isFreeList {
      try freeList(value, name)
    } else if node.flags & Page.NodeFlags.subData != 0, node.flags & Page.NodeFlags.dupData == 0 {
      guard value.count == Tree.byteCount else {
        throw PageProblem(.damaged, "\(name): a database record of \(value.count) bytes")
      }
      let title = String(decoding: page.bytes[node.key], as: UTF8.self)
      try tree(Tree(value, at: 0), name: "database \(title)", isFreeList: false)
    }
  }

  private mutating func freeList(_ value: [UInt8], _ name: String) throws {
    guard value.count >= 8, value.count % 8 == 0, value.u64(0) <= UInt64(value.count / 8 - 1) else {
      throw PageProblem(.damaged, "\(name) has a record of \(value.count) bytes")
    }
    for index in 0..<Int(value.u64(0)) {
      let number = value.u64(8 + 8 * index)
      guard number >= 2, number <= meta.lastPage, free.insert(number).inserted else {
        throw PageProblem(.damaged, "\(name) names page \(number) wrongly or twice")
      }
    }
  }

  private mutating func claim(_ number: UInt64, _ name: String) throws {
    guard number >= 2, number <= meta.lastPage else {
      throw PageProblem(.damaged, "\(name) refers to page \(number) of \(meta.lastPage + 1)")
    }
    guard seen.insert(number).inserted else {
      throw PageProblem(.damaged, "\(name) refers to page \(number), which is in use already")
    }
  }

  /// Keys ascend: as 64-bit integers in integer-keyed trees and the free list, else as bytes.
  private func order(_ page: Page, _ a: Range<Int>, _ b: Range<Int>, _ tree: Tree, _ name: String) throws {
    let ascending: Bool
    if tree.flags & 0x08 != 0, a.count == 8, b.count == 8 {
      ascending = page.bytes.u64(a.lowerBound) < page.bytes.u64(b.lowerBound)
    } else if tree.flags & 0x4A != 0 {
      return  // REVERSEKEY and the like: somebody else's database.
    } else {
      ascending = page.bytes[a].lexicographicallyPrecedes(page.bytes[b])
    }
    guard ascending else { throw PageProblem(.damaged, "\(name): the keys of page \(page.number) do not ascend") }
  }

  func compareFree() throws {
    if let both = free.first(where: { seen.contains($0) }) {
      throw PageProblem(.damaged, "page \(both) is both free and in use")
    }
  }
}
