internal import Dispatch
internal import Synchronization
internal import _LMDBShareSystem

// Waiters for a lock are served in the order of arrival, among all threads and tasks of all processes, with two exceptions. A
// process that was served goes first for a millisecond, since passing a lock on costs more than most work under it. A waiter that
// does not take the free lock (because it is stopped, say) is passed over.
//
// Within a process the waiters form a line. The first of them shows its time of arrival to other processes by a lock on a byte of
// `owners` that represents the time. So one question to the kernel answers whether another process has an earlier waiter, and a
// waiter that dies leaves the line immediately. All of this serves fairness, never exclusion.

/// The waiters of one process for one lock or semaphore.
struct Line {
  /// In order of arrival.
  var turns: [Turn] = []
  /// The byte that shows the arrival of the first waiter.
  var shown: BytePlace?
  /// Until when this process, which was served, goes first.
  var isServedUntil: ContinuousClock.Instant?
  /// An arrival that is passed over, with all arrivals before it, and until when.
  var passedOver: (arrival: UInt64, until: ContinuousClock.Instant)?
}

/// One thread or task in a line.
package final class Turn: Sendable {
  /// The time of arrival, in microseconds of a clock that all processes share; slightly later if another process has already
  /// shown the same time.
  package var arrival: UInt64 { shownArrival.load(ordering: .relaxed) }
  private let shownArrival: Atomic<UInt64>
  private let state = Guarded(State.waiting)
  private let thread = DispatchSemaphore(value: 0)

  private enum State {
    case waiting
    case asleep(Suspension<Bool>)
    case first
  }

  init(_ arrival: UInt64) { shownArrival = Atomic(arrival) }

  /// Whether it is the first waiter of its process.
  var isFirst: Bool {
    state.withLock { state in
      if case .first = state { true } else { false }
    }
  }

  /// Sleeps until it is the first waiter of its process; returns false when the time is over first.
  func comes(until end: ContinuousClock.Instant) -> Bool {
    isFirst || thread.wait(timeout: .now() + ContinuousClock.now.duration(to: end).seconds) == .success
  }

  /// Suspends the task until it is the first waiter of its process; returns false when the time is over first.
  ///
  /// - Throws: `CancellationError`.
  nonisolated(nonsending) func comes(until end: ContinuousClock.Instant?) async throws -> Bool {
    let suspension = Suspension<Bool>()
    let isFirst = state.withLock { state in
      if case .first = state { return true }
      state = .asleep(suspension)
      return false
    }
    if isFirst { return true }
    let limit = end.map { end in
      let limit = DispatchSource.makeTimerSource(queue: .global())
      limit.schedule(deadline: .now() + ContinuousClock.now.duration(to: end).seconds)
      limit.setEventHandler { suspension.end(.success(false)) }
      limit.resume()
      return limit
    }
    defer { limit?.cancel() }
    return try await suspension.wait()
  }

  /// Moves behind a waiter of another process that arrived at the same time.
  fileprivate func moveBack(to arrival: UInt64) { shownArrival.store(arrival, ordering: .relaxed) }

  fileprivate func becomeFirst() {
    let sleeper = state.withLock { state in
      defer { state = .first }
      if case .asleep(let suspension) = state { return Optional(suspension) }
      return nil
    }
    thread.signal()
    sleeper?.end(.success(true))
  }
}

extension Owners {
  /// How long a process that was served goes first.
  private static let turn = Duration.milliseconds(1)
  /// How long a waiter that does not take the lock is passed over.
  private static let passing = Duration.milliseconds(100)
  /// How many empty lines are kept.
  private static let mostEmpty = 64
  /// The number of processes that can have a store open.
  private static let mostTies = 4096
  /// Arrivals are microseconds that wrap around after 12.7 days: of two, the one that is less than half of that ago is later.
  private static let arrivalBits: UInt64 = 40
  private static let arrivalMask: UInt64 = 1 << arrivalBits - 1

  /// The bytes that represent the arrivals of a structure's waiters. Structures may share them, which only costs time.
  private static func arrivals(_ structure: UInt64) -> UInt64 { 1 << 60 | (structure & 0xFFFFF) << arrivalBits }

  private static func now() -> UInt64 { lms_monotonic_time() / 1000 & arrivalMask }

