internal import Dispatch

/// Adds items to a queue on a thread of its own: while a commit is under way, what comes is collected for the next one.
@usableFromInline
final class QueueFeeder: Sendable {
  /// Called once: when so many items have been added, with why not, or with a `CancellationError`.
  private typealias Outcome = @Sendable (Result<Void, any Error>) -> Void

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

  // MARK: Handing over

  /// Accepts an item.
  ///
  /// - Returns: How many must have been added before more should come; nil when enough have been.
  /// - Throws: Why it is not accepted, for example that it is so large that it would stand in the way of all others.
  @usableFromInline
  func accept(_ item: RawSpan) throws -> Int? {
    guard item.byteCount <= QueueBatch.mostItemBytes else {
      throw Limits.tooLarge(item.byteCount).about(reference.name)
    }
    return try accepting(1) { waiting in waiting.append(item) }
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
    if let tooLarge = batch.tooLarge { throw Limits.tooLarge(tooLarge).about(reference.name) }
    return try accepting(batch.count) { waiting in waiting.take(&batch) }
  }

  private func accepting(_ count: Int, _ append: (inout QueueBatch) -> Void) throws -> Int? {
    // There is no thread after a fork.
    try store.environment.checkFork()
    let (isFirst, target) = try state.withLock { state throws -> (Bool, Int?) in
      if let error = state.error { throw error }
      let target = state.accepted + count - limit
      let mustWait = target > state.added
      // Before anything is accepted.
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

  /// Waits until so many items have been added, or adding has failed, or the task is cancelled: whoever comes next is told.
  @usableFromInline @inline(never)
  func waitForRoom(_ target: Int) { try? wait(for: target).get() }

  @usableFromInline @inline(never)
  nonisolated(nonsending) func waitForRoom(_ target: Int) async { try? await wait(for: target) }

  /// Waits until all items that were accepted so far have been added; tries again where that failed.
  func flush() throws {
    try checkMayWait()
    try wait(for: restart()).get()
  }

  nonisolated(nonsending) func flush() async throws {
    try checkMayWait()
    try await wait(for: restart())
  }

  /// Forgets the items that could not be added; tells how many. Where nothing has failed there are none.
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

  /// Inside of a write nobody could commit what is waited for.
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

  /// Tries again what failed; tells how many items were accepted so far.
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

  /// Adds about 4 MiB in one transaction, so that it keeps nobody waiting for long; less where the store has no room for that.
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
        // The last try is for one record alone.
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
