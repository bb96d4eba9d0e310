/// The space that a store takes, and its readers.
public struct StoreStatistics: Sendable {
  /// The pages of one structure's tree.
  public struct Structure: Sendable {
    /// The structure's description.
    public let description: StructureDescription
    /// The number of pages from the root to an entry, both included.
    public let depth: Int
    /// The number of branch pages.
    public let branchPages: Int
    /// The number of leaf pages.
    public let leafPages: Int
    /// The number of overflow pages, which hold long values.
    public let overflowPages: Int
    /// The number of keys in the tree; for packed lists and arrays these are blocks.
    public let entries: Int
  }

  /// A reader slot of a process.
  public struct Reader: Sendable {
    /// The PID of the process.
    public let processID: Int
    /// The thread that created the slot, in LMDB's notation.
    public let thread: String
    /// The snapshot that is being read, or nil when the slot is idle.
    public let snapshotID: Int?
    /// The number of transactions that were committed since that snapshot.
    public let lag: Int?
    /// The time since the snapshot was superseded; nil when it is current, idle, or so old that the time is unknown.
    public let age: Duration?
  }

  /// The bytes of the pages in use.
  public let usedBytes: Int
  /// The length of the data file in bytes.
  public let fileBytes: Int
  /// The bytes that the data file takes on disk.
  public let allocatedBytes: Int
  /// The address space that is reserved for the map, in bytes.
  public let reservedBytes: Int
  /// The bytes of a page.
  public let pageSize: Int
  /// The number of pages in the file, including free ones.
  public let pages: Int
  /// The number of pages that later transactions will reuse. Many free pages slow down writing; a compacting backup has none.
  public let freePages: Int
  /// The number of the last transaction.
  public let lastTransaction: Int
  /// The maximum number of simultaneous readers.
  public let maximumReaders: Int
  /// The structures, by name.
  public let structures: [Structure]
  /// The reader slots, including idle ones.
  public let readers: [Reader]
}

extension SharedStore {
  /// Returns the space that the store takes, and its readers.
  ///
  /// - Complexity: O(*structures* + *free list*).
  public func statistics() throws -> StoreStatistics {
    return try environment.statistics { (core) throws(StoreError) in
      var found: [StoreStatistics.Structure] = []
      for description in try Catalogue.all(environment.catalogue, core).known {
        guard let tree = core.tree(named: description.database) else { continue }
        found.append(
          .init(
            description: description, depth: tree.depth, branchPages: tree.branchPages, leafPages: tree.leafPages,
            overflowPages: tree.overflowPages, entries: description.kind.liesAmongValues ? 1 : tree.entries))
      }
      return found
    }
  }

  /// Copies a snapshot of the store into another directory, while other processes read and write.
  ///
  /// The copy gets its name when it is complete and on disk, so a store at `path` is always a complete backup.
  ///
  /// - Parameters:
  ///   - path: A new or empty directory.
  ///   - compacting: Whether to leave out free pages; takes longer, and makes a store that writes faster.
  public func backup(to path: String, compacting: Bool = false) throws {
    try environment.backup(to: path, compacting: compacting)
  }

  /// Clears the stale readers: the reader slots of processes that have died. The store also does this automatically from time to
  /// time.
  ///
  /// - Returns: The number of cleared slots.
  @discardableResult
  public func clearStaleReaders() throws -> Int { try environment.clearStaleReaders() }
}

extension Environment {
  /// The space that the environment takes, and its readers.
  ///
  /// - Parameter structures: Returns the statistics of its structures in the same snapshot.
  package func statistics(
    structures: (Transaction) throws(StoreError) -> [StoreStatistics.Structure] = { _ in [] }
  ) throws(StoreError) -> StoreStatistics {
    let core = try beginRead()
    defer { core.end() }
    let found = try structures(core)
    let free = core.freePages()
    if let failure = core.failure { throw failure }
    let last = lastTransaction
    let readers = try readerSlots().map { slot in
      let lag = slot.snapshotID.map { max(0, max(0, last) - max(0, $0)) }
      let age = lag.flatMap { $0 > 0 ? self.age(of: (slot.snapshotID ?? 0).bounded(plus: 1)) : nil }
      return StoreStatistics.Reader(
        processID: slot.pid, thread: slot.thread, snapshotID: slot.snapshotID, lag: lag, age: age)
    }
    let pages = max(0, lastPage.bounded(plus: 1))
    let file = try fileSize()
    return StoreStatistics(
      usedBytes: max(0, pages - max(0, free)).bounded(times: pageBytes), fileBytes: file.size,
      allocatedBytes: file.allocated,
      reservedBytes: mapSize, pageSize: pageBytes, pages: pages, freePages: free,
      lastTransaction: last, maximumReaders: readerCapacity, structures: found, readers: readers)
  }
}
