/// A barrier for a fixed number of threads and tasks of all processes: they wait until the last one has arrived.
///
///     let barrier = try store.barrier("loaded", parties: 4)
///     try barrier.wait(timeout: .seconds(60))
///
/// When a waiting party dies, is cancelled, or times out, the barrier cannot open: it is broken, and all parties throw
/// immediately until ``reset()`` is called.
///
/// A handle is small, holds no transaction, and can be used from any thread.
public struct SharedBarrier: Sendable, CustomStringConvertible {
  let value: SharedValue<[UInt8]>
  /// The number of parties that have to arrive.
  public let parties: Int

  /// The barrier's name.
  public var name: String { value.name }
  /// The kind and name of the structure.
  public var description: String { value.reference.title }

  /// The stored state: numbers of eight bytes.
  private struct State {
    /// How often the barrier has opened or was reset.
    var round: UInt64 = 0
    /// One bit for each of the last 64 rounds, the lowest for the last one: whether it was reset, so that its parties did not get
    /// through.
    var abandoned: UInt64 = 0
    var isBroken = false
    /// The processes of the waiting parties.
    var arrived: [OwnerID] = []

    init() {}

    init(_ bytes: [UInt8]) {
      let words = bytes.withWords()
      guard words.count >= 3 else { return }
      (round, abandoned, isBroken, arrived) = (words[0], words[1], words[2] != 0, words[3...].map(OwnerID.init))
    }

    /// Begins the next round.
    mutating func advance(isAbandoned: Bool) {
      round &+= 1
      abandoned = abandoned << 1 | (isAbandoned ? 1 : 0)
      arrived = []
    }

    /// Returns whether an earlier round has opened.
    func hasOpened(_ earlier: UInt64) -> Bool {
      let age = round &- earlier &- 1
      return age < 64 && abandoned >> age & 1 == 0
    }

    var bytes: [UInt8] {
      ([round, abandoned, isBroken ? 1 : 0] + arrived.map(\.number)).flatMap { word in
        LMDBShare.withBytes(of: word.littleEndian) { $0.copied() }
      }
    }
  }

  /// The result of checking a round; `dead` when a party has died and the barrier has not been broken yet.
  private enum Outcome { case opened, broken, dead, waiting([BytePlace]) }
  /// How long a leaving party waits for the writer lock to record that it has left.
  private static let patience = Duration.seconds(1)

  /// Waits until all parties have arrived.
  ///
  /// - Returns: The number of parties that arrived after the caller: 0 for the last one.
  /// - Throws: ``StoreError/Code/barrierBroken`` when a waiting party died or gave up, or when the caller timed out;
  ///   ``StoreError/Code/writerBusy`` when another process still writes then and for another second: the barrier is broken as
  ///   soon as that write ends.
  @discardableResult
  public func wait(timeout: Duration) throws -> Int {
    let (environment, deadline) = (value.store.environment, ContinuousClock.now + timeout)
    try environment.checkMayWait("wait", name)
    let (round, rest) = try value.store.writeNow(until: deadline) { txn in try arrive(txn) }
    guard rest > 0 else { return 0 }
    var last: Outcome?
    do {
      _ = try environment.wait(for: value.reference.channel, until: deadline) {
        let seen = try look(at: round)
        last = seen.found
        return seen.found == nil ? seen.rest : Look(isReady: true)
      }
    } catch {
      // A party that leaves breaks the barrier.
      _ = try? leaveNow(round)
      throw error
    }
    switch last {
    case .opened: return rest
    case .broken: throw broken(true)
    // The barrier may have opened at the last moment.
    case nil, .dead, .waiting:
      if try leaveNow(round) { return rest }
      throw broken(last != nil)
    }
  }

