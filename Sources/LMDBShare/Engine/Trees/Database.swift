/// A database of an environment, by this process's number for it.
@usableFromInline
package struct Database: Hashable, Sendable {
  @usableFromInline let number: UInt32

  @inlinable @inline(__always)
  init(_ number: UInt32) { self.number = number }

  /// LMDB's own tree of free pages.
  @inlinable package static var freeList: Database { Database(0) }
  /// The unnamed database, whose entries are the named ones.
  @inlinable package static var main: Database { Database(1) }
  /// Stands for a database that could not be found: lookups in it return nothing, and the transaction has failed already.
  @inlinable package static var missing: Database { Database(0x8000_FFFF) }

  /// A database that LMDB has open only for one transaction, by LMDB's number.
  init(openedByLMDB dbi: UInt32) { number = dbi | 0x8000_0000 }

  /// LMDB's number, where LMDB opened the database only for one transaction.
  @inlinable @inline(__always)
  var numberOfLMDB: UInt32? { number & 0x8000_0000 != 0 ? number & 0x7FFF_FFFF : nil }

  /// Its place in tables.
  @inlinable @inline(__always)
  var index: Int { Int(number & 0x7FFF_FFFF) }
}
