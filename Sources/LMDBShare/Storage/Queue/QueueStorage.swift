/// A queue within one transaction: its items as bytes, and its state, which is written back once, at the end.
@usableFromInline
final class QueueStorage: StructureState {
  @usableFromInline let reference: StructureReference
  let database: Database
  /// The epoch of the transaction for which the state is current.
  @usableFromInline private(set) var epoch: UInt64 = 0
  private var stored = QueueState()
  /// The number of the newest fresh item. The last number follows from it without being stored.
  private var newestFresh: UInt64 = 0
  @usableFromInline var state = QueueState()
  /// How many items this transaction has restored from a copy.
  var restored = 0

  init(_ reference: StructureReference, _ database: Database) {
    self.reference = reference
    self.database = database
  }

  func load(_ core: Transaction) {
    epoch = core.epoch
    restored = 0
    // A state that could not be read is not remembered.
    defer { if core.hasFailed { epoch = 0 } }
    stored = QueueState()
    if !core.hasFailed, let bytes = core.get(database, QueueArea.state) {
      if let state = QueueState(bytes) { stored = state } else { fail(core, "its state is damaged") }
    }
    state = stored
    guard !core.hasFailed else { return }
    newestFresh = newest(core)
    state.lastSequence = max(state.lastSequence, newestFresh)
    if state.ready < 0 { fail(core, "its state tells of more items than were pushed") }
  }

  /// Returns the number of the newest fresh item that exists, or 0.
  private func newest(_ core: Transaction) -> UInt64 {
    let cursor = Cursor(core, database)
    // Usually there is one level, and its records are the last ones. Returned items of a later level come after them.
    if state.levels == QueueState().levels {
      guard cursor.move(.last) else { return 0 }
      let last = lastNumber(cursor, 4)
      if last > 0 { return last }
    }
    var newest: UInt64 = 0
    for level in 0..<QueuePriority.levels where state.levels >> level & 1 == 1 {
      let isThere =
        cursor.seek(QueueArea.fresh(level) + QueueArea.numberMask) ? cursor.move(.previous) : cursor.move(.last)
      if isThere { newest = max(newest, lastNumber(cursor, level)) }
    }
    return newest
  }

  /// Returns the number of the last item in the fresh record at the cursor; 0 when the record is not one of this level.
  private func lastNumber(_ cursor: Cursor, _ level: Int) -> UInt64 {
    guard let key = cursor.key.littleEndian(UInt64.self), key & ~QueueArea.numberMask == QueueArea.fresh(level),
      let count = QueueChunk(cursor.value)?.count
    else { return 0 }
    return min(key & QueueArea.numberMask + UInt64(count - 1), 1 << 55)
  }

  @usableFromInline func flush(_ core: Transaction) {
    guard epoch == core.epoch, core.isWritable else { return }
    let isKnown = state.lastSequence <= max(stored.lastSequence, newestFresh)
    if isKnown, !state.differs(from: stored) { return }
    state.withBytes { _ = core.put(database, QueueArea.state, $0) }
    stored = state
  }

  /// Forgets the state so that it is read again: a change that is not allowed must not be remembered.
  func forget() { epoch = 0 }

  /// Returns the count decremented by one; fails the transaction when it is zero.
  private func lowered(_ core: Transaction, _ count: Int) -> Int {
    if count > 0 { return count - 1 }
    fail(core, "its state tells of fewer items than there are")
    return 0
  }

  /// Decrements the count of leased, delayed or dead items.
  func lowerLeased(_ core: Transaction) { state.leased = lowered(core, state.leased) }
  func lowerDelayed(_ core: Transaction) { state.delayed = lowered(core, state.delayed) }
  func lowerDead(_ core: Transaction) { state.dead = lowered(core, state.dead) }

  @inline(never)
  func fail(_ core: Transaction, _ reason: String) {
    core.fail(
      StoreError(
        .damaged, "read", structure: reference.name, reason: reason,
        advice: "another program may have written to it; restore a backup"))
  }

  // MARK: Adding

  /// How many more items fit.
  var room: Int {
    guard let capacity = reference.description.maximumCount else { return .max }
    return max(0, capacity - state.ready - state.delayed)
  }

