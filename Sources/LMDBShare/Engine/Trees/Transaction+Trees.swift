internal import _LMDBShareLMDB
internal import _LMDBShareSystem

// A database is identified by a number of this process (`DatabaseNumbers`). A reader finds the root of its tree in the snapshot,
// once for each snapshot, and looks up entries by itself. For the writer, LMDB opens the database at its first use.

extension Transaction {
  // MARK: Readers

  /// A reader's cached record of a database.
  struct KnownTree: BitwiseCopyable {
    /// The epoch of the record; the first one is 1.
    var epoch: UInt64 = 0
    var number: UInt32 = 0
    var record = TreeRecord()
  }
  private static var knownTrees: Int { 64 }

  /// Whether LMDB does the lookup: for the writer, and in databases that only LMDB reads.
  @inline(__always)
  func isForLMDB(_ database: Database) -> Bool {
    isWritable || database.numberOfLMDB != nil || database == .main && fields.value.snapshot.main.isForLMDB
  }

  /// The record of a database's tree in this snapshot, for a reader; nil when there is none, and then the transaction has failed.
  @inline(__always)
  func tree(_ database: Database) -> TreeRecord? {
    guard unsafe handle != nil else { return ended() }
    if let known = unsafe fields.value.trees {
      let place = unsafe known + database.index & (Self.knownTrees - 1)
      if unsafe place.pointee.number == database.number, unsafe place.pointee.epoch == epoch {
        return unsafe place.pointee.record
      }
    }
    return findTree(database)
  }

  private func ended() -> TreeRecord? {
    fail(EINVAL, "read")
    return nil
  }

  @inline(never)
  private func findTree(_ database: Database) -> TreeRecord? {
    let record: TreeRecord
    switch database {
    case .freeList: record = fields.value.snapshot.free
    case .main: record = fields.value.snapshot.main
    default:
      guard let name = environment?.numbers.withLock({ $0.name(database) }) else {
        fail(MDB_BAD_DBI, "read")
        return nil
      }
      switch fields.value.snapshot.named(name) {
      case .record(let found) where !found.isForLMDB: record = found
      case .record(let found):
        fail(
          StoreError(
            .damaged, "read", structure: String(decoding: name, as: UTF8.self),
            reason: "its database has flags \(found.flags)", advice: "restore a backup"))
        return nil
      case .none:
        fail(
          StoreError(
            .structureNotFound, "read", structure: String(decoding: name, as: UTF8.self),
            reason: "this snapshot has no database of that name", advice: "take a new snapshot, or check the name"))
        return nil
      case .damage:
        failDamaged()
        return nil
      }
    }
    keep(record, of: database)
    return record
  }

  private func keep(_ record: TreeRecord, of database: Database) {
    let known: UnsafeMutablePointer<KnownTree>
    if let there = unsafe fields.value.trees {
      unsafe known = there
    } else {
      unsafe known = .allocate(capacity: Self.knownTrees)
      unsafe known.initialize(repeating: KnownTree(), count: Self.knownTrees)
      unsafe fields.value.trees = known
    }
    unsafe known[database.index & (Self.knownTrees - 1)] = KnownTree(
      epoch: epoch, number: database.number, record: record)
  }

  /// Discards the cached root of a database.
  func forgetTree(_ database: Database) {
    guard let known = unsafe fields.value.trees else { return }
    unsafe known[database.index & (Self.knownTrees - 1)].epoch = 0
  }

  /// Records that a page contradicts the format.
  @inline(never)
  func failDamaged() {
    guard environment?.map.hasLostPages != true else {
      return fail(
        StoreError(
          .truncated, "read", reason: "data.mdb was truncated while the store is open",
          advice: "end all processes that use the store, and restore a backup"))
    }
    fail(MDB_CORRUPTED, "read")
  }

  // MARK: The writer

  /// LMDB's number of a database; nil when it cannot be opened, and then the transaction has failed.
  @inline(__always)
  func opened(_ database: Database) -> MDB_dbi? {
    if let known = fields.value.open.find(database) { return known }
    return open(database)
  }

  @inline(never)
  private func open(_ database: Database) -> MDB_dbi? {
    if database == .main || database == .freeList { return database.number }
    if database == Database.missing {
      if !hasFailed { fail(MDB_BAD_DBI, "use a database") }
      return nil
    }
    if let number = database.numberOfLMDB { return number }
    guard let environment, let name = environment.numbers.withLock({ $0.name(database) }), isWritable else {
      fail(MDB_BAD_DBI, "use a database")
      return nil
    }
    if let other = fields.value.open.find(named: name) {
      // Opened under a number that was taken without the structure's identity.
      if other.isInUse { return other.dbi }
      unsafe fields.value.open.close(other.dbi, environment.handle)
    }
    var dbi: MDB_dbi = 0
    let text = String(decoding: name, as: UTF8.self)
    var code: Int32
    repeat {
      code = unsafe mdb_dbi_open(handle, text, 0, &dbi)
    } while unsafe code == MDB_DBS_FULL && fields.value.open.closeUnused(environment.handle)
    guard code == 0 else {
      let error = StoreError(returnCode: code, "open \(text)")
      fail(code == MDB_NOTFOUND ? Self.missing(text) : error)
      return nil
    }
    fields.value.open.note(database, name, as: dbi)
    return dbi
  }

  static func missing(_ name: String) -> StoreError {
    StoreError(.structureNotFound, "open", structure: name, reason: "it has no database", advice: "check the name")
  }

  /// Makes LMDB close a database that is about to lose its name.
  ///
  /// - Throws: `.busy` when this transaction has used it.
  func closeUnused(_ name: String, _ operation: String) throws(StoreError) {
    guard let environment, let found = fields.value.open.find(named: Array(name.utf8)) else { return }
    guard !found.isInUse else {
      throw StoreError(
        .busy, operation, structure: name, reason: "this transaction has used it",
        advice: "do so in a transaction of its own")
    }
    unsafe fields.value.open.close(found.dbi, environment.handle)
  }
}
