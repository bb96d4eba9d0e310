internal import LMDBSharePages
internal import Synchronization
internal import _LMDBShareLMDB
internal import _LMDBShareSystem

// The map is address space, not memory or disk. It is made large from the beginning, so that it hardly ever has to move; where
// address space is limited (`ulimit -v`) it starts small and grows. A map can move only while this process has no transaction,
// since transactions read from it.

extension Environment {
  private static let page = 1 << 16

  /// The size of the map for a file of which `used` bytes are in use.
  static func reservation(_ options: EnvironmentOptions, used: Int) throws(StoreError) -> Int {
    let ceiling = options.sizeLimit.map { max($0 / page * page, used) } ?? .max
    // The store's own limit is the size of its map; the system's limit is only an upper bound.
    if options.maximumSize != nil, options.fileLimit == nil { return ceiling }
    let least = min(rounded(max(used, 1 << 20)), ceiling)
    var size = min(max(rounded(options.maximumSize ?? options.mapReservation), least), ceiling)
    if fits(size) { return size }
    while size > least, !fits(size) { size = max(rounded(size / 2), least) }
    // The largest map that fits would leave nothing for the rest of the program.
    return max(rounded(size / 2), least)
  }

  private static func rounded(_ size: Int) -> Int { (size + page - 1) / page * page }

