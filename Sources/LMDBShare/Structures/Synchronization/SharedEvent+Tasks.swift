// Written by tools/pairs from SharedEvent.swift: change that, and run it again.

extension SharedEvent {
  /// Sets the event, and wakes all waiters.
  public nonisolated(nonsending) func set() async throws {
    try await value.store.write { txn in txn.set(self) }
  }

  /// Clears the event.
  public nonisolated(nonsending) func clear() async throws {
    try await value.set(false)
  }
}
