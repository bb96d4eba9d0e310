internal import _LMDBShareLMDB

// The interface below all structures: get, put, delete, count and seek (Cursor), on bytes. An error is kept in the transaction,
// which then refuses to commit; later writes are skipped.

extension Transaction {
  /// The value of a key, in place: valid until the next write of this transaction, or its end.
  @_lifetime(borrow self)
  @usableFromInline package func get(_ database: Database, _ key: RawSpan) -> RawSpan? {
    let value = unsafe key.withUnsafeBytes { unsafe getRaw(database, $0) }
    guard let value = unsafe value else { return nil }
    // An empty value may have any address.
    guard value.count > 0 else { return RawSpan() }
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: value), borrowing: self)
  }

  /// The value of an integer key.
  @_lifetime(borrow self)
  @inlinable package func get(_ database: Database, _ key: UInt64) -> RawSpan? {
    var key = key
    let span = unsafe withUnsafeBytes(of: &key) { unsafe getRaw(database, $0) }
    guard let span = unsafe span else { return nil }
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: span), borrowing: self)
  }

  @usableFromInline
  func getRaw(_ database: Database, _ key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    if isForLMDB(database) { return unsafe getByLMDB(database, key) }
    guard let tree = tree(database) else { return nil }
    switch unsafe fields.value.snapshot.pages.find(tree, key) {
    case .entry(let entry):
      if let value = unsafe fields.value.snapshot.pages.value(entry) { return unsafe value }
      failDamaged()
    case .damage: failDamaged()
    case .none: if unsafe key.isEmpty { fail(MDB_BAD_VALSIZE, "read") }
    }
    return nil
  }

  private func getByLMDB(_ database: Database, _ key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard let dbi = opened(database) else { return nil }
    var name = unsafe MDB_val(key)
    var value = unsafe MDB_val()
    let code = unsafe mdb_get(handle, dbi, &name, &value)
    guard code == 0 else {
      if code != MDB_NOTFOUND { fail(code, "read") }
      return nil
    }
    return unsafe UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
  }

  /// How a write treats an existing value.
  @usableFromInline package enum PutMode: Sendable {
    case replace
    /// Keeps an existing value.
    case insert
    /// Fails unless the key is greater than all others.
    case append
    /// As `append` if the key is greater than all others, otherwise as `replace`.
    case likelyLast
  }

  /// Stores a value; returns false when `mode` is `.insert` and the key exists, or when the transaction has failed.
  ///
  /// - Parameter isNew: False for changes that views know already, so that they stay valid.
  @usableFromInline @discardableResult
  package func put(
    _ database: Database, _ key: RawSpan, _ value: RawSpan, _ mode: PutMode = .replace, isNew: Bool = true
  ) -> Bool {
    guard !hasFailed else { return false }
    guard value.byteCount <= Limits.valueBytes else {
      fail(Limits.tooLarge(value.byteCount))
      return false
    }
    guard let dbi = opened(database) else { return false }
    if isNew { wrote(database) }
    let code = unsafe key.withUnsafeBytes { rawKey in
      unsafe value.withUnsafeBytes { rawValue in
        var name = unsafe MDB_val(rawKey)
        var content = unsafe MDB_val(rawValue)
        return unsafe mdb_put(handle, dbi, &name, &content, mode.flags)
      }
    }
    note(change: code)
    if code == 0 { return true }
    if code == MDB_KEYEXIST {
      switch mode {
      case .insert: return false
      case .likelyLast: return put(database, key, value, .replace, isNew: false)
      case .append, .replace: break
      }
    }
    fail(code, "write")
    return false
  }

  /// Stores a value under an integer key.
  @inlinable @discardableResult
  package func put(
    _ database: Database, _ key: UInt64, _ value: RawSpan, _ mode: PutMode = .replace, isNew: Bool = true
  ) -> Bool {
    withBytes(of: key) { put(database, $0, value, mode, isNew: isNew) }
  }

  /// Removes a key; returns false when it does not exist.
  @usableFromInline @discardableResult
  package func delete(_ database: Database, _ key: RawSpan) -> Bool {
    guard !hasFailed, let dbi = opened(database) else { return false }
    wrote(database)
    let code = unsafe key.withUnsafeBytes { raw in
      var name = unsafe MDB_val(raw)
      return unsafe mdb_del(handle, dbi, &name, nil)
    }
    note(change: code)
    if code == 0 { return true }
    if code != MDB_NOTFOUND { fail(code, "remove") }
    return false
  }

  /// Removes an integer key.
  @inlinable @discardableResult
  package func delete(_ database: Database, _ key: UInt64) -> Bool {
    withBytes(of: key) { delete(database, $0) }
  }

  /// The number of keys of a database.
  @usableFromInline
  package func count(_ database: Database) -> Int {
    let pageSize: Int
    let (entries, leafPages): (Int, Int)
    if !isForLMDB(database) {
      guard let tree = tree(database) else { return 0 }
      pageSize = fields.value.snapshot.pages.pageSize
      (entries, leafPages) = (Int(clamping: tree.entries), Int(clamping: tree.leafPages))
    } else {
      guard let dbi = opened(database) else { return 0 }
      var stat = MDB_stat()
      let code = unsafe mdb_stat(handle, dbi, &stat)
      if code != 0 && !hasFailed { fail(code, "count") }
      pageSize = Int(stat.ms_psize)
      (entries, leafPages) = (stat.ms_entries, stat.ms_leaf_pages)
    }
    // A node takes at least 10 bytes, including its offset.
    let most = leafPages.bounded(times: pageSize / 10)
    if 0...most ~= entries { return entries }
    return implausible(database, entries, most)
  }

  /// A number in a damaged record is not used. Duplicates may be more than there are nodes.
  @inline(never)
  private func implausible(_ database: Database, _ entries: Int, _ most: Int) -> Int {
    if layout(database).contains(.duplicates), entries >= 0 { return entries }
    fail(
      StoreError(
        .damaged, "count",
        reason: "the record of a database says that it has \(entries) entries, and its pages can hold \(most) at most",
        advice: "restore a backup"))
    return 0
  }

  /// Removes all keys of a database.
  @usableFromInline
  package func removeAll(_ database: Database) {
    guard !hasFailed, let dbi = opened(database) else { return }
    wrote(database)
    let code = unsafe mdb_drop(handle, dbi, 0)
    note(change: code)
    if code != 0 { fail(code, "remove all") }
  }

  /// Opens or creates a named database for this transaction only, by LMDB's own number: used before there is an environment.
  func openByLMDB(_ name: String, _ layout: DatabaseLayout) throws(StoreError) -> Database {
    var dbi: MDB_dbi = 0
    try check(unsafe mdb_dbi_open(handle, name, layout.rawValue | UInt32(MDB_CREATE), &dbi), "open \(name)")
    return Database(openedByLMDB: dbi)
  }
}

extension Transaction.PutMode {
  var flags: UInt32 {
    switch self {
    case .replace: 0
    case .insert: UInt32(MDB_NOOVERWRITE)
    case .append, .likelyLast: UInt32(MDB_APPEND)
    }
  }
}

extension MDB_val {
  @inline(__always)
  init(_ bytes: UnsafeRawBufferPointer) {
    unsafe self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }

  @inline(__always)
  var span: RawSpan {
    @_lifetime(borrow self) get {
      // An empty value of LMDB may have any address.
      unsafe mv_size == 0 ? RawSpan() : RawSpan(_unsafeStart: mv_data, byteCount: mv_size)
    }
  }
}

@unsafe @_unsafeNonescapableResult @_transparent
@_lifetime(borrow source)
@usableFromInline
func _overrideLifetime<T: ~Copyable & ~Escapable, U: ~Copyable & ~Escapable>(
  _ dependent: consuming T, borrowing source: borrowing U
) -> T { dependent }
