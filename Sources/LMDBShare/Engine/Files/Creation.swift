internal import _LMDBShareLMDB
internal import _LMDBShareSystem

// A power cut between LMDB's creation of a file and its first commit leaves a file that cannot be opened. So the file is created
// without a name, its first commit is synced, and only then it gets its name: at every moment there is either no data file or a
// complete one. A creator that dies leaves nothing behind.

extension StoreDirectory {
  /// Creates `data.mdb` with `firstCommit` in it, unless another process is faster: then the other process's file stays.
  ///
  /// - Parameters:
  ///   - mode: The file's mode; nil for 0600 less the umask.
  ///   - isReplacing: Whether an existing data file is replaced.
  func createData(
    mode: UInt32?, isReplacing: Bool = false, firstCommit: (_ transaction: Transaction) throws(StoreError) -> Void
  ) throws(StoreError) {
    let temporary = Self.temporaryName()
    if let file = try descriptor.unnamed(mode: mode ?? 0o600) {
      if let mode { try file.setMode(mode) }
      try write(at: "/proc/self/fd/\(file.number)", firstCommit)
      try file.sync()
      KillPoint.pass(.beforeNaming)
      _ = try file.link(into: descriptor, as: isReplacing ? temporary : Self.dataFile)
    } else {
      // A creator that dies leaves a small file behind.
      do throws(StoreError) {
        let file = try descriptor.open(temporary, O_RDWR | O_CREAT | O_EXCL, mode: mode ?? 0o600)
        if let mode { try file.setMode(mode) }
        try write(at: "\(path)/\(temporary)", firstCommit)
        try file.sync()
        KillPoint.pass(.beforeNaming)
        if !isReplacing, unsafe lms_rename_exclusive(descriptor.number, temporary, Self.dataFile) != 0,
          lms_errno() != EEXIST
        {
          throw StoreError(returnCode: lms_errno(), "create \(path)/\(Self.dataFile)")
        }
      } catch {
        try? descriptor.remove(temporary)
        throw error
      }
      if !isReplacing { try descriptor.remove(temporary) }
    }
    if isReplacing { try replaceData(by: temporary) }
    KillPoint.pass(.afterNaming)
    try descriptor.sync()
  }

  /// Gives a file the name of the data file, which it replaces.
  func replaceData(by temporary: String) throws(StoreError) {
    guard unsafe renameat(descriptor.number, temporary, descriptor.number, Self.dataFile) != 0 else { return }
    let error = StoreError(returnCode: lms_errno(), "create \(path)/\(Self.dataFile)")
    try? descriptor.remove(temporary)
    throw error
  }

  private func write(
    at file: String, _ firstCommit: (_ transaction: Transaction) throws(StoreError) -> Void
  ) throws(StoreError) {
    var environment: OpaquePointer?
    try check(unsafe mdb_env_create(&environment), "create a store")
    defer { unsafe mdb_env_close(environment) }
    try check(unsafe mdb_env_set_maxdbs(environment, 8), "create a store")
    // No other process knows this file yet, so no lock is needed.
    try check(
      unsafe Environment.openFiles(environment, file, UInt32(MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS)), "create \(path)")
    var handle: OpaquePointer?
    try check(unsafe mdb_txn_begin(environment, nil, 0, &handle), "create \(path)")
    let transaction = unsafe Transaction(creating: handle!)
    do throws(StoreError) {
      try firstCommit(transaction)
      if let failure = transaction.failure { throw failure }
    } catch {
      transaction.finishCreating()
      unsafe mdb_txn_abort(handle)
      throw error
    }
    transaction.finishCreating()
    try check(unsafe mdb_txn_commit(handle), "create \(path)")
  }
}
