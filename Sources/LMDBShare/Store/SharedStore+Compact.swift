extension SharedStore {
  /// Replaces a store that no process has open by a compacted copy. A copy without free pages takes less space and writes faster.
  ///
  /// At every moment the store is the old or the new one, even if a process dies. There must be space for the copy. Lists of the
  /// older layout (``StructureDescription/Layout/indexed``) become ones of the newer, where there is room for them.
  ///
  /// - Throws: ``StoreError/Code/busy``, with the PID of a process that has the store open, this one included; the errors of
  ///   opening.
  /// - Complexity: O(*n*) in the size of the store.
  public static func compact(path: String) throws {
    _ = try compact(path: path, progress: nil)
  }

  /// Does the same.
  ///
  /// - Parameter progress: Called ten times a second with the number of bytes of the copy that are written.
  package static func compact(path: String, progress: (@Sendable (Int) -> Void)?) throws -> Compaction.Result {
    let result = try Compaction.run(path: path, progress: progress)
    // The pages of the older layout are free now. If they cannot be removed, the store is compacted all the same.
    guard try tidy(path), let again = try? Compaction.run(path: path, progress: progress) else { return result }
    return Compaction.Result(before: result.before, after: again.after)
  }

  /// Frees the space of locks that are gone, and converts lists of the older layout. Returns whether there were any.
  private static func tidy(_ path: String) throws -> Bool {
    // The first opening makes LMDB's lock file match.
    var options = StoreOptions()
    options.createIfMissing = false
    let store = try SharedStore(path: path, options: options)
    do throws(StoreError) {
      // While this writes, no lock is created.
      try store.inOwnWrite(until: .now + .seconds(1)) { (core) throws(StoreError) in
        let last = LockIndices.all(store.environment.catalogue, core).max() ?? 0
        if core.failure == nil { store.environment.owners?.trimNotes(from: last + 1) }
      }
    } catch {
      // The store is compacted; the space of the records is freed the next time.
      if error.code != .writerBusy { throw error }
    }
    var isConverted = false
    for list in try store.catalogue().known where list.kind == .list && list.layout == .indexed {
      // One that is damaged, or has no room, stays as it is.
      isConverted =
        (try? store.inOwnWrite(until: .now + .seconds(1)) { (core) throws(StoreError) in try store.convert(list, core) })
        != nil || isConverted
    }
    return isConverted
  }

  /// Converts a list of the older layout, which gets a new identity: handles that are open elsewhere must not take one layout for
  /// the other.
  private func convert(_ old: StructureDescription, _ core: Transaction) throws(StoreError) {
    let catalogue = environment.catalogue
    guard try Catalogue.description(of: old.name, catalogue, core) == old else { return }
    let database = try environment.number(of: old, in: core)
    var made = old
    made.layout = .slotted
    made.identity = Catalogue.newIdentity(catalogue, core)
    let list = SlottedSequence(StructureReference(made, number: database, environment), database)
    list.take(IndexedSequence(StructureReference(old, number: database, environment), database), core)
    if let failure = core.failure { throw failure }
    core.writtenChannels.formUnion(Channels.of(old.identity))
    Catalogue.set(made, for: made.name, catalogue, core)
  }

  /// Returns the disk space of free pages to the file system, while other processes read and write.
  ///
  /// The file keeps its length (``StoreStatistics/fileBytes``) and its free pages, but takes less of the disk
  /// (``StoreStatistics/allocatedBytes``). Pages that a snapshot still sees are kept, and so are those that are freed
  /// meanwhile. Pages that are reused later take new space, which makes writing to them slower. To reduce the number of free
  /// pages, use ``compact(path:)``, during which no process may have the store open.
  ///
  /// Adjacent free pages become one hole in the file. A hole takes the file system from some microseconds (tmpfs) to some
  /// milliseconds (ext4 mounted with `discard`, which informs the disk at once), so that 16,384 scattered pages took up to a
  /// minute there. Holes are made in turns of about 10 milliseconds, with 1 to 256 holes each, during which this holds the
  /// writer's lock; between two turns other processes can write, for as long as the turn took.
  ///
  /// - Parameter timeout: How long to wait for other writers at each turn; nil for no limit.
  /// - Returns: The number of bytes of the disk that were freed.
  /// - Throws: ``StoreError/Code/writerBusy``; ``StoreError/Code/system`` when the file system does not support holes in files.
  /// - Complexity: O(*n* log *n*) in the number of free pages, and a system call for each hole.
  @discardableResult
  public func trim(timeout: Duration? = nil) throws -> Int {
    let before = try environment.fileSize().allocated
    try environment.trim(waiting: timeout)
    return max(0, before - (try environment.fileSize().allocated))
  }
}
