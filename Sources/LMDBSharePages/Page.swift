/// The header of a page, or of a page within a node: 16 bytes.
struct PageHeader {
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
  var count: Int { (lower - PageLayout.header) / 2 }

  /// Whether the bounds are possible for a page of nodes.
  func hasBounds(within size: Int) -> Bool {
    lower >= PageLayout.header && lower <= upper && upper <= size && lower % 2 == 0 && upper % 2 == 0
  }

  /// Whether keys of `width` bytes side by side fill the page up to the bounds.
  func hasFixedBounds(within size: Int, width: Int) -> Bool {
    lower >= PageLayout.header && lower % 2 == 0 && width > 0
      && PageLayout.header + count * width <= size && upper == size - count * (width - 2)
  }
}

/// One entry of a branch or leaf page.
struct Node {
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
    guard offset <= bytes.count - PageLayout.node else { return nil }
    let low = bytes.u16(offset)
    let high = bytes.u16(offset + 2)
    let word = bytes.u16(offset + 4)
    let keyStart = offset + PageLayout.node
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
      dataEnd += flags & PageLayout.bigData != 0 ? 8 : size
    }
    guard dataEnd <= bytes.count else { return nil }
    key = keyStart..<keyEnd
    data = keyEnd..<dataEnd
  }

  /// The node that a page's entry `index` points at.
  init?(_ bytes: [UInt8], entry index: Int, isBranch: Bool) {
    self.init(bytes.span, at: Int(bytes.u16(PageLayout.header + 2 * index)), isBranch: isBranch)
  }
}
