internal import Synchronization
internal import _LMDBShareSystem

// The files of an open store may be removed or replaced. What is written to a file without a name is lost with it, and two
// processes that have different files under one name do not see each other.

extension Environment {
  /// Checks that the files at the path are still the open ones: otherwise two writers would not see each other.
  ///
  /// Nothing in the directory has changed if its change time is the same, and was not recent when the files were checked: time
  /// stamps have the resolution of a clock tick.
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

  /// Checks, directly before a commit, the files on which it depends.
  @inline(__always)
  func checkFilesAgain() throws(StoreError) {
    if lms_change_time(directory.descriptor.number) != directoryChange { try checkFiles() }
  }

  /// Checks that the file by which processes see each other is still the open one: otherwise other processes would take their
  /// leases and locks.
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