  /// Returns the error if this many items may not be added; nil if they may.
  func refusal(_ count: Int) -> StoreError? {
    if state.isClosed {
      return StoreError(
        .queueClosed, "push", structure: reference.name, reason: "the queue is closed",
        advice: "open it again with reopen(), or give the item to another queue")
    }
    guard let capacity = reference.description.maximumCount, state.ready + state.delayed + count > capacity else {
      return nil
    }
    return StoreError(
      .queueFull, "push", structure: reference.name,
      reason: "it has \(counted(state.ready + state.delayed, "item")) and room for \(capacity)",
      advice: count > capacity
        ? "push fewer items at once" : "take items first, or allow time: push(…, timeout: …)")
  }

  /// Adds an item and returns its number.
  @usableFromInline
  func push(_ core: Transaction, _ item: RawSpan, level: Int, delay: Duration) -> UInt64 {
    if state.isClosed || reference.description.maximumCount != nil, let refusal = refusal(1) {
      core.fail(refusal)
      return 0
    }
    state.lastSequence += 1
    let sequence = state.lastSequence
    state.levels |= 1 << UInt8(level)
    if delay > .zero {
      putDelayed(core, QueueRecord(sequence, level: level), item, until: core.now(after: delay))
    } else {
      QueueChunkBuilder.single(item) {
        _ = core.put(database, QueueArea.fresh(level) | sequence, $0, .likelyLast)
      }
      newestFresh = sequence
    }
    return sequence
  }

  @usableFromInline func makeBuilder() -> QueueChunkBuilder { QueueChunkBuilder() }

  /// Adds an item to a record of several items, which is stored when it is full.
  @usableFromInline
  func pack(_ core: Transaction, _ item: RawSpan, level: Int, _ builder: inout QueueChunkBuilder) {
    if !builder.hasRoom(item.byteCount) { store(core, level: level, &builder) }
    builder.append(item)
  }

  /// Stores a record of several items.
  @usableFromInline
  func store(_ core: Transaction, level: Int, _ builder: inout QueueChunkBuilder) {
    let count = builder.count
    guard count > 0 else { return }
    if let refusal = refusal(count) { return core.fail(refusal) }
    builder.finish { putFresh(core, $0, count, level: level) }
  }

  /// Stores a record of `count` items, for which there is room.
  func putFresh(_ core: Transaction, _ record: RawSpan, _ count: Int, level: Int) {
    let first = state.lastSequence + 1
    state.lastSequence += UInt64(count)
    state.levels |= 1 << UInt8(level)
    newestFresh = state.lastSequence
    _ = core.put(database, QueueArea.fresh(level) | first, record, .likelyLast)
  }

  func putDelayed(_ core: Transaction, _ record: QueueRecord, _ item: RawSpan, until time: UInt64) {
    var key = QueueArea.delayed | time & QueueArea.numberMask
    // Two items that are due in the same microsecond keep their order.
    while core.get(database, key) != nil { key += 1 }
    var record = record
    record.time = key & QueueArea.numberMask
    record.token = 0
    record.owner = .none
    record.withBytes(item) { _ = core.put(database, key, $0) }
    state.delayed += 1
  }

  // MARK: Taking

  /// Makes items that have become due ready to be taken.
  @usableFromInline
  func prepareToTake(_ core: Transaction) {
    if state.delayed > 0 || state.leased > 0 { makeReady(core) }
  }

  /// An item that is being taken.
  @usableFromInline
  struct Taken {
    @usableFromInline var sequence: UInt64
    var level: Int
    var attempts: UInt32
  }

  /// Takes items in order. `body` is called with each item and its bytes, and returns the reason if they cannot be decoded.
  ///
  /// - Parameter limit: The number of undecodable items after which it ends.
  /// - Returns: How many items were taken, and the undecodable ones. These are out of the queue; the caller stores them
  ///   elsewhere.
  func take(
    _ core: Transaction, atMost most: Int, undecodable limit: Int, _ body: (Taken, RawSpan) -> DecodingFailure?
  ) -> Taking {
    var taking = Taking(most: most, limit: limit)
    while taking.goesOn, state.ready > 0, !core.hasFailed {
      taking.most = taking.count + min(most - taking.count, state.ready)
      let cursor = Cursor(core, database)
      guard cursor.seek(QueueArea.ready), let key = cursor.key.littleEndian(UInt64.self),
        let level = QueueArea.level(key)
      else {
        if !core.hasFailed { fail(core, "its state tells of \(state.ready) items that are not there") }
        break
      }
      let before = state.gone
      if QueueArea.isFresh(key) {
        takeFresh(core, cursor, before: .max, &taking, body)
      } else {
        // An item that was pushed earlier and never taken comes first.
        let returned = key & QueueArea.numberMask
        let fresh = Cursor(core, database)
        if let first = firstFresh(fresh, level), first < returned {
          takeFresh(core, fresh, before: returned, &taking, body)
        } else {
          takeReturned(core, cursor, level, &taking, body)
        }
      }
      if state.gone == before { break }
    }
    // They may return without a change of the state, but not as fresh items, so the last number does not follow from them.
    if !taking.undecodable.isEmpty { newestFresh = 0 }
    return taking
  }

