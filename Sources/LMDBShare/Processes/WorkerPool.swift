internal import Dispatch

/// So many worker processes that are kept running: another one is started for each that dies.
///
///     let pool = try WorkerPool(4, role: "count", store: store)
///     …
///     try jobs.close()               // the workers end when the queue is empty
///     try pool.wait()
///
/// A worker that ends with status 0 is done and is not replaced. One that ends otherwise is replaced, at once if it has lived for
/// a second, else after a pause that grows from 50 ms to 1 s. When that happens five times in a row in one worker's place, the
/// pool gives up: it ends the other workers, and ``wait()-(_)`` throws the reason. All of these can be chosen. A worker that
/// cannot be started in the place of a dead one (the system has no room for a process or a file, say) counts as one that
/// died early, and is tried again.
public final class WorkerPool: Sendable {
  private struct State {
    var workers: [WorkerProcess] = []
    var restarts = 0
    var failures: [WorkerProcess.Termination] = []
    var startErrors: [StoreError] = []
    /// Whether one has died that is not replaced since the pool is ending.
    var hasLost = false
    /// Whether the dead are not replaced any more.
    var isEnding = false
    /// Whether those that live have been told to end.
    var isStopping = false
    /// Whether they had not ended in time.
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
  ///   - count: How many.
  ///   - role, store, arguments, executable, environment: As for ``WorkerProcess``.
  ///   - maximumRestarts: How many are replaced in all; nil for no limit. Those that live then go on.
  ///   - maximumEarlyDeaths: How often in a row a worker in one place may die early before the pool gives up; nil for no limit.
  ///   - earlyDeath: How long after its start a worker's death is an early one.
  /// - Throws: ``StoreError`` when one cannot be started; those that were are ended. ``StoreError/Code/workerRecursion`` as for
  ///   ``WorkerProcess``.
  public init(
    _ count: Int, role: String, store: SharedStore, arguments: [String] = [], executable: String? = nil,
    environment: [String: String] = [:], maximumRestarts: Int? = nil, maximumEarlyDeaths: Int? = 5,
    earlyDeath: Duration = .seconds(1)
  ) throws(StoreError) {
    self.maximumRestarts = maximumRestarts
    self.maximumEarlyDeaths = maximumEarlyDeaths
    self.earlyDeath = earlyDeath
    start = { () throws(StoreError) in
      try WorkerProcess(
        role: role, store: store, arguments: arguments, executable: executable, environment: environment)
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

  /// The workers that run.
  public var workers: [WorkerProcess] { state.withLock { $0.workers } }
  /// How many died and were replaced.
  public var restarts: Int { state.withLock { $0.restarts } }
  /// How those ended that did not end well, in order.
  public var failures: [WorkerProcess.Termination] { state.withLock { $0.failures } }
  /// Why workers could not be started in the place of dead ones, in order; each was tried again.
  public var startErrors: [StoreError] { state.withLock { $0.startErrors } }

  /// Whether no worker is replaced any more.
  package var isEnding: Bool { state.withLock { $0.isEnding } }

  /// Why the pool has given up; nil while it goes on.
  public var error: StoreError? { state.withLock { $0.error } }

  /// Ends all workers: they get SIGTERM at once, and those that live on SIGKILL when the grace time is over. None is replaced.
  ///
  /// It does not wait: ``wait()-(_)`` does. A service manager gives the whole program some time to stop (Docker 10 seconds,
  /// Kubernetes 30, systemd 90); let the grace time be shorter than that.
  ///
  /// - Parameter grace: How long a worker may take to end, for example to finish and acknowledge what it has leased.
  public func stop(grace: Duration = .seconds(10)) {
    let workers = state.withLock { state in
      state.isEnding = true
      state.isStopping = true
      return state.workers
    }
    Self.end(workers, grace)
  }

  /// Waits until all workers have ended by themselves, and replaces none from now on; those that have not ended in time are
  /// stopped.
  ///
  /// No signal is sent before: the workers have to learn in another way that there is no more to do. Mostly the queue that they
  /// work on is closed first:
  ///
  ///     let pool = try WorkerPool(4, role: "count", store: store)
  ///     try jobs.close()
  ///     try pool.drain(timeout: .seconds(60))
  ///
  /// - Parameters:
  ///   - timeout: How long they may take.
  ///   - grace: As for ``stop(grace:)``, from then on.
  /// - Returns: Whether all have ended in time, and by themselves with status 0: false also when one has died meanwhile, so
  ///   that what it had to do may be left; ``failures`` tells how.
  /// - Throws: What ``wait()-(_)`` throws.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  @discardableResult
  public func drain(timeout: Duration, grace: Duration = .seconds(10)) throws(StoreError) -> Bool {
    state.withLock { $0.isEnding = true }
    let haveEnded = left.wait(timeout: Self.time(timeout)) == .success
    if !haveEnded { stop(grace: grace) }
    try wait()
    return haveEnded && state.withLock { !$0.hasLost }
  }

  /// The same without blocking a thread. When the task is cancelled, the workers are stopped.
  @discardableResult
  public func drain(timeout: Duration, grace: Duration = .seconds(10)) async throws -> Bool {
    state.withLock { $0.isEnding = true }
    let end = DispatchSource.makeTimerSource(queue: .global())
    end.schedule(deadline: Self.time(timeout))
    end.setEventHandler { [weak self, left] in
      // Their end may have come in time, and the task that waits may not have had its turn yet.
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
  /// - Throws: ``StoreError/Code/workersDied`` when the pool has given up, with how the last worker ended; why none could be
  ///   started when that was the last reason.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func wait() throws(StoreError) {
    left.wait()
    if let error { throw error }
  }

  /// Waits until all workers have ended, without blocking a thread.
  public func wait() async throws {
    await withCheckedContinuation { continuation in left.notify(queue: .global()) { continuation.resume() } }
    if let error { throw error }
  }

  /// Starts a worker.
  ///
  /// - Parameter earlyDeaths: How many died early in its place, in a row.
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
    // The pool may be gone by then, and nobody to be replaced.
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

  /// Starts another one after a pause.
  private func replaceLater(_ earlyDeaths: Int) {
    left.enter()
    let pause = min(1000, 50 << min(earlyDeaths - 1, 5))
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(pause)) { [weak self, left] in
      self?.replace(earlyDeaths)
      left.leave()
    }
  }

  /// Why a worker that has died is not replaced; nil when it is.
  private func refusal(_ end: WorkerProcess.Termination, _ earlyDeaths: Int, _ restarts: Int) -> StoreError? {
    if end == .unknown {
      return StoreError(
        .system, "run workers", reason: "somebody else in this process waits for its children",
        advice: "do not ignore SIGCHLD, and do not wait for all children, while a pool runs")
    }
    if let maximumEarlyDeaths, earlyDeaths >= maximumEarlyDeaths {
      return StoreError(
        .workersDied, "run workers",
        reason: "\(earlyDeaths) workers in a row died within \(earlyDeath) of their start, the last one as \(end)",
        advice: "look at what the workers print; a program that is started as a worker has to look at Worker.current")
    }
    if let maximumRestarts, restarts >= maximumRestarts {
      return StoreError(
        .workersDied, "run workers", reason: "\(maximumRestarts + 1) workers died, the last one as \(end)",
        advice: "look at what the workers print; or allow more restarts")
    }
    return nil
  }

  /// Starts a worker in the place of a dead one; when that fails, tries it again later.
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
