internal import _LMDBShareLMDB
internal import _LMDBShareSystem

extension Environment {
  /// The error for a failed commit. Pages are written and synced first, then the meta page. If that last step fails, LMDB
  /// declares the environment broken, and it is not known whether the commit is on disk. If an earlier step fails, nothing is
  /// committed.
  func commitError(_ code: Int32) -> StoreError {
    let error = StoreError(returnCode: code, "commit")
    var probe: OpaquePointer?
    let isBroken = unsafe mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &probe) == MDB_PANIC
    if let probe = unsafe probe, !isBroken { unsafe mdb_txn_abort(probe) }
    if isBroken {
      return StoreError(
        .outcomeUnknown, "commit", reason: "the disk reported an error while the transaction was written",
        advice: "check the disk, read to see whether the transaction is there, then try again", underlying: code)
    }
    // LMDB returns EIO for a short write, which also happens when the disk is full.
    guard error.code == .inputOutput else { return error }
    if let free = directory.freeBytes(), free < 1 << 20 { return StoreError(returnCode: ENOSPC, "commit") }
    return error
  }
}
