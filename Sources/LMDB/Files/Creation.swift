internal import CLMDB
internal import CSystemShims

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

// A power cut between LMDB's creation of a file and its first commit leaves a file that never opens again. So the file
// is made without a name, its first commit is synced, and only then it gets its name: at every instant there is either
// no data file or a complete one. A creator that dies leaves nothing behind.

extension StoreDirectory {
  /// Makes `data.mdb` with `firstCommit` in it, unless somebody else is faster: then theirs stays.
  package func createData(
    mode: UInt32, firstCommit: (_ transaction: Transaction) throws(StoreError) -> Void
  ) throws(StoreError) {
    let unnamed = unsafe lms_open_unnamed(path, mode_t(mode))
    if unnamed >= 0 {
      let file = FileDescriptor(unnamed)
      try write(at: "/proc/self/fd/\(unnamed)", mode: mode, firstCommit)
      try file.sync()
      KillPoint.pass(.beforeNaming)
      if unsafe lms_link_unnamed(unnamed, descriptor.number, Self.dataFile) != 0, lms_errno() != EEXIST {
        throw StoreError(returnCode: lms_errno(), "create \(path)/\(Self.dataFile)")
      }
    } else if lms_errno() == EOPNOTSUPP {
      try createNamedData(mode: mode, firstCommit)
    } else {
      throw StoreError(returnCode: lms_errno(), "create a file in \(path)")
    }
    KillPoint.pass(.afterNaming)
    try descriptor.sync()
  }

  /// The same where the file system has no unnamed files; a creator that dies leaves a small file behind.
  private func createNamedData(
    mode: UInt32, _ firstCommit: (_ transaction: Transaction) throws(StoreError) -> Void
  ) throws(StoreError) {
    let name = "\(Self.dataFile).\(getpid()).\(UInt32.random(in: 0...UInt32.max))"
    do throws(StoreError) {
      try write(at: "\(path)/\(name)", mode: mode, firstCommit)
      try descriptor.file(name).sync()
      KillPoint.pass(.beforeNaming)
      if unsafe lms_rename_exclusive(descriptor.number, name, Self.dataFile) != 0, lms_errno() != EEXIST {
        throw StoreError(returnCode: lms_errno(), "create \(path)/\(Self.dataFile)")
      }
    } catch {
      try? descriptor.remove(name)
      throw error
    }
    try descriptor.remove(name)
  }

  private func write(
    at file: String, mode: UInt32, _ firstCommit: (_ transaction: Transaction) throws(StoreError) -> Void
  ) throws(StoreError) {
    var environment: OpaquePointer?
    try check(unsafe mdb_env_create(&environment), "create a store")
    defer { unsafe mdb_env_close(environment) }
    try check(unsafe mdb_env_set_maxdbs(environment, 8), "create a store")
    // Nobody else knows this file yet, so there is nobody to lock out.
    try check(
      unsafe mdb_env_open(environment, file, UInt32(MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS), mode_t(mode)),
      "create \(path)")
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
