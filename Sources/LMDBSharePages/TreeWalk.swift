/// A walk over the trees of a snapshot.
///
/// Its memory is bounded by the size of the file: one bit per page, and one page for each level of a tree.
struct TreeWalk {
  private let source: any PageSource
  private let meta: Meta
  private let pageSize: Int
  /// The number of pages of the file.
  private let filePages: UInt64
  private(set) var free: BitSet
  private var used: BitSet
  private var levels: [Level] = []
  private var inspection: PageInspection
  /// For pages within nodes.
  private var inner: PageInspection
  private var buffer: [UInt8] = []

  /// A page on the path from a root to a leaf.
  private struct Level {
    var bytes: [UInt8] = []
    var count = 0
    /// The next entry to descend into.
    var next = 0
    /// The bounds of the keys of the page: separators of pages above.
    var low: Bound?
    var high: Bound?
    var pending: [Int] = []
  }

  /// A separator in the page of a level.
  private struct Bound {
    let level: Int
    let key: Range<Int>
  }

  private struct Totals {
    var branch: UInt64 = 0
    var leaf: UInt64 = 0
    var overflow: UInt64 = 0
    var entries: UInt64 = 0
  }

  init(_ source: any PageSource, _ meta: Meta) throws {
    self.source = source
    self.meta = meta
    pageSize = meta.pageSize
    let size = try source.size()
    filePages = UInt64(size / pageSize)
    // Pages after the end of the file must be free, and the file must contain their numbers.
    guard meta.lastPage < filePages + UInt64(size / 8) else {
      throw PageProblem(.truncated, "data.mdb ends at page \(filePages) of \(meta.lastPage + 1)")
    }
    free = BitSet(below: Int(meta.lastPage) + 1)
    used = free
    inspection = PageInspection(pageSize: pageSize)
    inner = inspection
  }

  /// Walks the free list.
  mutating func walkFree() throws {
    try walk(meta.free, TreeRules(.freeList, meta.free, name: "the free list"), from: 0)
  }

  /// Walks the main tree and all databases.
  mutating func walkMain() throws {
    try walk(meta.main, TreeRules(.main, meta.main, name: "the main tree"), from: 0)
  }

  /// Checks that no page is both free and in use.
  func compareFree() throws {
    if let both = used.common(with: free) { throw PageProblem(.damaged, "page \(both) is both free and in use") }
  }

  // MARK: Trees

  /// Walks one tree, with its pages on the levels from `base`.
  private mutating func walk(_ tree: Tree, _ rules: TreeRules, from base: Int) throws {
    var rules = rules
    if let objection = rules.objection(to: tree, pageSize: pageSize) {
      throw PageProblem(.damaged, "\(rules.name) \(objection)")
    }
    guard tree.root != PageLayout.noRoot else { return }
    var totals = Totals()
    let bottom = base + tree.depth - 1
    while levels.count <= bottom { levels.append(Level()) }
    var level = base
    try enter(tree.root, at: level, isBranch: level < bottom, low: nil, high: nil, &rules, &totals)
    while level >= base {
      guard level < bottom, levels[level].next < levels[level].count else {
        level -= 1
        continue
      }
      let index = levels[level].next
      levels[level].next += 1
      // Checked before: the entries are valid.
      guard let node = Node(levels[level].bytes, entry: index, isBranch: true) else { continue }
      let low = index > 0 ? Bound(level: level, key: node.key) : levels[level].low
      let following =
        index + 1 < levels[level].count
        ? Node(levels[level].bytes, entry: index + 1, isBranch: true) : nil
      let high = following.map { Bound(level: level, key: $0.key) } ?? levels[level].high
      level += 1
      try enter(node.child, at: level, isBranch: level < bottom, low: low, high: high, &rules, &totals)
    }
    guard totals.entries == tree.entries, totals.branch == tree.branchPages, totals.leaf == tree.leafPages,
      totals.overflow == tree.overflowPages
    else {
      throw PageProblem(
        .damaged, "\(rules.name) counts \(tree.entries) entries, but holds \(totals.entries), or other pages")
    }
  }

