extension SharedDictionary.Contents: BidirectionalCollection {
  /// The position of an entry, given by its key; it stays valid when other entries are inserted or removed.
  public struct Index: Comparable, Hashable, Sendable {
    /// The stored key, or nil for the end.
    @usableFromInline let stored: [UInt8]?

    @usableFromInline init(_ stored: [UInt8]?) { self.stored = stored }

    /// Returns whether the first index comes before the second: in the order of the keys, with the end last.
    public static func < (a: Index, b: Index) -> Bool {
      guard let a = a.stored else { return false }
      guard let b = b.stored else { return true }
      return a.lexicographicallyPrecedes(b)
    }
  }

  /// The position of the first entry.
  public var startIndex: Index { Index(edge(.none, forward: true)) }
  /// The position after the last entry.
  public var endIndex: Index { Index(nil) }

  /// Returns the position of the next entry.
  ///
  /// - Complexity: O(log *n*).
  public func index(after index: Index) -> Index {
    guard let stored = index.stored else {
      if hasFailed { return endIndex }
      stop("\(title): there is no index after the end")
    }
    return Index(edge(.excluded(stored), forward: true))
  }

  /// Returns the position of the previous entry.
  ///
  /// - Complexity: O(log *n*).
  public func index(before index: Index) -> Index {
    self.index(before: index.stored.map { .excluded($0) } ?? .none)
  }

  /// Returns the index of the last entry before a bound.
  func index(before bound: KeyBound) -> Index {
    guard let found = edge(bound, forward: false) else {
      if hasFailed { return Index(nil) }
      stop("\(title): there is no index before the start")
    }
    return Index(found)
  }

  /// Returns the entry at a position. An index without an entry stops the program; ``element(at:)`` throws instead.
  ///
  /// An entry that cannot be decoded fails the transaction, which throws at its end; until then the ``Codec/placeholder`` of its
  /// types stands in for it, or another entry. When there is neither, the program stops.
  ///
  /// - Complexity: O(log *n*).
  public subscript(position: Index) -> Element {
    do {
      return try entry(at: position)
    } catch {
      return standIn(error)
    }
  }

  private func standIn(_ error: StoreError) -> Element {
    // A view of a snapshot that is used by itself has no transaction whose end would report the error.
    if case .stored(let core, _, _) = storage, error.code != .outOfRange, !(token is SnapshotPin) { core.fail(error) }
    if hasFailed {
      if let key = Key.OrderedCodec.placeholder, let value = Value.StorageCodec.placeholder { return (key, value) }
      if let other = anyElement() { return other }
    }
    stop("\(error)")
  }

  /// Returns any one of the first entries that can be decoded.
  private func anyElement() -> Element? {
    guard case .stored(let core, let reference, let database) = storage else { return nil }
    let cursor = Cursor(core, database)
    var (isThere, rest) = (cursor.move(.first), 64)
    while isThere, rest > 0 {
      if let element = try? Self.element(cursor.key, cursor.value, reference.form) { return element }
      rest -= 1
      isThere = cursor.move(.next)
    }
    return nil
  }

  /// Whether the transaction has failed: nothing can be read any more then, and all changes will be undone.
  var hasFailed: Bool {
    if case .stored(let core, _, _) = storage { return core.hasFailed }
    return false
  }

  /// Checks the bounds of a slice. In a transaction that has failed the bounds are unknown.
  public func _failEarlyRangeCheck(_ range: Range<Index>, bounds: Range<Index>) {
    if !hasFailed, range.lowerBound < bounds.lowerBound || range.upperBound > bounds.upperBound {
      stop("\(title): a slice out of range")
    }
  }

  /// Returns the entry at a position.
  ///
  /// - Throws: ``StoreError`` when there is none, or it cannot be decoded.
  public func element(at position: Index) throws -> Element { try entry(at: position) }

  /// The entries in order as results: one that cannot be decoded is a failure that names its key. It neither ends the iteration nor
  /// fails the transaction, nor does it stop the program.
  ///
  ///     let readable = try scores.read { scores in scores.results.compactMap { try? $0.get() } }
  ///
  /// - Complexity: O(log *n*) for each entry.
  public var results: some BidirectionalCollection<Result<Element, any Error>> {
    indices.lazy.map { index in Result { try element(at: index) } }
  }

