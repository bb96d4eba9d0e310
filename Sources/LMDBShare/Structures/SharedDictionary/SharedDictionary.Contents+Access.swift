extension SharedDictionary.Contents {
  /// The number of entries.
  ///
  /// - Complexity: O(1).
  @inlinable
  public var count: Int {
    switch storage {
    case .detached(let entries): return entries.entries.count
    case .stored(let core, let reference, let database):
      check(core, reference, database)
      // In a transaction that has failed nothing is removed any more: 0 ends a loop that removes entries until none is left.
      if core.hasFailed, core.isWritable { return 0 }
      return core.count(database)
    }
  }

  /// Whether there are no entries.
  @inlinable public var isEmpty: Bool { count == 0 }

  /// Accesses the value of a key, or nil; setting nil removes the key.
  ///
  /// A stored value that cannot be decoded reads as nil, and the transaction then throws at its end.
  ///
  /// - Complexity: O(log *n*).
  @inlinable
  public subscript(key: Key) -> Value? {
    @inline(__always)
    get {
      guard case .stored(let core, let reference, let database) = storage else { return inMemory(key) }
      check(core, reference, database)
      return Self.withStored(key, { core.failUnencodable(reference.name, $0) }) { stored in
        guard let bytes = core.get(database, stored) else { return nil }
        do throws(DecodingFailure) {
          return try Self.value(stored, bytes, reference.form)
        } catch {
          core.fail(Self.undecodable(core, reference, key, error))
          return nil
        }
      } ?? nil
    }
    _modify {
      var value = self[key]
      yield &value
      if let value { modify(value, key) } else { remove(key) }
    }
    set { if let newValue { set(newValue, key) } else { remove(key) } }
  }

  /// Accesses the value of a key, or `value` when the key is missing; a change in place stores it: `txn[scores]["al", default: 0]
  /// += 1`.
  ///
  /// - Complexity: O(log *n*).
  @inlinable
  public subscript(key: Key, default value: @autoclosure () -> Value) -> Value {
    get { self[key] ?? value() }
    _modify {
      var new = self[key] ?? value()
      yield &new
      modify(new, key)
    }
    set { set(newValue, key) }
  }

  /// Returns the value of a key, or nil.
  ///
  /// - Throws: ``StoreError`` when it cannot be read or decoded.
  /// - Complexity: O(log *n*).
  @inlinable
  public func value(forKey key: Key) throws -> Value? {
    guard case .stored(let core, let reference, let database) = storage else { return inMemory(key) }
    check(core, reference, database)
    let result: Result<Value?, StoreError>? = Self.withStored(key, { core.failUnencodable(reference.name, $0) }) {
      stored in
      guard let bytes = core.get(database, stored) else { return .success(nil) }
      do throws(DecodingFailure) {
        return .success(try Self.value(stored, bytes, reference.form))
      } catch {
        return .failure(Self.undecodable(core, reference, key, error))
      }
    }
    return try result?.get() ?? nil
  }

  @usableFromInline @inline(never)
  func inMemory(_ key: Key) -> Value? {
    guard case .detached(let entries) = storage else { return nil }
    return entries.find(Self.stored(key)).map { entries.entries[$0].value }
  }

  @usableFromInline @inline(never)
  static func undecodable(
    _ core: Transaction, _ reference: StructureReference, _ key: Key, _ error: DecodingFailure
  ) -> StoreError {
    core.undecodable(reference, "key \(key)", error)
  }

  // MARK: Changing

  /// Stores a value, and returns the one that it replaces.
  ///
  /// - Complexity: O(log *n*).
  @inlinable @discardableResult
  public mutating func updateValue(_ value: Value, forKey key: Key) -> Value? {
    let old = self[key]
    set(value, key)
    return old
  }

  /// Removes a key, and returns its value. A value that cannot be decoded fails the transaction; setting nil removes it undecoded.
  ///
  /// - Complexity: O(log *n*).
  @inlinable @discardableResult
  public mutating func removeValue(forKey key: Key) -> Value? {
    guard let old = self[key] else { return nil }
    remove(key)
    return old
  }

  /// Changes the value of a key by `body`, starting from `value` when the key is missing, and stores it.
  @inlinable @discardableResult
  public mutating func update<R>(
    _ key: Key, default value: @autoclosure () -> Value, _ body: (inout Value) throws -> R
  ) rethrows -> R {
    var new = self[key] ?? value()
    let result = try body(&new)
    modify(new, key)
    return result
  }

  /// Stores a value if the key is missing, and returns whether it did.
  ///
  /// - Complexity: O(log *n*).
  @inlinable @discardableResult
  public mutating func setIfAbsent(_ value: Value, forKey key: Key) -> Bool {
    change(
      stored: { Self.put($0, $1, $2, key, value, .insert) },
      detached: { entries in
        let stored = Self.stored(key)
        guard entries.find(stored) == nil else { return false }
        entries.set(stored, key, value)
        return true
      })
  }

  /// Stores all entries of a sequence; `combine` merges the values of keys that exist.
  @inlinable
  public mutating func merge(
    _ other: some Sequence<(Key, Value)>, uniquingKeysWith combine: (Value, Value) throws -> Value
  ) rethrows {
    for (key, value) in other {
      if let old = self[key] { modify(try combine(old, value), key) } else { set(value, key) }
    }
  }

  /// Stores all entries of a dictionary; `combine` merges the values of keys that exist.
  @inlinable
  public mutating func merge(
    _ other: [Key: Value], uniquingKeysWith combine: (Value, Value) throws -> Value
  ) rethrows {
    try merge(other.lazy.map { ($0.key, $0.value) }, uniquingKeysWith: combine)
  }

  /// Appends entries whose keys ascend and are greater than all existing keys: the fastest way to fill a dictionary,
  /// which leaves its pages full.
  ///
  /// A key that does not ascend fails the transaction with ``StoreError/Code/notSorted``.
  ///
  /// - Complexity: O(*m*) in the number of new entries.
  @inlinable
  public mutating func append(sorted entries: some Sequence<(Key, Value)>) {
    // Hashed keys do not sort as the keys do: from the first hashed key on, entries are inserted at their sorted place.
    var ascends = Self.isFixed || edge(.none, forward: false)?.count != StoredKey.hashedBytes
    for (key, value) in entries {
      if ascends, !Self.isFixed, Self.stored(key).count == StoredKey.hashedBytes { ascends = false }
      change(
        stored: { _ = Self.put($0, $1, $2, key, value, ascends ? .append : .replace) },
        detached: { $0.set(Self.stored(key), key, value) })
    }
  }

  /// Removes and returns the entry with the least key; nil when there is none.
  ///
  /// - Complexity: O(log *n*).
  @discardableResult
  public mutating func popFirst() -> Element? {
    guard let entry = first else { return nil }
    remove(entry.key)
    return entry
  }

  /// Removes and returns the entry with the greatest key; nil when there is none.
  ///
  /// - Complexity: O(log *n*).
  @discardableResult
  public mutating func popLast() -> Element? {
    guard let entry = last else { return nil }
    remove(entry.key)
    return entry
  }

  /// Removes all entries.
  ///
  /// - Complexity: O(*pages*).
  public mutating func removeAll() {
    change(stored: { core, _, database in core.removeAll(database) }, detached: { $0 = SortedEntries() })
  }

  /// Permanently removes the entries whose key or value cannot be decoded, which end every iteration.
  ///
  /// To keep their contents, inspect them with the tool first: `lmdbshare show`.
  ///
  /// - Returns: An error for each of them, with its key and the reason.
  /// - Complexity: O(*n*).
  @discardableResult
  public mutating func removeUndecodable() -> [StoreError] {
    guard case .stored(let core, let reference, let database) = storage else { return [] }
    check(core, reference, database)
    var found: [StoreError] = []
    var doomed: [[UInt8]] = []
    let cursor = Cursor(core, database)
    var isThere = cursor.move(.first)
    while isThere {
      do throws(DecodingFailure) {
        _ = try Self.element(cursor.key, cursor.value, reference.form)
      } catch {
        doomed.append(cursor.key.copied())
        found.append(core.undecodable(reference, "key \(StoredKey.describe(cursor.key.copied()))", error))
      }
      isThere = cursor.move(.next)
    }
    guard !doomed.isEmpty else { return [] }
    change(
      stored: { core, _, database in
        for key in doomed { _ = withBytes(of: key) { core.delete(database, $0) } }
      },
      // Copying has already left out what cannot be decoded.
      detached: { _ in })
    return found
  }

  /// Removes the entries that satisfy `shouldRemove`.
  public mutating func removeAll(where shouldRemove: (Element) throws -> Bool) rethrows {
    var doomed: [Key] = []
    for entry in self where try shouldRemove(entry) { doomed.append(entry.key) }
    for key in doomed { remove(key) }
  }

  @inlinable
  mutating func set(_ value: Value, _ key: Key) {
    change(
      stored: { _ = Self.put($0, $1, $2, key, value, .replace) },
      detached: { $0.set(Self.stored(key), key, value) })
  }

  /// Stores a value that was read and changed.
  @inlinable
  mutating func modify(_ value: Value, _ key: Key) {
    guard Value.StorageCodec.keepsUnknownFields, let old = storedValue(key) else { return set(value, key) }
    change(
      stored: { _ = Self.put($0, $1, $2, key, value, .replace, changing: old) },
      detached: { $0.set(Self.stored(key), key, value) })
  }

  /// The bytes of a value in the store.
  @usableFromInline
  func storedValue(_ key: Key) -> [UInt8]? {
    guard case .stored(let core, _, let database) = storage else { return nil }
    return Self.withStored(key, { _ in }) { stored in
      guard let bytes = core.get(database, stored) else { return nil }
      do throws(DecodingFailure) {
        let value = try StoredKey.value(stored, bytes, isFixed: Self.isFixed)
        return value.copied()
      } catch {
        return nil
      }
    } ?? nil
  }

  @inlinable
  mutating func remove(_ key: Key) {
    change(
      stored: { core, reference, database in
        Self.withStored(key, { core.failUnencodable(reference.name, $0) }) { _ = core.delete(database, $0) }
      },
      detached: { _ = $0.remove(Self.stored(key)) })
  }

  @inlinable @discardableResult
  static func put(
    _ core: Transaction, _ reference: StructureReference, _ database: Database, _ key: Key, _ value: Value,
    _ mode: Transaction.PutMode, changing old: [UInt8]? = nil
  ) -> Bool {
    let map = MapStorage(core, database, hasFixedKeys: isFixed)
    do throws(EncodingFailure) {
      return try Value.StorageCodec.withEncoded(value, in: reference.form, changing: old) { bytes in
        do throws(EncodingFailure) {
          return try Key.OrderedCodec.withEncoded(key) { map.put($0, bytes, mode) }
        } catch {
          core.failUnencodable(reference.name, error)
          return false
        }
      }
    } catch {
      core.failUnencodable(reference.name, error)
      return false
    }
  }
}
