/// Where so many threads and tasks, of one process or several, wait for each other: when the last one has come, all go on.
///
///     let barrier = try store.barrier("loaded", parties: 4)
///     try barrier.wait(timeout: .seconds(60))
///
/// When somebody who waits dies, is cancelled, or gives up because the time is up, the barrier cannot open: it is broken, and
/// all who wait are told at once, until somebody calls ``reset()``.
///
/// A handle: it is small, holds no transaction, and may be used from any thread.
public struct SharedBarrier: Sendable {
  let value: SharedValue<[UInt8]>
  /// How many have to come.
  public let parties: Int

  /// The barrier's name.
  public var name: String { value.name }

  /// What is stored: numbers of eight bytes.
  private struct State {
    /// How often it has opened or was reset.
    var round: UInt64 = 0
    /// Of the last 64 rounds, the lowest bit for the last one: whether it was reset, so that those in it waited in vain.
    var abandoned: UInt64 = 0
    var isBroken = false
    /// The processes of those who wait.
    var arrived: [OwnerID] = []

    init() {}

    init(_ bytes: [UInt8]) {
      let words = bytes.withWords()
      guard words.count >= 3 else { return }
      (round, abandoned, isBroken, arrived) = (words[0], words[1], words[2] != 0, Array(words[3...]))
    }

    /// Begins the next round.
    mutating func advance(isAbandoned: Bool) {
      round &+= 1
      abandoned = abandoned << 1 | (isAbandoned ? 1 : 0)
      arrived = []
    }

    /// Whether an earlier round has opened.
    func hasOpened(_ earlier: UInt64) -> Bool {
      let age = round &- earlier &- 1
      return age < 64 && abandoned >> age & 1 == 0
    }

    var bytes: [UInt8] {
      ([round, abandoned, isBroken ? 1 : 0] + arrived).flatMap { word in
        LMDB.withBytes(of: word.littleEndian) { $0.copied() }
      }
    }
  }

  /// What one who waits found; `dead` when a party has died, and the barrier is yet to be broken.
  private enum Outcome { case opened, broken, dead, waiting([BytePlace]) }
  /// How long one who leaves waits for its turn to write that it has left.
  private static let patience = Duration.seconds(1)

  /// Waits until all have come.
  ///
  /// - Returns: How many came after the caller: 0 for the last one.
  /// - Throws: ``StoreError/Code/barrierBroken`` when somebody who waited died or gave up, and when the caller's time is up;
  ///   ``StoreError/Code/writerBusy`` when another process is still writing then, or a second after the time was up: the barrier
  ///   is broken once that ends.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  @discardableResult
  public func wait(timeout: Duration) throws -> Int {
    let (environment, deadline) = (value.store.environment, ContinuousClock.now + timeout)
    try environment.checkMayWait("wait", name)
    let (round, rest) = try value.store.writeNow(until: deadline) { txn in try arrive(txn) }
    guard rest > 0 else { return 0 }
    var last: Outcome?
    do {
      _ = try environment.wait(for: value.reference.channel, until: deadline) {
        let found = try outcome(of: round)
        if case .waiting(let watched) = found { return Look(isReady: false, watched: watched) }
        last = found
        return Look(isReady: true)
      }
    } catch {
      // Whoever leaves must not be counted on.
      _ = try? leaveNow(round)
      throw error
    }
    switch last {
    case .opened: return rest
    case .broken: throw broken(true)
    // It may have opened at the last moment.
    case nil, .dead, .waiting:
      if try leaveNow(round) { return rest }
      throw broken(last != nil)
    }
  }

  /// Breaks the barrier, unless it has opened; tells whether it has.
  private func leaveNow(_ round: UInt64) throws -> Bool {
    do {
      return try value.store.writeNow(until: .now + Self.patience) { txn in giveUp(round, txn) }
    } catch let error as StoreError where error.code == .writerBusy {
      leaveLater(round)
      throw error
    }
  }

  /// The same for a task, which need not live on: who is cancelled must not be counted on either.
  private nonisolated(nonsending) func leave(_ round: UInt64) async throws -> Bool {
    let write = Task { [self] in
      try await value.store.write(timeout: Self.patience) { txn in giveUp(round, txn) }
    }
    do {
      return try await write.value
    } catch let error as StoreError where error.code == .writerBusy {
      leaveLater(round)
      throw error
    }
  }

  /// Another process is writing for long: the barrier is broken when its turn is over.
  private func leaveLater(_ round: UInt64) {
    Task { [self] in try await value.store.write { txn in giveUp(round, txn) } }
  }

