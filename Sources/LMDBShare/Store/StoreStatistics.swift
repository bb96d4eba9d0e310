/// What a store takes, and who reads it.
public struct StoreStatistics: Sendable {
  /// The pages of one structure's tree.
  public struct Structure: Sendable {
    /// What it is.
    public let description: StructureDescription
    /// How many pages lie between the root and an entry, both included.
    public let depth: Int
    /// Pages that lead to others.
    public let branchPages: Int
    /// Pages with entries.
    public let leafPages: Int
    /// Pages of long values.
    public let overflowPages: Int
    /// Keys in the tree; of packed lists and arrays these are blocks.
    public let entries: Int
  }

  /// A process that has the store open for reading.
  public struct Reader: Sendable {
    /// The process.
    public let processID: Int
    /// The thread that made the slot, as LMDB names it.
    public let thread: String
    /// The snapshot that is being read, or nil when the slot is idle.
    public let snapshotID: Int?
    /// How many transactions were committed since that snapshot.
    public let lag: Int?
    /// How long the snapshot has been out of date; nil when it is current, idle, or too old for the time to be known.
    public let age: Duration?
  }

  /// Bytes in use: pages that hold something.
  public let usedBytes: Int
  /// Bytes of the data file.
  public let fileBytes: Int
  /// Bytes that the data file takes on disk.
  public let allocatedBytes: Int
  /// Address space reserved for the map.
  public let reservedBytes: Int
  /// Bytes of a page.
  public let pageSize: Int
  /// Pages in the file, free ones included.
  public let pages: Int
  /// Pages that later transactions will use again. Many of them slow down writing: a compacting backup has none.
  public let freePages: Int
  /// The number of the last transaction.
  public let lastTransaction: Int
  /// How many readers there can be at once.
  public let maximumReaders: Int
  /// The structures, by name.
  public let structures: [Structure]
  /// The readers, idle ones included.
  public let readers: [Reader]
}

extension SharedStore {
  /// What the store takes, and who reads it.
  ///
  /// - Complexity: O(*structures* + *free list*).
  public func statistics() throws(StoreError) -> StoreStatistics {
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

  /// Copies the store as it is now into another directory, while others go on to read and write.
  ///
  /// The copy gets its name when it is complete and on disk, so whatever is at `path` is a whole backup.
  ///
  /// - Parameters:
  ///   - path: A new or empty directory.
  ///   - compacting: Leaves out free pages; takes longer, and gives a store that writes faster.
  public func backup(to path: String, compacting: Bool = false) throws(StoreError) {
    try environment.backup(to: path, compacting: compacting)
  }

  /// Frees the reader slots of processes that died while they read. The store does so by itself from time to time.
  ///
  /// - Returns: How many there were.
  @discardableResult
  public func clearStaleReaders() throws(StoreError) -> Int { try environment.clearStaleReaders() }
}

extension Environment {
  /// What the environment takes, and who reads it.
  ///
  /// - Parameter structures: What to tell of its structures, as the same snapshot has them.
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
