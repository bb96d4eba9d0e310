internal import Synchronization

// Looking at the next items in a snapshot, and taking them later in a write.

/// Items of a queue with consecutive numbers.
@usableFromInline
struct QueueRun: Sendable {
  /// The number of the first item.
  let first: UInt64
  let count: Int

  @usableFromInline
  init(first: UInt64, count: Int) {
    self.first = first
    self.count = count
  }
}

/// Prefetches less often when other consumers usually take the prefetched items first.
struct PrefetchPace: ~Copyable, Sendable {
  /// How many attempts are still to be skipped, and how many were skipped before the last one.
  private let left = Atomic<Int>(0)
  private let pause = Atomic<Int>(0)
  private static let longest = 63

  /// Whether a prefetch should be attempted.
  func isTime() -> Bool {
    let left = left.load(ordering: .relaxed)
    if left > 0 { self.left.store(left - 1, ordering: .relaxed) }
    return left <= 0
  }

  func tell(succeeded: Bool) {
    let next = succeeded ? 0 : min(2 * pause.load(ordering: .relaxed) + 1, Self.longest)
    pause.store(next, ordering: .relaxed)
    left.store(next, ordering: .relaxed)
  }
}

extension QueueStorage {
  /// Calls `body` with the records of the items that would be taken next, until it returns false or an item has a history. Passes
  /// the number of the first item, the record, and the indices of the items in the record.
  @usableFromInline
  func lookAhead(_ core: Transaction, atMost most: Int, _ body: (UInt64, QueueChunk, Range<Int>) -> Bool) {
    guard reference.prefetches.isTime() else { return }
    let cursor = Cursor(core, database)
    guard state.ready > 0, cursor.seek(QueueArea.ready), let first = cursor.key.littleEndian(UInt64.self),
      QueueArea.isFresh(first), let level = QueueArea.level(first)
    else { return }
    var left = min(most, state.ready)
    var start = Int(state.skipped[level])
    while left > 0, let key = cursor.key.littleEndian(UInt64.self),
      key & ~QueueArea.numberMask == QueueArea.fresh(level),
      let record = QueueChunk(cursor.value), start < record.count
    {
      let indices = start..<min(record.count, start + left)
      guard body(key & QueueArea.numberMask + UInt64(start), record, indices), cursor.move(.next) else { return }
      left -= indices.count
      start = 0
    }
  }

  /// Takes the items of these runs, as long as they are the next ones.
  ///
  /// - Returns: Which of all these items were taken. Other consumers may have taken the first ones before.
  @usableFromInline
  func take(_ core: Transaction, _ runs: [QueueRun]) -> Range<Int> {
    if runs.isEmpty { return 0..<0 }
    let taken = takeNext(core, runs)
    reference.prefetches.tell(succeeded: !taken.isEmpty)
    return taken
  }

  private func takeNext(_ core: Transaction, _ runs: [QueueRun]) -> Range<Int> {
    let cursor = Cursor(core, database)
    var taken = 0..<0
    var passed = 0
    for run in runs {
      var done = 0
      while done < run.count, state.ready > 0, !core.hasFailed {
        guard cursor.seek(QueueArea.ready), let key = cursor.key.littleEndian(UInt64.self), QueueArea.isFresh(key),
          let level = QueueArea.level(key), let record = QueueChunk(cursor.value)
        else { return taken }
        let start = Int(state.skipped[level])
        let next = run.first + UInt64(done)
        let head = key & QueueArea.numberMask + UInt64(start)
        guard start < record.count, head >= next else { return taken }
        if head > next {
          if !taken.isEmpty { return taken }
          done += Int(min(head - next, UInt64(run.count - done)))
          continue
        }
        let count = min(run.count - done, record.count - start, state.ready)
        dropFresh(core, cursor, level, start..<start + count, of: record.count)
        if taken.isEmpty { taken = passed + done..<passed + done }
        taken = taken.lowerBound..<taken.upperBound + count
        done += count
      }
      if done < run.count { return taken }
      passed += run.count
    }
    return taken
  }
}