  /// Waits until all have come, without blocking a thread.
  ///
  /// A task that is cancelled breaks the barrier, as one whose time is up.
  @discardableResult
  public nonisolated(nonsending) func wait(timeout: Duration) async throws -> Int {
    let (store, deadline) = (value.store, ContinuousClock.now + timeout)
    let (round, rest) = try await store.write(timeout: timeout) { txn in try arrive(txn) }
    guard rest > 0 else { return 0 }
    do {
      while true {
        let known = try store.read { $0.snapshotID }
        switch try outcome(of: round) {
        case .opened: return rest
        case .broken: throw broken(true)
        case .waiting(let watched) where deadline > .now:
          _ = try await store.environment.change(
            of: value.reference.channel, after: known, until: deadline, watched: watched)
        // It may have opened at the last moment.
        case .dead, .waiting:
          let byOthers = deadline > .now
          if try await leave(round) { return rest }
          throw broken(byOthers)
        }
      }
    } catch {
      let code = (error as? StoreError)?.code
      // It has left already.
      if code == .barrierBroken || code == .writerBusy { throw error }
      // Whoever leaves must not be counted on; but it may have opened at the last moment.
      if try await leave(round) { return rest }
      throw error
    }
  }

  /// Opens a broken barrier for use again; those who wait meanwhile are told that it was broken.
  public func reset() throws {
    try change { state in
      state.advance(isAbandoned: true)
      state.isBroken = false
    }
  }

  /// Breaks the barrier: all who wait, and all who come, are told so until ``reset()``.
  public func abort() throws { try change { $0.isBroken = true } }

  /// Whether somebody who waited died or gave up.
  public var isBroken: Bool { get throws { State(try value.get()).isBroken } }
  /// How many wait.
  public var waiting: Int { get throws { State(try value.get()).arrived.count } }

  private func change(_ body: (inout State) -> Void) throws {
    try value.update { bytes in
      var state = State(bytes)
      body(&state)
      bytes = state.bytes
    }
  }

  /// Adds the caller; tells the round, and how many are still to come.
  private func arrive(_ txn: borrowing WriteTransaction) throws -> (round: UInt64, rest: Int) {
    guard let owner = value.store.environment.owner else {
      _ = try Permits(store: value.store, reference: value.reference, count: 1, isReentrant: false).owners()
      return (0, 0)
    }
    var state = State(txn[value])
    if state.isBroken || !Set(state.arrived).allSatisfy(value.store.environment.isAlive) { throw broken(true) }
    state.arrived.append(owner)
    let (round, rest) = (state.round, parties - state.arrived.count)
    if rest <= 0 { state.advance(isAbandoned: false) }
    txn[value] = state.bytes
    return (round, max(rest, 0))
  }

  private func outcome(of round: UInt64) throws -> Outcome {
    let state = State(try value.get())
    if state.round != round { return state.hasOpened(round) ? .opened : .broken }
    if state.isBroken { return .broken }
    let environment = value.store.environment
    let arrived = Set(state.arrived)
    // It may have opened meanwhile, and who was in it ended.
    guard arrived.allSatisfy(environment.isAlive) else { return .dead }
    return .waiting(arrived.subtracting([environment.owner ?? 0]).map(Owners.place))
  }

  /// Breaks the barrier, unless it has opened; tells whether it has.
  private func giveUp(_ round: UInt64, _ txn: borrowing WriteTransaction) -> Bool {
    var state = State(txn[value])
    guard state.round == round else { return state.hasOpened(round) }
    state.isBroken = true
    txn[value] = state.bytes
    return false
  }

  private func broken(_ byOthers: Bool) -> StoreError {
    StoreError(
      .barrierBroken, "wait", structure: name,
      reason: byOthers ? "somebody who waited died or gave up" : "not all \(parties) came in time",
      advice: "look what became of the others, then reset() the barrier and start anew")
  }
}

extension [UInt8] {
  /// The bytes as numbers of eight bytes each, least significant first.
  fileprivate func withWords() -> [UInt64] {
    LMDB.withBytes(of: self) { span in
      (0..<span.byteCount / 8).map { span.littleEndian(at: 8 * $0) ?? 0 }
    }
  }
}

extension SharedStore {
  /// Opens the barrier of that name; makes one when there is none.
  ///
  /// - Parameter parties: How many have to come, 1 to 65,536; of an existing barrier it must be the same.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else, or the number differs.
  public func barrier(_ name: String, parties: Int) throws(StoreError) -> SharedBarrier {
    guard 1...65_536 ~= parties else {
      throw StoreError(
        .outOfRange, "open", structure: name, reason: "a barrier of \(parties) parties", advice: "give 1 to 65,536")
    }
    let wanted = StructureDescription(name, .barrier, element: "bytes", count: parties)
    let reference = try open(wanted) { (core, _) throws(StoreError) in
      core.storeValue([UInt8](), name, self.environment.values)
    }
    return SharedBarrier(value: SharedValue(self, reference, []), parties: parties)
  }
}
