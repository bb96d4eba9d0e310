internal import CLMDB

// Named databases are entries of the main database (number 1) whose values are the records of their trees. LMDB itself
// can neither rename one nor drop one without closing its number, which other transactions of the process may be using.
// Both become possible by moving the record with a cursor, as LMDB does itself: `F_SUBDATA` marks such an entry.

extension Transaction {
  private static let mainDatabase: MDB_dbi = 1
  private static let subData: UInt32 = 0x02

  /// Gives a database another name. This transaction must not have touched it.
  package func renameDatabase(_ from: String, to: String) throws(StoreError) {
    var cursor: OpaquePointer?
    try check(unsafe mdb_cursor_open(handle, Self.mainDatabase, &cursor), "rename \(from)")
    defer { unsafe mdb_cursor_close(cursor) }
    let record = unsafe try find(from, cursor!)
    var code: Int32 = 0
    withUTF8(of: to) { name in
      unsafe record.withUnsafeBytes { bytes in
        unsafe name.withUnsafeBytes { raw in
          var key = unsafe MDB_val(raw)
          var value = unsafe MDB_val(bytes)
          code = unsafe mdb_cursor_put(cursor, &key, &value, Self.subData | UInt32(MDB_NOOVERWRITE))
        }
      }
    }
    try check(code, "rename \(from)")
    _ = unsafe try find(from, cursor!)
    try check(unsafe mdb_cursor_del(cursor, Self.subData), "rename \(from)")
  }

  /// Removes a database with all its entries. This transaction must not have touched it.
  package func dropDatabase(_ name: String) throws(StoreError) {
    // Under a name of its own the tree gets a number that nobody else uses, which the drop may close.
    let doomed = ".removed-\(UInt64.random(in: 0...UInt64.max))"
    try renameDatabase(name, to: doomed)
    guard let number = try openDatabase(doomed, integerKeys: false, create: false) else { return }
    try check(unsafe mdb_drop(handle, number, 1), "remove \(name)")
  }

  /// Puts the cursor on a database's record and returns a copy of it.
  private func find(_ name: String, _ cursor: OpaquePointer) throws(StoreError) -> [UInt8] {
    var value = unsafe MDB_val()
    let code = withUTF8(of: name) { span in
      unsafe span.withUnsafeBytes { raw in
        var key = unsafe MDB_val(raw)
        return unsafe mdb_cursor_get(cursor, &key, &value, MDB_SET_KEY)
      }
    }
    guard code != MDB_NOTFOUND else {
      throw StoreError(
        .structureNotFound, "open", structure: name, reason: "it has no database", advice: "check the name")
    }
    try check(code, "open \(name)")
    return unsafe value.span.copied()
  }
}
