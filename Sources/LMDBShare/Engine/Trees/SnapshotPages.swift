internal import LMDBSharePages
internal import _LMDBShareSystem

/// The record of a tree as it is in the file (`MDB_db`).
struct TreeRecord: BitwiseCopyable, Hashable {
  var pad: UInt32 = 0
  var flags: UInt16 = 0
  var depth: UInt16 = 0
  var branchPages: UInt64 = 0
  var leafPages: UInt64 = 0
  var overflowPages: UInt64 = 0
  var entries: UInt64 = 0
  var root: UInt64 = PageLayout.noRoot

  /// The record of a tree without entries.
  static func empty(_ layout: DatabaseLayout) -> TreeRecord {
    TreeRecord(flags: UInt16(truncatingIfNeeded: layout.rawValue))
  }

  /// The number of levels from the root to the leaves; at most that of LMDB's cursors.
  @inline(__always)
  var levels: Int { min(Int(depth), PageLayout.mostLevels) }

  /// Whether its keys are integers in numeric order.
  @inline(__always)
  var hasIntegerKeys: Bool { flags & PageLayout.integerKeys != 0 }

  /// Whether only LMDB reads such a tree: one with several values per key, or with keys ordered from their last bytes.
  @inline(__always)
  var isForLMDB: Bool { flags & (PageLayout.duplicates | PageLayout.reverseKeys) != 0 }
}

/// The pages of a snapshot, which do not change while its transaction lives. No byte of them is trusted: a reference out of a
/// page or of the file is detected, not followed.
///
/// The format is that of `mdb.c`, LMDB 0.9; see `LMDBSharePages`.
@safe struct SnapshotPages {
  var base: UnsafeRawPointer
  var pageSize: Int
  /// The number of pages that are in use, or free.
  var count: UInt64

  /// A page of entries.
  @safe struct Page {
    /// A placeholder for no page, without entries.
    static var none: Page { unsafe Page(start: UnsafeRawPointer(bitPattern: 1)!, size: 0, count: 0, isLeaf: true) }

    let start: UnsafeRawPointer
    let size: Int
    /// The number of entries, at least one.
    let count: Int
    let isLeaf: Bool

    @inline(__always)
    func half(_ offset: Int) -> Int { unsafe Int(start.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) }

    /// The entry at an index below `count`; nil when it extends beyond the page.
    @inline(__always)
    func entry(_ index: Int) -> Entry? {
      let offset = half(PageLayout.header + 2 * index)
      guard offset >= PageLayout.header, offset <= size - PageLayout.node else { return nil }
      let keySize = half(offset + 6)
      let behind = offset + PageLayout.node + keySize
      guard behind <= size else { return nil }
      return unsafe Entry(start: start + offset, keySize: keySize, room: size - behind)
    }
  }

  /// An entry of a page; its key is inside the page.
  @safe struct Entry {
    let start: UnsafeRawPointer
    let keySize: Int
    /// The number of bytes of the page after the key.
    let room: Int

