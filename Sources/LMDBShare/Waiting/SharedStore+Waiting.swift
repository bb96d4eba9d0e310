// Waiting for what others commit: by a thread that sleeps, or by a task.

extension SharedStructure {
  /// Sleeps until a commit changes the structure.
  ///
  /// The number tells what is known already, so that no change slips through between a read and the wait:
  ///
  ///     var (known, count) = try store.read { txn in (txn.snapshotID, txn[names].count) }
  ///     while let next = try names.waitForChange(after: known, timeout: .seconds(10)) { … }
  ///
  /// - Parameters:
  ///   - known: The number of the newest snapshot that the caller has seen; the present one when it is nil.
  ///   - timeout: How long to wait.
  /// - Returns: The number of a snapshot that has the change; nil when there was none in time.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func waitForChange(after known: Int? = nil, timeout: Duration) throws -> Int? {
    try link.store.waitForChange(channel: link.channel, after: known, timeout)
  }

  /// Waits until a commit changes the structure, without blocking a thread.
  public func waitForChange(after known: Int? = nil, timeout: Duration) async throws -> Int? {
    try await link.store.waitForChange(channel: link.channel, after: known, timeout)
  }
}

extension SharedStore {
  /// Sleeps until a commit changes one of several structures; any, when none is named.
  ///
  ///     let seen = try store.waitForChange(of: [names, scores], timeout: .seconds(1))
  ///
  /// - Parameters:
  ///   - structures: Structures of this store.
  ///   - known: The number of the newest snapshot that the caller has seen; the present one when it is nil.
  ///   - timeout: How long to wait.
  /// - Returns: The number of a snapshot that has the change; nil when there was none in time.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func waitForChange(
    of structures: [any SharedStructure] = [], after known: Int? = nil, timeout: Duration
  ) throws -> Int? {
    try waitForChange(channel: channels(of: structures), after: known, timeout)
  }

  /// Waits until a commit changes one of several structures, without blocking a thread.
  public func waitForChange(
    of structures: [any SharedStructure] = [], after known: Int? = nil, timeout: Duration
  ) async throws -> Int? {
    try await waitForChange(channel: channels(of: structures), after: known, timeout)
  }

  /// Sleeps until a condition holds: looks at once, and again after each commit that changes one of the structures.
  ///
  /// This is what condition variables are for, without their traps: the condition is about the stored state, so that no
  /// wake-up can be lost and none has to be sent.
  ///
  ///     let isThere = try store.waitUntil(timeout: .seconds(5), watching: [names]) { txn in txn[names].count >= 3 }
  ///
  /// - Parameters:
  ///   - timeout: How long to wait.
  ///   - structures: What the condition depends on; every commit is looked at when none is named.
  ///   - condition: Whether the wait is over, as one snapshot has it.
  /// - Returns: Whether the condition held in time. It may not any more: act in a write that looks again.
  /// - Throws: What `condition` throws; ``StoreError``.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func waitUntil(
    timeout: Duration, watching structures: [any SharedStructure] = [],
    _ condition: (inout ReadTransaction) throws -> Bool
  ) throws -> Bool {
    try environment.checkMayWait("wait", nil)
    return try environment.wait(for: channels(of: structures), until: .now + timeout) {
      Look(isReady: try read { try condition(&$0) })
    }
  }

  /// Waits until a condition holds, without blocking a thread.
  ///
  /// - Throws: What `condition` throws; ``StoreError``; `CancellationError`.
  public nonisolated(nonsending) func waitUntil(
    timeout: Duration, watching structures: [any SharedStructure] = [],
    _ condition: (inout ReadTransaction) throws -> Bool
  ) async throws -> Bool {
    let deadline = ContinuousClock.now + timeout
    let channels = channels(of: structures)
    while true {
      let (known, holds) = try read { txn in (txn.snapshotID, try condition(&txn)) }
      if holds { return true }
      if deadline <= .now { return false }
      _ = try await environment.change(of: channels, after: known, until: deadline)
    }
  }

  private func channels(of structures: [any SharedStructure]) -> UInt64 {
    structures.isEmpty ? Channels.everyCommit : structures.reduce(0) { $0 | $1.link.channel }
  }

  fileprivate func waitForChange(channel: UInt64, after known: Int?, _ timeout: Duration) throws -> Int? {
    try environment.checkMayWait("wait", nil)
    let known = try known ?? read { $0.snapshotID }
    var newest = known
    let isChanged = try environment.wait(for: channel, until: .now + timeout) {
      let before = newest
      newest = try read { $0.snapshotID }
      return Look(isReady: environment.touched(after: before, upTo: newest) & channel != 0)
    }
    return isChanged ? newest : nil
  }

  fileprivate nonisolated(nonsending) func waitForChange(
    channel: UInt64, after known: Int?, _ timeout: Duration
  ) async throws -> Int? {
    let deadline = ContinuousClock.now + timeout
    let known = try known ?? read { $0.snapshotID }
    while true {
      guard try await environment.change(of: channel, after: known, until: deadline) else { return nil }
      let newest = try read { $0.snapshotID }
      if newest > known { return newest }
      if deadline <= .now { return nil }
    }
  }
}
