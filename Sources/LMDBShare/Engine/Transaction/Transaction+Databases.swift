internal import LMDBSharePages
internal import _LMDBShareLMDB

// Named databases are entries of the main database whose values are the records of their trees; `F_SUBDATA` marks them. LMDB
// itself can neither rename a database nor create one without opening it. Both become possible by writing the record with a
// cursor, as LMDB does itself.

extension Transaction {
  private static let subData = UInt32(PageLayout.subData)

  /// Returns the flags of a named database in this transaction, or nil when there is no database of that name.
  package func layout(named name: String) throws(StoreError) -> DatabaseLayout? {
    guard isWritable else {
      guard unsafe handle != nil, !fields.value.snapshot.main.isForLMDB else { return nil }
      switch fields.value.snapshot.named(Array(name.utf8)) {
      case .record(let record): return DatabaseLayout(rawValue: UInt32(record.flags))
      case .none: return nil
      case .damage: failDamaged()
      }
      throw failure ?? StoreError(returnCode: MDB_CORRUPTED, "open \(name)")
    }
    let record = withUTF8(of: name) { key in get(Database.main, key)?.bits(of: TreeRecord.self) }
    if let failure { throw failure }
    return record.map { DatabaseLayout(rawValue: UInt32($0.flags)) }
  }

  /// Creates an empty database without opening it; returns false when there is an entry of that name already.
  package func createDatabase(_ name: String, _ layout: DatabaseLayout) throws(StoreError) -> Bool {
    let cursor = unsafe try mainCursor("create \(name)")
    defer { unsafe mdb_cursor_close(cursor) }
    let code = withBytes(of: TreeRecord.empty(layout)) { unsafe insert(name, $0, cursor) }
    if code == MDB_KEYEXIST { return false }
    try check(code, "create \(name)")
    return true
  }

  /// Gives a database another name. This transaction must not have used it.
  func renameDatabase(_ from: String, to: String) throws(StoreError) {
    try closeUnused(from, "rename")
    let cursor = unsafe try mainCursor("rename \(from)")
    defer { unsafe mdb_cursor_close(cursor) }
    let record = unsafe try find(from, cursor)
    try check(withBytes(of: record) { unsafe insert(to, $0, cursor) }, "rename \(from)")
    _ = unsafe try find(from, cursor)
    let code = unsafe mdb_cursor_del(cursor, Self.subData)
    note(change: code)
    try check(code, "rename \(from)")
  }

  /// Removes a database with all its entries. This transaction must not have used it.
  func dropDatabase(_ name: String) throws(StoreError) {
    try closeUnused(name, "remove")
    var dbi: MDB_dbi = 0
    let code = unsafe mdb_dbi_open(handle, name, 0, &dbi)
    if code == MDB_NOTFOUND { throw Self.missing(name) }
    try check(code, "open \(name)")
    // This also closes it.
    let dropped = unsafe mdb_drop(handle, dbi, 1)
    note(change: dropped)
    try check(dropped, "remove \(name)")
  }

  private func mainCursor(_ operation: String) throws(StoreError) -> OpaquePointer {
    var cursor: OpaquePointer?
    try check(unsafe mdb_cursor_open(handle, Database.main.number, &cursor), operation)
    return unsafe cursor!
  }

  /// Stores a tree's record under a new name.
  private func insert(_ name: String, _ record: RawSpan, _ cursor: OpaquePointer) -> Int32 {
    let code = withUTF8(of: name) { name in
      unsafe record.withUnsafeBytes { bytes in
        unsafe name.withUnsafeBytes { raw in
          var key = unsafe MDB_val(raw)
          var value = unsafe MDB_val(bytes)
          return unsafe mdb_cursor_put(cursor, &key, &value, Self.subData | UInt32(MDB_NOOVERWRITE))
        }
      }
    }
    note(change: code)
    return code
  }

  /// Moves the cursor to a database's record and returns a copy of it.
  private func find(_ name: String, _ cursor: OpaquePointer) throws(StoreError) -> [UInt8] {
    var value = unsafe MDB_val()
    let code = withUTF8(of: name) { span in
      unsafe span.withUnsafeBytes { raw in
        var key = unsafe MDB_val(raw)
        return unsafe mdb_cursor_get(cursor, &key, &value, MDB_SET_KEY)
      }
    }
    guard code != MDB_NOTFOUND else { throw Self.missing(name) }
    try check(code, "open \(name)")
    return unsafe value.span.copied()
  }
}
