internal import Dispatch

/// A directory in which processes share lists, dictionaries, arrays, values and queues.
///
///     let store = try SharedStore(path: "team.lmdb")
///     let names = try store.list("names", of: String.self)
///     try store.write { txn in
///       txn[names].append("Ada")
///     }
///
/// Any process that opens the same path takes part. A read sees one snapshot and neither waits nor makes others wait; a
/// write is alone among all processes, and either all of it is stored or nothing.
///
/// A store may be used from any thread. It is closed with its last reference; handles and snapshots hold one.
public final class SharedStore: Sendable {
  @usableFromInline package let environment: Environment
  /// The writes of tasks.
  private let writeQueue = WriteQueue()
  /// How long opening waits for other processes; nil for no limit.
  private let openingTimeout: Duration?
  /// Until when what is opened now may wait.
  var openingDeadline: ContinuousClock.Instant? { openingTimeout.map { .now + min($0, .seconds(1 << 30)) } }
  let lockIndices = Guarded(LockIndices())

  /// Opens the store in the directory at `path`; makes it when there is none, unless the options say otherwise.
  ///
  /// - Throws: ``StoreError`` when the path is no store, or is one that cannot be used; the error says what to do.
  public init(path: String, options: StoreOptions = StoreOptions()) throws(StoreError) {
    openingTimeout = options.openingTimeout
    environment = try Environment.open(path: path, options: options.forEnvironment()) {
      (transaction) throws(StoreError) in try Catalogue.create(transaction)
    }
    // What throws ends in `deinit`, which closes.
    if environment.catalogue == noDatabase {
      environment.setCatalogue(try Catalogue.check(environment, until: openingDeadline))
    }
  }

  deinit { environment.close() }

  /// The path that the store was opened by.
  public var path: String { environment.directory.path }
}

extension SharedStore {
  /// Reads one snapshot of the store.
  ///
  /// - Parameter body: Gets the transaction. Views of structures are valid until it returns; copy out what is to stay.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws; ``StoreError`` when the store cannot be read, or when something that `body` asked for
  ///   could not be read.
  /// - Complexity: O(1) besides `body`.
  @inlinable
  public func read<R: ~Copyable>(_ body: (inout ReadTransaction) throws -> R) throws -> R {
    let core = try environment.beginRead()
    // The last reference to the store may be gone before: its end would close the environment under the transaction.
    defer { withExtendedLifetime(self) { core.end() } }
    var transaction = ReadTransaction(core)
    let result = try body(&transaction)
    if let failure = core.failure { throw failure }
    return result
  }

  /// Changes the store: all that `body` does is committed, or none of it.
  ///
  /// Waits until no other process and thread writes. Inside of `body` the changes are visible to it alone. When `body`
  /// throws, or one of its changes could not be made (a full disk, say), nothing is stored and the error is thrown.
  ///
  /// - Throws: What `body` throws; ``StoreError`` when the store cannot be written. A write inside of a write of the
  ///   same thread is ``StoreError/Code/nestedWrite``.
  @available(*, noasync, message: "it waits for the writer's lock; await the asynchronous write instead")
  @inlinable
  public func write<R: ~Copyable>(_ body: (inout WriteTransaction) throws -> R) throws -> R {
    try writeNow(body)
  }

  /// Changes the store as `write` does, unless another process or thread is still writing when the time is up.
  ///
  /// Only the waiting is limited, not `body`. A process that died while it wrote is passed over at once; one that was
  /// stopped, or takes long, is named in the error. Programs that write to the store without this library take no part in
  /// this waiting: behind them it may take longer.
  ///
  /// - Throws: What ``write(_:)-(_)`` throws; ``StoreError/Code/writerBusy``, whose ``StoreError/processID`` is who writes.
  @available(*, noasync, message: "it waits for the writer's lock; await the asynchronous write instead")
  @inlinable
  public func write<R: ~Copyable>(
    timeout: Duration, _ body: (inout WriteTransaction) throws -> R
  ) throws -> R {
    try writeNow(until: .now + timeout, body)
  }

