extension SharedDictionary.Contents {
  /// The entries in a range of keys.
  ///
  /// - Complexity: O(log *n*) for the first entry, and O(1) for each further one.
  public struct Entries: BidirectionalCollection {
    /// One key with its value.
    public typealias Element = SharedDictionary.Contents.Element
    /// The position of an entry.
    public typealias Index = SharedDictionary.Contents.Index

    @usableFromInline let contents: SharedDictionary.Contents
    @usableFromInline let lower: KeyBound
    @usableFromInline let upper: KeyBound

    @usableFromInline
    init(_ contents: SharedDictionary.Contents, _ lower: KeyBound, _ upper: KeyBound) {
      self.contents = contents
      self.lower = lower
      self.upper = upper
    }

    private func isBefore(_ stored: [UInt8]) -> Bool {
      switch upper {
      case .none: true
      case .included(let key): !key.lexicographicallyPrecedes(stored)
      case .excluded(let key): stored.lexicographicallyPrecedes(key)
      }
    }

    /// The position of the first entry.
    public var startIndex: Index {
      guard let stored = contents.edge(lower, forward: true), isBefore(stored) else { return endIndex }
      return Index(stored)
    }

    /// The position after the last entry.
    public var endIndex: Index { Index(nil) }

    /// Returns the position of the next entry.
    public func index(after index: Index) -> Index {
      let next = contents.index(after: index)
      return next.stored.map(isBefore) ?? false ? next : endIndex
    }
    /// Returns the position of the previous entry.
    public func index(before index: Index) -> Index {
      guard index == endIndex else { return contents.index(before: index) }
      return contents.index(before: upper)
    }
    /// Checks the bounds of a slice.
    public func _failEarlyRangeCheck(_ range: Range<Index>, bounds: Range<Index>) {
      contents._failEarlyRangeCheck(range, bounds: bounds)
    }
    /// Returns the entry at a position.
    public subscript(position: Index) -> Element { contents[position] }
    /// The entry with the least key.
    public var first: Element? { makeIterator().one() }
    /// The entry with the greatest key.
    public var last: Element? {
      SharedDictionary.Contents.Iterator(contents, from: lower, to: upper, forward: false).one()
    }

    /// Returns an iterator over the entries in the order of their keys.
    public func makeIterator() -> SharedDictionary.Contents.Iterator {
      SharedDictionary.Contents.Iterator(contents, from: lower, to: upper)
    }

    /// Copies the entries up to the first one that cannot be decoded, which fails the transaction.
    public func _copyToContiguousArray() -> ContiguousArray<Element> { walked() }

    /// Returns the transformed entries, by iteration.
    @inlinable
    public func map<T, E: Error>(_ transform: (Element) throws(E) -> T) throws(E) -> [T] { try mapWalked(transform) }

    /// Returns the entries in the reverse order of their keys.
    public func reversed() -> ReversedEntries { ReversedEntries(contents, lower, upper) }
  }

  /// Entries in the reverse order of their keys.
  public struct ReversedEntries: Sequence {
    private let contents: SharedDictionary.Contents
    private let lower: KeyBound
    private let upper: KeyBound

    init(_ contents: SharedDictionary.Contents, _ lower: KeyBound, _ upper: KeyBound) {
      self.contents = contents
      self.lower = lower
      self.upper = upper
    }

    /// Returns an iterator over the entries in reverse order.
    public func makeIterator() -> SharedDictionary.Contents.Iterator {
      SharedDictionary.Contents.Iterator(contents, from: lower, to: upper, forward: false)
    }
  }

  /// Returns the entries in the reverse order of their keys.
  public func reversed() -> ReversedEntries { ReversedEntries(self, .none, .none) }

  /// Returns the entries whose keys start with `prefix`, for keys that are strings or bytes.
  ///
  /// - Parameter prefix: At most 479 bytes.
  public func entries(withPrefix prefix: Key) -> Entries where Key.OrderedCodec: PrefixCodec {
    let encoded = (try? Key.OrderedCodec.withEncoded(prefix) { $0.copied() }) ?? []
    return entries(encoded: encoded)
  }

  /// Returns the entries whose composite keys have this first part: `entries(withFirst: "Berlin")`.
  public func entries<First: StorableKey, each Rest: StorableKey>(
    withFirst first: First
  ) -> Entries where Key == Composite<First, repeat each Rest> {
    var writer = ByteWriter()
    try? First.OrderedCodec.encodeComponent(first, into: &writer)
    return entries(encoded: writer.finish())
  }

  private func entries(encoded prefix: [UInt8]) -> Entries {
    if prefix.isEmpty { return Entries(self, .none, .none) }
    guard prefix.count <= StoredKey.prefixBytes else {
      stop("\(title): a prefix of \(prefix.count) bytes; at most \(StoredKey.prefixBytes) are possible")
    }
    // The stored form of the prefix as a key: the least key that starts with the prefix.
    let least = withBytes(of: prefix) { StoredKey.make($0) }
    return Entries(
      self, .included(least), StoredKey.successor(ofPrefix: prefix).map { .excluded($0) } ?? .none)
  }

  /// Returns the entry with the greatest key less than `key`, or nil.
  public func entry(before key: Key) -> Element? { lastEntry(upTo: .excluded(Self.stored(key))) }
  /// Returns the entry with the greatest key not greater than `key`, or nil.
  public func entry(atOrBefore key: Key) -> Element? { lastEntry(upTo: .included(Self.stored(key))) }
  /// Returns the entry with the least key greater than `key`, or nil.
  public func entry(after key: Key) -> Element? { firstEntry(from: .excluded(Self.stored(key))) }
  /// Returns the entry with the least key not less than `key`, or nil.
  public func entry(atOrAfter key: Key) -> Element? { firstEntry(from: .included(Self.stored(key))) }

  /// Returns the entries between two keys, both excluded; nil leaves an end open.
  public func entries(after lower: Key?, before upper: Key?) -> Entries {
    Entries(self, lower.map { .excluded(Self.stored($0)) } ?? .none, upper.map { .excluded(Self.stored($0)) } ?? .none)
  }

  /// Returns the entries between two keys, both included; nil leaves an end open.
  public func entries(from lower: Key?, through upper: Key?) -> Entries {
    Entries(self, lower.map { .included(Self.stored($0)) } ?? .none, upper.map { .included(Self.stored($0)) } ?? .none)
  }
}

extension SharedDictionary.Contents where Key: Comparable {
  /// Returns the entries with keys from the lower bound up to, but not including, the upper bound.
  public subscript(range: Range<Key>) -> Entries {
    Entries(self, .included(Self.stored(range.lowerBound)), .excluded(Self.stored(range.upperBound)))
  }

  /// Returns the entries with keys from the lower to the upper bound.
  public subscript(range: ClosedRange<Key>) -> Entries {
    Entries(self, .included(Self.stored(range.lowerBound)), .included(Self.stored(range.upperBound)))
  }

  /// Returns the entries with keys from the bound on.
  public subscript(range: PartialRangeFrom<Key>) -> Entries {
    Entries(self, .included(Self.stored(range.lowerBound)), .none)
  }

  /// Returns the entries with keys up to, but not including, the bound.
  public subscript(range: PartialRangeUpTo<Key>) -> Entries {
    Entries(self, .none, .excluded(Self.stored(range.upperBound)))
  }

  /// Returns the entries with keys up to the bound.
  public subscript(range: PartialRangeThrough<Key>) -> Entries {
    Entries(self, .none, .included(Self.stored(range.upperBound)))
  }
}