  /// Moves the cursor to the first fresh record of a level. Returns the number of the first item in it that is not gone.
  private func firstFresh(_ cursor: Cursor, _ level: Int) -> UInt64? {
    guard cursor.seek(QueueArea.fresh(level)), let key = cursor.key.littleEndian(UInt64.self),
      key & ~QueueArea.numberMask == QueueArea.fresh(level)
    else { return nil }
    return key & QueueArea.numberMask + UInt64(state.skipped[level])
  }

  private func takeFresh(
    _ core: Transaction, _ cursor: Cursor, before end: UInt64, _ taking: inout Taking,
    _ body: (Taken, RawSpan) -> DecodingFailure?
  ) {
    guard let key = cursor.key.littleEndian(UInt64.self), let level = QueueArea.level(key),
      let chunk = QueueChunk(cursor.value), Int(state.skipped[level]) < chunk.count
    else { return fail(core, "a record of items is damaged") }
    let (start, ready) = (Int(state.skipped[level]), state.ready)
    var index = start
    while index < chunk.count, index - start < ready, taking.goesOn {
      let sequence = key & QueueArea.numberMask + UInt64(index)
      guard sequence < end else { break }
      guard let item = chunk.item(index) else {
        fail(core, "a record of items is damaged")
        break
      }
      let taken = Taken(sequence: sequence, level: level, attempts: 0)
      taking.note(taken, item, body(taken, item))
      index += 1
    }
    dropFresh(core, cursor, level, start..<index, of: chunk.count)
  }

  /// Drops items of a level's first record, at the cursor: those that are not gone, up to an index.
  func dropFresh(_ core: Transaction, _ cursor: Cursor, _ level: Int, _ indices: Range<Int>, of count: Int) {
    if indices.upperBound == count {
      cursor.delete()
      state.skipped[level] = 0
    } else {
      state.skipped[level] = UInt32(indices.upperBound)
      core.wrote(database)
    }
    state.gone += indices.count
  }

  private func takeReturned(
    _ core: Transaction, _ cursor: Cursor, _ level: Int, _ taking: inout Taking,
    _ body: (Taken, RawSpan) -> DecodingFailure?
  ) {
    guard let record = QueueRecord(cursor.value), let key = cursor.key.littleEndian(UInt64.self),
      record.sequence == key & QueueArea.numberMask
    else { return fail(core, "the record of an item is damaged") }
    let taken = Taken(sequence: record.sequence, level: level, attempts: record.attempts)
    let item = QueueRecord.item(cursor.value)
    taking.note(taken, item, body(taken, item))
    cursor.delete()
    state.gone += 1
  }

  // MARK: Removing

  /// Removes all items, whatever their state.
  func removeAll(_ core: Transaction) {
    core.removeAll(database)
    var empty = QueueState()
    empty.lastSequence = state.lastSequence
    empty.lastToken = state.lastToken
    empty.isClosed = state.isClosed
    empty.gone = Int(state.lastSequence)
    state = empty
    restored = 0
    // The state must be written in any case, since its record was removed with the rest.
    stored = QueueState()
  }
}

extension Transaction {
  /// Returns the queue as of this transaction.
  @inlinable
  func queue(_ reference: StructureReference, _ database: Database) -> QueueStorage {
    if let known = state(database, as: QueueStorage.self), known.reference === reference, known.epoch == epoch {
      return known
    }
    return loadQueue(reference, database)
  }

  @usableFromInline @inline(never)
  func loadQueue(_ reference: StructureReference, _ database: Database) -> QueueStorage {
    if let known = state(database, as: QueueStorage.self),
      known.reference.description.identity == reference.description.identity
    {
      // Another handle of the same queue may have unwritten changes.
      if known.epoch != epoch { known.load(self) }
      return known
    }
    let queue = QueueStorage(reference, database)
    queue.load(self)
    if database != Database.missing { setState(database, queue) }
    return queue
  }
}
