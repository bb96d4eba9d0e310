internal import Synchronization
internal import _LMDBShareSystem

/// The result of one check by a waiter.
struct Look: Sendable {
  /// Whether the wait is over.
  var isReady: Bool
  /// When to check again even if nothing is committed until then.
  var again: ContinuousClock.Instant?
  /// Bytes of the `owners` file: the death of a holder would change the result.
  var watched: [BytePlace] = []

  /// The wait is not over.
  static let nothing = Look(isReady: false)

  init(isReady: Bool, again: ContinuousClock.Instant? = nil, watched: [BytePlace] = []) {
    self.isReady = isReady
    self.again = again
    self.watched = watched
  }
}

extension ContinuousClock.Instant {
  /// The nanoseconds until then: none when it is over, some thirty years at most.
  var nanosecondsLeft: UInt64 {
    let left = min(max(.zero, ContinuousClock.now.duration(to: self)), .seconds(1 << 30)).components
    return UInt64(left.seconds) * 1_000_000_000 + UInt64(left.attoseconds / 1_000_000_000)
  }
}

extension Environment {
  /// The process that is in the way when a thread does not get the write lock of this process: its holder here may itself be
  /// waiting for another process.
  var blocker: Int { WriterGate.holder(signals, owners) ?? Int(getpid()) }

  /// The number of the newest snapshot; nil when it cannot be read now.
  func newestSnapshot() -> Int? {
    guard let slot = try? readers.acquire() else { return nil }
    let transaction = readers.transaction(slot, of: self)
    guard unsafe transaction.renew(handle, map) == 0 else {
      readers.release(slot)
      return nil
    }
    defer { transaction.end() }
    return transaction.snapshotID
  }

  /// The channels that commits after one snapshot up to another touched; all channels when that is not known.
  func touched(after first: Int, upTo last: Int) -> Channels {
    guard let log = signals.log else { return last > first ? .all : [] }
    return log.touched(after: first, upTo: last)
  }

  /// The time since a transaction was committed, if that is still known.
  func age(of transaction: Int) -> Duration? { signals.log?.age(of: transaction) }

  /// The number by which leases and locks name this process; nil where it cannot own any.
  package var owner: OwnerID? { owners?.id }

  /// Whether the process with this number lives; true when that cannot be determined.
  package func isAlive(_ owner: OwnerID) -> Bool { owners?.isAlive(owner) ?? isSeenAlive(owner) }

  /// The same check for a process that only reads, and has no slot in the file.
  private func isSeenAlive(_ owner: OwnerID) -> Bool {
    guard options.isReadOnly, let file = try? directory.descriptor.file(StoreDirectory.ownersFile) else { return true }
    return lms_byte_is_owned(file.number, off_t(owner.place.offset))
  }

  /// Whether another process has locked a byte; true when that cannot be determined.
  func isLockedElsewhere(_ place: BytePlace) -> Bool { owners?.isLockedElsewhere(place) ?? true }

  /// Releases the bytes that the finished write had locked.
  @inline(never)
  func freeAfterWrite() {
    for place in freedAfterWrite { _ = owners?.unlock(place) }
    freedAfterWrite.removeAll()
  }

  /// The error for a writer whose time limit is over.
  package var writerBusy: StoreError { WriterGate.busy(WriterGate.holder(signals, owners)) }

  /// The number of pulses of a channel: wakes that are not commits.
  func pulse(_ channels: Channels) -> UInt32 { signals.pulse(channels) }

  /// Whether a lock or semaphore of the channel may have a line of waiters.
  func hasLine(_ channel: Channels) -> Bool { signals.hasLine(channel) }

  /// Sets or clears that.
  func setLine(_ channel: Channels, _ isThere: Bool) { signals.setLine(channel, isThere) }

  /// Wakes the waiters of channels without a commit.
  func pulsate(_ channels: Channels) {
    signals.addPulse(channels)
    signals.wake(channels)
  }

