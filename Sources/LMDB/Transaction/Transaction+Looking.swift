internal import CLMDB

// Looking at many databases once each. LMDB keeps a table of the open ones, which it searches at each opening and copies for
// each transaction, so that opening all of them takes time by the square of their number.

extension Transaction {
  /// The pages of a named database's tree, as this snapshot has it, without opening the database; nil when there is none.
  ///
  /// - Complexity: O(log *n*) in the number of databases.
  package func tree(named name: String) -> TreeStatistics? {
    // The value of a database's name in the main database is the record of its tree (`MDB_db`).
    withUTF8(of: name) { key in
      guard let record = get(Transaction.main, key) else { return nil }
      return TreeStatistics(record: record)
    }
  }

  /// The keys of the main database that may be names of databases, in order; other programs may have put plain entries there.
  package func databaseNames() throws(StoreError) -> [String] {
    var names: [String] = []
    let cursor = Cursor(self, Transaction.main)
    var isThere = cursor.move(.first)
    while isThere {
      if let name = cursor.key.utf8String(), !name.isEmpty, !name.utf8.contains(0) { names.append(name) }
      isThere = cursor.move(.next)
    }
    if let failure { throw failure }
    return names
  }

  /// Calls `body` with the number of a named database, which is open only meanwhile; nil when there is no database of that
  /// name, but for instance a plain entry.
  ///
  /// For a read transaction of a process that opens no database otherwise until the transaction has ended: the number has
  /// another meaning afterwards.
  package func withDatabase<R>(_ name: String, _ body: (UInt32) throws -> R) throws -> R? {
    guard let environment else { return nil }
    if let known = environment.knownDatabase(name) { return try body(known) }
    var number: MDB_dbi = 0
    var code: Int32 = 0
    try environment.withWriteLock { () throws(StoreError) in code = unsafe mdb_dbi_open(handle, name, 0, &number) }
    if code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE { return nil }
    try check(code, "open \(name)")
    defer {
      forget(database: number)
      unsafe mdb_dbi_close(environment.handle, number)
    }
    return try body(number)
  }
}

extension TreeStatistics {
  /// Nil for bytes that are no record of a tree.
  fileprivate init?(record: RawSpan) {
    guard record.byteCount == 48, let depth = record.littleEndian(at: 6, UInt16.self) else { return nil }
    var numbers: [Int] = []
    for offset in [8, 16, 24, 32] {
      guard let number = record.littleEndian(at: offset, UInt64.self), let number = Int(exactly: number) else {
        return nil
      }
      numbers.append(number)
    }
    self.init(
      depth: Int(depth), branchPages: numbers[0], leafPages: numbers[1], overflowPages: numbers[2], entries: numbers[3])
  }
}
