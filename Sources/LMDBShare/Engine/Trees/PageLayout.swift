/// Offsets in a page of LMDB 0.9, and its flags. The same constants are in `LMDBSharePages`, but the compiler does not fold them
/// into the code of another module.
enum PageLayout {
  /// The header of a page: number, pad, flags, and the bounds of the free space or the count of overflow pages.
  static let header = 16
  static let flags = 10
  static let lower = 12
  static let overflowCount = 12

  static let branch: UInt16 = 0x01
  static let leaf: UInt16 = 0x02
  static let overflow: UInt16 = 0x04

  /// The header of an entry: the value's size or the child's number, flags, the key's size.
  static let node = 8
  /// The value is on separate pages.
  static let bigData: UInt16 = 0x01
  /// The value is the record of a tree.
  static let subData: UInt16 = 0x02
  /// The value is a page or a tree of duplicates.
  static let dupData: UInt16 = 0x04

  /// The record of a tree.
  static let record = 48
  static let reverseKeys: UInt16 = 0x02
  static let duplicates: UInt16 = 0x04
  static let integerKeys: UInt16 = 0x08
  /// The root of a tree without entries.
  static let noRoot = UInt64.max
  /// LMDB's bound on the depth of its cursors.
  static let mostLevels = 32

  // In a meta page.
  static let freeTree = 40
  static let mainTree = 88
  static let lastPage = 136
  static let transaction = 144
}