  /// Waits until all parties have arrived, without blocking a thread.
  ///
  /// A task that is cancelled breaks the barrier, as one that times out does.
  @discardableResult
  public nonisolated(nonsending) func wait(timeout: Duration) async throws -> Int {
    let (environment, deadline) = (value.store.environment, ContinuousClock.now + timeout)
    let (round, rest) = try await value.store.write(timeout: timeout) { txn in try arrive(txn) }
    guard rest > 0 else { return 0 }
    let last: Outcome?
    do {
      last = try await environment.wait(for: value.reference.channel, until: deadline) { try look(at: round) }
    } catch {
      // A party that leaves breaks the barrier, unless it has opened in the meantime.
      if try await leave(round) { return rest }
      throw error
    }
    switch last {
    case .opened: return rest
    case .broken: throw broken(true)
    case nil, .dead, .waiting:
      if try await leave(round) { return rest }
      throw broken(last != nil)
    }
  }

  /// Checks whether the wait is over, and how it ended.
  private func look(at round: UInt64) throws -> (found: Outcome?, rest: Look, known: Int) {
    let known = try value.store.read { $0.snapshotID }
    let found = try outcome(of: round)
    if case .waiting(let watched) = found { return (nil, Look(isReady: false, watched: watched), known) }
    return (found, .nothing, known)
  }

  /// Breaks the barrier unless it has opened. Returns whether it has opened.
  private func leaveNow(_ round: UInt64) throws -> Bool {
    do {
      return try value.store.writeNow(until: .now + Self.patience) { txn in giveUp(round, txn) }
    } catch let error as StoreError where error.code == .writerBusy {
      leaveLater(round)
      throw error
    }
  }

  /// Does the same for a task, which may be cancelled.
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

  /// Another process writes for a long time: the barrier is broken as soon as it has finished.
  private func leaveLater(_ round: UInt64) {
    Task { [self] in try await value.store.write { txn in giveUp(round, txn) } }
  }

  /// Resets the barrier for further use. Waiting parties throw ``StoreError/Code/barrierBroken``.
  public func reset() throws { try value.update { $0 = Self.reset($0) } }

  /// Resets the barrier for further use, without blocking a thread.
  public nonisolated(nonsending) func reset() async throws { try await value.update { $0 = Self.reset($0) } }

  /// Breaks the barrier: all parties that wait or arrive throw ``StoreError/Code/barrierBroken`` until ``reset()``.
  public func abort() throws { try value.update { $0 = Self.broken($0) } }

  /// Breaks the barrier, without blocking a thread.
  public nonisolated(nonsending) func abort() async throws { try await value.update { $0 = Self.broken($0) } }

  /// Whether the barrier is broken because a party died, gave up, or called ``abort()``.
  public var isBroken: Bool { get throws { State(try value.get()).isBroken } }
  /// The number of waiting parties.
  public var waiting: Int { get throws { State(try value.get()).arrived.count } }

  private static func reset(_ bytes: [UInt8]) -> [UInt8] {
    var state = State(bytes)
    state.advance(isAbandoned: true)
    state.isBroken = false
    return state.bytes
  }

  private static func broken(_ bytes: [UInt8]) -> [UInt8] {
    var state = State(bytes)
    state.isBroken = true
    return state.bytes
  }

  /// Adds the caller. Returns the round, and how many parties are still missing.
  private func arrive(_ txn: borrowing WriteTransaction) throws -> (round: UInt64, rest: Int) {
    guard let owner = value.store.environment.owner else {
      _ = try Permits(value.link, count: 1, isReentrant: false).owners()
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
    // The barrier may have opened in the meantime, and a party of the round may have ended.
    guard arrived.allSatisfy(environment.isAlive) else { return .dead }
    return .waiting(arrived.subtracting([environment.owner ?? .none]).map(\.place))
  }

  /// Breaks the barrier unless it has opened. Returns whether it has opened.
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
      reason: byOthers ? "a process that waited died or gave up" : "not all \(parties) came in time",
      advice: "look what became of the others, then reset() the barrier and start anew")
  }
}

extension [UInt8] {
  /// Returns the bytes as numbers of eight bytes each, least significant first.
  fileprivate func withWords() -> [UInt64] {
    LMDBShare.withBytes(of: self) { span in
      (0..<span.byteCount / 8).map { span.littleEndian(at: 8 * $0) ?? 0 }
    }
  }
}
