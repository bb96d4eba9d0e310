/// LMDB's flags of pages.
enum PageFlags {
  static let branch: UInt16 = 0x01
  static let leaf: UInt16 = 0x02
  static let overflow: UInt16 = 0x04
  static let meta: UInt16 = 0x08
  /// Only in memory, except for sub-pages.
  static let dirty: UInt16 = 0x10
  /// Keys of a fixed size side by side (DUPFIXED).
  static let leaf2: UInt16 = 0x20
  /// A page within a node: the duplicates of its key.
  static let sub: UInt16 = 0x40
}

/// LMDB's flags of nodes.
enum NodeFlags {
  /// The value is on separate pages.
  static let bigData: UInt16 = 0x01
  /// The value is the record of a tree.
  static let subData: UInt16 = 0x02
  /// The value is a page or a tree of duplicates.
  static let dupData: UInt16 = 0x04
}

/// The header of a page, or of a page within a node: 16 bytes.
struct PageHeader {
  static let byteCount = 16
  let number: UInt64
  /// The size of the keys of a page without nodes.
  let pad: Int
  let flags: UInt16
  let lower: Int
  let upper: Int
  /// Of an overflow page, instead of the bounds.
  let overflowCount: UInt64

  init(_ bytes: Span<UInt8>) {
    number = bytes.u64(0)
    pad = Int(bytes.u16(8))
    flags = bytes.u16(10)
    lower = Int(bytes.u16(12))
    upper = Int(bytes.u16(14))
    overflowCount = UInt64(bytes.u32(12))
  }

  init(_ bytes: [UInt8]) { self.init(bytes.span) }

  /// The number of entries according to the header.
  var count: Int { (lower - PageHeader.byteCount) / 2 }

  /// Whether the bounds are possible for a page of nodes.
  func hasBounds(within size: Int) -> Bool {
    lower >= PageHeader.byteCount && lower <= upper && upper <= size && lower % 2 == 0 && upper % 2 == 0
  }

  /// Whether keys of `width` bytes side by side fill the page up to the bounds.
  func hasFixedBounds(within size: Int, width: Int) -> Bool {
    lower >= PageHeader.byteCount && lower % 2 == 0 && width > 0
      && PageHeader.byteCount + count * width <= size && upper == size - count * (width - 2)
  }
}

/// One entry of a branch or leaf page.
struct Node {
  static let headerSize = 8
  /// LMDB's bound on keys, and on duplicates.
  static let mostKeyBytes = 511

  let flags: UInt16
  let key: Range<Int>
  /// Leaf: the bytes of the value in this page, or of the page number if the value is on separate pages.
  let data: Range<Int>
  /// Leaf: the size of the value.
  let size: Int
  /// Branch: the child page.
  let child: UInt64
  /// Where the next node in the page begins.
  var end: Int { (data.upperBound + 1) & ~1 }

  /// The node at `offset`; nil when it extends beyond the page.
  @inline(__always)
  init?(_ bytes: Span<UInt8>, at offset: Int, isBranch: Bool) {
    guard offset <= bytes.count - Node.headerSize else { return nil }
    let low = bytes.u16(offset)
    let high = bytes.u16(offset + 2)
    let word = bytes.u16(offset + 4)
    let keyStart = offset + Node.headerSize
    let keyEnd = keyStart + Int(bytes.u16(offset + 6))
    var dataEnd = keyEnd
    if isBranch {
      flags = 0
      size = 0
      child = UInt64(low) | UInt64(high) << 16 | UInt64(word) << 32
    } else {
      flags = word
      size = Int(low) | Int(high) << 16
      child = 0
      dataEnd += flags & NodeFlags.bigData != 0 ? 8 : size
    }
    guard dataEnd <= bytes.count else { return nil }
    key = keyStart..<keyEnd
    data = keyEnd..<dataEnd
  }

  /// The node that a page's entry `index` points at.
  init?(_ bytes: [UInt8], entry index: Int, isBranch: Bool) {
    self.init(bytes.span, at: Int(bytes.u16(PageHeader.byteCount + 2 * index)), isBranch: isBranch)
  }
}
