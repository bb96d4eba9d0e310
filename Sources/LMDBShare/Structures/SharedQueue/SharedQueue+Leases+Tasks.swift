// Written by tools/pairs from SharedQueue+Leases.swift: change that, and run it again.

extension SharedQueue {
  /// Leases the next item; returns nil when there is none.
  ///
  /// See ``Contents/lease(atMost:for:)`` for items that cannot be decoded.
  public nonisolated(nonsending) func lease(for duration: Duration) async throws -> Lease? {
    try await lease(atMost: 1, for: duration).first
  }

  /// Leases at most `count` items.
  public nonisolated(nonsending) func lease(atMost count: Int, for duration: Duration) async throws -> [Lease] {
    if count <= 0 { return [] }
    while try hasItems() {
      let leases = try await store.write { try $0[self].leaseNext(atMost: count, for: duration) }
      if !leases.isEmpty { return leases }
    }
    return []
  }

  /// Removes a leased item permanently: its work is done.
  ///
  /// - Throws: ``StoreError/Code/leaseLost`` when the lease is no longer current.
  public nonisolated(nonsending) func acknowledge(_ lease: Lease) async throws {
    try await store.write { try $0[self].acknowledge(lease) }
  }

  /// Extends the lease of an item to `duration` from now; see ``Contents/extend(_:for:)``.
  @discardableResult
  public nonisolated(nonsending) func extend(_ lease: Lease, for duration: Duration) async throws -> Lease {
    try await store.write { try $0[self].extend(lease, for: duration) }
  }

  /// Returns an item to the queue, to be tried again; see ``Contents/release(_:delay:reason:countingAttempt:)``.
  public nonisolated(nonsending) func release(
    _ lease: Lease, delay: Duration = .zero, reason: String = "it was released", countingAttempt: Bool = true
  ) async throws {
    try await store.write {
      try $0[self].release(lease, delay: delay, reason: reason, countingAttempt: countingAttempt)
    }
  }

  /// Moves an item to the dead letters immediately; see ``Contents/reject(_:reason:)``.
  public nonisolated(nonsending) func reject(_ lease: Lease, reason: String) async throws {
    try await store.write { try $0[self].reject(lease, reason: reason) }
  }

  /// Returns a dead letter to the queue as an untried item.
  ///
  /// - Returns: Whether there was a dead letter of that number.
  @discardableResult
  public nonisolated(nonsending) func retry(_ sequence: UInt64) async throws -> Bool {
    try await store.write { $0[self].retry(sequence) }
  }

  /// Returns all dead letters to the queue as untried items.
  ///
  /// - Returns: The number of dead letters.
  @discardableResult
  public nonisolated(nonsending) func retryAll() async throws -> Int {
    try await store.write { $0[self].retryAll() }
  }
}