  /// Whether a new arrival may try immediately: there are no waiters, or it is still this process's turn.
  ///
  /// - Parameters:
  ///   - structure: The identity of the lock or semaphore.
  ///   - mayOthersWait: Whether others seem to wait; set to false when they do not.
  func mayGoFirst(_ structure: UInt64, _ mayOthersWait: inout Bool) -> Bool {
    let (isServed, isEmpty) = locks.withLock { locks in
      // In most cases there are no lines.
      guard !locks.lines.isEmpty, let line = locks.lines[structure] else { return (false, true) }
      return (line.isServedUntil.map { $0 > .now } ?? false, line.turns.isEmpty)
    }
    if isServed { return true }
    guard isEmpty else { return false }
    if mayOthersWait { mayOthersWait = firstArrival(structure, before: Self.now()) != nil }
    return !mayOthersWait
  }

  /// Joins the end of the line.
  package func join(_ structure: UInt64) -> Turn { join(structure, at: Self.now()) }

  /// Joins the line with a given time of arrival.
  package func join(_ structure: UInt64, at arrival: UInt64) -> Turn {
    locks.withLock { locks in
      if locks.lines[structure] == nil, locks.lines.count >= Self.mostEmpty {
        locks.lines = locks.lines.filter { !$0.value.turns.isEmpty }
      }
      let turn = Turn(arrival)
      locks.lines[structure, default: Line()].turns.append(turn)
      showFirst(structure, &locks)
      return turn
    }
  }

  /// Leaves the line.
  ///
  /// - Parameter isServed: Whether it got what it waited for.
  package func leave(_ structure: UInt64, _ turn: Turn, isServed: Bool) {
    locks.withLock { locks in
      locks.lines[structure]?.turns.removeAll { $0 === turn }
      if isServed { locks.lines[structure]?.isServedUntil = .now + Self.turn }
      showFirst(structure, &locks)
    }
  }

  /// Notifies the first waiter of a line that it is the first, and shows its arrival to other processes.
  private func showFirst(_ structure: UInt64, _ locks: inout LockTable) {
    guard let line = locks.lines[structure] else { return }
    let first = line.turns.first
    if let first, first.isFirst { return }
    if let shown = line.shown { _ = lms_disown_byte(file.number, off_t(shown.offset)) }
    locks.lines[structure]?.shown = first.flatMap { show($0, structure) }
    first?.becomeFirst()
  }

  /// Shows an arrival to other processes. Of several waiters that arrived in the same microsecond one shows it first; each of the
  /// others moves behind it, to a microsecond that is free.
  private func show(_ turn: Turn, _ structure: UInt64) -> BytePlace? {
    for _ in 0..<Self.mostTies {
      let place = BytePlace(Self.arrivals(structure) + turn.arrival)
      if lms_own_byte(file.number, off_t(place.offset)) == 0 { return place }
      guard lms_errno() == EAGAIN else { return nil }
      turn.moveBack(to: (turn.arrival + 1) & Self.arrivalMask)
    }
    return nil
  }

  /// The arrival of a waiter in another process that comes before this one; nil when there is none to wait for.
  package func arrival(before turn: Turn, _ structure: UInt64) -> UInt64? {
    firstArrival(structure, before: turn.arrival)
  }

  private func firstArrival(_ structure: UInt64, before end: UInt64) -> UInt64? {
    let passed = locks.withLock { $0.lines[structure]?.passedOver }
    var length = Self.arrivalMask / 2
    if let passed, passed.until > .now {
      length = (end &- passed.arrival &- 1) & Self.arrivalMask
      guard 1...Self.arrivalMask / 2 ~= length else { return nil }
    }
    let start = (end &- length) & Self.arrivalMask
    guard start > end else { return firstArrival(structure, start..<end) }
    return firstArrival(structure, start..<Self.arrivalMask + 1) ?? firstArrival(structure, 0..<end)
  }

  private func firstArrival(_ structure: UInt64, _ range: Range<UInt64>) -> UInt64? {
    // A lock with length 0 would cover all following bytes.
    if range.isEmpty { return nil }
    let base = Self.arrivals(structure)
    let found = lms_first_owned(file.number, off_t(base + range.lowerBound), off_t(range.count))
    return found < 0 ? nil : UInt64(found) - base
  }

  /// Ignores an arrival, and those before it, for a while: that waiter did not take the lock although it could.
  package func passOver(_ arrival: UInt64, _ structure: UInt64) {
    locks.withLock { $0.lines[structure]?.passedOver = (arrival, .now + Self.passing) }
  }
}

extension Duration {
  /// As a number of seconds, at most 34 years.
  var seconds: Double {
    let (seconds, attoseconds) = min(max(self, .zero), .seconds(1 << 30)).components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
