// A waiter takes a free permit immediately when there are no other waiters. Otherwise it joins its process's line; the first of that
// line then waits among the first waiters of all processes.

extension Permits {
  /// How long an earlier waiter of another process may leave a free permit before it is passed over.
  private static let doubt = Duration.milliseconds(10)
  /// How long a thread waits for the first waiter of its process before it tries for itself.
  private static let patience = Duration.seconds(1)

  private var identity: UInt64 { reference.description.identity }

  /// What the first waiter of a line has observed.
  private struct Sight {
    /// The arrival of a waiter of another process that comes first.
    var earlier: UInt64?
    /// The time since which that waiter could have taken a permit, but has not.
    var since = ContinuousClock.now
  }

  /// Acquires a permit, after waiting for one; returns nil when there was none in time.
  func take(until deadline: ContinuousClock.Instant?, for caller: UInt64 = 0) throws -> Try? {
    let owners = try owners()
    if let taken = try takeAtOnce(for: caller, owners, deadline) { return taken }
    try check()
    let turn = owners.join(identity)
    var taken: Try?
    defer { leave(turn, owners, taken) }
    while !turn.isFirst {
      if let deadline, deadline <= .now { break }
      if turn.comes(until: earlier(deadline, .now + Self.patience) ?? .now) { break }
      // The first waiter may be a task that no thread runs.
      taken = try takeNow(for: caller)
      if taken != nil { return taken }
    }
    var sight = Sight()
    let isTaken = try environment.wait(for: reference.channel, until: deadline) {
      let (found, look) = try look(turn, &sight, caller, owners)
      taken = found
      return look
    }
    if !isTaken { taken = try takeNow(for: caller) }
    return taken
  }

  /// Acquires a permit for a task, after waiting for one; returns nil when there was none in time.
  nonisolated(nonsending) func take(
    until deadline: ContinuousClock.Instant?, for caller: UInt64 = 0
  ) async throws -> Try? {
    try Task.checkCancellation()
    let owners = try owners()
    if let taken = try takeAtOnce(for: caller, owners, deadline) { return taken }
    try check()
    let turn = owners.join(identity)
    var taken: Try?
    defer { leave(turn, owners, taken) }
    if try await turn.comes(until: deadline) {
      var sight = Sight()
      taken = try await environment.wait(for: reference.channel, until: deadline, notesPulses: true) {
        let known = try store.read { $0.snapshotID }
        let (found, look) = try look(turn, &sight, caller, owners)
        return (found, look, known)
      }
      if taken != nil { return taken }
    }
    taken = try takeNow(for: caller)
    return taken
  }

  /// Takes a permit without waiting, unless others wait.
  private func takeAtOnce(
    for caller: UInt64, _ owners: Owners, _ deadline: ContinuousClock.Instant?
  ) throws -> Try? {
    var mayOthersWait = environment.hasLine(reference.channel)
    let mayOthersHaveWaited = mayOthersWait
    let mayGoFirst = owners.mayGoFirst(identity, &mayOthersWait)
    if mayOthersHaveWaited, !mayOthersWait { environment.setLine(reference.channel, false) }
    // A caller that already holds it is handled immediately, and one that may not wait takes what is free.
    guard mayGoFirst || caller != 0 && owners.holds(place(0), for: caller) else { return nil }
    let found = try tryTake(for: caller, owners)
    return found.index == nil ? nil : found
  }

  private func takeNow(for caller: UInt64) throws -> Try? {
    let found = try tryTake(for: caller)
    return found.index == nil ? nil : found
  }

  /// Takes a permit for the first waiter of the process if one is free and no waiter of another process comes before it.
  private func look(
    _ turn: Turn, _ sight: inout Sight, _ caller: UInt64, _ owners: Owners
  ) throws -> (Try?, Look) {
    // This comes before everything else, so that later arrivals queue behind this waiter.
    environment.setLine(reference.channel, true)
    if let earlier = owners.arrival(before: turn, identity) {
      if let watched = try othersOfHeld(owners) {
        sight.earlier = nil
        return (nil, Look(isReady: false, watched: watched))
      }
      if sight.earlier != earlier { sight = Sight(earlier: earlier) }
      let end = sight.since + Self.doubt
      if ContinuousClock.now < end { return (nil, Look(isReady: false, again: end)) }
      owners.passOver(earlier, identity)
    }
    let found = try tryTake(for: caller)
    if found.index != nil { return (found, Look(isReady: true)) }
    // There may be no free permit because the structure has been removed.
    try check()
    return (nil, Look(isReady: false, watched: found.watched))
  }

  /// Returns the places that other processes hold; nil when one is free.
  private func othersOfHeld(_ owners: Owners) throws -> [BytePlace]? {
    try check()
    var watched: [BytePlace] = []
    for index in 0..<count where !owners.holds(place(index)) {
      guard owners.isLockedElsewhere(place(index)) else { return nil }
      watched.append(place(index))
    }
    return watched
  }

  private func leave(_ turn: Turn, _ owners: Owners, _ taken: Try?) {
    owners.leave(identity, turn, isServed: taken != nil)
    // Other waiters may have let this one go first.
    if taken == nil { environment.pulsate(reference.channel) }
  }
}
