extension SharedStore {
  /// Puts a compacted copy in the place of a store that no process has open: without free pages, so that it takes less room
  /// and writes faster.
  ///
  /// At every moment the store is the old or the new one, whatever dies. It needs room for the copy.
  ///
  /// - Throws: ``StoreError/Code/busy``, with the number of a process that has it open, this one included; what opening
  ///   throws.
  /// - Complexity: O(*n*) in what is stored.
  public static func compact(path: String) throws(StoreError) {
    _ = try Compaction.run(path: path)
    // Whoever opens it first makes LMDB's lock file fit.
    var options = StoreOptions()
    options.createIfMissing = false
    let store = try SharedStore(path: path, options: options)
    do throws(StoreError) {
      // As long as this writes, no lock is made.
      try store.inOwnWrite(until: .now + .seconds(1)) { (core) throws(StoreError) in
        let last = LockIndices.all(store.environment.catalogue, core).max() ?? 0
        if core.failure == nil { store.environment.owners?.trimNotes(from: last + 1) }
      }
    } catch  where error.code == .writerBusy {
      // It is compacted; the notes' room is given back the next time.
    }
  }

  /// Gives the disk space of free pages back to the file system, while others read and write.
  ///
  /// The file keeps its length (``StoreStatistics/fileBytes``) and its free pages, but takes less of the disk
  /// (``StoreStatistics/allocatedBytes``). Pages that a snapshot still sees are left alone, and so are those that are freed
  /// meanwhile. Pages that are used again later take new space, which makes writing to them slower. A store that has few
  /// free pages again needs ``compact(path:)``, which no process may have open.
  ///
  /// Free pages beside each other become one hole in the file. A hole takes the file system from some microseconds (tmpfs)
  /// to some milliseconds (a disk that is told of it at once: ext4 mounted with `discard`), so that 16,384 pages that lie
  /// apart took up to a minute there. They are made in turns of about 10 milliseconds, one hole at least and 256 at most,
  /// for each of which this takes the writer's lock; between two turns others write, for as long as the turn took.
  ///
  /// - Parameter timeout: How long to wait for other writers at each turn; nil for as long as it takes.
  /// - Returns: How many bytes of the disk were given back.
  /// - Throws: ``StoreError/Code/writerBusy``; ``StoreError/Code/system`` where the file system has no holes in files.
  /// - Complexity: O(*n* log *n*) in the number of free pages, and a call of the system for each hole.
  @available(*, noasync, message: "it waits for the writer's lock")
  @discardableResult
  public func trim(timeout: Duration? = nil) throws(StoreError) -> Int {
    let before = try environment.fileSize().allocated
    try environment.trim(waiting: timeout)
    return max(0, before - (try environment.fileSize().allocated))
  }
}
