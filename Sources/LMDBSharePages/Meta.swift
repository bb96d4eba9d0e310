/// A meta page: the roots of the trees of one transaction.
package struct Meta: Hashable, Sendable {
  package let pageSize: Int
  package let mapSize: UInt64
  /// The free list's tree.
  package let free: Tree
  /// The tree of named databases.
  package let main: Tree
  package let lastPage: UInt64
  package let transaction: UInt64

  static let magic: UInt32 = 0xBEEF_C0DE
  /// More bytes than any machine can map.
  static let mostBytes: UInt64 = 1 << 56
  /// More transactions than any store will see.
  static let mostTransactions: UInt64 = 1 << 62

  init(page bytes: [UInt8], number: Int) throws {
    let hasMagic = bytes.count >= 20 && bytes.u32(16) == Meta.magic
    guard !hasMagic || bytes.count >= 152 else {
      throw PageProblem(.truncated, "data.mdb holds \(bytes.count) bytes of meta page \(number)")
    }
    guard hasMagic else {
      throw number == 0
        ? PageProblem(.notLMDB, "data.mdb is not an LMDB file (no magic number)")
        : PageProblem(.damaged, "the second meta page has no magic number")
    }
    let version = bytes.u32(20)
    guard version == 1 else {
      // 2: LMDB 1.0; 999 and others: development versions and forks such as lmdb-js, whose pages differ.
      throw version == 2
        ? PageProblem(.newerLMDB, "data.mdb has data format 2 (LMDB 1.0); this library reads format 1 (LMDB 0.9)")
        : PageProblem(.foreignLMDB, "data.mdb has data format \(version), that of a variant of LMDB (lmdb-js, say)")
    }
    guard bytes.u16(10) == PageLayout.meta, bytes.u64(0) == UInt64(number) else {
      throw PageProblem(.damaged, "meta page \(number) is not marked as one")
    }
    let size = Int(bytes.u32(40))
    guard size >= 512, size <= 32768, size & (size - 1) == 0 else {
      throw PageProblem(.damaged, "meta page \(number) has a page size of \(size)")
    }
    pageSize = size
    mapSize = bytes.u64(32)
    free = Tree(bytes, at: PageLayout.freeTree)
    main = Tree(bytes, at: PageLayout.mainTree)
    lastPage = bytes.u64(PageLayout.lastPage)
    transaction = bytes.u64(PageLayout.transaction)
    guard lastPage >= 1, lastPage < Meta.mostBytes / UInt64(size) else {
      throw PageProblem(.damaged, "meta page \(number) has a last page of \(lastPage)")
    }
    guard transaction < Meta.mostTransactions else {
      throw PageProblem(.damaged, "meta page \(number) has a transaction number of \(transaction)")
    }
  }
}

/// A meta page as it is in the file.
package struct MetaPage: Sendable {
  package let meta: Meta
  /// The whole page.
  package let bytes: [UInt8]
}

/// The record of one B+tree (`MDB_db`): 48 bytes.
package struct Tree: Hashable, Sendable {
  /// The size of the keys of pages without nodes; in the free list's record the size of pages.
  let pad: UInt32
  package let flags: UInt16
  package let depth: Int
  package let branchPages: UInt64
  package let leafPages: UInt64
  package let overflowPages: UInt64
  package let entries: UInt64
  package let root: UInt64

  init(_ bytes: [UInt8], at offset: Int) {
    pad = bytes.u32(offset)
    flags = bytes.u16(offset + 4)
    depth = Int(bytes.u16(offset + 6))
    branchPages = bytes.u64(offset + 8)
    leafPages = bytes.u64(offset + 16)
    overflowPages = bytes.u64(offset + 24)
    entries = bytes.u64(offset + 32)
    root = bytes.u64(offset + 40)
  }

  /// Flags of databases.
  enum Flags {
    /// The flags that only a database with duplicates has.
    static let ofDuplicates =
      PageLayout.fixedDuplicates | PageLayout.integerDuplicates | PageLayout.reverseDuplicates
    static let all = PageLayout.reverseKeys | PageLayout.duplicates | PageLayout.integerKeys | ofDuplicates
    /// The record of the free list keeps flags of the environment that created the file: FIXEDMAP and NOSUBDIR.
    static let ofEnvironments: UInt16 = 0x4001
  }

  func has(_ flag: UInt16) -> Bool { flags & flag != 0 }
}
