internal import Synchronization
internal import _LMDBShareLMDB
internal import _LMDBShareSystem

extension Environment {
  /// Forces all commits to the disk.
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

  /// Called before the first commit that is not synced: the mark is on the disk before that commit. The caller holds LMDB's lock.
  func noteUnsynced() throws(StoreError) {
    do throws(StoreError) {
      try directory.noteUnsynced()
    } catch {
      // The store may have been removed since the write began.
      try checkFiles()
      throw error
    }
    // A process that settles sees by the owner's lock that this process may write. A process without such a lock is not seen, and
    // checks each time.
    isUnsyncedNoted = owners != nil
  }

  /// Syncs unsynced commits, and removes the mark if no other process may make such commits.
  func settle() {
    guard isOfThisProcess, !options.isReadOnly, !isWriting, let owners, !owners.hasOthers,
      (try? directory.descriptor.status(of: StoreDirectory.unsyncedFile)) ?? nil != nil,
      let transaction = try? beginWrite(until: .now + .seconds(1), isSettling: true)
    else { return }
    defer { abort(transaction) }
    takeMarkAway()
  }

  /// Does the same within a write of this process, for a mark that was left by a process that was killed.
  func settleInWrite() {
    guard let owners, !owners.hasOthers else { return }
    guard (try? directory.descriptor.status(of: StoreDirectory.unsyncedFile)) ?? nil != nil else {
      return hasSeenMark = false
    }
    takeMarkAway()
  }

  /// The caller holds LMDB's lock. A process that opens the store from now on sets the mark again: it has to wait for the lock
  /// first.
  private func takeMarkAway() {
    guard let owners, !owners.hasOthers, !hasFailedToSync.load(ordering: .relaxed), syncNow() == 0 else { return }
    try? directory.noteSynced()
    isUnsyncedNoted = options.durability != .processCrashOnly
    hasSeenMark = false
  }

  /// Called at the end of the process, since stores in global variables are never closed.
  static func settleAtExit() {
    if settleAll() { StoreDirectory.leaveAnonymous() }
  }

  /// Settles the open stores that have a name. Returns whether there are others.
  private static func settleAll() -> Bool {
    guard lms_registry_try_lock() else { return false }
    defer { lms_registry_unlock() }
    var hasAnonymous = false
    for environment in unsafe registry {
      if StoreDirectory.isAnonymous(environment.directory.path) { hasAnonymous = true } else { environment.settle() }
    }
    return hasAnonymous
  }
}
