internal import _LMDBShareLMDB

// A write transaction can consist of parts, each of which can be undone by itself: LMDB's child transactions. The first part is
// the transaction itself, since nothing would be left if it were undone.

extension Environment {
  /// A part of a write transaction, with the state before it.
  @safe struct Part {
    fileprivate let parent: OpaquePointer
    fileprivate let writtenChannels: Channels
    fileprivate let changedRecords: Bool
    fileprivate let changes: UInt64
    fileprivate let opened: Int
  }

  /// Begins another part. The previous one has ended, by `endPart` or `commitPart`.
  func beginPart(_ transaction: Transaction) throws(StoreError) -> Part {
    var child: OpaquePointer?
    try check(unsafe mdb_txn_begin(handle, transaction.handle, 0, &child), "begin to write")
    let part = unsafe Part(
      parent: transaction.handle!, writtenChannels: transaction.writtenChannels,
      changedRecords: transaction.changedRecords, changes: transaction.changes,
      opened: transaction.openedCount)
    unsafe transaction.enter(part: child!)
    KillPoint.pass(.partBegun)
    return part
  }

  /// Ends the first part; throws the error of an operation that could not throw it.
  func endPart(_ transaction: Transaction) throws(StoreError) {
    transaction.flushStates()
    if let failure = transaction.failure { throw failure }
  }

  /// Adds the part to the transaction; if it throws, the part is undone.
  func commitPart(_ part: Part, _ transaction: Transaction) throws(StoreError) {
    do throws(StoreError) {
      try endPart(transaction)
    } catch {
      abortPart(part, transaction)
      throw error
    }
    let child = unsafe transaction.handle
    unsafe transaction.leavePart(to: part.parent)
    let code = unsafe mdb_txn_commit(child)
    KillPoint.pass(.partEnded)
    guard code == 0 else {
      forget(part, transaction)
      throw StoreError(returnCode: code, "write")
    }
  }

  /// Undoes only this part.
  func abortPart(_ part: Part, _ transaction: Transaction) {
    let child = unsafe transaction.handle
    unsafe transaction.leavePart(to: part.parent)
    unsafe mdb_txn_abort(child)
    forget(part, transaction)
  }

  private func forget(_ part: Part, _ transaction: Transaction) {
    transaction.forgetPart(
      writtenChannels: part.writtenChannels, changedRecords: part.changedRecords,
      changes: part.changes, opened: part.opened)
  }
}
