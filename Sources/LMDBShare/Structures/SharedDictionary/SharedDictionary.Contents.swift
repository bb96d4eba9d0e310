extension SharedDictionary {
  /// The entries of a dictionary, in the order of their keys.
  ///
  /// A collection of key-value pairs like `Dictionary`, but ordered: `first` and `last` are the entries with the least
  /// and the greatest key, and ranges of keys are collections, too (`contents["c"..<"n"]`).
  ///
  /// Accessed as `txn[scores]`, it changes the store in place. A copy (`var copy = txn[scores]`) is independent: changing it
  /// does not change the store. It does not conform to `ExpressibleByArrayLiteral`, as dictionaries do not.
  ///
  /// A view is valid until its transaction ends, and until its dictionary is changed by anything but the view
  /// itself; a use afterwards stops the program with a message.
  public struct Contents: StructureView {
    /// One key with its value.
    public typealias Element = (key: Key, value: Value)

    @usableFromInline
    enum Storage {
      case stored(Transaction, StructureReference, Database)
      case detached(SortedEntries<Key, Value>)
    }

    @usableFromInline var storage: Storage
    /// The token of the only view that changes the store in place, or of a snapshot.
    @usableFromInline var token: Optional<ViewToken>
    /// The use of the transaction to which this view belongs.
    @usableFromInline let use: UInt64
    /// The database's number of writes when this view was made, or when it last changed the database.
    @usableFromInline var generation: UInt32
    /// Makes the view of a transaction, for the library's own use.
    @_documentation(visibility: internal) @inlinable @inline(__always)
    public init(of reference: StructureReference, in transaction: borrowing ReadTransaction, for use: StructureUse) {
      let core = transaction.core
      let database = use.database(core, reference)
      self.use = core.use
      storage = .stored(core, reference, database)
      generation = core.generation(of: database)
      token = use.token(core)
    }

    @inlinable
    init(_ entries: SortedEntries<Key, Value>) {
      storage = .detached(entries)
      use = 0
      generation = 0
      token = nil
    }

    /// Creates empty contents in memory.
    public init() { self.init(SortedEntries()) }
  }
}

extension SharedDictionary.Contents {
  @inlinable static var isFixed: Bool { Key.OrderedCodec.fixedByteCount != nil }

  /// Stops the program when the view is out of date.
  @inlinable @inline(__always)
  func check(_ core: Transaction, _ reference: StructureReference, _ database: Database) {
    core.live(use, reference.title)
    if core.generation(of: database) != generation { StructureReference.stopChanged(reference) }
  }

  /// Calls `body` with the stored form of a key. Calls `failing` and returns nil when the key cannot be encoded.
  @inlinable @inline(__always)
  static func withStored<R>(_ key: Key, _ failing: (EncodingFailure) -> Void, _ body: (RawSpan) -> R) -> R? {
    do throws(EncodingFailure) {
      return try Key.OrderedCodec.withEncoded(key) { StoredKey.with($0, isFixed: isFixed, body) }
    } catch {
      failing(error)
      return nil
    }
  }

  /// Returns the stored form of a key, for ranges and indices. A key that cannot be encoded becomes the empty key.
  @usableFromInline
  static func stored(_ key: Key) -> [UInt8] {
    withStored(key, { _ in }) { $0.copied() } ?? []
  }

  /// Returns the value of an entry.
  @inlinable @inline(__always)
  static func value(_ stored: RawSpan, _ bytes: RawSpan, _ form: Int) throws(DecodingFailure) -> Value {
    try Value.StorageCodec.decode(StoredKey.value(stored, bytes, isFixed: isFixed), in: form)
  }

  /// Returns the key of an entry.
  @inlinable @inline(__always)
  static func key(_ stored: RawSpan, _ bytes: RawSpan) throws(DecodingFailure) -> Key {
    try Key.OrderedCodec.decode(StoredKey.key(stored, bytes, isFixed: isFixed))
  }

  /// Returns the key and the value of an entry.
  @inlinable @inline(__always)
  static func element(_ stored: RawSpan, _ bytes: RawSpan, _ form: Int) throws(DecodingFailure) -> Element {
    (try key(stored, bytes), try value(stored, bytes, form))
  }

  /// Whether the entries are in memory.
  @inlinable @inline(__always)
  var isDetached: Bool { if case .detached = storage { true } else { false } }

  /// Returns a copy in memory.
  @usableFromInline
  func detached() -> Self {
    if case .detached = storage { return self }
    var entries = SortedEntries<Key, Value>()
    for (key, value) in self { entries.append(Self.stored(key), key, value) }
    return Self(entries)
  }

  /// Changes the store if this view does so in place, otherwise a copy in memory.
  @inlinable @inline(__always)
  mutating func change<R>(
    stored body: (Transaction, StructureReference, Database) -> R,
    detached other: (inout SortedEntries<Key, Value>) -> R
  ) -> R {
    if case .stored(let core, let reference, let database) = storage, core.isWritable,
      isKnownUniquelyReferenced(&token)
    {
      check(core, reference, database)
      let result = body(core, reference, database)
      generation = core.generation(of: database)
      return result
    }
    return changeDetached(other)
  }

  @usableFromInline
  mutating func changeDetached<R>(_ body: (inout SortedEntries<Key, Value>) -> R) -> R {
    if case .stored = storage { self = detached() }
    guard case .detached(var entries) = storage else { stop("a detached view") }
    storage = .detached(SortedEntries())
    defer { storage = .detached(entries) }
    return body(&entries)
  }

  /// Ends a change in place, for the library's own use.
  @_documentation(visibility: internal) @inlinable @inline(__always)
  public mutating func endChange(of reference: StructureReference, in transaction: borrowing WriteTransaction) {
    if isDetached { store(to: reference, in: transaction) }
    transaction.core.giveBack(token.take())
  }

  /// Replaces the entries of the store, for the library's own use.
  @_documentation(visibility: internal)
  public func store(to reference: StructureReference, in transaction: borrowing WriteTransaction) {
    guard case .detached(let entries) = detached().storage else { return }
    let core = transaction.core
    let database = core.useForWriting(reference)
    core.removeAll(database)
    for entry in entries.entries { Self.put(core, reference, database, entry.key, entry.value, .append) }
  }
}

extension StructureReference {
  @usableFromInline @inline(never)
  static func stopChanged(_ reference: StructureReference) -> Never {
    stop(
      "\(reference.title) was changed after this view of it was taken; ask the transaction for it again, or copy it first"
    )
  }
}
