internal import _LMDBShareLMDB
internal import _LMDBShareSystem

// LMDB locks the first byte of `lock.mdb`: exclusively while it creates the file, and shared while the environment is open.
// `mdb_env_open` waits for that lock without a limit, so the lock is checked first.

extension Environment {
  /// Waits until no other process holds the lock file exclusively, as a process does that compacts the store.
  ///
  /// The caller holds the registry's lock, and this process has no file of the directory open: closing the descriptor used here
  /// would drop LMDB's own locks.
  ///
  /// - Parameter deadline: Nil for no limit.
  /// - Throws: `.busy`, with the process that holds it.
  static func waitForLockFile(
    _ directory: StoreDirectory, until deadline: ContinuousClock.Instant?
  ) throws(StoreError) {
    guard let deadline, let file = try? directory.descriptor.file(StoreDirectory.lockFile) else { return }
    var pause: UInt32 = 100
    while true {
      let holder = lms_lock_holder(file.number)
      if holder == 0 { return }
      guard deadline > .now else {
        throw StoreError(
          .busy, "open \(directory.path)",
          reason:
            "\(holder > 0 ? "process \(holder)" : "another process") has exclusive access to the store: it opens or compacts it",
          advice: "try again, allow more time, or find out why that process takes so long",
          processID: holder > 0 ? Int(holder) : nil)
      }
      usleep(pause)
      pause = min(2 * pause, 20_000)
    }
  }
}

extension StoreDirectory {
  /// The problem when LMDB refuses the files though the data file is sound: then it is the lock file.
  func lockFileProblem(_ code: Int32) throws(StoreError) -> StoreError {
    // If it is the data file after all, that error is thrown.
    _ = try inspectData()
    if code == MDB_VERSION_MISMATCH {
      return StoreError(
        .foreignFormat, "open \(path)/\(Self.lockFile)",
        reason: "a program that has the store open uses another version or build of LMDB, whose lock.mdb differs",
        advice: "use one version of LMDB in all processes (py-lmdb: install it with LMDB_FORCE_SYSTEM=1)",
        underlying: code)
    }
    return StoreError(
      .damaged, "open \(path)/\(Self.lockFile)",
      reason: "lock.mdb was overwritten while a process has the store open; data.mdb is not affected",
      advice: "end all processes that use the store; then remove lock.mdb, which the next opening creates again",
      underlying: code)
  }
}