  /// Reads and checks a page, and what the entries of a leaf refer to.
  private mutating func enter(
    _ number: UInt64, at level: Int, isBranch: Bool, low: Bound?, high: Bound?, _ rules: inout TreeRules,
    _ totals: inout Totals
  ) throws {
    try claim(number, rules.name)
    try read(number, into: &levels[level].bytes)
    let header = PageHeader(levels[level].bytes)
    guard header.number == number else {
      throw PageProblem(.damaged, "page \(number) says that it is page \(header.number)")
    }
    let isFixed = rules.isFixed && !isBranch
    let flags = isBranch ? PageLayout.branch : isFixed ? PageLayout.leaf | PageLayout.leaf2 : PageLayout.leaf
    guard header.flags == flags else {
      throw PageProblem(.damaged, "\(rules.name): page \(number) has flags \(header.flags) instead of \(flags)")
    }
    let objection = inspection.page(levels[level].bytes, header, isBranch: isBranch, &rules, &inner)
    if let objection { throw PageProblem(.damaged, "\(rules.name): page \(number) \(objection)") }
    // Separators are bounds of the keys in their subtrees.
    let (first, last) = (inspection.first, inspection.last)
    if let low,
      rules.order.isLess(first, in: levels[level].bytes, low.key, in: levels[low.level].bytes)
    {
      throw PageProblem(.damaged, "\(rules.name): page \(number) has keys below its separator")
    }
    if let high,
      !rules.order.isLess(last, in: levels[level].bytes, high.key, in: levels[high.level].bytes)
    {
      throw PageProblem(.damaged, "\(rules.name): page \(number) has keys above its separator")
    }
    levels[level].count = header.count
    levels[level].next = 0
    levels[level].low = low
    levels[level].high = high
    if isBranch {
      totals.branch += 1
      return
    }
    totals.leaf += 1
    totals.entries += inspection.entries
    swap(&levels[level].pending, &inspection.pending)
    for position in levels[level].pending.indices {
      let index = levels[level].pending[position]
      guard let node = Node(levels[level].bytes, entry: index, isBranch: false) else { continue }
      try follow(node, at: level, &rules, &totals)
    }
  }

  /// Follows the reference of a leaf's entry.
  private mutating func follow(
    _ node: Node, at level: Int, _ rules: inout TreeRules, _ totals: inout Totals
  ) throws {
    var first: UInt64?
    if node.flags & PageLayout.bigData != 0 {
      let page = levels[level].bytes.u64(node.data.lowerBound)
      totals.overflow += try claimValue(of: node.size, at: page, rules.name)
      first = page
    }
    switch rules.kind {
    case .freeList: try addFree(node, at: level, first, rules.name)
    case .main where node.flags == PageLayout.subData:
      let record = Tree(levels[level].bytes, at: node.data.lowerBound)
      let title = Self.printable(levels[level].bytes[node.key])
      try walk(record, TreeRules(.database, record, name: "database \(title)"), from: level + 1)
    case .main, .database:
      guard node.flags & PageLayout.dupData != 0 else { return }
      let record = Tree(levels[level].bytes, at: node.data.lowerBound)
      let width = Int(clamping: record.pad)
      guard !rules.hasFixedDuplicates || rules.accepts(duplicateOf: width) else {
        throw PageProblem(.damaged, "\(rules.name) has duplicates of \(width) bytes")
      }
      try walk(record, TreeRules(duplicatesOf: rules, width: width), from: level + 1)
      totals.entries += record.entries
    case .duplicates: break
    }
  }

