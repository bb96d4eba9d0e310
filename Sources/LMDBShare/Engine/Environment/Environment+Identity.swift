internal import Synchronization
internal import _LMDBShareSystem

// Somebody may remove or replace a store's files while it is open. What was written to a file without a name is lost with it,
// and two processes that have different files under one name do not know of each other.

extension Environment {
  /// That the files at the path are still those which are open: else two writers would not know of each other.
  ///
  /// Nothing in the directory has changed while its change time is the same, and was a while ago when the files were
  /// looked at: a time stamp has the width of a clock tick.
  func checkIdentity() throws(StoreError) {
    let changed = lms_change_time(directory.descriptor.number)
    if changed == directoryChange { return }
    signals.refresh()
    try checkFiles()
    try checkOwners()
    hasSeenMark = try directory.descriptor.status(of: StoreDirectory.unsyncedFile) != nil
    if changed > 0, lms_time_of_day() - changed > 1_000_000_000 { directoryChange = changed }
  }

  func checkFiles() throws(StoreError) {
    guard try directory.descriptor.status(of: StoreDirectory.dataFile)?.identity == dataIdentity,
      try directory.descriptor.status(of: StoreDirectory.lockFile)?.identity == lockIdentity
    else {
      throw StoreError(
        .replaced, "write", reason: "data.mdb or lock.mdb was removed or replaced while the store is open",
        advice: "close the store in every process and open it again")
    }
  }

  /// The same directly before a commit, of the files on which it depends.
  @inline(__always)
  func checkFilesAgain() throws(StoreError) {
    if lms_change_time(directory.descriptor.number) != directoryChange { try checkFiles() }
  }

  /// That the file by which processes see each other live is still the one that is open: else their leases and locks would
  /// be given to others.
  func checkOwners() throws(StoreError) {
    let changed = lms_change_time(directory.descriptor.number)
    guard let owners, changed != ownersChange.load(ordering: .relaxed) else { return }
    guard try directory.descriptor.status(of: StoreDirectory.ownersFile)?.identity == owners.identity else {
      throw StoreError(
        .replaced, "write", reason: "the file 'owners' was removed or replaced while the store is open",
        advice: "close the store in every process and open it again")
    }
    if changed > 0, lms_time_of_day() - changed > 1_000_000_000 { ownersChange.store(changed, ordering: .relaxed) }
  }
}
