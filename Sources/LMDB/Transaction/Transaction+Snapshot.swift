internal import CLMDB

extension Transaction {
  /// The number of the newest transaction whose meta page is written.
  @inline(__always)
  static func newest(_ environment: OpaquePointer) -> Int {
    var info = unsafe MDB_envinfo()
    _ = unsafe mdb_env_info(environment, &info)
    return unsafe info.me_last_txnid
  }

  /// Takes the snapshot again until it is surely that of its number.
  ///
  /// LMDB takes down the number first and copies the roots of the trees from one of two meta pages then, which are written in
  /// turn. A thread that is held up in between gets the roots of a later transaction under the number of an earlier one. As
  /// long as no later transaction than that number has written its meta page, the page cannot have been written again.
  @inline(never)
  func takeWhole(_ environment: OpaquePointer, _ id: inout Int) -> Int32 {
    for _ in 0..<1000 {
      let before = unsafe (id, Self.newest(environment))
      unsafe mdb_txn_reset(parked)
      let code = unsafe mdb_txn_renew(parked)
      guard code == 0 else { return code }
      id = unsafe Int(mdb_txn_id(parked))
      let now = unsafe (id, Self.newest(environment))
      // The same twice: somebody stands still, or died, at the end of a commit, and nobody has written since.
      if now.0 == now.1 || now == before { break }
    }
    return 0
  }
}
