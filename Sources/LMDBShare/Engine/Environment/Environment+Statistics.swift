internal import _LMDBShareLMDB
internal import _LMDBShareSystem

/// The pages of one tree.
package struct TreeStatistics: Hashable, Sendable {
  package var depth = 0
  package var branchPages = 0
  package var leafPages = 0
  package var overflowPages = 0
  package var entries = 0
}

/// One slot of the reader table.
struct ReaderSlot: Hashable, Sendable {
  let pid: Int
  let thread: String
  /// Nil while the slot's owner reads nothing.
  let snapshotID: Int?
}

extension Transaction {
  /// The pages of a database's tree.
  package func statistics(_ database: Database) -> TreeStatistics {
    if !isForLMDB(database) { return tree(database).map { TreeStatistics($0) } ?? TreeStatistics() }
    guard let dbi = opened(database) else { return TreeStatistics() }
    var stat = MDB_stat()
    let code = unsafe mdb_stat(handle, dbi, &stat)
    if code != 0 { fail(code, "read statistics") }
    return TreeStatistics(
      depth: Int(stat.ms_depth), branchPages: Int(stat.ms_branch_pages), leafPages: Int(stat.ms_leaf_pages),
      overflowPages: Int(stat.ms_overflow_pages), entries: Int(stat.ms_entries))
  }

  /// How many pages are free for later transactions.
  func freePages() -> Int {
    // Database 0 is LMDB's own: under each transaction's number the pages that it freed, with their count first.
    var pages = 0
    let cursor = Cursor(self, Database.freeList)
    var isThere = cursor.move(.first)
    while isThere {
      pages = pages.bounded(plus: Int(clamping: cursor.value.littleEndian(at: 0, UInt64.self) ?? 0))
      isThere = cursor.move(.next)
    }
    return pages
  }
}

extension Transaction {
  /// The layout of a database, from LMDB's flags.
  package func layout(_ database: Database) -> DatabaseLayout {
    if !isForLMDB(database) { return DatabaseLayout(rawValue: UInt32(tree(database)?.flags ?? 0)) }
    guard let dbi = opened(database) else { return [] }
    var flags: UInt32 = 0
    let code = unsafe mdb_dbi_flags(handle, dbi, &flags)
    if code != 0 { fail(code, "read flags") }
    return DatabaseLayout(rawValue: flags)
  }
}

/// LMDB's flags of a database.
package struct DatabaseLayout: OptionSet, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }
  /// The flags that only LMDB can read.
  static let forLMDB: DatabaseLayout = [.reverseKeys, .duplicates]
  package static let reverseKeys = DatabaseLayout(rawValue: UInt32(MDB_REVERSEKEY))
  package static let duplicates = DatabaseLayout(rawValue: UInt32(MDB_DUPSORT))
  package static let integerKeys = DatabaseLayout(rawValue: UInt32(MDB_INTEGERKEY))
  package static let fixedDuplicates = DatabaseLayout(rawValue: UInt32(MDB_DUPFIXED))
  package static let integerDuplicates = DatabaseLayout(rawValue: UInt32(MDB_INTEGERDUP))
  package static let reverseDuplicates = DatabaseLayout(rawValue: UInt32(MDB_REVERSEDUP))
}

extension TreeStatistics {
  /// The flags in a tree's record.
  init(_ record: TreeRecord) {
    self.init(
      depth: Int(record.depth), branchPages: Int(clamping: record.branchPages),
      leafPages: Int(clamping: record.leafPages), overflowPages: Int(clamping: record.overflowPages),
      entries: Int(clamping: record.entries))
  }
}

extension Environment {
  /// LMDB's version string.
  package static var libraryVersion: String {
    var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
    _ = unsafe mdb_version(&major, &minor, &patch)
    return "\(major).\(minor).\(patch)"
  }

  package var pageBytes: Int { pageSize }

  /// The last page that was ever used.
  var lastPage: Int {
    var info = unsafe MDB_envinfo()
    _ = unsafe mdb_env_info(handle, &info)
    return unsafe info.me_last_pgno
  }

  /// The number of the last committed transaction.
  package var lastTransaction: Int {
    var info = unsafe MDB_envinfo()
    _ = unsafe mdb_env_info(handle, &info)
    return unsafe info.me_last_txnid
  }

  /// The number of slots of the reader table.
  package var readerCapacity: Int {
    var info = unsafe MDB_envinfo()
    _ = unsafe mdb_env_info(handle, &info)
    return unsafe Int(info.me_maxreaders)
  }

  /// The size of the data file, and its size on disk.
  package func fileSize() throws(StoreError) -> (size: Int, allocated: Int) {
    let status = try directory.descriptor.status(of: StoreDirectory.dataFile)
    return (status?.size ?? 0, status?.allocated ?? 0)
  }

  /// The slots of the reader table, of all processes.
  func readerSlots() throws(StoreError) -> [ReaderSlot] {
    try checkFork()
    var lines: [String] = []
    let code = unsafe withUnsafeMutablePointer(to: &lines) { pointer in
      unsafe mdb_reader_list(
        handle,
        { text, context in
          guard let text = unsafe text, let context = unsafe context else { return 0 }
          let line = unsafe String(cString: text)
          unsafe context.assumingMemoryBound(to: [String].self).pointee.append(line)
          return 0
        }, pointer)
    }
    guard code >= 0 else { throw StoreError(returnCode: code, "list the readers") }
    // Rows of PID, thread and transaction; other output of LMDB does not begin with a number.
    return lines.compactMap { line in
      let fields = line.split { $0 == " " || $0 == "\n" }
      guard fields.count == 3, let pid = Int(fields[0]) else { return nil }
      return ReaderSlot(pid: pid, thread: String(fields[1]), snapshotID: Int(fields[2]))
    }
  }
}
