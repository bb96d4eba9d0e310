internal import Dispatch

/// A fixed number of worker processes; each one that dies is replaced.
///
///     let pool = try WorkerPool(4, role: "count", store: store)
///     …
///     try jobs.close()               // the workers end when the queue is empty
///     try pool.wait()
///
/// A worker that exits with status 0 is done and is not replaced. Any other worker that ends is replaced: immediately if it has
/// lived for a second, otherwise after a pause that grows from 50 ms to 1 s. When a worker in one place dies early five times in
/// a row, the pool gives up: it ends the other workers, and ``wait()`` throws the reason. These limits are parameters. A
/// replacement that cannot be started (for lack of processes or file descriptors, for example) counts as an early death, and is
/// retried.
public final class WorkerPool: Sendable {
  private struct State {
    var workers: [WorkerProcess] = []
    var restarts = 0
    var failures: [WorkerProcess.Termination] = []
    var startErrors: [StoreError] = []
    /// Whether a worker has died that is not replaced because the pool is ending.
    var hasLost = false
    /// Whether dead workers are no longer replaced.
    var isEnding = false
    /// Whether the live workers have been asked to end.
    var isStopping = false
    /// Whether they did not end in time.
    var isLate = false
    var error: StoreError?
  }
  private let state = Guarded(State())
  private let left = DispatchGroup()
  private let start: @Sendable () throws(StoreError) -> WorkerProcess
  private let maximumRestarts: Int?
  private let maximumEarlyDeaths: Int?
  private let earlyDeath: Duration

  /// Starts the workers.
  ///
  /// - Parameters:
  ///   - count: The number of workers.
  ///   - role: What the workers are to do: their ``Worker/role``.
  ///   - store: The store that the workers open.
  ///   - arguments: The arguments of each worker.
  ///   - executable: The path of the program; nil for this one.
  ///   - environment: Variables in addition to those of this process.
  ///   - maximumRestarts: At most this many workers are replaced; nil for no limit. The remaining workers then continue.
  ///   - maximumEarlyDeaths: The number of early deaths in a row, in one worker's place, after which the pool gives up; nil for
  ///     no limit.
  ///   - earlyDeath: A death is early when it comes within this time after the worker's start.
  /// - Throws: ``StoreError`` when a worker cannot be started; those already started are ended.
  ///   ``StoreError/Code/workerRecursion`` as for ``WorkerProcess``.
  public init(
    _ count: Int, role: String, store: SharedStore, arguments: [String] = [], executable: String? = nil,
    environment: [String: String] = [:], maximumRestarts: Int? = nil, maximumEarlyDeaths: Int? = 5,
    earlyDeath: Duration = .seconds(1)
  ) throws {
    self.maximumRestarts = maximumRestarts
    self.maximumEarlyDeaths = maximumEarlyDeaths
    self.earlyDeath = earlyDeath
    start = { () throws(StoreError) in
      try WorkerProcess(role, store, arguments, executable, environment)
    }
    for _ in 0..<count {
      do throws(StoreError) {
        try add(earlyDeaths: 0)
      } catch {
        stop()
        throw error
      }
    }
  }

  deinit { stop() }

  /// The running workers.
  public var workers: [WorkerProcess] { state.withLock { $0.workers } }
  /// The number of workers that died and were replaced.
  public var restarts: Int { state.withLock { $0.restarts } }
  /// The terminations of workers that did not exit with status 0, in order.
  public var failures: [WorkerProcess.Termination] { state.withLock { $0.failures } }
  /// The errors when dead workers could not be replaced, in order; each start was retried.
  public var startErrors: [StoreError] { state.withLock { $0.startErrors } }

  /// Whether workers are no longer replaced.
  package var isEnding: Bool { state.withLock { $0.isEnding } }

  /// The reason why the pool has given up; nil while it has not.
  public var error: StoreError? { state.withLock { $0.error } }

  /// Ends all workers: they get SIGTERM immediately, and SIGKILL if they still run after the grace time. None is replaced.
  ///
  /// This method does not wait; ``wait()`` does. A service manager gives the whole program some time to stop (Docker 10 seconds,
  /// Kubernetes 30, systemd 90); the grace time should be shorter.
  ///
  /// - Parameter grace: The time that a worker may take to end, for example to finish and acknowledge its leased items.
  public func stop(grace: Duration = .seconds(10)) {
    let workers = state.withLock { state in
      state.isEnding = true
      state.isStopping = true
      return state.workers
    }
    Self.end(workers, grace)
  }

  /// Waits until all workers have exited, without replacing any from now on; those that have not exited in time are
  /// stopped.
  ///
  /// No signal is sent before that: the workers must find out in another way that no work is left. Usually the queue that they
  /// work on is closed first:
  ///
  ///     let pool = try WorkerPool(4, role: "count", store: store)
  ///     try jobs.close()
  ///     try pool.drain(timeout: .seconds(60))
  ///
  /// - Parameters:
  ///   - timeout: The time that the workers may take.
  ///   - grace: The grace time of ``stop(grace:)``, from then on.
  /// - Returns: Whether all workers exited in time with status 0. False also when one died meanwhile, so that its work may be
  ///   unfinished; see ``failures``.
  /// - Throws: The errors of ``wait()``.
  @discardableResult
  public func drain(timeout: Duration, grace: Duration = .seconds(10)) throws -> Bool {
    state.withLock { $0.isEnding = true }
    let haveEnded = left.wait(timeout: Self.time(timeout)) == .success
    if !haveEnded { stop(grace: grace) }
    try wait()
    return haveEnded && state.withLock { !$0.hasLost }
  }