  /// Changes the store as `write` does, if nobody else is writing at this moment.
  ///
  /// - Returns: What `body` returns; nil when somebody is writing.
  @inlinable
  public func tryWrite<R: ~Copyable>(_ body: (inout WriteTransaction) throws -> R) throws -> R? {
    let core: Transaction
    do throws(StoreError) {
      core = try environment.beginWrite(until: .now)
    } catch {
      if error.code == .writerBusy { return nil }
      throw error
    }
    return try run(core, body)
  }

  /// `write` for the handles' own methods, which may be called anywhere.
  @inlinable
  func writeNow<R: ~Copyable>(
    until deadline: ContinuousClock.Instant? = nil, _ body: (inout WriteTransaction) throws -> R
  ) throws -> R {
    try run(try environment.beginWrite(until: deadline), body)
  }

  /// Runs `body` in a write transaction that has begun, and ends it.
  @inlinable @inline(__always)
  func run<R: ~Copyable>(_ core: Transaction, _ body: (inout WriteTransaction) throws -> R) throws -> R {
    defer { withExtendedLifetime(self) {} }
    var transaction = WriteTransaction(core, self)
    let result: R
    do {
      result = try body(&transaction)
    } catch {
      environment.abort(core)
      throw error
    }
    try environment.commit(core)
    return result
  }

  /// Changes the store from a task, on a thread of the store's own; otherwise as the synchronous `write`.
  ///
  /// Writes that wait at the same time are committed together, in the order in which they were asked for, and wait for the
  /// disk once. Each is all or nothing by itself: one that throws takes back what it did and nothing else.
  ///
  /// A task that is cancelled before its turn gets `CancellationError` at once, and `body` does not run; one whose `body`
  /// has begun gets its result.
  public nonisolated(nonsending) func write<R: Sendable>(
    _ body: @escaping @Sendable (inout WriteTransaction) throws -> R
  ) async throws -> R {
    try await writeInTurn(until: nil, body)
  }

  /// Changes the store from a task, unless others are still writing when the time is up.
  ///
  /// - Throws: ``StoreError/Code/writerBusy``, whose ``StoreError/processID`` is who writes.
  public nonisolated(nonsending) func write<R: Sendable>(
    timeout: Duration, _ body: @escaping @Sendable (inout WriteTransaction) throws -> R
  ) async throws -> R {
    try await writeInTurn(until: .now + timeout, body)
  }

  private nonisolated(nonsending) func writeInTurn<R: Sendable>(
    until deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (inout WriteTransaction) throws -> R
  ) async throws -> R {
    let write = TaskWrite(body)
    // The thread may be waiting for the lock on behalf of an earlier task. A time limit of nothing still lets it look.
    let limit = deadline.map { deadline in
      let (seconds, attoseconds) =
        min(max(ContinuousClock.now.duration(to: deadline), .milliseconds(20)), .seconds(1 << 30)).components
      let limit = DispatchSource.makeTimerSource(queue: .global())
      limit.schedule(deadline: .now() + Double(seconds) + Double(attoseconds) / 1e18)
      limit.setEventHandler { [environment, weak write] in write?.cancel(environment.writerBusy) }
      limit.resume()
      return limit
    }
    defer { limit?.cancel() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        if write.wait(continuation) { writeQueue.add(write, to: self) }
      }
    } onCancel: {
      write.cancel()
    }
  }

  /// A snapshot to hold across calls; it does not see later changes.
  ///
  /// While it is held, pages that it sees cannot be used again, so that the file grows with each change: end snapshots
  /// soon.
  public func snapshot() throws(StoreError) -> Snapshot {
    Snapshot(try environment.beginRead(), of: self)
  }

  /// Forces everything that was committed to the disk. With `.durable`, commits have done so already.
  public func sync() throws(StoreError) { try environment.sync() }
}
