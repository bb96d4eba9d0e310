/// Offsets in a page of LMDB 0.9, and its flags. Inlinable, so that the engine's readers compare with constants.
@usableFromInline
package enum PageLayout {
  // The header of a page: number, pad, flags, and the bounds of the free space or the number of overflow pages.
  @inlinable package static var header: Int { 16 }
  @inlinable package static var flags: Int { 10 }
  @inlinable package static var lower: Int { 12 }
  @inlinable package static var overflowCount: Int { 12 }

  // Flags of pages.
  @inlinable package static var branch: UInt16 { 0x01 }
  @inlinable package static var leaf: UInt16 { 0x02 }
  @inlinable package static var overflow: UInt16 { 0x04 }
  @inlinable package static var meta: UInt16 { 0x08 }
  /// Only in memory, except for sub-pages.
  @inlinable package static var dirty: UInt16 { 0x10 }
  /// Keys of a fixed size side by side (DUPFIXED).
  @inlinable package static var leaf2: UInt16 { 0x20 }
  /// A page within a node: the duplicates of its key.
  @inlinable package static var sub: UInt16 { 0x40 }

  /// The header of an entry: the value's size or the child's number, flags, the key's size.
  @inlinable package static var node: Int { 8 }
  /// LMDB's limit on keys, and on duplicates.
  @inlinable package static var mostKeyBytes: Int { 511 }

  // Flags of entries.
  /// The value is on separate pages.
  @inlinable package static var bigData: UInt16 { 0x01 }
  /// The value is the record of a tree.
  @inlinable package static var subData: UInt16 { 0x02 }
  /// The value is a page or a tree of duplicates.
  @inlinable package static var dupData: UInt16 { 0x04 }

  // The record of a tree (`MDB_db`), and its flags.
  @inlinable package static var record: Int { 48 }
  @inlinable package static var reverseKeys: UInt16 { 0x02 }
  @inlinable package static var duplicates: UInt16 { 0x04 }
  @inlinable package static var integerKeys: UInt16 { 0x08 }
  @inlinable package static var fixedDuplicates: UInt16 { 0x10 }
  @inlinable package static var integerDuplicates: UInt16 { 0x20 }
  @inlinable package static var reverseDuplicates: UInt16 { 0x40 }
  /// The root of a tree without entries.
  @inlinable package static var noRoot: UInt64 { UInt64.max }
  /// LMDB's limit on the depth of its cursors.
  @inlinable package static var mostLevels: Int { 32 }

  // In a meta page.
  @inlinable package static var freeTree: Int { 40 }
  @inlinable package static var mainTree: Int { 88 }
  @inlinable package static var lastPage: Int { 136 }
  @inlinable package static var transaction: Int { 144 }
}
