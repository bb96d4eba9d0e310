// Leases, delays and dead letters. A leased item is stored under its number until it is acknowledged or given back, or its lease
// ends. A lease ends when it expires or when its owner dies: the kernel then releases the owner's lock in the `owners` file.

extension QueueStorage {
  /// The maximum number of items that are put back in one transaction.
  private static let most = 1000

  // MARK: Due items

  /// The result of looking for an item.
  enum Availability {
    /// There is an item to take.
    case ready
    /// The queue is closed, and no item will come.
    case drained
    /// There is no item yet.
    case nothing(Look)
  }

  func availability(_ core: Transaction) -> Availability {
    if state.ready > 0 { return .ready }
    guard state.delayed > 0 || state.leased > 0 else {
      return state.isClosed ? .drained : .nothing(Look(isReady: false))
    }
    let now = core.now()
    var next = UInt64.max
    if state.delayed > 0 {
      let cursor = Cursor(core, database)
      if cursor.seek(QueueArea.delayed), let key = cursor.key.littleEndian(UInt64.self), key < QueueArea.dead {
        next = key & QueueArea.numberMask
      }
    }
    var owners: Set<OwnerID> = []
    walkLeased(core) { record, _ in
      next = min(next, record.time)
      owners.insert(record.owner)
      return true
    }
    if next <= now || !owners.allSatisfy(reference.environment.isAlive) { return .ready }
    owners.remove(reference.environment.owner ?? .none)
    let again = next == .max ? nil : ContinuousClock.now + .microseconds(Int64(min(next - now, 1 << 52)))
    return .nothing(Look(isReady: false, again: again, watched: owners.map(\.place)))
  }

  /// Walks the leased items until `body` returns false.
  func walkLeased(_ core: Transaction, _ body: (QueueRecord, RawSpan) -> Bool) {
    walk(core, QueueArea.leased, body)
  }

  /// Walks the records of an area.
  func walk(_ core: Transaction, _ area: UInt64, _ body: (QueueRecord, RawSpan) -> Bool) {
    let cursor = Cursor(core, database)
    var isThere = cursor.seek(area)
    while isThere, let key = cursor.key.littleEndian(UInt64.self), key & ~QueueArea.numberMask == area {
      // An item that is moved or removed is found by the contents of its record.
      guard let record = QueueRecord(cursor.value),
        key & QueueArea.numberMask == (area == QueueArea.delayed ? record.time : record.sequence)
      else { return fail(core, "the record of an item is damaged") }
      guard body(record, cursor.value) else { return }
      isThere = cursor.move(.next)
    }
  }

  /// Makes due items ready: delayed items, and those whose lease has ended. While there are items to take, the leases are checked
  /// only every 20 ms.
  func makeReady(_ core: Transaction) {
    guard state.delayed > 0 || state.leased > 0, !core.hasFailed else { return }
    let now = core.now()
    if state.delayed > 0 { promote(core, now) }
    guard state.leased > 0, state.ready == 0 || reference.isTimeToLook(now) else { return }
    reclaim(core, now)
  }

  private func promote(_ core: Transaction, _ now: UInt64) {
    var due: [(QueueRecord, [UInt8])] = []
    walk(core, QueueArea.delayed) { record, bytes in
      guard record.time <= now, due.count < Self.most else { return false }
      due.append((record, QueueRecord.item(bytes).copied()))
      return true
    }
    for (record, item) in due {
      core.delete(database, QueueArea.delayed | record.time)
      lowerDelayed(core)
      withBytes(of: item) { putReady(core, record, $0) }
    }
  }

  private func reclaim(_ core: Transaction, _ now: UInt64) {
    var liveness = Liveness(reference.environment)
    var ended: [(QueueRecord, [UInt8], String)] = []
    walkLeased(core) { record, bytes in
      let isAlive = liveness.isAlive(record.owner)
      if record.time <= now || !isAlive {
        let reason = isAlive ? "its lease ran out" : "the process that had leased it died (pid \(record.processID))"
        ended.append((record, QueueRecord.item(bytes).copied(), reason))
      }
      return ended.count < Self.most
    }
    if !ended.isEmpty { KillPoint.pass(.reclaimed) }
    for (record, item, reason) in ended {
      withBytes(of: item) { giveBack(core, record, $0, reason: reason) }
    }
  }

  private func putReady(_ core: Transaction, _ record: QueueRecord, _ item: RawSpan) {
    var record = record
    (record.token, record.owner, record.processID, record.time) = (0, .none, 0, 0)
    record.withBytes(item) { _ = core.put(database, QueueArea.returned(record.level) | record.sequence, $0) }
  }

  // MARK: Leases

