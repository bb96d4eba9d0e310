// Written by tools/pairs from SharedDictionary+Operations.swift: change that, and run it again.

extension SharedDictionary {
  /// Stores a value, and returns the one that it replaces.
  @inlinable @discardableResult
  public nonisolated(nonsending) func updateValue(_ value: Value, forKey key: Key) async throws -> Value? {
    try await write { $0.updateValue(value, forKey: key) }
  }

  /// Stores a value, without reading the one that it replaces.
  @inlinable
  public nonisolated(nonsending) func set(_ value: Value, forKey key: Key) async throws {
    try await write { $0[key] = value }
  }

  /// Removes a key, and returns its value.
  @inlinable @discardableResult
  public nonisolated(nonsending) func removeValue(forKey key: Key) async throws -> Value? {
    try await write { $0.removeValue(forKey: key) }
  }

  /// Changes the value of a key by `body`, starting from `value` when the key is missing.
  @inlinable @discardableResult
  public nonisolated(nonsending) func update<R>(
    _ key: Key, default value: @autoclosure () -> Value, _ body: @escaping @Sendable (inout Value) throws -> sending R
  ) async throws
    -> sending R
  {
    let value = value()
    return try await write { try $0.update(key, default: value, body) }
  }

  /// Stores a value if the key is missing, and returns whether it did.
  @inlinable @discardableResult
  public nonisolated(nonsending) func setIfAbsent(_ value: Value, forKey key: Key) async throws -> Bool {
    try await write { $0.setIfAbsent(value, forKey: key) }
  }

  /// Stores all entries of a sequence; `combine` merges the values of keys that exist.
  @inlinable
  public nonisolated(nonsending) func merge(
    _ other: some Sequence<(Key, Value)>, uniquingKeysWith combine: @escaping @Sendable (Value, Value) throws -> Value
  ) async throws {
    let other = Array(other)
    try await write { try $0.merge(other, uniquingKeysWith: combine) }
  }

  /// Removes and returns the first entry; nil when there is none.
  @inlinable @discardableResult
  public nonisolated(nonsending) func popFirst() async throws -> Contents.Element? {
    try await write { $0.popFirst() }
  }

  /// Removes and returns the last entry; nil when there is none.
  @inlinable @discardableResult
  public nonisolated(nonsending) func popLast() async throws -> Contents.Element? {
    try await write { $0.popLast() }
  }

  /// Permanently removes the entries whose key or value cannot be decoded, which end every iteration.
  ///
  /// - Returns: An error for each of them, with its key and the reason.
  @discardableResult
  public nonisolated(nonsending) func removeUndecodable() async throws -> [StoreError] {
    try await write { $0.removeUndecodable() }
  }

  /// Removes all entries.
  @inlinable
  public nonisolated(nonsending) func removeAll() async throws {
    try await write { $0.removeAll() }
  }
}
