internal import Dispatch

/// A directory with lists, dictionaries, arrays, values and queues that are shared between processes.
///
///     let store = try SharedStore(path: "team.lmdb")
///     let names = try store.list("names", of: String.self)
///     try store.write { txn in
///       txn[names].append("Ada")
///     }
///
/// Every process that opens the same path shares its structures. A read sees one snapshot, and neither waits nor blocks other
/// processes; a write excludes all other writers, and is stored as a whole or not at all.
///
/// A store can be used from any thread. It is closed with its last reference; handles and snapshots hold one.
public final class SharedStore: Sendable {
  @usableFromInline package let environment: Environment
  /// The writes of tasks.
  private let writeQueue = WriteQueue()
  /// How long opening waits for other processes; nil for no limit.
  private let openingTimeout: Duration?
  /// Until when an opening that begins now may wait.
  var openingDeadline: ContinuousClock.Instant? { openingTimeout.map { .now + min($0, .seconds(1 << 30)) } }
  let lockIndices = Guarded(LockIndices())

  /// Opens the store in the directory at `path`, and creates it when it is missing, unless the options forbid it.
  ///
  /// - Throws: ``StoreError`` when the path is not a store, or the store cannot be used; the error's advice says what to do.
  public convenience init(path: String, options: StoreOptions = StoreOptions()) throws {
    try self.init(Self.open(path, options), options)
  }

  /// Opens the store in the directory at `path`, and creates it when it is missing, without blocking a thread of the concurrency
  /// pool.
  ///
  /// - Throws: ``StoreError`` when the path is not a store, or the store cannot be used; `CancellationError` when the task is
  ///   cancelled before.
  public nonisolated(nonsending) convenience init(path: String, options: StoreOptions = StoreOptions()) async throws {
    try self.init(await onThread { try Self.open(path, options) }, options)
  }

  private init(_ environment: Environment, _ options: StoreOptions) throws {
    self.environment = environment
    openingTimeout = options.openingTimeout
    // If this throws, `deinit` closes the store.
    if environment.catalogue == Database.missing { try Catalogue.open(environment) }
  }

  private static func open(_ path: String, _ options: StoreOptions) throws -> Environment {
    try Environment.open(path: path, options: options.forEnvironment()) { (transaction) throws(StoreError) in
      try Catalogue.create(transaction)
    }
  }

  deinit { environment.close() }

  /// The path with which the store was opened.
  public var path: String { environment.directory.path }
}

extension SharedStore {
  /// Reads a snapshot of the store.
  ///
  /// - Parameter body: Receives the transaction. Views of structures are valid until it returns; copy what you want to keep.
  /// - Returns: The result of `body`.
  /// - Throws: The errors of `body`; ``StoreError`` when the store, or something that `body` read, cannot be read.
  /// - Complexity: O(1), without `body`.
  @inlinable @discardableResult
  public func read<R: ~Copyable>(_ body: (inout ReadTransaction) throws -> R) throws -> R {
    let core = try environment.beginRead()
    // The last reference to the store may be released earlier, which would close the environment before the transaction ends.
    defer { withExtendedLifetime(self) { core.end() } }
    var transaction = ReadTransaction(core)
    let result = try body(&transaction)
    if let failure = core.failure { throw failure }
    return result
  }

  /// Changes the store: either all changes of `body` are committed, or none.
  ///
  /// Waits until no other process or thread writes. Only `body` sees the changes until it returns. When `body` throws, or
  /// one of its changes fails (when the disk is full, for example), nothing is stored and the error is thrown.
  ///
  /// - Throws: The errors of `body`; ``StoreError`` when the store cannot be written. A write inside a write of the
  ///   same thread throws ``StoreError/Code/nestedWrite``.
  @inlinable @discardableResult
  public func write<R: ~Copyable>(_ body: (inout WriteTransaction) throws -> R) throws -> R {
    try writeNow(body)
  }

  /// Changes the store as `write` does, after waiting at most `timeout` for other writers.
  ///
  /// Only the wait is limited, not `body`. A writer that has died does not block; one that is stopped, or takes long, is named
  /// in the error. The limit does not apply to programs that write to the store without this library: the wait for them can
  /// be longer.
  ///
  /// - Throws: The errors of ``write(_:)``; ``StoreError/Code/writerBusy``, whose ``StoreError/processID`` is that of the writer.
  @inlinable @discardableResult
  public func write<R: ~Copyable>(
    timeout: Duration, _ body: (inout WriteTransaction) throws -> R
  ) throws -> R {
    try writeNow(until: .now + timeout, body)
  }

  /// Changes the store as `write` does, if no other process or thread is writing at this moment.
  ///
  /// - Returns: The result of `body`; nil when another process or thread is writing.
  @inlinable @discardableResult
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
  @inlinable @discardableResult
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

  /// Changes the store from a task, on a thread of the store; otherwise as the synchronous `write`.
  ///
  /// Writes that wait at the same time are committed together, in the order in which they were requested, and wait for the
  /// disk once. Each is all or nothing by itself: one that throws undoes only its own changes.
  ///
  /// A task that is cancelled before its turn throws `CancellationError` at once, and `body` does not run; a task whose `body`
  /// has begun gets its result.
  @discardableResult
  public nonisolated(nonsending) func write<R>(
    _ body: @escaping @Sendable (inout WriteTransaction) throws -> sending R
  ) async throws -> sending R {
    try await writeInTurn(until: nil, body)
  }

  /// Changes the store from a task, after waiting at most `timeout` for other writers.
  ///
  /// - Throws: ``StoreError/Code/writerBusy``, whose ``StoreError/processID`` is that of the writer.
  @discardableResult
  public nonisolated(nonsending) func write<R>(
    timeout: Duration, _ body: @escaping @Sendable (inout WriteTransaction) throws -> sending R
  ) async throws -> sending R {
    try await writeInTurn(until: .now + timeout, body)
  }

  /// Writes in the queue of tasks; a nil deadline means no limit.
  nonisolated(nonsending) func writeInTurn<R>(
    until deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (inout WriteTransaction) throws -> sending R
  ) async throws -> sending R {
    let write = TaskWrite { txn in Transfer(try body(&txn)) }
    // The thread may be waiting for the lock on behalf of an earlier task. With a time limit of zero it still checks once.
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
    try Task.checkCancellation()
    writeQueue.add(write, to: self)
    return try await write.wait().value
  }

  /// Returns a snapshot that can be held across calls and does not see later changes.
  ///
  /// While it is held, its pages cannot be reused, so that the file grows with each change. End snapshots soon.
  public func snapshot() throws -> Snapshot {
    Snapshot(try environment.beginRead(), of: self)
  }

  /// Syncs everything that was committed to the disk. With `.durable`, commits have done so already.
  public func sync() throws { try environment.sync() }
}
