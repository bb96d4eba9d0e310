internal import Dispatch

/// The pending writes of a process's tasks. They run one after the other, in the order of arrival, on a thread of the store,
/// since LMDB's writer lock belongs to a thread and a task has none.
///
/// Writes that wait at the same time share a transaction, and wait for the disk together. Each but the first is a nested
/// transaction, so that a write that throws only undoes its own changes. No task gets its result before the commit.
final class WriteQueue: Sendable {
  /// The maximum number of writes that share a commit, and the maximum time that the first one waits for the other closures.
  private static let mostInCommon = 1024
  private static let longest = Duration.milliseconds(10)
  /// How long to wait for as many writes as the last time, if commits wait for the disk: a tenth of the time of a commit.
  private static let gathering = DispatchTimeInterval.microseconds(150)

  private struct State {
    var waiting: [any PendingWrite] = []
    var isRunning = false
    /// How many writes the thread is waiting for.
    var wanted: Int?
  }
  private let state = Guarded(State())
  private let arrived = DispatchSemaphore(value: 0)
  private let thread = DispatchQueue(label: "lmdbshare.writer")

  /// Adds a write, which later ends with its result or its error.
  func add(_ write: any PendingWrite, to store: SharedStore) {
    let (isFirst, isEnough) = state.withLock { state in
      state.waiting.append(write)
      let isFirst = !state.isRunning
      state.isRunning = true
      guard let wanted = state.wanted, state.waiting.count >= wanted else { return (isFirst, false) }
      state.wanted = nil
      return (isFirst, true)
    }
    if isEnough { arrived.signal() }
    if isFirst { thread.async { [self] in run(store) } }
  }

  /// Runs the writes until none is left.
  private func run(_ store: SharedStore) {
    // In reverse, so that the next one is the last.
    var taken: [any PendingWrite] = []
    var before = 1
    while true {
      if taken.isEmpty { taken = take(orStop: true) }
      if taken.isEmpty { return }
      do {
        let core = try store.environment.beginWrite()
        before = writeTogether(core, store, &taken, before)
      } catch {
        taken.popLast()?.end(error)
      }
    }
  }

  private func take(orStop: Bool) -> [any PendingWrite] {
    state.withLock { state in
      if state.waiting.isEmpty, orStop { state.isRunning = false }
      defer { state.waiting.removeAll() }
      return state.waiting.reversed()
    }
  }

  /// Runs the pending writes in one transaction, and commits it; returns how many there were.
  private func writeTogether(
    _ core: Transaction, _ store: SharedStore, _ taken: inout [any PendingWrite], _ before: Int
  ) -> Int {
    let environment = store.environment
    let start = ContinuousClock.now
    var mayGather = environment.options.durability != .processCrashOnly
    var done: [any PendingWrite] = []
    while done.count < Self.mostInCommon, start.duration(to: .now) < Self.longest {
      if taken.isEmpty { taken = take(orStop: false) }
      if taken.isEmpty, mayGather {
        mayGather = false
        gather(before - done.count)
        taken = take(orStop: false)
      }
      guard let write = taken.popLast() else { break }
      // Cancelled while the thread waited for the lock: the result is no longer needed.
      guard write.begin() else { continue }
      do {
        if done.isEmpty {
          try write.run(core, store)
          try environment.endPart(core)
        } else {
          let part = try environment.beginPart(core)
          do {
            try write.run(core, store)
          } catch {
            environment.abortPart(part, core)
            throw error
          }
          try environment.commitPart(part, core)
        }
        done.append(write)
      } catch {
        if done.isEmpty {
          environment.abort(core)
          write.end(error)
          return before
        }
        write.end(error)
      }
    }
    guard !done.isEmpty else {
      environment.abort(core)
      return before
    }
    do {
      try environment.commit(core)
      for write in done { write.end(nil) }
    } catch {
      for write in done { write.end(error) }
    }
    return done.count
  }

  /// Waits briefly for `count` more writes.
  private func gather(_ count: Int) {
    let isEnough = state.withLock { state in
      if count <= state.waiting.count { return true }
      state.wanted = count
      return false
    }
    if isEnough || arrived.wait(timeout: .now() + Self.gathering) == .success { return }
    let hasArrived = state.withLock { state in
      defer { state.wanted = nil }
      return state.wanted == nil
    }
    if hasArrived { arrived.wait() }
  }
}

/// A task's write in the queue.
protocol PendingWrite: AnyObject, Sendable {
  /// Begins the write; from here on it cannot be cancelled. Returns false when it was cancelled before.
  func begin() -> Bool
  /// Runs the task's closure in a transaction, and keeps the result.
  func run(_ core: Transaction, _ store: SharedStore) throws
  /// Resumes the task, with an error or after the commit.
  func end(_ error: (any Error)?)
}

/// A result on its way from the thread that produces it to the task that waits for it.
struct Transfer<Value>: @unchecked Sendable {
  // Why unchecked: the value is `sending`, so that its producer has no access to it any more, and it is returned to only one
  // task, by the only resumption of the continuation.
  let value: Value
  init(_ value: sending Value) { self.value = value }
}

/// A write that waits, is cancelled or begins, and ends.
final class TaskWrite<Value: Sendable>: PendingWrite {
  typealias Body = @Sendable (inout WriteTransaction) throws -> Value
  private enum State {
    case waiting, begun, over
    case done(Value)
  }
  private let state = Guarded(State.waiting)
  private let suspension = Suspension<Value>()
  private let body: Body

  init(_ body: @escaping Body) { self.body = body }

  /// Suspends the task until the write has ended, or was cancelled before it began.
  nonisolated(nonsending) func wait() async throws -> Value { try await suspension.wait { self.cancel() } }

  func begin() -> Bool {
    state.withLock { state in
      guard case .waiting = state else { return false }
      state = .begun
      return true
    }
  }

  func run(_ core: Transaction, _ store: SharedStore) throws {
    var transaction = WriteTransaction(core, store)
    let value = try body(&transaction)
    state.withLock { $0 = .done(value) }
  }

  func end(_ error: (any Error)?) {
    let ended = state.withLock { state in
      defer { state = .over }
      return state
    }
    if let error {
      suspension.end(.failure(error))
    } else if case .done(let value) = ended {
      suspension.end(.success(value))
    }
  }

  /// Called when the task is cancelled, or its time is over; has no effect once the write has begun.
  func cancel(_ error: any Error = CancellationError()) {
    let isInTime = state.withLock { state in
      guard case .waiting = state else { return false }
      state = .over
      return true
    }
    if isInTime { suspension.end(.failure(error)) }
  }
}