  /// Waits as the blocking form does, without blocking a thread. When the task is cancelled, the workers are stopped.
  @discardableResult
  public func drain(timeout: Duration, grace: Duration = .seconds(10)) async throws -> Bool {
    state.withLock { $0.isEnding = true }
    let end = DispatchSource.makeTimerSource(queue: .global())
    end.schedule(deadline: Self.time(timeout))
    end.setEventHandler { [weak self, left] in
      // The workers may have ended in time, although the waiting task has not been resumed yet.
      guard let self, left.wait(timeout: .now()) == .timedOut else { return }
      state.withLock { $0.isLate = true }
      stop(grace: grace)
    }
    end.resume()
    defer { end.cancel() }
    try await withTaskCancellationHandler {
      try await wait()
    } onCancel: {
      stop(grace: grace)
    }
    return state.withLock { !$0.isLate && !$0.hasLost }
  }

  private static func time(_ duration: Duration) -> DispatchTime {
    let (seconds, attoseconds) = min(max(duration, .zero), .seconds(1 << 30)).components
    return .now() + Double(seconds) + Double(attoseconds) / 1e18
  }

  private static func end(_ workers: [WorkerProcess], _ grace: Duration) {
    guard !workers.isEmpty else { return }
    for worker in workers { worker.signal() }
    DispatchQueue.global().asyncAfter(deadline: time(grace)) { for worker in workers { worker.kill() } }
  }

  /// Waits until all workers have ended.
  ///
  /// - Throws: ``StoreError/Code/workersDied`` when the pool has given up, with the last worker's termination; or the error with
  ///   which the last worker could not be started.
  public func wait() throws {
    left.wait()
    if let error { throw error }
  }

  /// Waits until all workers have ended, without blocking a thread.
  ///
  /// - Throws: The errors of the blocking form; `CancellationError` when the task is cancelled, and the workers continue.
  public nonisolated(nonsending) func wait() async throws {
    let ending = Ending<Void>()
    left.notify(queue: .global()) { ending.set {} }
    try await ending.wait()
    if let error { throw error }
  }

  /// Starts a worker.
  ///
  /// - Parameter earlyDeaths: The number of early deaths in its place, in a row.
  private func add(earlyDeaths: Int) throws(StoreError) {
    left.enter()
    let worker: WorkerProcess
    do throws(StoreError) {
      worker = try start()
    } catch {
      left.leave()
      throw error
    }
    let isLate = state.withLock { state in
      state.workers.append(worker)
      return state.isStopping
    }
    if isLate { Self.end([worker], .seconds(1)) }
    let began = ContinuousClock.now
    // The pool may have been released by then, and there is nothing to replace.
    worker.whenEnded { [weak self, left] termination in
      self?.ended(worker, termination, after: began.duration(to: .now), earlyDeaths)
      left.leave()
    }
  }

  private func ended(
    _ worker: WorkerProcess, _ termination: WorkerProcess.Termination, after life: Duration, _ before: Int
  ) {
    let earlyDeaths = life < earlyDeath ? before + 1 : 0
    let isReplaced = state.withLock { state in
      state.workers.removeAll { $0 === worker }
      guard !termination.isSuccess else { return false }
      state.failures.append(termination)
      guard !state.isEnding else {
        state.hasLost = true
        return false
      }
      if let error = refusal(termination, earlyDeaths, state.restarts) {
        state.error = state.error ?? error
        return false
      }
      state.restarts += 1
      return true
    }
    guard isReplaced else {
      if let maximumEarlyDeaths, earlyDeaths >= maximumEarlyDeaths, error != nil { stop() }
      return
    }
    if earlyDeaths == 0 { return replace(0) }
    replaceLater(earlyDeaths)
  }

  /// Starts a replacement after a pause.
  private func replaceLater(_ earlyDeaths: Int) {
    left.enter()
    let pause = min(1000, 50 << min(earlyDeaths - 1, 5))
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(pause)) { [weak self, left] in
      self?.replace(earlyDeaths)
      left.leave()
    }
  }

  /// The reason why a dead worker is not replaced; nil when it is.
  private func refusal(_ end: WorkerProcess.Termination, _ earlyDeaths: Int, _ restarts: Int) -> StoreError? {
    if end == .unknown {
      return StoreError(
        .system, "run workers", reason: "other code in this process waits for its children",
        advice: "do not ignore SIGCHLD, and do not wait for all children, while a pool runs")
    }
    if let maximumEarlyDeaths, earlyDeaths >= maximumEarlyDeaths {
      return StoreError(
        .workersDied, "run workers",
        reason: "\(earlyDeaths) workers in a row died within \(earlyDeath) of their start, the last one as \(end)",
        advice: "check the output of the workers; a program that is started as a worker has to read Worker.current")
    }
    if let maximumRestarts, restarts >= maximumRestarts {
      return StoreError(
        .workersDied, "run workers", reason: "\(maximumRestarts + 1) workers died, the last one as \(end)",
        advice: "check the output of the workers; or allow more restarts")
    }
    return nil
  }

  /// Starts a replacement for a dead worker; if that fails, tries it again later.
  private func replace(_ earlyDeaths: Int) {
    let isEnding = state.withLock { state in
      if state.isEnding { state.hasLost = true }
      return state.isEnding
    }
    guard !isEnding else { return }
    do throws(StoreError) {
      try add(earlyDeaths: earlyDeaths)
    } catch {
      let isLast = maximumEarlyDeaths.map { earlyDeaths + 1 >= $0 } ?? false
      state.withLock { state in
        state.startErrors.append(error)
        if isLast { state.error = state.error ?? error }
      }
      if isLast { stop() } else { replaceLater(earlyDeaths + 1) }
    }
  }
}
