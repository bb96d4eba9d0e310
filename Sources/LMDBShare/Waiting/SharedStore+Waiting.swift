// Waiting for commits of other threads, tasks and processes, in a thread or a task.

extension SharedStructure {
  /// Blocks until a commit changes the structure.
  ///
  /// The number of the last known snapshot ensures that no change is missed between a read and the wait:
  ///
  ///     var (known, count) = try store.read { txn in (txn.snapshotID, txn[names].count) }
  ///     while let next = try names.waitForChange(after: known, timeout: .seconds(10)) { … }
  ///
  /// - Parameters:
  ///   - known: The number of the newest snapshot that the caller has seen; nil for the present one.
  ///   - timeout: How long to wait.
  /// - Returns: The number of a snapshot with the change; nil when there was no change in time.
  public func waitForChange(after known: Int? = nil, timeout: Duration) throws -> Int? {
    try store.waitForChange(channel: channel, after: known, timeout)
  }

  /// Waits until a commit changes the structure, without blocking a thread.
  public func waitForChange(after known: Int? = nil, timeout: Duration) async throws -> Int? {
    try await store.waitForChange(channel: channel, after: known, timeout)
  }
}

extension SharedStore {
  /// Blocks until a commit changes one of several structures; any structure when none is named.
  ///
  ///     let seen = try store.waitForChange(of: [names, scores], timeout: .seconds(1))
  ///
  /// - Parameters:
  ///   - structures: Structures of this store.
  ///   - known: The number of the newest snapshot that the caller has seen; nil for the present one.
  ///   - timeout: How long to wait.
  /// - Returns: The number of a snapshot with the change; nil when there was no change in time.
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

  /// Blocks until a condition holds. Evaluates it immediately, and after each commit that changes one of the structures.
  ///
  /// This serves the purpose of a condition variable without its traps: the condition is about the stored state, so that no
  /// wake-up can be lost and none has to be sent.
  ///
  ///     let isThere = try store.waitUntil(timeout: .seconds(5), watching: [names]) { txn in txn[names].count >= 3 }
  ///
  /// - Parameters:
  ///   - timeout: How long to wait.
  ///   - structures: The structures that the condition depends on; when empty, every commit is considered.
  ///   - condition: Returns whether the wait is over in one snapshot.
  /// - Returns: Whether the condition held in time. It may have changed since: evaluate it again in the write that depends on it.
  /// - Throws: The errors of `condition`; ``StoreError``.
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
  /// - Throws: The errors of `condition`; ``StoreError``; `CancellationError`.
  public nonisolated(nonsending) func waitUntil(
    timeout: Duration, watching structures: [any SharedStructure] = [],
    _ condition: (inout ReadTransaction) throws -> Bool
  ) async throws -> Bool {
    let holds: Bool? = try await environment.wait(for: channels(of: structures), until: .now + timeout) {
      try read { txn in (try condition(&txn) ? true : nil, .nothing, txn.snapshotID) }
    }
    return holds ?? false
  }

  private func channels(of structures: [any SharedStructure]) -> Channels {
    structures.isEmpty ? Channels.everyCommit : structures.reduce([]) { $0.union($1.channel) }
  }

  fileprivate func waitForChange(channel: Channels, after known: Int?, _ timeout: Duration) throws -> Int? {
    try environment.checkMayWait("wait", nil)
    let known = try known ?? read { $0.snapshotID }
    var newest = known
    let isChanged = try environment.wait(for: channel, until: .now + timeout) {
      let before = newest
      newest = try read { $0.snapshotID }
      return Look(isReady: !environment.touched(after: before, upTo: newest).isDisjoint(with: channel))
    }
    return isChanged ? newest : nil
  }

  fileprivate nonisolated(nonsending) func waitForChange(
    channel: Channels, after known: Int?, _ timeout: Duration
  ) async throws -> Int? {
    let known = try known ?? read { $0.snapshotID }
    return try await environment.wait(for: channel, until: .now + timeout) {
      let newest = try read { $0.snapshotID }
      let isChanged = !environment.touched(after: known, upTo: newest).isDisjoint(with: channel)
      return (isChanged ? newest : nil, .nothing, newest)
    }
  }
}