    @inline(__always)
    var key: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start + PageLayout.node, count: keySize) }

    @inline(__always)
    private func half(_ offset: Int) -> UInt16 { unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }

    /// In a branch: the page below.
    @inline(__always)
    var child: UInt64 { UInt64(half(0)) | UInt64(half(2)) << 16 | UInt64(half(4)) << 32 }

    /// Of a leaf.
    @inline(__always)
    var flags: UInt16 { half(4) }

    /// In a leaf: the size of the value.
    @inline(__always)
    var size: Int { Int(half(0)) | Int(half(2)) << 16 }
  }

  /// The page with a number; nil for a page that is neither a leaf nor a branch.
  @inline(__always)
  func page(_ number: UInt64, isLeaf: Bool) -> Page? {
    guard number >= 2, number < count else { return nil }
    let start = unsafe base + Int(number) * pageSize
    guard unsafe start.loadUnaligned(as: UInt64.self) == number else { return nil }
    let flags = unsafe start.loadUnaligned(fromByteOffset: PageLayout.flags, as: UInt16.self)
    guard flags == (isLeaf ? PageLayout.leaf : PageLayout.branch) else { return nil }
    let lower = unsafe Int(start.loadUnaligned(fromByteOffset: PageLayout.lower, as: UInt16.self))
    guard lower >= PageLayout.header + 2, lower <= pageSize else { return nil }
    return unsafe Page(
      start: start, size: pageSize, count: (lower - PageLayout.header) / 2, isLeaf: isLeaf)
  }

  /// The value of a leaf's entry; nil when it is not where it should be.
  @inline(__always)
  func value(_ entry: Entry) -> UnsafeRawBufferPointer? {
    let size = entry.size
    if entry.flags & (PageLayout.bigData | PageLayout.dupData) == 0 {
      guard size <= entry.room else { return nil }
      return unsafe UnsafeRawBufferPointer(start: entry.start + PageLayout.node + entry.keySize, count: size)
    }
    return unsafe bigValue(entry, size)
  }

  /// A value on separate pages.
  @inline(never)
  private func bigValue(_ entry: Entry, _ size: Int) -> UnsafeRawBufferPointer? {
    guard entry.flags & PageLayout.dupData == 0, entry.room >= 8 else { return nil }
    let number = unsafe entry.start.loadUnaligned(
      fromByteOffset: PageLayout.node + entry.keySize, as: UInt64.self)
    guard number >= 2, number < count else { return nil }
    let start = unsafe base + Int(number) * pageSize
    let pages = unsafe UInt64(start.loadUnaligned(fromByteOffset: PageLayout.overflowCount, as: UInt32.self))
    guard unsafe start.loadUnaligned(as: UInt64.self) == number,
      unsafe start.loadUnaligned(fromByteOffset: PageLayout.flags, as: UInt16.self) == PageLayout.overflow,
      pages <= count - number, size <= Int(pages) * pageSize - PageLayout.header
    else { return nil }
    return unsafe UnsafeRawBufferPointer(start: start + PageLayout.header, count: size)
  }

  // MARK: Search

  /// The result of a search for a key.
  @safe enum Finding {
    case entry(Entry)
    case none
    /// The pages contradict the format.
    case damage
  }

  /// The entry of a key.
  @inline(__always)
  func find(_ tree: TreeRecord, _ key: UnsafeRawBufferPointer) -> Finding {
    if tree.hasIntegerKeys {
      if key.count == 8 { return unsafe find(tree, IntegerKey(key.loadUnaligned(as: UInt64.self))) }
      if key.count == 4 { return unsafe find(tree, IntegerKey(key.loadUnaligned(as: UInt32.self))) }
      return .none
    }
    if key.count == 8 { return unsafe find(tree, EightBytesKey(key)) }
    return unsafe find(tree, BytesKey(key))
  }

  @inline(__always)
  func find(_ tree: TreeRecord, _ key: some SearchKey) -> Finding {
    guard tree.root != PageLayout.noRoot else { return .none }
    var number = tree.root
    var levels = tree.levels
    while levels > 0 {
      levels -= 1
      guard let page = page(number, isLeaf: levels == 0), let place = page.search(key) else { return .damage }
      if page.isLeaf {
        guard place.isExact else { return .none }
        return page.entry(place.index).map { .entry($0) } ?? .damage
      }
      guard let entry = page.entry(place.index) else { return .damage }
      number = entry.child
    }
    return .damage
  }
}

/// What a read transaction sees: the pages, and the roots of LMDB's own two trees.
struct TreeSnapshot {
  var pages: SnapshotPages
  /// LMDB's own tree of free pages.
  var free: TreeRecord
  /// The unnamed database, which holds the named ones.
  var main: TreeRecord