  /// Leases items in order. `body` is called with each item's bytes, token and attempt, and returns the reason if the item cannot
  /// be decoded. Such an item counts an attempt, too.
  ///
  /// - Parameter limit: The number of undecodable items after which it ends.
  func lease(
    _ core: Transaction, atMost most: Int, for duration: Duration, undecodable limit: Int,
    _ body: (QueueRecord, RawSpan) -> DecodingFailure?
  ) throws(StoreError) {
    guard let owner = reference.environment.owner else {
      throw reference.environment.ownersFailure("lease", reference.name)
    }
    makeReady(core)
    // This comes first, since it may write.
    let end = core.now(after: duration)
    var leased: [(QueueRecord, [UInt8])] = []
    let taking = take(core, atMost: most, undecodable: limit) { taken, bytes in
      state.lastToken += 1
      var record = QueueRecord(taken.sequence, level: taken.level)
      record.token = state.lastToken
      record.owner = owner
      record.processID = currentProcessID()
      record.attempts = taken.attempts == .max ? .max : taken.attempts + 1
      record.time = end
      if let failure = body(record, bytes) { return failure }
      leased.append((record, bytes.copied()))
      return nil
    }
    for (record, item) in leased {
      withBytes(of: item) { item in
        record.withBytes(item) { _ = core.put(database, QueueArea.leased | record.sequence, $0) }
      }
      // The item was taken, but not permanently.
      state.gone -= 1
      state.leased += 1
    }
    for undecodable in taking.undecodable { postpone(core, undecodable) }
    KillPoint.pass(.leased)
  }

  /// Returns the record of a current lease, with its item.
  private func current(
    _ core: Transaction, _ sequence: UInt64, _ token: UInt64, _ operation: String
  ) throws(StoreError) -> (QueueRecord, [UInt8]) {
    if let failure = core.failure { throw failure }
    guard let bytes = core.get(database, QueueArea.leased | sequence), let record = QueueRecord(bytes),
      record.token == token, record.sequence == sequence
    else {
      throw StoreError(
        .leaseLost, operation, structure: reference.name,
        reason: "item \(sequence) is not leased under token \(token) any more: the lease ran out, or the item was "
          + "acknowledged, released or removed",
        advice: "drop the result, another process may have the item; lease for longer, or extend in time")
    }
    return (record, QueueRecord.item(bytes).copied())
  }

  func acknowledge(_ core: Transaction, _ sequence: UInt64, _ token: UInt64) throws(StoreError) {
    _ = try current(core, sequence, token, "acknowledge")
    core.delete(database, QueueArea.leased | sequence)
    KillPoint.pass(.acknowledged)
    lowerLeased(core)
    state.gone += 1
  }

  func extend(_ core: Transaction, _ sequence: UInt64, _ token: UInt64, _ duration: Duration) throws(StoreError) {
    var (record, item) = try current(core, sequence, token, "extend")
    record.time = core.now(after: duration)
    withBytes(of: item) { item in
      record.withBytes(item) { _ = core.put(database, QueueArea.leased | sequence, $0) }
    }
  }

  func release(
    _ core: Transaction, _ sequence: UInt64, _ token: UInt64, delay: Duration, reason: String, isTried: Bool
  ) throws(StoreError) {
    var (record, item) = try current(core, sequence, token, "release")
    // The lease counted as an attempt, so at least one is left.
    if !isTried, record.attempts > 0 { record.attempts -= 1 }
    withBytes(of: item) { giveBack(core, record, $0, delay: delay, reason: reason) }
    KillPoint.pass(.released)
  }

  /// Ends a lease: the item returns to the queue, or goes to the dead letters when it has no attempts left.
  private func giveBack(
    _ core: Transaction, _ record: QueueRecord, _ item: RawSpan, delay: Duration = .zero, reason: String
  ) {
    core.delete(database, QueueArea.leased | record.sequence)
    lowerLeased(core)
    if let most = reference.description.maximumAttempts, record.attempts >= most {
      bury(core, record, item, reason)
    } else if delay > .zero {
      putDelayed(core, record, item, until: core.now(after: delay))
    } else {
      putReady(core, record, item)
    }
  }

  // MARK: Dead letters

  func bury(_ core: Transaction, _ record: QueueRecord, _ item: RawSpan, _ reason: String) {
    var record = record
    (record.token, record.owner, record.time) = (0, .none, core.now())
    let short = String(decoding: reason.utf8.prefix(1000), as: UTF8.self)
    record.withBytes(reason: short, item) { _ = core.put(database, QueueArea.dead | record.sequence, $0) }
    state.dead += 1
  }

  /// Moves a leased item to the dead letters immediately.
  func reject(_ core: Transaction, _ sequence: UInt64, _ token: UInt64, _ reason: String) throws(StoreError) {
    let (record, item) = try current(core, sequence, token, "reject")
    core.delete(database, QueueArea.leased | sequence)
    lowerLeased(core)
    withBytes(of: item) { bury(core, record, $0, reason) }
  }

  /// Returns a dead letter to the queue as an untried item. Returns false when there is no dead letter of that number.
  func revive(_ core: Transaction, _ sequence: UInt64) -> Bool {
    guard let bytes = core.get(database, QueueArea.dead | sequence), var record = QueueRecord(bytes),
      record.sequence == sequence
    else { return false }
    let item = QueueRecord.item(bytes).copied()
    core.delete(database, QueueArea.dead | sequence)
    lowerDead(core)
    record.attempts = 0
    withBytes(of: item) { putReady(core, record, $0) }
    return true
  }
}

/// Which owners of leases are alive; each is checked once.
struct Liveness {
  private let environment: Environment
  private var known: [OwnerID: Bool] = [:]

  init(_ environment: Environment) { self.environment = environment }

  mutating func isAlive(_ owner: OwnerID) -> Bool {
    if let known = known[owner] { return known }
    let isAlive = environment.isAlive(owner)
    known[owner] = isAlive
    return isAlive
  }
}