  private func entry(at position: Index) throws(StoreError) -> Element {
    guard let stored = position.stored, let element = try find(stored) else {
      if case .stored(let core, _, _) = storage, let failure = core.failure { throw failure }
      throw StoreError(
        .outOfRange, "read", reason: "\(title) has no entry at this index", advice: "use an index of an entry")
    }
    return element
  }

  /// Returns the position of a key, or nil. The value is not decoded.
  public func index(forKey key: Key) -> Index? {
    let stored = Self.stored(key)
    return contains(stored: stored) ? Index(stored) : nil
  }

  /// Returns whether there is an entry, whatever its value.
  func contains(stored: [UInt8]) -> Bool {
    switch storage {
    case .detached(let entries): return entries.find(stored) != nil
    case .stored(let core, let reference, let database):
      check(core, reference, database)
      return withBytes(of: stored) { core.get(database, $0) != nil }
    }
  }

  /// The entry with the least key.
  public var first: Element? { firstEntry(from: .none) }
  /// The entry with the greatest key.
  public var last: Element? { lastEntry(upTo: .none) }

  /// Copies the entries up to the first one that cannot be decoded, which fails the transaction.
  public func _copyToContiguousArray() -> ContiguousArray<Element> {
    walked()
  }

  /// Returns the transformed entries, by iteration.
  @inlinable
  public func map<T, E: Error>(_ transform: (Element) throws(E) -> T) throws(E) -> [T] {
    try mapWalked(transform)
  }

  /// Returns an iterator over the entries in the order of their keys.
  @inlinable
  public func makeIterator() -> Iterator { Iterator(self, from: .none, to: .none) }
}

extension SharedDictionary.Contents {
  @usableFromInline var title: String {
    if case .stored(_, let reference, _) = storage { return reference.title }
    return "a dictionary in memory"
  }

  /// Returns the stored key of the first entry after a bound, or of the last one before it.
  @usableFromInline
  func edge(_ bound: KeyBound, forward: Bool) -> [UInt8]? {
    switch storage {
    case .detached(let entries):
      return memoryEdge(entries, bound, forward: forward).map { entries.entries[$0].stored }
    case .stored(let core, let reference, let database):
      check(core, reference, database)
      let cursor = Cursor(core, database)
      return cursor.place(bound, forward: forward) ? cursor.key.copied() : nil
    }
  }

  @usableFromInline
  func memoryEdge(_ entries: SortedEntries<Key, Value>, _ bound: KeyBound, forward: Bool) -> Int? {
    var place: Int
    switch bound {
    case .none: place = forward ? 0 : entries.entries.count - 1
    case .included(let key):
      place = entries.position(key)
      if !forward, entries.find(key) == nil { place -= 1 }
    case .excluded(let key):
      place = entries.position(key)
      if forward { place += entries.find(key) == nil ? 0 : 1 } else { place -= 1 }
    }
    return entries.entries.indices.contains(place) ? place : nil
  }

  func find(_ stored: [UInt8]) throws(StoreError) -> Element? {
    switch storage {
    case .detached(let entries):
      return entries.find(stored).map { (entries.entries[$0].key, entries.entries[$0].value) }
    case .stored(let core, let reference, let database):
      check(core, reference, database)
      var failure: DecodingFailure?
      let element: Element? = withBytes(of: stored) { key in
        guard let bytes = core.get(database, key) else { return nil }
        do throws(DecodingFailure) {
          return try Self.element(key, bytes, reference.form)
        } catch {
          failure = error
          return nil
        }
      }
      if let failure { throw core.undecodable(reference, "key \(StoredKey.describe(stored))", failure) }
      return element
    }
  }

  @usableFromInline
  func firstEntry(from bound: KeyBound) -> Element? { entry(bound, forward: true) }

  @usableFromInline
  func lastEntry(upTo bound: KeyBound) -> Element? { entry(bound, forward: false) }

  private func entry(_ bound: KeyBound, forward: Bool) -> Element? {
    // In a transaction that has failed nothing is removed any more: nil ends a loop that removes entries until none is left.
    guard !hasFailed, let stored = edge(bound, forward: forward) else { return nil }
    do throws(StoreError) {
      return try find(stored)
    } catch {
      if case .stored(let core, _, _) = storage { core.fail(error) }
      return nil
    }
  }
}
