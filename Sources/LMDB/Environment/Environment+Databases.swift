internal import CLMDB
internal import CSystemShims
internal import Synchronization

// LMDB knows a named database by a small number that belongs to the process. Only one transaction of a process may
// open databases at a time; the write lock sees to that.

extension Environment {
  /// The number of a named database, opened by need; nil when there is none of that name.
  ///
  /// - Parameter deadline: Until when to wait for this process's writer; nil for no limit.
  package func database(
    _ name: String, until deadline: ContinuousClock.Instant? = nil
  ) throws(StoreError) -> UInt32? {
    if let known = databases.withLock({ $0[DatabaseName(name)] }) { return known }
    try checkFork()
    var opened: UInt32?
    try withWriteLock(until: deadline) { () throws(StoreError) in
      for attempt in 0... {
        do throws(StoreError) {
          try enterReaders()
          defer { readers.leave() }
          opened = try openCommitted(name)
          return
        } catch {
          // Another process has let the file grow since this one looked.
          guard error.underlying == MDB_MAP_RESIZED, attempt < 8 else { throw error }
        }
        try adoptGrowth()
      }
    }
    return opened
  }

  /// Opens a database as the last commit has it; the caller holds the write lock.
  func openCommitted(_ name: String) throws(StoreError) -> UInt32? {
    let transaction = unsafe try Environment.beginReading(handle, "open \(name)")
    var number: MDB_dbi = 0
    let code = unsafe mdb_dbi_open(transaction, name, 0, &number)
    if code == MDB_NOTFOUND {
      unsafe mdb_txn_abort(transaction)
      return nil
    }
    if code != 0 {
      unsafe mdb_txn_abort(transaction)
      throw StoreError(returnCode: code, "open \(name)")
    }
    var flags: UInt32 = 0
    let told = unsafe mdb_dbi_flags(transaction, number, &flags)
    // Only a commit keeps the number; that the transaction has read nothing does not matter.
    try check(unsafe mdb_txn_commit(transaction), "open \(name)")
    databases.withLock { $0[DatabaseName(name)] = number }
    if told == 0 { layouts.withLock { $0[number] = DatabaseLayout(rawValue: flags) } }
    return number
  }

  /// That a database orders its keys as a structure of its kind needs it: with other flags, LMDB would put new keys in
  /// other places than those that are there.
  package func checkLayout(_ number: UInt32, integerKeys: Bool, structure: String) throws(StoreError) {
    guard let layout = layouts.withLock({ $0[number] }) else { return }
    let expected: DatabaseLayout = integerKeys ? .integerKeys : []
    guard layout != expected else { return }
    throw StoreError(
      .damaged, "open", structure: structure,
      reason: "its database has flags \(layout.rawValue) instead of \(expected.rawValue)", advice: "restore a backup")
  }

  /// Opens or makes a database within a write transaction.
  package func database(
    _ name: String, in transaction: Transaction, integerKeys: Bool, create: Bool
  ) throws(StoreError) -> UInt32? {
    if let known = databases.withLock({ $0[DatabaseName(name)] }) {
      return known
    }
    guard let number = try transaction.openDatabase(name, integerKeys: integerKeys, create: create) else { return nil }
    databases.withLock { $0[DatabaseName(name)] = number }
    let layout = transaction.layout(number)
    layouts.withLock { $0[number] = layout }
    uncommittedDatabases.append(name)
    return number
  }

  /// Closes the number of a database that another process removed or made anew, so that the name can be opened again.
  ///
  /// - Parameter deadline: Until when to wait for this process's writer; nil for no limit.
  package func forgetDatabase(_ name: String, until deadline: ContinuousClock.Instant? = nil) throws(StoreError) {
    guard let number = databases.withLock({ $0[DatabaseName(name)] }) else { return }
    try withWriteLock(until: deadline) { () throws(StoreError) in
      try exclusively(options.patience, "open \(name) again") { () throws(StoreError) in
        databases.withLock { $0[DatabaseName(name)] = nil }
        unsafe mdb_dbi_close(handle, number)
      }
    }
  }

  /// Forgets the databases that the running write transaction has opened, but for the first `count`.
  func forgetUncommittedDatabases(after count: Int = 0) {
    guard uncommittedDatabases.count > count else { return }
    databases.withLock { known in
      for name in uncommittedDatabases[count...] { known[DatabaseName(name)] = nil }
    }
    uncommittedDatabases.removeSubrange(count...)
  }
}

/// A name as its bytes: LMDB tells names apart that are equal as strings, since they differ in their normal form alone.
package struct DatabaseName: Hashable, Sendable {
  let bytes: [UInt8]
  package init(_ name: String) { bytes = Array(name.utf8) }
  var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension Environment {
  /// The number of a database, when it is open already.
  package func knownDatabase(_ name: String) -> UInt32? { databases.withLock { $0[DatabaseName(name)] } }

  /// The catalogue's database; the layer above sets it once, before the environment is used.
  package var catalogue: UInt32 { catalogueNumber.load(ordering: .relaxed) }
  package func setCatalogue(_ number: UInt32) { catalogueNumber.store(number, ordering: .relaxed) }
}
