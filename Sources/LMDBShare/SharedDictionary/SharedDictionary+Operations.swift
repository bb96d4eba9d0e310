// Each a transaction of its own.

extension SharedDictionary {
  /// Runs `body` on the entries, in a read transaction.
  @inlinable
  public func read<R>(_ body: (Contents) throws -> R) throws -> R { try store.read { try body($0[self]) } }

  /// Runs `body` on the entries, in a write transaction; all of its changes are committed, or none.
  @inlinable
  public func write<R>(_ body: (inout Contents) throws -> R) throws -> R { try store.writeNow { try body(&$0[self]) } }

  /// The value of a key, or nil.
  @inlinable
  public subscript(key: Key) -> Value? {
    get throws { try store.read { $0[self][key] } }
  }

  /// The value of a key, or `value` when it has none.
  @inlinable
  public subscript(key: Key, default value: @autoclosure () -> Value) -> Value {
    get throws { try self[key] ?? value() }
  }

  /// The number of entries.
  public var count: Int { get throws { try read { $0.count } } }
  /// Whether there are no entries.
  public var isEmpty: Bool { get throws { try count == 0 } }

  /// Stores a value; returns the one that it replaces.
  @inlinable @discardableResult
  public func updateValue(_ value: Value, forKey key: Key) throws -> Value? {
    try write { $0.updateValue(value, forKey: key) }
  }

  /// Stores a value, without looking at what it replaces.
  @inlinable
  public func set(_ value: Value, forKey key: Key) throws { try write { $0[key] = value } }

  /// Removes a key; returns its value.
  @inlinable @discardableResult
  public func removeValue(forKey key: Key) throws -> Value? { try write { $0.removeValue(forKey: key) } }

  /// Lets `body` change the value of a key, which starts as `value` when it has none.
  @inlinable @discardableResult
  public func update<R>(_ key: Key, default value: @autoclosure () -> Value, _ body: (inout Value) throws -> R) throws
    -> R
  {
    try write { try $0.update(key, default: value(), body) }
  }

  /// Stores a value if the key has none; returns whether it did.
  @inlinable @discardableResult
  public func setIfAbsent(_ value: Value, forKey key: Key) throws -> Bool {
    try write { $0.setIfAbsent(value, forKey: key) }
  }

  /// Stores all entries of a sequence; `combine` decides where a key has a value already.
  @inlinable
  public func merge(
    _ other: some Sequence<(Key, Value)>, uniquingKeysWith combine: (Value, Value) throws -> Value
  ) throws {
    try write { try $0.merge(other, uniquingKeysWith: combine) }
  }

  /// Removes the first entry and returns it.
  @inlinable @discardableResult
  public func popFirst() throws -> Contents.Element? { try write { $0.popFirst() } }

  /// Removes the last entry and returns it.
  @inlinable @discardableResult
  public func popLast() throws -> Contents.Element? { try write { $0.popLast() } }

  /// Removes the entries whose key or value cannot be decoded, which no walk gets past. They are gone for good.
  ///
  /// - Returns: For each of them its key, and why it cannot be decoded.
  @discardableResult
  public func removeUndecodable() throws -> [StoreError] { try write { $0.removeUndecodable() } }

  /// Removes all entries.
  @inlinable
  public func removeAll() throws { try write { $0.removeAll() } }
}
