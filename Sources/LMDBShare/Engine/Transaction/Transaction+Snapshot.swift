internal import _LMDBShareLMDB
internal import _LMDBShareSystem

extension Transaction {
  /// Takes the snapshot again until it is certainly the one of its number.
  @inline(never)
  func takeWhole(_ map: PageMap, _ id: inout Int) -> Int32 {
    switch unsafe map.wholeSnapshot(parked!) {
    case .failed(let code): return code
    case .taken(let pages, let number):
      id = number
      if id != snapshotID || epoch == 0 { note(pages, id) }
      return 0
    }
  }
}

extension PageMap {
  enum Taking {
    case taken(TreeSnapshot, id: Int)
    /// LMDB's return code; the transaction holds no snapshot.
    case failed(Int32)
  }

  /// Renews a read transaction until the copied meta page certainly belongs to the snapshot of its number.
  ///
  /// LMDB first records the number, and then copies the roots of the trees from one of two meta pages, which are written in turn.
  /// A thread that is delayed in between gets the roots of a later transaction under the number of an earlier one. While no
  /// transaction later than that number has written its meta page, the page cannot have been overwritten.
  func wholeSnapshot(_ transaction: OpaquePointer) -> Taking {
    var id = unsafe Int(mdb_txn_id(transaction))
    var seen: TreeSnapshot?
    for _ in 0..<1000 {
      let before = (id, newest)
      unsafe mdb_txn_reset(transaction)
      let code = unsafe mdb_txn_renew(transaction)
      guard code == 0 else { return .failed(code) }
      id = unsafe Int(mdb_txn_id(transaction))
      let pages = snapshot(id)
      let now = (id, newest)
      // The same result twice: a process is stopped, or died, at the end of a commit, and there was no commit since.
      if let pages, now.0 == now.1 || now == before && seen.map(pages.isSame) == true { return .taken(pages, id: id) }
      seen = pages
    }
    // Releases the reader slot, which would otherwise keep pages of a snapshot that is not used.
    unsafe mdb_txn_reset(transaction)
    return .failed(EAGAIN)
  }
}
