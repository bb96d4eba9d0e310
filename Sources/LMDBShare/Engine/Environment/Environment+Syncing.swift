internal import Synchronization
internal import _LMDBShareLMDB
internal import _LMDBShareSystem

extension Environment {
  /// Forces what was committed to the disk.
  func sync() throws(StoreError) {
    try checkFork()
    guard !options.isReadOnly else { return }
    try enterReaders()
    defer { readers.leave() }
    try check(syncNow(), "sync")
  }

  private func syncNow() -> Int32 {
    let code = unsafe mdb_env_sync(handle, 1)
    if code != 0 { hasFailedToSync.store(true, ordering: .relaxed) }
    return code
  }

  /// Before the first commit that is not synced: the mark is on the disk before it. The caller has LMDB's lock.
  func noteUnsynced() throws(StoreError) {
    do throws(StoreError) {
      try directory.noteUnsynced()
    } catch {
      // The store may have been removed since the write began.
      try checkFiles()
      throw error
    }
    // Whoever settles sees by the owner's lock that this process may write; one without is not seen, and looks each time.
    isUnsyncedNoted = owners != nil
  }

  /// Syncs what was not, and takes the mark away, when no other process is there that may write so.
  func settle() {
    guard isOfThisProcess, !options.isReadOnly, !isWriting, let owners, !owners.hasOthers,
      (try? directory.descriptor.status(of: StoreDirectory.unsyncedFile)) ?? nil != nil,
      let transaction = try? beginWrite(until: .now + .seconds(1), isSettling: true)
    else { return }
    defer { abort(transaction) }
    takeMarkAway()
  }

  /// The same within a write of this process: a mark that somebody left who was killed.
  func settleInWrite() {
    guard let owners, !owners.hasOthers else { return }
    guard (try? directory.descriptor.status(of: StoreDirectory.unsyncedFile)) ?? nil != nil else {
      return hasSeenMark = false
    }
    takeMarkAway()
  }

  /// The caller has LMDB's lock. Whoever opens from now on notes it anew: it has to wait for the lock first.
  private func takeMarkAway() {
    guard let owners, !owners.hasOthers, !hasFailedToSync.load(ordering: .relaxed), syncNow() == 0 else { return }
    try? directory.noteSynced()
    isUnsyncedNoted = options.durability != .processCrashOnly
    hasSeenMark = false
  }

  /// At the end of the process, since what a program keeps in global variables is never closed.
  static func settleAtExit() {
    guard lms_registry_try_lock() else { return }
    defer { lms_registry_unlock() }
    for environment in unsafe registry {
      let path = environment.directory.path
      guard StoreDirectory.isAnonymous(path) else {
        environment.settle()
        continue
      }
      if environment.isOfThisProcess, environment.owners?.hasOthers == false { try? StoreDirectory.remove(path) }
    }
  }
}