  /// A printable form of a name.
  private static func printable(_ bytes: ArraySlice<UInt8>) -> String {
    let text = String(decoding: bytes.prefix(100), as: UTF8.self)
    return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.isSafeToShow ? $0 : "?" }))
  }

  // MARK: Pages

  /// Records that a page is in use; no other entry may use it.
  private mutating func claim(_ number: UInt64, _ name: String) throws {
    guard number >= 2, number <= meta.lastPage else {
      throw PageProblem(.damaged, "\(name) refers to page \(number) of \(meta.lastPage + 1)")
    }
    guard number < filePages else { throw PageProblem(.truncated, "data.mdb ends before page \(number)") }
    guard used.insert(Int(number)) else {
      throw PageProblem(.damaged, "\(name) refers to page \(number), which is in use already")
    }
  }

  private func read(_ number: UInt64, into bytes: inout [UInt8]) throws {
    guard try source.read(offset: Int(number) * pageSize, count: pageSize, into: &bytes) == pageSize else {
      throw PageProblem(.truncated, "data.mdb ends before page \(number)")
    }
  }

  /// Records the pages of a value as used; returns how many they are.
  private mutating func claimValue(of size: Int, at first: UInt64, _ name: String) throws -> UInt64 {
    try claim(first, name)
    guard
      try source.read(offset: Int(first) * pageSize, count: PageLayout.header, into: &buffer)
        == PageLayout.header
    else { throw PageProblem(.truncated, "data.mdb ends before page \(first)") }
    let header = PageHeader(buffer)
    let needed = UInt64((PageLayout.header - 1 + size) / pageSize + 1)
    // A value that was replaced by a shorter one keeps its pages.
    let kept = header.overflowCount
    guard header.number == first, header.flags == PageLayout.overflow, kept >= needed, kept < 1 << 31,
      kept <= meta.lastPage + 1 - first
    else { throw PageProblem(.damaged, "\(name): page \(first) does not hold a value of \(size) bytes") }
    for number in first + 1..<first + kept { try claim(number, name) }
    return kept
  }

  // MARK: Free pages

  /// Adds the pages of a record of the free list: their count, and then the page numbers in descending order.
  private mutating func addFree(_ node: Node, at level: Int, _ first: UInt64?, _ name: String) throws {
    let transaction = levels[level].bytes.u64(node.key.lowerBound)
    guard transaction >= 1, transaction <= meta.transaction else {
      throw PageProblem(.damaged, "\(name) has a record of transaction \(transaction) of \(meta.transaction)")
    }
    guard node.size >= 8, node.size % 8 == 0 else {
      throw PageProblem(.damaged, "\(name) has a record of \(node.size) bytes")
    }
    var offset: Int
    if let first {
      offset = Int(first) * pageSize + PageLayout.header
    } else {
      offset = 0
      buffer.removeAll(keepingCapacity: true)
      buffer.append(contentsOf: levels[level].bytes[node.data])
    }
    var bytesLeft = node.size
    var count: UInt64?
    var before = UInt64.max
    while bytesLeft > 0, count != 0 {
      let chunk = first == nil ? node.size : min(bytesLeft, 1 << 16)
      if first != nil, try source.read(offset: offset, count: chunk, into: &buffer) != chunk {
        throw PageProblem(.truncated, "data.mdb ends within \(name)")
      }
      var position = 0
      if count == nil {
        count = buffer.u64(0)
        position = 8
      }
      guard var left = count, left <= UInt64(bytesLeft - position) / 8 else {
        throw PageProblem(.damaged, "\(name) has a record of \(node.size) bytes for \(count ?? 0) pages")
      }
      while position < chunk, left > 0 {
        let number = buffer.u64(position)
        guard number >= 2, number <= meta.lastPage, number < before, free.insert(Int(number)) else {
          throw PageProblem(.damaged, "\(name) names page \(number) wrongly or twice")
        }
        before = number
        left -= 1
        position += 8
      }
      count = left
      bytesLeft -= chunk
      offset += chunk
    }
  }
}

extension Unicode.Scalar.Properties {
  /// Whether it is neither a control character nor one that changes how the neighbouring text is displayed.
  fileprivate var isSafeToShow: Bool {
    switch generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
  }
}
