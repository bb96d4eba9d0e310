/// A map within one transaction: its entries as bytes, under encoded keys.
///
/// Typed views create one for each operation and forward the operation to it.
@usableFromInline
struct MapStorage {
  @usableFromInline let core: Transaction
  @usableFromInline let database: Database
  /// Whether all keys have the same size, and are stored as they are encoded.
  @usableFromInline let hasFixedKeys: Bool

  @inlinable @inline(__always)
  init(_ core: Transaction, _ database: Database, hasFixedKeys: Bool) {
    self.core = core
    self.database = database
    self.hasFixedKeys = hasFixedKeys
  }

  /// Stores a value under an encoded key.
  ///
  /// - Returns: Whether the value was stored.
  @inlinable @inline(__always)
  func put(_ key: RawSpan, _ value: RawSpan, _ mode: Transaction.PutMode = .replace) -> Bool {
    StoredKey.with(key, isFixed: hasFixedKeys) { stored in
      guard StoredKey.isHashed(stored, isFixed: hasFixedKeys) else { return core.put(database, stored, value, mode) }
      return putHashed(key, value, stored, mode)
    }
  }

  @usableFromInline @inline(never)
  func putHashed(_ key: RawSpan, _ value: RawSpan, _ stored: RawSpan, _ mode: Transaction.PutMode) -> Bool {
    withBytes(of: StoredKey.wrap(key: key, value: value)) { core.put(database, stored, $0, mode) }
  }

  /// Removes an encoded key.
  ///
  /// - Returns: Whether the key existed.
  @inlinable @inline(__always) @discardableResult
  func delete(_ key: RawSpan) -> Bool {
    StoredKey.with(key, isFixed: hasFixedKeys) { core.delete(database, $0) }
  }

  /// Calls `body` with the encoded key and the value of a stored entry.
  ///
  /// - Returns: The result of `body`; nil when the entry lacks its long key, or contains one that does not match its stored key.
  func entry<R>(_ stored: RawSpan, _ bytes: RawSpan, _ body: (RawSpan, RawSpan) throws -> R) rethrows -> R? {
    guard let key = try? StoredKey.key(stored, bytes, isFixed: hasFixedKeys),
      let value = try? StoredKey.value(stored, bytes, isFixed: hasFixedKeys),
      !StoredKey.isHashed(stored, isFixed: hasFixedKeys)
        || withBytes(of: StoredKey.make(key), { $0.hasSameBytes(as: stored) })
    else { return nil }
    return try body(key, value)
  }

  /// Walks the entries between two encoded keys in order, until `body` returns false.
  ///
  /// - Parameters:
  ///   - lower: The key at which the walk starts; nil for the first key.
  ///   - upper: The key before which the walk ends; nil to include the last key.
  func walk(
    _ reference: StructureReference, from lower: [UInt8]?, upTo upper: [UInt8]?, reversed: Bool,
    _ body: (_ key: RawSpan, _ value: RawSpan) throws -> Bool
  ) throws {
    let lower: KeyBound = lower.map { .included(bound($0)) } ?? .none
    let upper: KeyBound = upper.map { .excluded(bound($0)) } ?? .none
    let cursor = Cursor(core, database)
    var isThere = cursor.place(reversed ? upper : lower, forward: !reversed)
    let end = reversed ? lower : upper
    let isWhole = if case (.none, .none) = (lower, upper) { true } else { false }
    var watch = WalkWatch(count: core.isWritable ? nil : core.count(database), isWhole: isWhole, reversed: reversed)
    while isThere {
      if let finding = watch.finding(at: cursor.key) { return core.fail(reference.damage(finding)) }
      if end.isPassed(by: cursor.key, forward: !reversed) { return }
      guard let goesOn = try entry(cursor.key, cursor.value, body) else {
        return core.fail(reference.damage("the value of a long key does not contain the key"))
      }
      guard goesOn else { return }
      isThere = cursor.move(reversed ? .previous : .next)
    }
    if !core.hasFailed, let finding = watch.findingAtEnd() { core.fail(reference.damage(finding)) }
  }

  /// Returns where an encoded key would be stored. A bound may be empty, and as long as any key that begins with it.
  private func bound(_ key: [UInt8]) -> [UInt8] {
    if key.isEmpty { return [0] }
    return withBytes(of: key) { StoredKey.with($0, isFixed: hasFixedKeys) { $0.copied() } }
  }
}