  /// The snapshot of a transaction that has none.
  static var none: TreeSnapshot {
    unsafe TreeSnapshot(
      pages: SnapshotPages(base: UnsafeRawPointer(bitPattern: 1)!, pageSize: 0, count: 0), free: TreeRecord(),
      main: TreeRecord())
  }

  /// Whether both belong to the same transaction.
  func isSame(as other: TreeSnapshot) -> Bool {
    pages.count == other.pages.count && free == other.free && main == other.main
  }

  /// The record of a named database.
  enum Named {
    case record(TreeRecord)
    /// There is no such name, or its entry is a plain one.
    case none
    case damage
  }

  func named(_ name: [UInt8]) -> Named {
    if main.hasIntegerKeys || main.isForLMDB { return .none }
    return unsafe name.withUnsafeBytes { name in
      switch unsafe pages.find(main, BytesKey(name)) {
      case .damage: return .damage
      case .none: return .none
      case .entry(let entry):
        guard entry.flags & (PageLayout.subData | PageLayout.dupData) == PageLayout.subData else { return .none }
        guard let value = unsafe pages.value(entry), value.count == PageLayout.record else { return .damage }
        return unsafe .record(value.loadUnaligned(as: TreeRecord.self))
      }
    }
  }
}

extension SnapshotPages.Page {
  /// The first entry whose key is not less, or in a branch the entry whose subtree contains the key; nil when the page is
  /// damaged.
  @inline(__always)
  func search(_ key: some SearchKey) -> (index: Int, isExact: Bool)? {
    // The first key of a branch stands for all keys less than the second one.
    var low = isLeaf ? 0 : 1
    var high = count
    while low < high {
      let middle = (low + high) / 2
      guard let entry = entry(middle) else { return nil }
      let order = unsafe key.compare(entry.key)
      if order == 0 { return (middle, true) }
      if order < 0 { high = middle } else { low = middle + 1 }
    }
    return (isLeaf ? low : low - 1, false)
  }
}

/// A key to search for.
protocol SearchKey {
  /// Negative, zero or positive when the key is less than, equal to or greater than a stored one.
  func compare(_ stored: UnsafeRawBufferPointer) -> Int
}

/// An integer, in the order of `MDB_INTEGERKEY`.
struct IntegerKey<T: FixedWidthInteger & BitwiseCopyable>: SearchKey {
  let value: T
  init(_ value: T) { self.value = value }

  @inline(__always)
  func compare(_ stored: UnsafeRawBufferPointer) -> Int {
    // All integers of a tree have the same size.
    guard stored.count == MemoryLayout<T>.size else { return MemoryLayout<T>.size - stored.count }
    let other = unsafe stored.loadUnaligned(as: T.self)
    return value < other ? -1 : value == other ? 0 : 1
  }
}

/// Bytes; a prefix is less than the longer key.
@safe struct BytesKey: SearchKey {
  let bytes: UnsafeRawBufferPointer
  init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

  @inline(__always)
  func compare(_ stored: UnsafeRawBufferPointer) -> Int {
    let size = unsafe bytes.count
    let other = stored.count
    if let a = unsafe bytes.baseAddress, let b = stored.baseAddress {
      let order = unsafe memcmp(a, b, min(size, other))
      if order != 0 { return Int(order) }
    }
    return size - other
  }
}

/// Eight bytes, the size of most keys of a fixed size: compared as one number.
@safe struct EightBytesKey: SearchKey {
  private let bytes: BytesKey
  private let number: UInt64

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = unsafe BytesKey(bytes)
    number = unsafe UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
  }

  @inline(__always)
  func compare(_ stored: UnsafeRawBufferPointer) -> Int {
    guard stored.count == 8 else { return unsafe bytes.compare(stored) }
    let other = unsafe UInt64(bigEndian: stored.loadUnaligned(as: UInt64.self))
    return number < other ? -1 : number == other ? 0 : 1
  }
}
