internal import Dispatch
internal import Synchronization

/// So many worker processes that are kept running: another one is started for each that dies.
///
///     let pool = try WorkerPool(4, role: "count", store: store)
///     …
///     try jobs.close()               // the workers end when the queue is empty
///     try pool.wait()
///
/// A worker that ends with status 0 is done and is not replaced. One that ends otherwise is replaced; when that happens soon
/// after its start, time and again, the next start waits longer and longer, up to a second.
public final class WorkerPool: Sendable {
  private struct State {
    var workers: [WorkerProcess] = []
    var restarts = 0
    var failures: [WorkerProcess.Termination] = []
    /// How often in a row a worker died soon after its start.
    var inARow = 0
    var isStopping = false
    var error: StoreError?
  }
  private let state = Mutex(State())
  private let left = DispatchGroup()
  private let start: @Sendable () throws(StoreError) -> WorkerProcess
  private let maximumRestarts: Int?

  /// Starts the workers.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - role, store, arguments, executable, environment: As for ``WorkerProcess``.
  ///   - maximumRestarts: How many are replaced in all; nil for no limit.
  /// - Throws: ``StoreError`` when one cannot be started; those that were are ended.
  public init(
    _ count: Int, role: String, store: SharedStore, arguments: [String] = [], executable: String? = nil,
    environment: [String: String] = [:], maximumRestarts: Int? = nil
  ) throws(StoreError) {
    self.maximumRestarts = maximumRestarts
    start = { () throws(StoreError) in
      try WorkerProcess(
        role: role, store: store, arguments: arguments, executable: executable, environment: environment)
    }
    for _ in 0..<count {
      do throws(StoreError) {
        try add()
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

  /// Ends all workers, with SIGTERM, and after a second with SIGKILL. None is replaced.
  public func stop() {
    let workers = state.withLock { state in
      state.isStopping = true
      return state.workers
    }
    if !workers.isEmpty { Self.end(workers) }
  }

  private static func end(_ workers: [WorkerProcess]) {
    for worker in workers { worker.signal() }
    DispatchQueue.global().asyncAfter(deadline: .now() + 1) { for worker in workers { worker.kill() } }
  }

  /// Waits until all workers have ended.
  ///
  /// - Throws: ``StoreError`` when a worker could not be replaced, or too many died.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func wait() throws(StoreError) {
    left.wait()
    if let error = state.withLock({ $0.error }) { throw error }
  }

  /// Waits until all workers have ended, without blocking a thread.
  public func wait() async throws {
    await withCheckedContinuation { continuation in left.notify(queue: .global()) { continuation.resume() } }
    if let error = state.withLock({ $0.error }) { throw error }
  }

  private func add() throws(StoreError) {
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
    if isLate { Self.end([worker]) }
    let began = ContinuousClock.now
    // The pool may be gone by then, and nobody to be replaced.
    worker.whenEnded { [weak self, left] termination in
      self?.ended(worker, termination, after: began.duration(to: .now))
      left.leave()
    }
  }

  private func ended(_ worker: WorkerProcess, _ termination: WorkerProcess.Termination, after life: Duration) {
    let pause = state.withLock { state -> Double? in
      state.workers.removeAll { $0 === worker }
      guard !termination.isSuccess else { return nil }
      state.failures.append(termination)
      guard !state.isStopping else { return nil }
      if termination == .unknown {
        state.error =
          state.error
          ?? StoreError(
            .system, "run workers", reason: "somebody else in this process waits for its children",
            advice: "do not ignore SIGCHLD, and do not wait for all children, while a pool runs")
        return nil
      }
      if let maximumRestarts, state.restarts >= maximumRestarts {
        state.error =
          state.error
          ?? StoreError(
            .system, "run workers", reason: "\(maximumRestarts + 1) workers died, the last one as \(termination)",
            advice: "look at what the workers print; or allow more restarts")
        return nil
      }
      state.restarts += 1
      state.inARow = life < .seconds(1) ? state.inARow + 1 : 0
      return state.inARow < 4 ? 0 : min(1, 0.01 * Double(1 << min(state.inARow - 4, 10)))
    }
    guard let pause else { return }
    if pause == 0 { return replace() }
    left.enter()
    DispatchQueue.global().asyncAfter(deadline: .now() + pause) { [weak self, left] in
      self?.replace()
      left.leave()
    }
  }

  private func replace() {
    guard state.withLock({ !$0.isStopping }) else { return }
    do throws(StoreError) {
      try add()
    } catch {
      state.withLock { $0.error = $0.error ?? error }
    }
  }
}
