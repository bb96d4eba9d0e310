// Written by tools/pairs from SharedValue.swift: change that, and run it again.

extension SharedStore {
  /// Opens the value of that name, and creates it with `initial` when it is missing.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public nonisolated(nonsending) func value<Value: Storable>(_ name: String, initial: Value) async throws
    -> SharedValue<Value>
  {
    SharedValue(
      link: try await link(to: SharedValue<Value>.description(name), initial: encoded(initial, name)), initial: initial)
  }
}

extension SharedValue {
  /// Stores a value.
  @inlinable
  public nonisolated(nonsending) func set(_ value: Value) async throws {
    try await store.write { txn in txn[self] = value }
  }

  /// Changes the value by `body` in one transaction, so that no other write intervenes.
  ///
  /// - Returns: The result of `body`.
  /// - Throws: The errors of `body`, after which the value is unchanged; ``StoreError``.
  @inlinable @discardableResult
  public nonisolated(nonsending) func update<R>(_ body: @escaping @Sendable (inout Value) throws -> sending R)
    async throws -> sending R
  {
    try await store.write { txn in try body(&txn[self]) }
  }
}

extension SharedValue where Value: Equatable {
  /// Stores `new` if the value equals `expected`, in one transaction.
  ///
  /// - Returns: Whether it was stored.
  @inlinable @discardableResult
  public nonisolated(nonsending) func compareAndSet(expected: Value, new: Value) async throws -> Bool {
    try await store.write { txn in
      guard txn[self] == expected else { return false }
      txn[self] = new
      return true
    }
  }
}
