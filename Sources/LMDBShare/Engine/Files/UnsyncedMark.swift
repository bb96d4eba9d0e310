internal import _LMDBShareSystem

// Commits that do not wait for the disk may be there in part, and in any order, after a power cut: pages can be sound one by one
// and still belong to different commits, which nothing in the file shows. So the first such commit creates a file `unsynced`
// beside the data, which names the boot. It is removed when everything has been synced and no process is left to write. A store
// with a mark of another boot may hold anything.

extension StoreDirectory {
  package static let unsyncedFile = "unsynced"

  /// The boot in which commits were made that may not be on the disk; nil when all are.
  private func unsyncedBoot() throws(StoreError) -> String? {
    guard let status = try descriptor.status(of: Self.unsyncedFile) else { return nil }
    guard status.isRegular else { return "" }
    do throws(StoreError) {
      let bytes = try descriptor.file(Self.unsyncedFile).read(at: 0, count: 64)
      // Its writer did not complete it, and so made no commit.
      guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return bytes.count == 64 ? "" : nil }
      return String(decoding: bytes[..<end], as: UTF8.self)
    } catch  where error.underlying == ENOENT {
      return nil
    }
  }

  /// Whether the machine went down with commits that may not have been on the disk.
  func isSuspect() throws(StoreError) -> Bool {
    guard let boot = try unsyncedBoot() else { return false }
    return try boot != Boot.current()
  }

  /// Records that commits from now on are not synced. The mark is on the disk before the first of them is made.
  func noteUnsynced() throws(StoreError) {
    let boot = try Boot.current()
    let isThere = try unsyncedBoot() == boot
    let file = try sideFile(Self.unsyncedFile)
    if !isThere {
      // Truncated first: without its end it names no boot.
      try checkErrno(ftruncate(file.number, 0), "write \(path)/\(Self.unsyncedFile)")
      let bytes = Array("\(boot)\n".utf8)
      let written = try checkErrno(
        Int32(truncatingIfNeeded: unsafe pwrite(file.number, bytes, bytes.count, 0)),
        "write \(path)/\(Self.unsyncedFile)")
      guard written == bytes.count else { throw StoreError(returnCode: ENOSPC, "write \(path)/\(Self.unsyncedFile)") }
    }
    // Syncs a mark of another process as well, which may have died before its sync.
    try file.sync()
    try descriptor.sync()
  }

  /// Records that everything is on the disk.
  func noteSynced() throws(StoreError) {
    guard try descriptor.status(of: Self.unsyncedFile) != nil else { return }
    try descriptor.remove(Self.unsyncedFile)
    try descriptor.sync()
  }

  /// Replaces a suspect store by a new one with `firstCommit` in it.
  func discardSuspect(
    mode: UInt32?, firstCommit: (_ transaction: Transaction) throws(StoreError) -> Void
  ) throws(StoreError) {
    try ifStillSuspect { () throws(StoreError) in
      var mode = mode
      if mode == nil { mode = try descriptor.status(of: Self.dataFile)?.mode }
      try createData(mode: mode, isReplacing: true, firstCommit: firstCommit)
      // The lock file, too: it holds the numbers of the old store's transactions.
      try descriptor.remove(Self.lockFile)
      try descriptor.sync()
    }
  }

  /// Accepts a suspect store that has been checked.
  func trustSuspect() throws(StoreError) { try ifStillSuspect { () throws(StoreError) in } }

  /// Handles a suspect store, which is no longer suspect afterwards: of several processes that want to, only one does.
  private func ifStillSuspect(_ body: () throws(StoreError) -> Void) throws(StoreError) {
    let turn = try sideFile(Self.ownersFile)
    let start = ContinuousClock.now
    // Where the system has no such locks, there is nothing to wait for.
    while lms_own_byte(turn.number, Owners.discardLock) != 0, lms_errno() == EAGAIN {
      guard start.duration(to: .now) < .seconds(10) else {
        throw StoreError(
          .busy, "open \(path)", reason: "another process is dealing with the store's unsynced commits",
          advice: "try again")
      }
      usleep(1000)
    }
    guard try isSuspect() else { return }
    try body()
    // Last, since without the mark the rest counts as sound.
    try noteSynced()
  }

  /// The error for a suspect store.
  var suspect: StoreError {
    StoreError(
      .unsynced, "open \(path)",
      reason: "the machine went down with commits that were not synced (durability .processCrashOnly), so that what "
        + "the store holds may be wrong",
      advice: "if the machine was shut down in an orderly way, open it once with unsyncedAfterReboot = .check; "
        + "else remove the store, or open it with .discard")
  }
}