  /// Suspends the task until a commit after `known` has touched one of the channels, or the holder of a watched byte has died.
  ///
  /// - Parameter pulse: The channel's pulse, if another pulse also ends the wait.
  /// - Returns: False when the deadline came first. True may be wrong: the caller checks the store.
  /// - Throws: `CancellationError` when the task is cancelled.
  nonisolated(nonsending) func change(
    of channels: Channels, after known: Int, until deadline: ContinuousClock.Instant? = nil,
    watched: [BytePlace] = [], pulse: UInt32? = nil
  ) async throws -> Bool {
    try checkFork()
    return try await waiters.change(
      of: channels, after: known, until: deadline, watched: watched, pulse: pulse, self)
  }

  /// Sleeps until `look` reports that the wait is over, or the deadline passes; returns whether it is over.
  ///
  /// `look` is called first, after every commit that touches one of `channels`, and every 250 ms.
  func wait<E: Error>(
    for channels: Channels, until deadline: ContinuousClock.Instant?, _ look: () throws(E) -> Look
  ) throws(E) -> Bool {
    while true {
      // Read before the check: a commit in between changes the word, so that the sleep ends immediately.
      let ticket = signals.ticket()
      signals.announce(ticket, channels)
      let found = try look()
      if found.isReady { return true }
      let looked = ContinuousClock.now
      while true {
        let now = ContinuousClock.now
        if let deadline, deadline <= now { return false }
        let next = min(looked + SignalFile.recheck, found.again ?? .now + SignalFile.recheck)
        var pause = now.duration(to: next)
        if pause <= .zero { break }
        if let deadline { pause = min(pause, now.duration(to: deadline)) }
        if !found.watched.isEmpty { pause = min(pause, Waiters.ownerCheck) }
        signals.sleep(ticket, channels, for: pause)
        // Nothing was committed, so only a death can have changed anything.
        guard signals.isCurrent(ticket), found.watched.allSatisfy(isLockedElsewhere) else { break }
      }
    }
  }

  /// Suspends the task until `look` finds something, or the deadline passes; does not block a thread.
  ///
  /// - Parameters:
  ///   - notesPulses: Whether `look` is also called after each pulse of the channel.
  ///   - look: Returns what it finds, or nil to continue the wait, unless its look says that the wait is over; and the number of
  ///     the newest snapshot that it has seen.
  /// - Returns: What `look` found; nil when it found nothing in time, or the wait ended without a result.
  /// - Throws: What `look` throws; `CancellationError` when the task is cancelled.
  nonisolated(nonsending) func wait<Found>(
    for channels: Channels, until deadline: ContinuousClock.Instant?, notesPulses: Bool = false,
    _ look: nonisolated(nonsending) () async throws -> (found: Found?, rest: Look, known: Int)
  ) async throws -> Found? {
    while true {
      try Task.checkCancellation()
      let pulse = notesPulses ? pulse(channels) : nil
      let (found, rest, known) = try await look()
      if let found { return found }
      if rest.isReady { return nil }
      if let deadline, deadline <= .now { return nil }
      _ = try await change(
        of: channels, after: known, until: earlier(deadline, rest.again), watched: rest.watched, pulse: pulse)
    }
  }

  /// Refuses to wait inside a write: no process could commit what the thread would wait for.
  func checkMayWait(_ operation: String, _ structure: String?) throws(StoreError) {
    try checkFork()
    guard isWriting else { return }
    throw StoreError(
      .nestedWrite, operation, structure: structure,
      reason: "this thread is inside a write of the same store, so no process can commit what it would wait for",
      advice: "wait outside of the write")
  }
}

/// The time of day in microseconds since 1970.
package func microsecondsSince1970() -> UInt64 { UInt64(max(0, lms_time_of_day()) / 1000) }

/// This process's number.
func currentProcessID() -> UInt32 { UInt32(getpid()) }

/// A number that no other thread or task of this process gets.
func freshNumber() -> UInt64 { 1 << 32 + numbers.add(1, ordering: .relaxed).newValue }
private let numbers = Atomic<UInt64>(0)

/// A number of the calling thread; no later thread gets it.
func currentThread() -> UInt64 { UInt64(lms_thread_slot()) + 1 }

/// A number of the current task, unique among the tasks that live; nil outside of tasks.
func currentTask() -> Int? {
  unsafe withUnsafeCurrentTask { task in unsafe task.map { unsafe $0.hashValue } }
}
