internal import _LMDBShareSystem

/// The tasks of this process that wait for commits, and the thread that sleeps for all of them.
///
/// The thread exists while a task waits. It sleeps on the signal file's word, and compares the channels that commits since then
/// touched with those of each task: so a thousand waiting tasks cost as much as one. It also checks every 250 ms, and every 20 ms
/// whether a holder has died, if a task waits for what another process holds.
package final class Waiters: @unchecked Sendable {
  // Why unchecked: the thread's number and pointer are used under `state`'s lock.

  /// How often the thread checks whether the holders of watched bytes live.
  static let ownerCheck = Duration.milliseconds(20)
  /// For how many rounds the thread stays when no task waits any more: the next task may come soon.
  private static let lingering = 4

  /// The wait of one task.
  private struct Wait {
    let channels: Channels
    /// The newest snapshot that the task knows.
    var known: Int
    let deadline: ContinuousClock.Instant?
    let watched: [BytePlace]
    let pulse: UInt32?
    let suspension = Suspension<Bool>()
  }

  private struct State {
    var waits: [UInt64: Wait] = [:]
    var nextNumber: UInt64 = 0
    var thread: UInt64?
    var isStopping = false
    /// What the sleeping thread takes into account: the channels, and the time at which it wakes.
    var channels: Channels = []
    var channelsSince = ContinuousClock.now
    var wakesAt: ContinuousClock.Instant?
    var watchesBytes = false
  }
  private let state = Guarded(State())
  /// The bit of the word by which this process wakes its own thread.
  private let ownBit: UInt32 = 1 << (24 + UInt32(getpid()) % 8)

  init() {}

  /// Waits until a commit after `known` has touched one of the channels, or the holder of a watched byte has died.
  ///
  /// - Returns: False when the deadline came first. True may be wrong: the caller checks the store.
  /// - Throws: `CancellationError` when the task is cancelled.
  nonisolated(nonsending) func change(
    of channels: Channels, after known: Int, until deadline: ContinuousClock.Instant?, watched: [BytePlace],
    pulse: UInt32?, _ environment: Environment
  ) async throws -> Bool {
    let wait = Wait(channels: channels, known: known, deadline: deadline, watched: watched, pulse: pulse)
    let number = try add(wait, environment)
    defer { state.withLock { $0.waits[number] = nil } }
    check(wait, environment)
    return try await wait.suspension.wait()
  }

  private func add(_ wait: Wait, _ environment: Environment) throws -> UInt64 {
    try state.withLock { state throws -> UInt64 in
      let isKnown =
        state.channels.isSuperset(of: wait.channels) && (wait.watched.isEmpty || state.watchesBytes)
        && wait.deadline.map { $0 >= state.wakesAt ?? .now + SignalFile.recheck } ?? true
      guard state.thread != nil || start(environment, &state) else { throw NativeThread.noMore("wait") }
      state.nextNumber += 1
      state.waits[state.nextNumber] = wait
      if !isKnown { environment.signals.poke(bits: ownBit) }
      return state.nextNumber
    }
  }

  /// Ends a wait if there was a commit between the caller's check and its beginning.
  private func check(_ wait: Wait, _ environment: Environment) {
    guard let newest = environment.newestSnapshot() else { return wait.suspension.end(.success(true)) }
    let isPulsed = wait.pulse.map { environment.pulse(wait.channels) != $0 } ?? false
    if isPulsed
      || newest > wait.known
        && !environment.touched(after: wait.known, upTo: newest).isDisjoint(with: wait.channels)
    {
      wait.suspension.end(.success(true))
    }
  }

  // MARK: The thread

  private func start(_ environment: Environment, _ state: inout State) -> Bool {
    // The environment stops the thread before it is destroyed.
    state.thread = NativeThread.start { [self, unowned(unsafe) environment] in unsafe run(environment) }
    return state.thread != nil
  }

  private func run(_ environment: Environment) {
    var idle = 0
    while true {
      // A task that was resumed may have closed the environment.
      if state.withLock({ $0.isStopping }) { return }
      // Before anything else: any later request to check changes the word.
      let ticket = environment.signals.ticket()
      // The channels that tasks wait for now, and those of tasks that have just finished: they often wait again.
      guard let wanted = state.withLock({ state in survey(&state, &idle) }) else { return }
      environment.signals.announce(ticket, wanted.channels)
      let newest = environment.newestSnapshot()
      let freed = wanted.watched.filter { !environment.isLockedElsewhere($0) }
      let now = ContinuousClock.now
      var ready: [Wait] = []
      var expired: [Wait] = []
      state.withLock { state in
        // Since what was known before, which is usually the same for all.
        var touched: [Int: Channels] = [:]
        for (number, wait) in state.waits {
          var isTouched = true
          if let newest {
            let channels = touched[wait.known] ?? environment.touched(after: wait.known, upTo: newest)
            touched[wait.known] = channels
            isTouched = !channels.isDisjoint(with: wait.channels)
          }
          if let pulse = wait.pulse, environment.pulse(wait.channels) != pulse { isTouched = true }
          if isTouched || !freed.isEmpty && wait.watched.contains(where: freed.contains) {
            ready.append(wait)
            state.waits[number] = nil
          } else if let end = wait.deadline, end <= now {
            expired.append(wait)
            state.waits[number] = nil
          } else if let newest, newest > wait.known {
            state.waits[number]?.known = newest
          }
        }
      }
      for wait in ready { wait.suspension.end(.success(true)) }
      for wait in expired { wait.suspension.end(.success(false)) }
      if newest == nil { usleep(10_000) }
      guard ready.isEmpty, expired.isEmpty else { continue }
      var pause = wanted.watched.isEmpty ? SignalFile.recheck : Self.ownerCheck
      if let deadline = wanted.deadline { pause = min(pause, now.duration(to: deadline)) }
      state.withLock { state in state.wakesAt = now + pause }
      environment.signals.sleep(ticket, wanted.channels, for: pause, bits: ownBit)
      state.withLock { state in state.wakesAt = nil }
    }
  }

  private struct Wanted {
    var channels: Channels = []
    var watched: Set<BytePlace> = []
    var deadline: ContinuousClock.Instant?
  }

  /// The channels that all tasks wait for together; nil when the thread is to end.
  private func survey(_ state: inout State, _ idle: inout Int) -> Wanted? {
    idle = state.waits.isEmpty ? idle + 1 : 0
    guard !state.isStopping, idle < Self.lingering else {
      // `stop` joins the thread; otherwise it is detached.
      if !state.isStopping, let thread = state.thread { lms_thread_detach(thread) }
      state.thread = nil
      return nil
    }
    var wanted = Wanted()
    for wait in state.waits.values {
      wanted.channels.formUnion(wait.channels)
      wanted.watched.formUnion(wait.watched)
      wanted.deadline = earlier(wanted.deadline, wait.deadline)
    }
    // From time to time channels without waiters are removed.
    let now = ContinuousClock.now
    if state.channelsSince.duration(to: now) > SignalFile.recheck { (state.channels, state.channelsSince) = ([], now) }
    state.channels.formUnion(wanted.channels)
    state.watchesBytes = !wanted.watched.isEmpty
    wanted.channels = state.channels
    return wanted
  }

  /// Ends the thread and joins it; the environment is about to close.
  func stop(_ environment: Environment) {
    let (thread, left) = state.withLock { state in
      state.isStopping = true
      defer { state.waits.removeAll() }
      return (state.thread, Array(state.waits.values))
    }
    for wait in left { wait.suspension.end(.success(true)) }
    guard let thread else { return }
    environment.signals.poke(bits: ownBit)
    // The code of a resumed task may run on this thread, and close the store.
    if thread == lms_thread_id() { return lms_thread_detach(thread) }
    lms_thread_join(thread)
  }
}

/// The earlier of two points in time, if there are any.
func earlier(_ a: ContinuousClock.Instant?, _ b: ContinuousClock.Instant?) -> ContinuousClock.Instant? {
  guard let a, let b else { return a ?? b }
  return min(a, b)
}
