internal import Dispatch
internal import Synchronization

/// Adds items to a queue on a thread of its own: while a commit is under way, what comes is collected for the next one.
@usableFromInline
final class QueueFeeder: Sendable {
  private struct State: ~Copyable {
    /// What has been accepted and not been taken by the thread yet.
    var waiting = QueueBatch()
    /// What the thread had taken when it failed, and from where on it has not been added; else spare memory.
    var left = QueueBatch()
    var place = QueueBatchPlace()
    /// Spare memory for several items that are being encoded.
    var spare = QueueBatch()
    var isRunning = false
    /// Why items could not be added; they wait until somebody tries again.
    var error: (any Error)?
    /// How many items were ever accepted, and how many have been added.
    var accepted = 0
    var added = 0
    /// Who waits until so many have been added.
    var waits: [(id: UInt64, target: Int, end: @Sendable (Bool) -> Void)] = []
  }
  private let store: SharedStore
  private let reference: StructureReference
  private let level: Int
  private let limit: Int
  private let state = Mutex(State())
  private let thread = DispatchQueue(label: "lmdbshare.producer")

  init(_ store: SharedStore, _ reference: StructureReference, level: Int, limit: Int) {
    self.store = store
    self.reference = reference
    self.level = level
    self.limit = max(1, limit)
  }

  // MARK: Handing over

  /// Accepts an item.
  ///
  /// - Returns: How many must have been added before more should come; nil when enough have been.
  @usableFromInline
  func accept(_ item: RawSpan) throws -> Int? {
    try accepting(1) { waiting in waiting.append(item) }
  }

  /// An empty batch to be filled and handed over.
  @usableFromInline
  func makeBatch() -> QueueBatch {
    var batch = QueueBatch()
    state.withLock { state in swap(&state.spare, &batch) }
    return batch
  }

  /// Accepts all items of a batch.
  @usableFromInline
  func accept(_ batch: consuming QueueBatch) throws -> Int? {
    defer {
      batch.removeAll()
      state.withLock { state in swap(&state.spare, &batch) }
    }
    return try accepting(batch.count) { waiting in waiting.take(&batch) }
  }

  private func accepting(_ count: Int, _ append: (inout QueueBatch) -> Void) throws -> Int? {
    let (isFirst, target) = try state.withLock { state throws -> (Bool, Int?) in
      if let error = state.error { throw error }
      let target = state.accepted + count - limit
      let mustWait = target > state.added
      // Before anything is accepted.
      if mustWait { try checkMayWait() } else if !state.isRunning { try store.environment.checkFork() }
      append(&state.waiting)
      state.accepted += count
      defer { state.isRunning = true }
      return (!state.isRunning, mustWait ? target : nil)
    }
    if isFirst { run() }
    return target
  }

  // MARK: Waiting

  /// Inside of a write nobody could commit what is waited for.
  private func checkMayWait() throws(StoreError) {
    try store.environment.checkMayWait("wait for a producer", reference.name)
  }

  /// Calls `end` once: with true when so many items have been added or adding has failed, with false when the wait is
  /// cancelled.
  private func wait(_ id: UInt64, for target: Int, _ end: @escaping @Sendable (Bool) -> Void) {
    let isOver = state.withLock { state in
      if state.added >= target || !state.isRunning { return true }
      state.waits.append((id, target, end))
      return false
    }
    if isOver { end(true) }
  }

  private func cancel(_ id: UInt64) {
    let wait = state.withLock { state in
      state.waits.firstIndex { $0.id == id }.map { state.waits.remove(at: $0) }
    }
    wait?.end(false)
  }

  @usableFromInline @inline(never)
  func wait(for target: Int) throws {
    try checkMayWait()
    let end = DispatchSemaphore(value: 0)
    wait(0, for: target) { _ in end.signal() }
    end.wait()
  }

  @usableFromInline @inline(never)
  nonisolated(nonsending) func wait(for target: Int) async throws {
    try checkMayWait()
    let id = freshNumber()
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (wait: CheckedContinuation<Void, any Error>) in
        self.wait(id, for: target) { isOver in
          if isOver { wait.resume() } else { wait.resume(throwing: CancellationError()) }
        }
        if Task.isCancelled { cancel(id) }
      }
    } onCancel: {
      cancel(id)
    }
  }

  /// Tries again what failed; tells how many items were accepted so far.
  func restart() -> Int {
    let (isFirst, target) = state.withLock { state in
      guard state.added < state.accepted else { return (false, state.accepted) }
      state.error = nil
      defer { state.isRunning = true }
      return (!state.isRunning, state.accepted)
    }
    if isFirst { run() }
    return target
  }

  /// Throws why items could not be added.
  func check() throws { try state.withLock { state in if let error = state.error { throw error } } }

  // MARK: Adding

  private func run() { thread.async { [self] in work() } }

  private func work() {
    var batch = QueueBatch()
    var place = QueueBatchPlace()
    state.withLock { state in
      swap(&state.left, &batch)
      swap(&state.place, &place)
    }
    repeat {
      do {
        while place.record < batch.recordCount {
          let step = try add(batch, from: place)
          place = step.place
          tell(step.count)
        }
      } catch {
        return fail(error, &batch, place)
      }
      place = QueueBatchPlace()
    } while takeNext(&batch)
  }

  /// Exchanges an old batch for what is to be added next; false when there is nothing, and then the thread ends.
  private func takeNext(_ batch: inout QueueBatch) -> Bool {
    batch.removeAll()
    return state.withLock { state in
      guard state.waiting.count > 0 else {
        state.isRunning = false
        swap(&state.left, &batch)
        return false
      }
      swap(&state.waiting, &batch)
      batch.close()
      return true
    }
  }

  /// Adds in one transaction what there is room for; waits until there is some.
  private func add(
    _ batch: borrowing QueueBatch, from place: QueueBatchPlace
  ) throws -> (place: QueueBatchPlace, count: Int) {
    if reference.description.maximumCount == nil { return try push(batch, from: place) }
    var step = (place: place, count: 0)
    _ = try store.environment.wait(for: reference.channel, until: nil) {
      let isFull = try store.read { txn in
        let queue = txn.core.queue(reference, txn.core.use(reference))
        return queue.room == 0 && !queue.state.isClosed
      }
      if !isFull { step = try push(batch, from: place) }
      return Look(isReady: step.count > 0)
    }
    return step
  }

  private func push(
    _ batch: borrowing QueueBatch, from place: QueueBatchPlace
  ) throws -> (place: QueueBatchPlace, count: Int) {
    try store.writeNow { txn in
      let queue = txn.core.queue(reference, txn.core.useForWriting(reference))
      return queue.push(txn.core, batch, from: place, level: level)
    }
  }

  private func tell(_ count: Int) {
    let ended = state.withLock { state in
      state.added += count
      let added = state.added
      defer { state.waits.removeAll { $0.target <= added } }
      return state.waits.filter { $0.target <= added }
    }
    for wait in ended { wait.end(true) }
  }

  private func fail(_ error: any Error, _ batch: inout QueueBatch, _ place: QueueBatchPlace) {
    let ended = state.withLock { state in
      swap(&state.left, &batch)
      state.place = place
      state.error = error
      state.isRunning = false
      defer { state.waits = [] }
      return state.waits
    }
    for wait in ended { wait.end(true) }
  }
}
