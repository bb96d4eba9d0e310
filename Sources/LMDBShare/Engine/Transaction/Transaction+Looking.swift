internal import _LMDBShareLMDB

extension Transaction {
  /// The pages of a named database's tree in this snapshot; nil when there is no database of that name.
  ///
  /// - Complexity: O(log *n*) in the number of databases.
  package func tree(named name: String) -> TreeStatistics? {
    guard case .record(let record) = fields.value.snapshot.named(Array(name.utf8)) else { return nil }
    return TreeStatistics(record)
  }

  /// The keys of the main database that may be names of databases, in order; other programs may have stored plain entries there.
  package func databaseNames() throws(StoreError) -> [String] {
    var names: [String] = []
    let cursor = Cursor(self, Database.main)
    var isThere = cursor.move(.first)
    while isThere {
      if let name = cursor.key.utf8String(), !name.isEmpty, !name.utf8.contains(0) { names.append(name) }
      isThere = cursor.move(.next)
    }
    if let failure { throw failure }
    return names
  }

  /// Calls `body` with the number of a named database of any kind, which is valid only during the call. Returns nil when there is
  /// no database of that name, for instance because the entry is a plain one.
  ///
  /// A database with several values per key, or with keys ordered from their last bytes, is opened by LMDB: for a read
  /// transaction of a process that uses such databases in only one thread.
  package func withDatabase<R>(_ name: String, _ body: (Database) throws -> R) throws -> R? {
    guard let environment, let layout = try layout(named: name) else { return nil }
    if !layout.isDisjoint(with: .forLMDB) { return try withLMDB(environment, name, body) }
    let number = environment.numbers.withLock { $0.lend(Array(name.utf8)) }
    defer {
      forget(database: number)
      environment.numbers.withLock { $0.giveBack(number) }
    }
    return try body(number)
  }

  private func withLMDB<R>(_ environment: Environment, _ name: String, _ body: (Database) throws -> R) throws -> R? {
    var dbi: MDB_dbi = 0
    try environment.withWriteLock { () throws(StoreError) in
      try check(unsafe mdb_dbi_open(handle, name, 0, &dbi), "open \(name)")
    }
    defer {
      closeCursors()
      unsafe mdb_dbi_close(environment.handle, dbi)
    }
    return try body(Database(openedByLMDB: dbi))
  }
}
