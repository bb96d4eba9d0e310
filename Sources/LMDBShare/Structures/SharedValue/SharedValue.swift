/// A value that is shared between processes.
///
///     let total = try store.value("total", initial: 0)
///     try total.update { $0 += 1 }             // reads, changes and writes as one
///     try store.write { txn in txn[total] += 1 }
///
/// A handle is small, holds no transaction, and can be used from any thread.
public struct SharedValue<Value: Storable>: SharedStructure {
  /// The store and the structure, for the library's own use.
  @_documentation(visibility: internal)
  public let link: StructureLink
  /// The value that stands in for one that cannot be read, until the transaction throws.
  @usableFromInline let initial: Value

  static func description(_ name: String) -> StructureDescription {
    StructureDescription(name, .value, elements: Value.StorageCodec.identifiers)
  }
}

// Blocking methods, each one transaction. `tools/pairs` generates the forms for tasks.

extension StructureOpening where Self: ~Copyable {
  /// Opens the value of that name, and creates it with `initial` when it is missing.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func value<Value: Storable>(_ name: String, initial: Value) throws -> SharedValue<Value> {
    SharedValue(
      link: try link(to: SharedValue<Value>.description(name), initial: encoded(initial, name)), initial: initial)
  }
}

extension SharedValue {
  /// Returns the value in a transaction, for the library's own use.
  @_documentation(visibility: internal) @inlinable
  public func view(in transaction: borrowing ReadTransaction, for use: StructureUse) -> Value {
    transaction.core.loadValue(self)
  }

  /// Ends a change in place, for the library's own use.
  @_documentation(visibility: internal) @inlinable
  public func endChange(of view: inout Value, in transaction: borrowing WriteTransaction) {
    let core = transaction.core
    core.storeValue(view, reference, core.useForWriting(reference), isChange: true)
  }

  /// Replaces the value, for the library's own use.
  @_documentation(visibility: internal) @inlinable
  public func replace(by view: Value, in transaction: borrowing WriteTransaction) {
    let core = transaction.core
    core.storeValue(view, reference, core.useForWriting(reference))
  }
}

extension SharedValue {
  /// Returns the current value.
  ///
  /// - Throws: ``StoreError`` when it cannot be read.
  @inlinable
  public func get() throws -> Value { try store.read { $0[self] } }

  /// Says how to read and change the value.
  @available(*, unavailable, message: "it can throw: use get(), set(_:) or update(_:)")
  public var value: Value {
    get { stop("unavailable") }
    nonmutating set { stop("unavailable") }
  }

  /// Stores a value.
  @inlinable
  public func set(_ value: Value) throws {
    try store.writeNow { txn in txn[self] = value }
  }

  /// Changes the value by `body` in one transaction, so that no other write intervenes.
  ///
  /// - Returns: The result of `body`.
  /// - Throws: The errors of `body`, after which the value is unchanged; ``StoreError``.
  @inlinable @discardableResult
  public func update<R>(_ body: (inout Value) throws -> R) throws -> R {
    try store.writeNow { txn in try body(&txn[self]) }
  }
}

extension SharedValue where Value: Equatable {
  /// Stores `new` if the value equals `expected`, in one transaction.
  ///
  /// - Returns: Whether it was stored.
  @inlinable @discardableResult
  public func compareAndSet(expected: Value, new: Value) throws -> Bool {
    try store.writeNow { txn in
      guard txn[self] == expected else { return false }
      txn[self] = new
      return true
    }
  }
}

extension Transaction {
  /// Returns the stored value. When it cannot be read, the transaction fails and the initial value stands in: nothing that is
  /// derived from it will be committed or returned.
  @inlinable
  func loadValue<Value: Storable>(_ value: SharedValue<Value>) -> Value {
    live("value")
    let database = use(value.reference)
    return withUTF8(of: value.reference.name) { key in
      guard let bytes = get(database, key) else {
        failMissing(value.reference)
        return value.initial
      }
      do throws(DecodingFailure) {
        return try Value.StorageCodec.decode(bytes, in: value.reference.form)
      } catch {
        failUndecodable(value.reference, nil, error)
        return value.initial
      }
    }
  }

  @inlinable
  func storeValue<Value: Storable>(
    _ value: Value, _ reference: StructureReference, _ database: Database, isChange: Bool = false
  ) {
    live("value")
    withUTF8(of: reference.name) { key in
      let isKept = isChange && Value.StorageCodec.keepsUnknownFields
      let old = isKept ? get(database, key)?.copied() : nil
      do throws(EncodingFailure) {
        try Value.StorageCodec.withEncoded(value, in: reference.form, changing: old) { _ = put(database, key, $0) }
      } catch {
        failUnencodable(reference.name, error)
      }
    }
  }

  @usableFromInline @inline(never)
  func failMissing(_ reference: StructureReference) {
    fail(
      StoreError(
        .damaged, "read", structure: reference.name, reason: "its value is missing",
        advice: "another program may have removed it; remove the structure and make it again"))
  }

  @usableFromInline @inline(never)
  func failUndecodable(_ reference: StructureReference, _ place: String?, _ error: DecodingFailure) {
    fail(undecodable(reference, place, error))
  }

  @usableFromInline @inline(never)
  func undecodable(_ reference: StructureReference, _ place: String?, _ error: DecodingFailure) -> StoreError {
    StoreError(
      .undecodable, "read", structure: reference.name,
      reason: (place.map { "at \($0): " } ?? "") + error.description,
      advice: "another program may have written it; overwrite it, or remove it unread: removeUndecodable() does")
  }

  @usableFromInline @inline(never)
  func failUnencodable(_ name: String, _ error: EncodingFailure) { fail(.unencodable(name, error)) }
}

extension StoreError {
  @usableFromInline @inline(never)
  static func unencodable(_ name: String, _ error: EncodingFailure) -> StoreError {
    StoreError(
      .unencodable, "write", structure: name, reason: error.description,
      advice: error.advice ?? "store a value that can be encoded")
  }
}
