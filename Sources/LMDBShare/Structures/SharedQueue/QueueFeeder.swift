internal import Dispatch

/// Adds items to a queue on a thread of its own. Items that arrive during a commit are collected for the next one.
@usableFromInline
final class QueueFeeder: Sendable {
  /// Called once: when enough items have been added, with the error that prevented it, or with a `CancellationError`.
  private typealias Outcome = @Sendable (Result<Void, any Error>) -> Void

  private struct State: ~Copyable {
    /// Items that have been accepted and not yet taken by the thread.
    var waiting = QueueBatch()
    /// The items that the thread had taken when it failed, which have not been added from `place` on; otherwise spare memory.
    var left = QueueBatch()
    var place = QueueBatchPlace()
    /// Spare memory for encoding several items.
    var spare = QueueBatch()
    var isRunning = false
    /// The reason why items could not be added; they wait until a caller retries.
    var error: (any Error)?
    /// The numbers of items that have been accepted and that have been added.
    var accepted = 0
    var added = 0
    /// Waiters, each with the number of added items for which it waits.
    var waits: [(id: UInt64, target: Int, end: Outcome)] = []
  }
  private let store: SharedStore
  private let reference: StructureReference
  private let level: Int
  private let limit: Int
  private let state = Guarded(State())
  private let thread = DispatchQueue(label: "lmdbshare.producer")

  init(_ store: SharedStore, _ reference: StructureReference, level: Int, limit: Int) {
    self.store = store
    self.reference = reference
    self.level = level
    self.limit = max(1, limit)
  }

  // MARK: Accepting items

  /// Accepts an item.
  ///
  /// - Returns: How many items must have been added before the caller should add more; nil when enough have been.
  /// - Throws: The error that prevents accepting it, for example because it is too large to be stored.
  @usableFromInline
  func accept(_ item: RawSpan) throws -> Int? {
    guard item.byteCount <= QueueBatch.mostItemBytes else {
      throw Limits.tooLarge(item.byteCount).about(reference.name)
    }
    return try accepting(1) { waiting in waiting.append(item) }
  }

  /// Returns an empty batch to be filled and passed back.
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
    if let tooLarge = batch.tooLarge { throw Limits.tooLarge(tooLarge).about(reference.name) }
    return try accepting(batch.count) { waiting in waiting.take(&batch) }
  }

  private func accepting(_ count: Int, _ append: (inout QueueBatch) -> Void) throws -> Int? {
    // No thread survives a fork.
    try store.environment.checkFork()
    let (isFirst, target) = try state.withLock { state throws -> (Bool, Int?) in
      if let error = state.error { throw error }
      let target = state.accepted + count - limit
      let mustWait = target > state.added
      // This is checked before any item is accepted.
      if mustWait { try checkMayWait() }
      append(&state.waiting)
      state.accepted += count
      defer { state.isRunning = true }
      return (!state.isRunning, mustWait ? target : nil)
    }
    if isFirst { run() }
    return target
  }

  // MARK: Waiting

  /// Waits until `target` items have been added, adding has failed, or the task is cancelled.
  @usableFromInline @inline(never)
  func waitForRoom(_ target: Int) { try? wait(for: target).get() }

  @usableFromInline @inline(never)
  nonisolated(nonsending) func waitForRoom(_ target: Int) async { try? await wait(for: target) }

  /// Waits until all items accepted so far have been added. Retries items that could not be added before.
  func flush() throws {
    try checkMayWait()
    try wait(for: restart()).get()
  }

  nonisolated(nonsending) func flush() async throws {
    try checkMayWait()
    try await wait(for: restart())
  }

  /// Discards the items that could not be added, and returns their number; 0 when nothing has failed.
  func discard() -> Int {
    state.withLock { state in
      guard state.error != nil else { return 0 }
      defer { state.added = state.accepted }
      state.error = nil
      state.waiting.removeAll()
      state.left.removeAll()
      state.place = QueueBatchPlace()
      return state.accepted - state.added
    }
  }

  /// Refuses to wait within a write, which would exclude the commit that is waited for.
  private func checkMayWait() throws(StoreError) {
    try store.environment.checkMayWait("wait for a producer", reference.name)
  }

  private func wait(_ id: UInt64, for target: Int, _ end: @escaping Outcome) {
    let outcome: Result<Void, any Error>? = state.withLock { state in
      if state.added >= target { return .success(()) }
      if let error = state.error { return .failure(error) }
      state.waits.append((id, target, end))
      return nil
    }
    if let outcome { end(outcome) }
  }

  private func wait(for target: Int) -> Result<Void, any Error> {
    let end = DispatchSemaphore(value: 0)
    let outcome = Guarded<Result<Void, any Error>>(.success(()))
    wait(0, for: target) { found in
      outcome.withLock { $0 = found }
      end.signal()
    }
    end.wait()
    return outcome.withLock { $0 }
  }

  private nonisolated(nonsending) func wait(for target: Int) async throws {
    let suspension = Suspension<Void>()
    let id = freshNumber()
    wait(id, for: target) { suspension.end($0) }
    defer { state.withLock { state in state.waits.removeAll { $0.id == id } } }
    try await suspension.wait()
  }

  /// Retries failed items, and returns the number of items accepted so far.
  private func restart() -> Int {
    let (isFirst, target) = state.withLock { state in
      guard state.added < state.accepted else { return (false, state.accepted) }
      state.error = nil
      defer { state.isRunning = true }
      return (!state.isRunning, state.accepted)
    }
    if isFirst { run() }
    return target
  }

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

  /// Exchanges an old batch for the next one to be added. Returns false when there is none, and the thread ends.
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

  /// Adds as many items as there is room for in one transaction, after waiting for room.
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

  /// Adds about 4 MiB in one transaction, so that other writers need not wait long; less when the store has no room for that.
  private func push(
    _ batch: borrowing QueueBatch, from place: QueueBatchPlace
  ) throws -> (place: QueueBatchPlace, count: Int) {
    var most = 4 << 20
    while true {
      do {
        return try store.writeNow { txn in
          let queue = txn.core.queue(reference, txn.core.useForWriting(reference))
          return queue.push(txn.core, batch, from: place, atMost: most, level: level)
        }
      } catch let error as StoreError where error.code == .mapFull && most > 1 {
        // The last attempt is for a single record.
        most = most > 4096 ? most / 8 : 1
      }
    }
  }

  private func tell(_ count: Int) {
    let ended = state.withLock { state in
      state.added += count
      let added = state.added
      defer { state.waits.removeAll { $0.target <= added } }
      return state.waits.filter { $0.target <= added }
    }
    for wait in ended { wait.end(.success(())) }
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
    for wait in ended { wait.end(.failure(error)) }
  }
}
