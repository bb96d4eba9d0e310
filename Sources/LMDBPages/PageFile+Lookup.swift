extension PageFile {
  /// The value of a short key in a named database, found without a map and without trust; nil when it is not there. Where
  /// others may write, the caller is in a read transaction, so that they keep the pages.
  package func value(database: String, key: String) throws -> [UInt8]? {
    let meta = try newestMeta()
    guard let record = try find(Array(database.utf8), in: meta.main, meta), record.count == Tree.byteCount else {
      return nil
    }
    return try find(Array(key.utf8), in: Tree(record, at: 0), meta)
  }

  private func find(_ key: [UInt8], in tree: Tree, _ meta: Meta) throws -> [UInt8]? {
    guard tree.root != Tree.empty else { return nil }
    var number = tree.root
    for _ in 0..<32 {
      let page = try page(number, of: meta)
      guard !page.isOverflow, page.flags & Page.Flags.leaf2 == 0, page.nodeCount > 0 else {
        throw PageProblem(.damaged, "page \(number) is no part of a tree")
      }
      // Pages are few and lookups rare here: a linear search, which trusts no order.
      var last: Page.Node?
      for index in 0..<page.nodeCount {
        let node = try page.node(index)
        let name = page.bytes[node.key]
        if page.isLeaf {
          guard name.elementsEqual(key) else { continue }
          return node.flags & Page.NodeFlags.bigData == 0 ? Array(page.bytes[node.data]) : nil
        }
        if index > 0, key.lexicographicallyPrecedes(name) { break }
        last = node
      }
      guard page.isBranch, let last else { return nil }
      number = last.child
    }
    throw PageProblem(.damaged, "a tree is deeper than 32 pages")
  }
}
