internal import Dispatch
internal import Synchronization
internal import _LMDBShareSystem

// Who waits for a lock is served in the order of arrival, among all threads and tasks of all processes, but for two things:
// who was served goes on without waiting for a millisecond, since passing a lock on costs more than most work under it; and
// who does not come although the lock is free (it is stopped, say) is passed over.
//
// Within a process the waiting ones stand in a line. The first of them shows its time of arrival to other processes by a lock
// on a byte of `owners` that stands for the time: whether another process has an earlier one is one question to the kernel,
// and one that dies is out of the line at once. All of it is for fairness, never for exclusion.

/// Those of one process that wait for one lock or semaphore.
struct Line {
  /// In the order of their arrival.
  var turns: [Turn] = []
  /// The byte that shows the arrival of the first one.
  var shown: BytePlace?
  /// Until when this process, which was served, goes first.
  var isServedUntil: ContinuousClock.Instant?
  /// An arrival, with all before it, that is not waited for, and until when.
  var passedOver: (arrival: UInt64, until: ContinuousClock.Instant)?
}

/// One thread or task in a line.
package final class Turn: Sendable {
  /// When it came, in microseconds of a clock that all processes share; a little later where another process has shown the same
  /// before it.
  package var arrival: UInt64 { shownArrival.load(ordering: .relaxed) }
  private let shownArrival: Atomic<UInt64>
  private let state = Guarded(State.waiting)
  private let thread = DispatchSemaphore(value: 0)

  private enum State {
    case waiting
    case asleep(CheckedContinuation<Bool, any Error>)
    case cancelled
    case first
  }

  init(_ arrival: UInt64) { shownArrival = Atomic(arrival) }

  /// Whether it is the first one of its process.
  var isFirst: Bool {
    state.withLock { state in
      if case .first = state { true } else { false }
    }
  }

  /// Sleeps until it is the first one of its process; false when the time came first.
  func comes(until end: ContinuousClock.Instant) -> Bool {
    isFirst || thread.wait(timeout: .now() + ContinuousClock.now.duration(to: end).seconds) == .success
  }

  /// The same for a task, which does not block a thread.
  ///
  /// - Throws: `CancellationError`.
  nonisolated(nonsending) func comes(until end: ContinuousClock.Instant?) async throws -> Bool {
    let limit = end.map { end in
      let limit = DispatchSource.makeTimerSource(queue: .global())
      limit.schedule(deadline: .now() + ContinuousClock.now.duration(to: end).seconds)
      limit.setEventHandler { [weak self] in self?.wake(.success(false)) }
      limit.resume()
      return limit
    }
    defer { limit?.cancel() }
    return try await withCancellableContinuation { continuation in
      let result = state.withLock { state -> Result<Bool, any Error>? in
        switch state {
        case .first: return .success(true)
        case .cancelled: return .failure(CancellationError())
        case .waiting, .asleep:
          if let end, end <= .now { return .success(false) }
          state = .asleep(continuation)
          return nil
        }
      }
      if let result { continuation.resume(with: result) }
    } onCancel: {
      wake(.failure(CancellationError()))
    }
  }

  private func wake(_ result: Result<Bool, any Error>) {
    let sleeper = state.withLock { state -> CheckedContinuation<Bool, any Error>? in
      var sleeper: CheckedContinuation<Bool, any Error>?
      if case .asleep(let continuation) = state { sleeper = continuation }
      switch (state, result) {
      case (.first, _): break
      case (_, .failure): state = .cancelled
      case (.asleep, _): state = .waiting
      case (.waiting, _), (.cancelled, _): break
      }
      return sleeper
    }
    sleeper?.resume(with: result)
  }

  /// Stands behind one of another process that came at the same time.
  fileprivate func moveBack(to arrival: UInt64) { shownArrival.store(arrival, ordering: .relaxed) }

  fileprivate func becomeFirst() {
    let sleeper = state.withLock { state in
      defer { state = .first }
      if case .asleep(let continuation) = state { return Optional(continuation) }
      return nil
    }
    thread.signal()
    sleeper?.resume(returning: true)
  }
}

