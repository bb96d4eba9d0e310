internal import Synchronization
internal import _LMDBShareLMDB
internal import _LMDBShareSystem

/// One open LMDB environment of this process.
///
/// There is one per data file and process, whatever path leads to it (`Environment.open` ensures that): a process loses LMDB's
/// locks when *any* descriptor of the file is closed.
///
/// `@unchecked Sendable`: `handle` and its map change only in `exclusively`, when this process has no transaction; everything
/// else is immutable, atomic, or used only by the thread that holds `writeLock`.
@safe @usableFromInline
package final class Environment: @unchecked Sendable {
  package let directory: StoreDirectory
  let options: EnvironmentOptions
  let signals: SignalFile
  let ownersFile: OwnersFile
  /// Guarded by `writeLock`.
  private var gate: WriterGate?
  private var gateTried = ContinuousClock.now
  /// Measures leases, delays and ages.
  package let clock = StoreClock()
  /// Tasks that wait for commits.
  let waiters = Waiters()
  let dataIdentity: FileIdentity
  /// Nil where LMDB reads without a lock file.
  let lockIdentity: FileIdentity?
  let forkCount: UInt32
  var handle: OpaquePointer
  /// The map that readers use. It changes with LMDB's map.
  var map: PageMap
  /// Whether LMDB's environment was closed and could not be opened again: `handle` is invalid then, and the readers' pool is
  /// closed. Guarded by `writeLock`.
  var isBroken = false
  /// The number of `open` calls without a matching `close`; guarded by the registry's lock.
  var references = 1

  let readers: ReaderPool
  /// Held by the thread that writes, or that lets LMDB open a database: LMDB does not allow both at the same time in a process.
  private let writeLock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  /// The thread that holds `writeLock`, or 0.
  private let writerThread = Atomic<UInt64>(0)
  /// The writer's transaction, which is reused.
  private(set) var writer: Transaction?
  /// The number of this process's commits between checks for stale readers: a check takes some microseconds.
  private static let readerCheckInterval = 32
  private var commitsSinceReaderCheck = 0
  /// Whether the mark for unsynced commits exists, or is not needed; guarded by `writeLock`.
  var isUnsyncedNoted: Bool
  /// Whether a mark for unsynced commits was seen, which this process removes when no other process has the store open.
  var hasSeenMark = false
  /// Whether a sync failed: the system then discards what it could not write, and another sync proves nothing.
  let hasFailedToSync = Atomic<Bool>(false)
  /// The directory's change time when the files were last checked.
  var directoryChange: Int64 = -2
  /// The same for the owners file.
  let ownersChange = Atomic<Int64>(-2)
  private var lastPageAtReaderCheck = 0
  /// Guarded by `writeLock`.
  var growth = GrowthLog()
  /// The numbers of named databases.
  let numbers = Guarded(DatabaseNumbers())
  /// Bytes that the running write has locked, to be released after its end; guarded by `writeLock`.
  var freedAfterWrite: [BytePlace] = []
  /// For the floor above: what it remembers of the environment.
  let session = Guarded<(any Sendable)?>(nil)

  init(
    directory: StoreDirectory, options: EnvironmentOptions, handle: OpaquePointer, map: PageMap, owners: OwnersFile,
    data: FileIdentity, lock: FileIdentity?
  ) {
    self.directory = directory
    self.options = options
    unsafe self.handle = handle
    self.map = map
    dataIdentity = data
    lockIdentity = lock
    forkCount = lms_fork_count()
    isUnsyncedNoted = options.durability != .processCrashOnly
    readers = ReaderPool(capacity: options.maximumReaders)
    signals = SignalFile(directory: directory, isReadOnly: options.isReadOnly)
    ownersFile = owners
    gate = WriterGate(signals, ownersFile.owners)
    unsafe writeLock.initialize(to: pthread_mutex_t())
    unsafe pthread_mutex_init(writeLock, nil)
  }

  deinit {
    // After fork the lock may be held forever by a thread that the child does not have; only its memory is freed.
    unsafe writeLock.deallocate()
    writer?.destroy()
  }

  /// False in a child process that was forked since.
  @inline(__always)
  var isOfThisProcess: Bool { lms_fork_count() == forkCount }

  /// Stops a child process that uses what its parent opened.
  @inline(__always)
  func checkFork() throws(StoreError) {
    guard isOfThisProcess else {
      throw StoreError(
        .usedAfterFork, "use \(directory.path)", reason: "the store was opened before fork, in the parent process",
        advice: "open it again in the child")
    }
  }

  // MARK: Reading

  /// Begins a read transaction: one snapshot, taken from the pool and given back by `end`.
  @usableFromInline package func beginRead() throws(StoreError) -> Transaction {
    try checkFork()
    let slot: Int
    do throws(StoreError) {
      slot = try readers.acquire()
    } catch {
      slot = try acquire(after: error)
    }
    let transaction = readers.transaction(slot, of: self)
    let code = unsafe transaction.renew(handle, map)
    if code == 0 {
      KillPoint.pass(.readBegun)
      return transaction
    }
    readers.release(slot)
    return try recoverRead(code)
  }

  /// Takes a slot after opening LMDB's environment again, if it was missing.
  @inline(never)
  private func acquire(after error: StoreError) throws(StoreError) -> Int {
    guard error == ReaderPool.noEnvironment else { throw error }
    try reviveIfNeeded()
    return try readers.acquire()
  }

  /// Begins a read transaction without the pool.
  ///
  /// - Parameter isAlone: Whether no other thread has the handle yet, so that its map may be moved.
  static func beginReading(
    _ handle: OpaquePointer, _ purpose: String, isAlone: Bool = false
  ) throws(StoreError) -> OpaquePointer {
    var attempts = 0
    while true {
      var begun: OpaquePointer?
      let code = unsafe mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &begun)
      if code == 0 { return unsafe begun! }
      attempts += 1
      switch code {
      case MDB_READERS_FULL where attempts < 4:
        var dead: Int32 = 0
        try check(unsafe mdb_reader_check(handle, &dead), "check for dead readers")
      // Another process has let the file grow since the opening.
      case MDB_MAP_RESIZED where attempts < 8 && isAlone: _ = unsafe mdb_env_set_mapsize(handle, 0)
      case _ where isPassing(code) && attempts < 8: sched_yield()
      default: throw StoreError(beginning: code, purpose)
      }
    }
  }

  /// Whether beginning a refused transaction may succeed at the next attempt: liblmdb 0.9.26 to 0.9.31 return these codes at
  /// random while other processes open and close.
  static func isPassing(_ code: Int32) -> Bool { code == EINVAL || code == EAGAIN }

  @inline(never)
  private func recoverRead(_ first: Int32) throws(StoreError) -> Transaction {
    var code = first
    for attempt in 0..<8 {
      switch code {
      case MDB_MAP_RESIZED: try adoptGrowth()
      case MDB_READERS_FULL where attempt < 3: _ = try clearStaleReaders()
      case MDB_PANIC where attempt == 0: try reopen()
      case _ where Environment.isPassing(code) && attempt < 7: sched_yield()
      default: throw StoreError(beginning: code, "begin to read")
      }
      let slot = try readers.acquire()
      let transaction = readers.transaction(slot, of: self)
      // A transaction that LMDB refused to renew may be unusable.
      transaction.retire()
      code = unsafe transaction.renew(handle, map)
      if code == 0 { return transaction }
      readers.release(slot)
    }
    throw StoreError(beginning: code, "begin to read")
  }

  // MARK: Writing

  /// Whether the calling thread is writing.
  package var isWriting: Bool { writerThread.load(ordering: .relaxed) == lms_thread_id() }

  /// Waits for the write lock of this process, then for that of all processes, and begins a write transaction.
  ///
  /// - Parameters:
  ///   - deadline: Until when to wait; nil to wait without a limit.
  ///   - isSettling: Whether nothing will be committed, and the registry's lock is held.
  @usableFromInline
  package func beginWrite(
    until deadline: ContinuousClock.Instant? = nil, isSettling: Bool = false
  ) throws(StoreError) -> Transaction {
    try lockForWriting(until: deadline)
    do throws(StoreError) {
      if gate == nil { makeGate() }
      try gate?.enter(until: deadline)
    } catch {
      unlockForWriting()
      throw error
    }
    KillPoint.pass(.gateEntered)
    do throws(StoreError) {
      try checkIdentity()
      let transaction = writer ?? Transaction(writerOf: self)
      writer = transaction
      let begun = unsafe try beginWriter(mayReopen: !isSettling)
      gate?.entered()
      if hasSeenMark, options.durability != .processCrashOnly { settleInWrite() }
      if !isUnsyncedNoted, !isSettling {
        do throws(StoreError) {
          try noteUnsynced()
        } catch {
          unsafe mdb_txn_abort(begun)
          throw error
        }
      }
      unsafe transaction.begin(begun, in: handle)
      KillPoint.pass(.writeBegun)
      return transaction
    } catch {
      gate?.leave()
      unlockForWriting()
      throw error
    }
  }

  /// The processes that have the store open; nil while the `owners` file cannot be used.
  package var owners: Owners? { ownersFile.owners }

  /// Creates the gate once the files that it needs can be used: the disk may have been full at the opening.
  @inline(never)
  private func makeGate() {
    guard !options.isReadOnly, gateTried.duration(to: .now) > .milliseconds(100) else { return }
    gateTried = .now
    guard let owners else { return }
    if unsafe signals.gate == nil { signals.refresh() }
    gate = WriterGate(signals, owners)
  }

  private func beginWriter(mayReopen: Bool) throws(StoreError) -> OpaquePointer {
    if isBroken {
      guard mayReopen else { throw ReaderPool.noEnvironment }
      try reviveIfNeeded()
    }
    var mayGrow = mayReopen
    var attempts = 0
    while true {
      var begun: OpaquePointer?
      let code = unsafe mdb_txn_begin(handle, nil, 0, &begun)
      if code == 0 {
        let room = room()
        // The file may have grown because a stale reader holds its pages.
        if room.lastPage > lastPageAtReaderCheck + 32 || growth.isInTheWay {
          _ = try? clearStaleReaders()
          lastPageAtReaderCheck = room.lastPage
          do throws(StoreError) {
            try checkGrowth(room.lastPage)
          } catch {
            unsafe mdb_txn_abort(begun)
            throw error
          }
        }
        if let limit = options.fileLimit, (room.lastPage + 1) * pageSize > limit {
          unsafe mdb_txn_abort(begun)
          // Writing beyond the limit raises a signal, so a transaction that uses a free page there is refused as well.
          throw StoreError(returnCode: EFBIG, "write")
        }
        guard mayGrow, room.isNearlyFull else { return unsafe begun! }
        mayGrow = false
        unsafe mdb_txn_abort(begun)
        growAhead()
        continue
      }
      attempts += 1
      switch code {
      case MDB_MAP_RESIZED where attempts < 8 && mayReopen: try adoptGrowth()
      case MDB_PANIC where attempts == 1 && mayReopen: try reopen()
      case _ where Environment.isPassing(code) && attempts < 8: sched_yield()
      default: throw StoreError(returnCode: code, "begin to write")
      }
    }
  }

  /// Commits, and lets the next writer in; if it throws, nothing is stored.
  @usableFromInline package func commit(_ transaction: Transaction) throws(StoreError) {
    transaction.flushStates()
    if let failure = transaction.failure {
      abort(transaction)
      // The stale readers' pages become free at the next write.
      if failure.code == .mapFull || failure.code == .readersFull { _ = try? clearStaleReaders() }
      throw failure
    }
    let isChanged = transaction.changes > 0
    if isChanged {
      do throws(StoreError) {
        // Otherwise it could collide with the commit of a process that has another lock file, or go into a file without a name.
        try checkFilesAgain()
      } catch {
        abort(transaction)
        throw error
      }
    }
    KillPoint.pass(.beforeCommit)
    let code = transaction.commit()
    KillPoint.pass(.afterCommit)
    gate?.leave()
    KillPoint.pass(.gateLeft)
    if code != 0 {
      // Before other threads find the environment broken, and open it again.
      let error = commitError(code)
      unlockForWriting()
      throw error
    }
    if isChanged {
      let channels = transaction.writtenChannels.union(.everyCommit)
      signals.log?.note(transaction.snapshotID, channels)
      KillPoint.pass(.noted)
      signals.wake(channels)
      KillPoint.pass(.woken)
    }
    commitsSinceReaderCheck += 1
    if commitsSinceReaderCheck >= Self.readerCheckInterval { _ = try? clearStaleReaders() }
    unlockForWriting()
  }

  /// Undoes everything since `beginWrite`, and lets the next writer in.
  @usableFromInline package func abort(_ transaction: Transaction) {
    transaction.abort()
    gate?.leave()
    unlockForWriting()
  }

  func lockForWriting(until deadline: ContinuousClock.Instant?) throws(StoreError) {
    try checkFork()
    guard !isWriting else {
      throw StoreError(
        .nestedWrite, "write", reason: "this thread is inside a write of the same store",
        advice: "use the transaction of the outer write")
    }
    if options.isReadOnly {
      throw StoreError(
        .permissionDenied, "write", reason: "the store is open for reading only", advice: "open it for writing")
    }
    try waitForWriteLock(until: deadline)
  }

  /// Waits for the write lock of this process; a nil deadline means no limit.
  func waitForWriteLock(until deadline: ContinuousClock.Instant?) throws(StoreError) {
    if let deadline {
      let left = deadline.nanosecondsLeft
      guard unsafe lms_mutex_lock_within(writeLock, left) == 0 else { throw WriterGate.busy(blocker) }
    } else {
      unsafe pthread_mutex_lock(writeLock)
    }
    writerThread.store(lms_thread_id(), ordering: .relaxed)
  }

  func unlockForWriting() {
    if !freedAfterWrite.isEmpty { freeAfterWrite() }
    writerThread.store(0, ordering: .relaxed)
    unsafe pthread_mutex_unlock(writeLock)
  }

  /// Clears stale readers; returns how many there were.
  @discardableResult
  package func clearStaleReaders() throws(StoreError) -> Int {
    try checkFork()
    commitsSinceReaderCheck = 0
    signals.refreshIfLost()
    try enterReaders()
    defer { readers.leave() }
    var dead: Int32 = 0
    try check(unsafe mdb_reader_check(handle, &dead), "check for dead readers")
    return Int(dead)
  }
}
