// Blocking methods, each one transaction. `tools/pairs` generates the forms for tasks.

extension SharedDictionary {
  /// Returns the value of a key, or nil.
  @inlinable
  public subscript(key: Key) -> Value? {
    get throws { try store.read { $0[self][key] } }
  }

  /// Says how a value is set.
  @available(*, unavailable, message: "a subscript cannot throw when it sets: use set(_:forKey:)")
  public subscript(key: Key) -> Value {
    get { stop("unavailable") }
    nonmutating set { stop("unavailable") }
  }

  /// Returns the value of a key, or `value` when the key is missing.
  @inlinable
  public subscript(key: Key, default value: @autoclosure () -> Value) -> Value {
    get throws { try self[key] ?? value() }
  }

  /// The number of entries.
  public var count: Int { get throws { try read { $0.count } } }
  /// Whether there are no entries.
  public var isEmpty: Bool { get throws { try count == 0 } }

  /// Stores a value, and returns the one that it replaces.
  @inlinable @discardableResult
  public func updateValue(_ value: Value, forKey key: Key) throws -> Value? {
    try write { $0.updateValue(value, forKey: key) }
  }

  /// Stores a value, without reading the one that it replaces.
  @inlinable
  public func set(_ value: Value, forKey key: Key) throws { try write { $0[key] = value } }

  /// Removes a key, and returns its value.
  @inlinable @discardableResult
  public func removeValue(forKey key: Key) throws -> Value? { try write { $0.removeValue(forKey: key) } }

  /// Changes the value of a key by `body`, starting from `value` when the key is missing.
  @inlinable @discardableResult
  public func update<R>(_ key: Key, default value: @autoclosure () -> Value, _ body: (inout Value) throws -> R) throws
    -> R
  {
    try write { try $0.update(key, default: value(), body) }
  }

  /// Stores a value if the key is missing, and returns whether it did.
  @inlinable @discardableResult
  public func setIfAbsent(_ value: Value, forKey key: Key) throws -> Bool {
    try write { $0.setIfAbsent(value, forKey: key) }
  }

  /// Stores all entries of a sequence; `combine` merges the values of keys that exist.
  @inlinable
  public func merge(
    _ other: some Sequence<(Key, Value)>, uniquingKeysWith combine: (Value, Value) throws -> Value
  ) throws {
    try write { try $0.merge(other, uniquingKeysWith: combine) }
  }

  /// Removes and returns the first entry; nil when there is none.
  @inlinable @discardableResult
  public func popFirst() throws -> Contents.Element? { try write { $0.popFirst() } }

  /// Removes and returns the last entry; nil when there is none.
  @inlinable @discardableResult
  public func popLast() throws -> Contents.Element? { try write { $0.popLast() } }

  /// Permanently removes the entries whose key or value cannot be decoded, which end every iteration.
  ///
  /// - Returns: An error for each of them, with its key and the reason.
  @discardableResult
  public func removeUndecodable() throws -> [StoreError] { try write { $0.removeUndecodable() } }

  /// Removes all entries.
  @inlinable
  public func removeAll() throws { try write { $0.removeAll() } }
}