extension Owners {
  /// For how long who was served goes first.
  private static let turn = Duration.milliseconds(1)
  /// For how long who does not come is passed over.
  private static let passing = Duration.milliseconds(100)
  /// How many lines are kept that nobody stands in.
  private static let mostEmpty = 64
  /// As many processes can have a store open.
  private static let mostTies = 4096
  /// Arrivals are microseconds, and begin anew after 12.7 days: of two, the one that is less than half of that ago came later.
  private static let arrivalBits: UInt64 = 40
  private static let arrivalMask: UInt64 = 1 << arrivalBits - 1

  /// The bytes that stand for the arrivals of those who wait for a structure; structures may share them, which costs time only.
  private static func arrivals(_ structure: UInt64) -> BytePlace { 1 << 60 | (structure & 0xFFFFF) << arrivalBits }

  private static func now() -> UInt64 { lms_monotonic_time() / 1000 & arrivalMask }

  /// Whether one that has just come may try at once: nobody waits, or it is still this process's turn.
  ///
  /// - Parameters:
  ///   - structure: The identity of what is wanted.
  ///   - mayOthersWait: Whether others seem to wait; false afterwards when they do not.
  func mayGoFirst(_ structure: UInt64, _ mayOthersWait: inout Bool) -> Bool {
    let (isServed, isEmpty) = locks.withLock { locks in
      // Mostly there are none.
      guard !locks.lines.isEmpty, let line = locks.lines[structure] else { return (false, true) }
      return (line.isServedUntil.map { $0 > .now } ?? false, line.turns.isEmpty)
    }
    if isServed { return true }
    guard isEmpty else { return false }
    if mayOthersWait { mayOthersWait = firstArrival(structure, before: Self.now()) != nil }
    return !mayOthersWait
  }

  /// Takes a place at the end of the line.
  package func join(_ structure: UInt64) -> Turn { join(structure, at: Self.now()) }

  /// The same for one that has come at that time.
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
  /// - Parameter isServed: Whether it has got what it waited for.
  package func leave(_ structure: UInt64, _ turn: Turn, isServed: Bool) {
    locks.withLock { locks in
      locks.lines[structure]?.turns.removeAll { $0 === turn }
      if isServed { locks.lines[structure]?.isServedUntil = .now + Self.turn }
      showFirst(structure, &locks)
    }
  }

  /// Lets the first one of a line know that it is the first, and shows its arrival to other processes.
  private func showFirst(_ structure: UInt64, _ locks: inout LockTable) {
    guard let line = locks.lines[structure] else { return }
    let first = line.turns.first
    if let first, first.isFirst { return }
    if let shown = line.shown { _ = lms_disown_byte(file.number, off_t(shown)) }
    locks.lines[structure]?.shown = first.flatMap { show($0, structure) }
    first?.becomeFirst()
  }

  /// Shows an arrival to other processes. Of several that came in the same microsecond one was first to show it; the others
  /// stand behind it, each in a microsecond of its own.
  private func show(_ turn: Turn, _ structure: UInt64) -> BytePlace? {
    for _ in 0..<Self.mostTies {
      let place = Self.arrivals(structure) + turn.arrival
      if lms_own_byte(file.number, off_t(place)) == 0 { return place }
      guard lms_errno() == EAGAIN else { return nil }
      turn.moveBack(to: (turn.arrival + 1) & Self.arrivalMask)
    }
    return nil
  }

  /// An arrival in another process that comes before this one; nil when there is none that has to be waited for.
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
    // A lock of no bytes would be one of all that follow.
    if range.isEmpty { return nil }
    let base = Self.arrivals(structure)
    let found = lms_first_owned(file.number, off_t(base + range.lowerBound), off_t(range.count))
    return found < 0 ? nil : UInt64(found) - base
  }

  /// Does not wait for an arrival, and those before it, for a while: it did not come although it could.
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
