/// Checks the nodes of one page after the other: that they fill it from its upper bound to its end without gaps or overlaps, that
/// its keys ascend, and that each node is one that LMDB 0.9 writes in a tree of its kind.
struct PageInspection {
  /// Where nodes begin and end, in units of two bytes.
  private var starts: BitSet
  private var ends: BitSet
  /// The largest node that LMDB leaves in a page: two of them fit.
  private let mostNodeBytes: Int
  /// The entries with references: free pages, separate pages, trees.
  var pending: [Int] = []
  /// The number of entries of the page; each duplicate counts.
  var entries: UInt64 = 0
  /// The first and the last key, which bound the contents of the page.
  private(set) var first = 0..<0
  private(set) var last = 0..<0

  init(pageSize: Int) {
    starts = BitSet(below: pageSize / 2 + 1)
    ends = starts
    mostNodeBytes = (pageSize - PageLayout.header) / 2 / 2 * 2 - 2
  }

  /// Checks a page of a tree; returns what is wrong.
  mutating func page(
    _ bytes: [UInt8], _ header: PageHeader, isBranch: Bool, _ rules: inout TreeRules, _ sub: inout PageInspection
  ) -> String? {
    rules.isFixed && !isBranch
      ? fixedKeys(bytes.span, header, rules) : nodes(bytes.span, header, isBranch: isBranch, &rules, &sub)
  }

  /// Checks a page of nodes; returns what is wrong.
  private mutating func nodes(
    _ bytes: Span<UInt8>, _ header: PageHeader, isBranch: Bool, _ rules: inout TreeRules, _ sub: inout PageInspection
  ) -> String? {
    pending.removeAll(keepingCapacity: true)
    entries = 0
    guard header.hasBounds(within: bytes.count) else {
      return "has impossible bounds (\(header.lower), \(header.upper))"
    }
    let count = header.count
    guard count >= (isBranch ? 2 : 1) else { return "has \(count) entries" }
    starts.removeAll()
    ends.removeAll()
    for index in 0..<count {
      let offset = Int(bytes.u16(PageLayout.header + 2 * index))
      guard offset >= header.upper, offset & 1 == 0, let node = Node(bytes, at: offset, isBranch: isBranch),
        node.end <= bytes.count, starts.insert(offset >> 1), ends.insert(node.end >> 1)
      else { return "has an entry \(index) that leaves the page or overlaps another" }
      if isBranch, index == 0 {
        // The subtree before the first separator is bounded by the page above; the separator's own key is not used.
        guard node.key.count <= PageLayout.mostKeyBytes else { return "has a key of \(node.key.count) bytes" }
        continue
      }
      guard rules.accepts(keyOf: node.key.count) else {
        return "has a key of \(node.key.count) bytes"
      }
      if index == (isBranch ? 1 : 0) {
        first = node.key
      } else if !rules.order.isLess(last, in: bytes, node.key, in: bytes) {
        return "has keys that do not ascend"
      }
      last = node.key
      if !isBranch, let objection = leaf(bytes, node, index, &rules, &sub) { return objection }
    }
    // Each node except the last ends where another begins; the first begins at the upper bound.
    _ = starts.insert(bytes.count >> 1)
    _ = ends.insert(header.upper >> 1)
    guard starts.words == ends.words else { return "has entries that do not fill it" }
    return nil
  }

  /// Checks a page of keys side by side.
  private mutating func fixedKeys(_ bytes: Span<UInt8>, _ header: PageHeader, _ rules: TreeRules) -> String? {
    pending.removeAll(keepingCapacity: true)
    guard let width = rules.keyWidth, header.hasFixedBounds(within: bytes.count, width: width) else {
      return "has impossible bounds (\(header.lower), \(header.upper))"
    }
    guard header.count >= 1 else { return "has no entries" }
    func key(_ index: Int) -> Range<Int> {
      let start = PageLayout.header + index * width
      return start..<start + width
    }
    for index in 1..<max(1, header.count)
    where !rules.order.isLess(key(index - 1), in: bytes, key(index), in: bytes) { return "has keys that do not ascend" }
    first = key(0)
    last = key(header.count - 1)
    entries = UInt64(header.count)
    return nil
  }

  /// Checks an entry of a leaf; returns what is wrong.
  @inline(__always)
  private mutating func leaf(
    _ bytes: Span<UInt8>, _ node: Node, _ index: Int, _ rules: inout TreeRules, _ sub: inout PageInspection
  ) -> String? {
    let isInPage = node.flags & PageLayout.bigData == 0
    guard !isInPage || PageLayout.node + node.key.count + node.size <= mostNodeBytes else {
      return "has an entry of \(node.size) bytes, which belongs on a page of its own"
    }
    switch (node.flags, rules.kind) {
    case (0, .duplicates) where node.size == 0: entries += 1
    case (0, .freeList):
      entries += 1
      pending.append(index)
    case (0, .main), (0, .database):
      entries += 1
      guard rules.duplicates == nil || rules.accepts(duplicateOf: node.size) else {
        return "has a duplicate of \(node.size) bytes"
      }
    case (PageLayout.bigData, .freeList), (PageLayout.bigData, .main), (PageLayout.bigData, .database):
      guard rules.duplicates == nil else { return "has a large value among duplicates" }
      entries += 1
      pending.append(index)
    case (PageLayout.subData, .main) where rules.duplicates == nil:
      guard node.size == PageLayout.record else { return "has a database record of \(node.size) bytes" }
      entries += 1
      pending.append(index)
    case (PageLayout.dupData | PageLayout.subData, .main), (PageLayout.dupData | PageLayout.subData, .database):
      guard rules.duplicates != nil, node.size == PageLayout.record else { return "has duplicates that cannot be" }
      pending.append(index)
    case (PageLayout.dupData, .main), (PageLayout.dupData, .database):
      guard rules.duplicates != nil, node.size >= PageLayout.header else { return "has duplicates that cannot be" }
      return sub.duplicates(bytes.extracting(node.data), of: &rules, &entries)
    default: return "has an entry with flags \(node.flags)"
    }
    return nil
  }

  /// Checks the page of duplicates within a node.
  private mutating func duplicates(
    _ bytes: Span<UInt8>, of rules: inout TreeRules, _ total: inout UInt64
  ) -> String? {
    let header = PageHeader(bytes)
    let flags = PageLayout.leaf | PageLayout.sub | (rules.hasFixedDuplicates ? PageLayout.leaf2 : 0)
    guard header.flags & ~PageLayout.dirty == flags else { return "has duplicates with flags \(header.flags)" }
    let objection: String?
    if rules.hasFixedDuplicates {
      guard rules.accepts(duplicateOf: header.pad) else { return "has duplicates of \(header.pad) bytes" }
      objection = fixedKeys(bytes, header, TreeRules(duplicatesOf: rules, width: header.pad))
    } else {
      var inner = TreeRules(duplicatesOf: rules, width: nil)
      // Duplicates have no duplicates themselves.
      var none = PageInspection(pageSize: 0)
      objection = nodes(bytes, header, isBranch: false, &inner, &none)
      if rules.duplicates == .integers { rules.duplicateWidth = inner.keyWidth }
    }
    total += entries
    return objection.map { "has duplicates of a key: the page of them \($0)" }
  }
}