  /// Whether the address space has room for two maps of `size` more bytes: LMDB's, and the readers' own.
  static func fits(_ size: Int) -> Bool {
    guard let size = Optional(size.bounded(times: 2)), size < .max else { return false }
    let trial = unsafe mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0)
    guard unsafe lms_is_mapped(trial) else { return false }
    unsafe munmap(trial, size)
    return true
  }

  package var mapSize: Int {
    var info = unsafe MDB_envinfo()
    _ = unsafe mdb_env_info(handle, &info)
    return unsafe info.me_mapsize
  }

  /// The last page in use, and whether the map is so full that it should grow before a write fails.
  func room() -> (lastPage: Int, isNearlyFull: Bool) {
    var info = unsafe MDB_envinfo()
    _ = unsafe mdb_env_info(handle, &info)
    let last = unsafe info.me_last_pgno
    let used = last.bounded(plus: 1).bounded(times: pageSize)
    return unsafe (last, info.me_mapsize < mostBytes && used > info.me_mapsize / 4 * 3)
  }

  /// The maximum size of the map.
  private var mostBytes: Int { options.sizeLimit.map { $0 / Environment.page * Environment.page } ?? .max }

  /// Doubles the map, or lets it grow by as much as the address space has room for. If a snapshot of this process is in the way,
  /// or the address space is used up, the next write tries again: a quarter of the map is still free.
  func growAhead() {
    let size = mapSize
    var growth = size
    while !Environment.fits(growth) {
      growth /= 2
      guard growth >= size / 16 else { return }
    }
    KillPoint.pass(.beforeGrowth)
    try? exclusively(.milliseconds(100), "grow the map") { () throws(StoreError) in
      try resize(to: min(Environment.rounded(size + growth), mostBytes))
    }
    KillPoint.pass(.afterGrowth)
  }

  /// Adopts the size that another process has given the file.
  ///
  /// - Parameter deadline: Until when to wait for this process's writer; nil for no limit.
  func adoptGrowth(until deadline: ContinuousClock.Instant? = nil) throws(StoreError) {
    try withWriteLock(until: deadline) { () throws(StoreError) in
      try exclusively(options.patience, "adopt a larger map") { () throws(StoreError) in
        var info = unsafe MDB_envinfo()
        _ = unsafe mdb_env_info(handle, &info)
        let last = unsafe info.me_last_pgno
        let used = last.bounded(plus: 1).bounded(times: pageSize)
        let size = unsafe info.me_mapsize
        guard used > size else { return }
        // No map can be that large, so the meta page is damaged.
        guard used <= 1 << 56 else {
          throw StoreError(
            .damaged, "adopt a larger map", reason: "the newest meta page has a last page of \(last)",
            advice: "restore a backup")
        }
        KillPoint.pass(.beforeAdoption)
        defer { KillPoint.pass(.afterAdoption) }
        // Twice what is in use if the address space has room, so that the map does not grow page by page.
        let ample = min(Environment.rounded(used * 2), max(mostBytes, Environment.rounded(used)))
        try resize(to: Environment.fits(ample - size) ? ample : Environment.rounded(used))
      }
    }
  }

  /// Moves the map; this process has no transaction.
  private func resize(to size: Int) throws(StoreError) {
    // LMDB unmaps before it maps: if that fails, only opening the environment again helps. Address space may be short, so the
    // readers' map is removed first.
    map.unmap()
    guard unsafe mdb_env_set_mapsize(handle, size) == 0, let moved = unsafe try? PageMap(handle) else {
      map = .none
      return try reopenExclusively()
    }
    map = moved
  }

  /// Checks that `bytes` more bytes can be stored: a single structure may be larger than the limit of the store, or than the
  /// disk.
  func checkRoom(for bytes: Int, structure: String) throws(StoreError) {
    if let limit = options.sizeLimit, bytes > limit {
      throw StoreError(
        .mapFull, "create", structure: structure, reason: "it takes \(bytes) bytes, and the store may take \(limit)",
        advice: "make it smaller, or open the store with a larger maximumSize")
    }
    // Pages within the file may be free.
    let size = (try? fileSize().size) ?? 0
    if let free = directory.freeBytes().map({ Int(clamping: $0) }), bytes > free.bounded(plus: size) {
      throw StoreError(
        .diskFull, "create", structure: structure,
        reason: "it takes \(bytes) bytes, and the disk has \(free) left", advice: "make it smaller, or free disk space")
    }
  }

  var pageSize: Int {
    var stat = MDB_stat()
    _ = unsafe mdb_env_stat(handle, &stat)
    return Int(stat.ms_psize)
  }

  /// Runs `body` while this process has no read transaction. The caller takes care of write transactions.
  func exclusively(
    _ patience: Duration, _ purpose: String, _ body: () throws(StoreError) -> Void
  ) throws(StoreError) {
    guard readers.close(for: patience) else {
      throw StoreError(
        .busy, purpose, reason: "a read or snapshot of this process has not ended within \(patience)",
        advice: "end snapshots and long reads of this process, then try again")
    }
    defer { if isBroken { readers.shutDown() } else { readers.open() } }
    readers.endAll()
    try body()
  }

  /// Runs `body` with the write lock of this process, which the calling thread may hold already.
  ///
  /// - Parameter deadline: Until when to wait for the lock; nil for no limit.
  func withWriteLock(
    until deadline: ContinuousClock.Instant? = nil, _ body: () throws(StoreError) -> Void
  ) throws(StoreError) {
    if isWriting { return try body() }
    try waitForWriteLock(until: deadline)
    defer { unlockForWriting() }
    try body()
  }

  /// After a fatal error LMDB refuses all further work until the environment is closed.
  func reopen() throws(StoreError) {
    try withWriteLock { () throws(StoreError) in
      try exclusively(options.patience, "open the store again") { () throws(StoreError) in try reopenExclusively() }
    }
  }

  /// Counts the calling thread among the readers without a slot. It waits for this process's writer only if LMDB's environment is
  /// missing.
  func enterReaders() throws(StoreError) {
    do throws(StoreError) {
      try readers.enter()
    } catch {
      guard error == ReaderPool.noEnvironment else { throw error }
      try reviveIfNeeded()
      try readers.enter()
    }
  }

  /// Opens LMDB's environment again if an earlier attempt has failed; throws while the cause persists.
  func reviveIfNeeded() throws(StoreError) {
    try checkFork()
    try withWriteLock { () throws(StoreError) in
      guard isBroken else { return }
      try reopenExclusively()
      readers.open()
    }
  }

  private func reopenExclusively() throws(StoreError) {
    lms_registry_lock()
    defer { lms_registry_unlock() }
    closeHandle()
    isBroken = true
    let meta = try directory.inspectData()
    let opened = unsafe try Environment.openHandle(
      directory, options, size: Environment.reservation(options, used: Int(meta.lastPage + 1) * meta.pageSize),
      until: options.openingDeadline)
    do throws(StoreError) {
      try checkFiles()
      map = unsafe try PageMap(opened)
    } catch {
      unsafe mdb_env_close(opened)
      throw error
    }
    unsafe handle = opened
    isBroken = false
  }

  /// Closes LMDB's environment, and the map of the readers; the caller ensures that no transaction uses them.
  func closeHandle() {
    guard !isBroken else { return }
    map.unmap()
    unsafe mdb_env_close(handle)
    writer?.closedAll()
  }
}
