/// A branch, leaf or overflow page whose header and node offsets lie within bounds.
struct Page {
  enum Flags {
    static let branch: UInt16 = 0x01
    static let leaf: UInt16 = 0x02
    static let overflow: UInt16 = 0x04
    static let meta: UInt16 = 0x08
    /// Keys of a fixed size side by side (DUPFIXED).
    static let leaf2: UInt16 = 0x20
  }
  enum NodeFlags {
    static let bigData: UInt16 = 0x01
    static let subData: UInt16 = 0x02
    static let dupData: UInt16 = 0x04
  }

  static let headerSize = 16
  let bytes: [UInt8]
  let number: UInt64
  let flags: UInt16

  init(_ bytes: [UInt8], number: UInt64) throws {
    self.bytes = bytes
    self.number = number
    flags = bytes.u16(10)
    guard bytes.u64(0) == number else {
      throw PageProblem(.damaged, "page \(number) says that it is page \(bytes.u64(0))")
    }
    let kinds = flags & (Flags.branch | Flags.leaf | Flags.overflow | Flags.meta)
    guard kinds == Flags.branch || kinds == Flags.leaf || kinds == Flags.overflow else {
      throw PageProblem(.damaged, "page \(number) has flags \(flags)")
    }
    guard isOverflow || flags & Flags.leaf2 != 0 else {
      let lower = Int(bytes.u16(12))
      let upper = Int(bytes.u16(14))
      guard lower >= Page.headerSize, lower <= upper, upper <= bytes.count, lower % 2 == 0 else {
        throw PageProblem(.damaged, "page \(number) has impossible bounds (\(lower), \(upper))")
      }
      return
    }
  }

  var isBranch: Bool { flags & Flags.branch != 0 }
  var isLeaf: Bool { flags & Flags.leaf != 0 }
  var isOverflow: Bool { flags & Flags.overflow != 0 }
  var overflowCount: UInt64 { UInt64(bytes.u32(12)) }
  var nodeCount: Int { (Int(bytes.u16(12)) - Page.headerSize) / 2 }

  /// One entry of a branch or leaf page.
  struct Node {
    let flags: UInt16
    let key: Range<Int>
    /// Leaf: the bytes of the value in this page, or of the page number where it lies elsewhere.
    let data: Range<Int>
    /// Leaf: how long the value is.
    let size: Int
    /// Branch: the child page.
    let child: UInt64
  }

  /// The entry at `index`, with every offset checked.
  func node(_ index: Int) throws -> Node {
    let offset = Int(bytes.u16(Page.headerSize + 2 * index))
    guard offset >= Int(bytes.u16(14)), offset + 8 <= bytes.count else {
      throw PageProblem(.damaged, "page \(number), entry \(index) lies outside of the page")
    }
    let low = bytes.u16(offset)
    let high = bytes.u16(offset + 2)
    let nodeFlags = bytes.u16(offset + 4)
    let key = offset + 8..<offset + 8 + Int(bytes.u16(offset + 6))
    guard key.upperBound <= bytes.count else {
      throw PageProblem(.damaged, "page \(number), entry \(index) has a key that leaves the page")
    }
    if isBranch {
      let child = UInt64(low) | UInt64(high) << 16 | UInt64(nodeFlags) << 32
      return Node(flags: 0, key: key, data: key.upperBound..<key.upperBound, size: 0, child: child)
    }
    let size = Int(low) | Int(high) << 16
    let inPage = nodeFlags & NodeFlags.bigData != 0 ? 8 : size
    guard key.upperBound + inPage <= bytes.count else {
      throw PageProblem(.damaged, "page \(number), entry \(index) has a value that leaves the page")
    }
    return Node(flags: nodeFlags, key: key, data: key.upperBound..<key.upperBound + inPage, size: size, child: 0)
  }
}
