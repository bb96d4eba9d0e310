internal import _LMDBShareLMDB
internal import _LMDBShareSystem

extension Environment {
  /// Copies the current state of the environment into another directory, while others read and write.
  ///
  /// - Parameters:
  ///   - isChecked: Whether the pages have just been checked; otherwise they are checked before LMDB follows them.
  ///   - verifying: Whether every page of the copy is checked before the copy gets its name.
  ///   - progress: Called ten times a second with the number of bytes that are written.
  package func backup(
    to path: String, compacting: Bool, isChecked: Bool = false, verifying: Bool = false,
    progress: (@Sendable (Int) -> Void)? = nil
  ) throws(StoreError) {
    try checkFork()
    guard !isWriting else {
      throw StoreError(
        .nestedWrite, "back up", reason: "this thread is inside a write of the same store",
        advice: "back up before or afterwards")
    }
    if !isChecked { try checkPages() }
    let target = try StoreDirectory(
      path: path, create: true, directoryMode: options.directoryMode, allowNetwork: true)
    do throws(StoreError) {
      try backup(into: target, named: path, compacting: compacting, verifying: verifying, progress)
    } catch {
      // Removes the directory only if it is empty.
      target.undoMaking()
      throw error
    }
  }

  private func backup(
    into target: StoreDirectory, named path: String, compacting: Bool, verifying: Bool,
    _ progress: (@Sendable (Int) -> Void)?
  ) throws(StoreError) {
    guard try !target.hasData() else {
      throw StoreError(
        .storeExists, "back up to \(path)", reason: "there is a store already", advice: "give a new directory")
    }
    try target.checkVacant()
    try target.syncName()
    let copy = try Copy(in: target, mode: options.fileMode)
    do throws(StoreError) {
      if compacting { try compact(into: copy, progress) } else { try copySnapshot(into: copy, progress) }
      if verifying { try copy.verify() }
      KillPoint.pass(.backupCopied)
      // Until here the copy cannot be mistaken for a backup.
      try copy.takeName()
    } catch {
      copy.discard()
      throw error
    }
  }

  private func compact(into copy: Copy, _ progress: (@Sendable (Int) -> Void)?) throws(StoreError) {
    var attempts = 0
    while true {
      do throws(StoreError) {
        try enterReaders()
        defer { readers.leave() }
        return try unsafe copy.write(handle, compacting: true, progress)
      } catch {
        attempts += 1
        // LMDB begins a read transaction of its own; if that fails, it has written nothing.
        guard let code = error.underlying, attempts < 8 else { throw error }
        if code == MDB_MAP_RESIZED { try adoptGrowth() } else if !Environment.isPassing(code) { throw error }
      }
    }
  }

  /// Copies the pages of one snapshot from the file. LMDB's own copying takes the writer's lock for the meta pages, and so waits
  /// without a limit for a writer that is stopped.
  private func copySnapshot(into copy: Copy, _ progress: (@Sendable (Int) -> Void)?) throws(StoreError) {
    for _ in 0..<1000 {
      // Keeps the pages of the snapshot from being reused meanwhile.
      let pin = try beginRead()
      defer { pin.end() }
      if let page = try directory.metaPage(of: UInt64(pin.snapshotID)) {
        return try copy.fill(from: directory, page, progress)
      }
      // Two commits were made in between; the second overwrote the meta page.
    }
    throw StoreError(
      .busy, "back up", reason: "other processes commit too fast to read the meta page",
      advice: "try again, or make a compacting backup")
  }
}
