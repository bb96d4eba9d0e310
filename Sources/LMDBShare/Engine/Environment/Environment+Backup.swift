internal import _LMDBShareLMDB
internal import _LMDBShareSystem

extension Environment {
  /// Copies the environment, as of now, into another directory, while others read and write.
  ///
  /// - Parameters:
  ///   - isChecked: Whether the pages were checked a moment ago; else they are, before LMDB follows them.
  ///   - verifying: Whether every page of the copy is checked before it gets its name.
  ///   - progress: Gets, ten times a second, how many bytes are written.
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
      // Only a directory that is empty goes.
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
      // Until here nobody takes it for a backup.
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
        // LMDB begins a read transaction of its own, and has written nothing when it cannot.
        guard let code = error.underlying, attempts < 8 else { throw error }
        if code == MDB_MAP_RESIZED { try adoptGrowth() } else if !Environment.isPassing(code) { throw error }
      }
    }
  }

  /// Copies the pages of one snapshot from the file. LMDB's own copying takes the writer's lock for the meta pages, and so
  /// waits for ever behind a writer that stands still.
  private func copySnapshot(into copy: Copy, _ progress: (@Sendable (Int) -> Void)?) throws(StoreError) {
    for _ in 0..<1000 {
      // Keeps the pages of the snapshot from being used again meanwhile.
      let pin = try beginRead()
      defer { pin.end() }
      if let page = try directory.metaPage(of: UInt64(pin.snapshotID)) {
        return try copy.fill(from: directory, page, progress)
      }
      // Two commits came in between, the second of which wrote over it.
    }
    throw StoreError(
      .busy, "back up", reason: "other processes commit too fast for a look at the meta page",
      advice: "try again, or make a compacting backup")
  }
}
