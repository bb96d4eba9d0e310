// Waiting for a permit: at first without a line where nobody waits, then in the process's line, and as its first one among
// those of all processes.

extension Permits {
  /// How long others are waited for that come first and do not take what is free.
  private static let doubt = Duration.milliseconds(10)
  /// How long a thread waits for the first one of its process before it looks for itself.
  private static let patience = Duration.seconds(1)

  private var identity: UInt64 { reference.description.identity }

  /// What the first one of a line has seen.
  private struct Sight {
    /// Who comes before it.
    var earlier: UInt64?
    /// Since when it could have taken a permit, and did not.
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
      // The first one may be a task that no thread runs.
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

  /// Waits for a permit in a task; nil when there was none in time.
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
    // Who has it already learns that at once; and who has no time takes what there is.
    guard mayGoFirst || caller != 0 && owners.holds(place(0), for: caller) else { return nil }
    let found = try tryTake(for: caller, owners)
    return found.index == nil ? nil : found
  }

  private func takeNow(for caller: UInt64) throws -> Try? {
    let found = try tryTake(for: caller)
    return found.index == nil ? nil : found
  }

  /// What the first one of its process does: takes a permit if one is free and nobody in another process comes before it.
  private func look(
    _ turn: Turn, _ sight: inout Sight, _ caller: UInt64, _ owners: Owners
  ) throws -> (Try?, Look) {
    // Before anything else, so that who comes from now on stands behind.
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
    // Where none can be had, it may be since the structure is gone.
    try check()
    return (nil, Look(isReady: false, watched: found.watched))
  }

  /// The places that other processes hold; nil when one is free.
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
    // Others may have stood aside for it.
    if taken == nil { environment.pulsate(reference.channel) }
  }
}
