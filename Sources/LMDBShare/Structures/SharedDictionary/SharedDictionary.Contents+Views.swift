extension SharedDictionary.Contents {
  /// The keys, in order.
  public struct Keys: EntryParts {
    /// The entries, for the library's own use.
    @_documentation(visibility: internal)
    public let entries: SharedDictionary.Contents
    @usableFromInline init(_ entries: SharedDictionary.Contents) { self.entries = entries }
    /// Returns the part of an entry, for the library's own use.
    @_documentation(visibility: internal)
    public static func part(_ entry: SharedDictionary.Contents.Element) -> Key { entry.key }

    /// The last key; nil when there is none, or when it cannot be decoded, which fails the transaction.
    public var last: Key? { entries.last?.key }
    /// Returns whether the key exists. O(log *n*).
    public func contains(_ key: Key) -> Bool { entries.contains(stored: SharedDictionary.Contents.stored(key)) }

    /// Returns an iterator over the keys in order.
    @inlinable public func makeIterator() -> Iterator { Iterator(entries.makeIterator()) }

    /// An iterator over keys in order.
    public struct Iterator: IteratorProtocol {
      @usableFromInline var base: SharedDictionary.Contents.Iterator
      @usableFromInline init(_ base: SharedDictionary.Contents.Iterator) { self.base = base }
      /// Returns the next key, or nil at the end.
      @inlinable public mutating func next() -> Key? { base.nextKey() }
    }
  }

  /// The values, in the order of their keys.
  public struct Values: EntryParts {
    /// The entries, for the library's own use.
    @_documentation(visibility: internal)
    public let entries: SharedDictionary.Contents
    @usableFromInline init(_ entries: SharedDictionary.Contents) { self.entries = entries }
    /// Returns the part of an entry, for the library's own use.
    @_documentation(visibility: internal)
    public static func part(_ entry: SharedDictionary.Contents.Element) -> Value { entry.value }

    /// The value of the last key; nil when there is none, or when it cannot be decoded, which fails the transaction.
    public var last: Value? { entries.last?.value }

    /// Returns an iterator over the values in the order of their keys.
    @inlinable public func makeIterator() -> Iterator { Iterator(entries.makeIterator()) }

    /// An iterator over the values in the order of their keys.
    public struct Iterator: IteratorProtocol {
      @usableFromInline var base: SharedDictionary.Contents.Iterator
      @usableFromInline init(_ base: SharedDictionary.Contents.Iterator) { self.base = base }
      /// Returns the next value, or nil at the end.
      @inlinable public mutating func next() -> Value? { base.nextValue() }
    }
  }

  /// The keys, in order.
  @inlinable public var keys: Keys { Keys(self) }
  /// The values, in the order of their keys.
  @inlinable public var values: Values { Values(self) }

  /// Returns a dictionary in memory of the entries that satisfy `isIncluded`.
  public func filter(_ isIncluded: (Element) throws -> Bool) rethrows -> [Key: Value] {
    var result: [Key: Value] = [:]
    for entry in self where try isIncluded(entry) { result[entry.key] = entry.value }
    return result
  }

  /// Returns a dictionary in memory with the same keys and transformed values.
  public func mapValues<T>(_ transform: (Value) throws -> T) rethrows -> [Key: T] {
    var result: [Key: T] = [:]
    for entry in self { result[entry.key] = try transform(entry.value) }
    return result
  }
}

extension Dictionary where Key: StorableKey, Value: Storable {
  /// Creates a copy in memory of a shared dictionary's entries.
  public init(_ contents: SharedDictionary<Key, Value>.Contents) {
    self = contents.filter { _ in true }
  }
}

extension SharedDictionary.Contents: Equatable where Value: Equatable {
  /// Returns whether both have the same keys with equal values.
  public static func == (a: Self, b: Self) -> Bool {
    guard a.count == b.count else { return false }
    return a.elementsEqual(b) { $0.key == $1.key && $0.value == $1.value }
  }
}

extension SharedDictionary.Contents: Hashable where Value: Hashable {
  /// Hashes all entries.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for (key, value) in self {
      hasher.combine(key)
      hasher.combine(value)
    }
  }
}

extension SharedDictionary.Contents: CustomStringConvertible {
  /// The entries as text, in the order of the keys.
  public var description: String {
    if isEmpty { return "[:]" }
    let entries = map { entry in "\(String(reflecting: entry.key)): \(String(reflecting: entry.value))" }
    return "[\(entries.joined(separator: ", "))]"
  }
}

extension SharedDictionary.Contents: ExpressibleByDictionaryLiteral {
  /// Creates entries in memory. If a key occurs twice, its last value is used.
  public init(dictionaryLiteral elements: (Key, Value)...) {
    self.init(uniqueOrLast: elements)
  }

  /// Creates entries in memory from a dictionary.
  public init(_ dictionary: [Key: Value]) {
    self.init(uniqueOrLast: dictionary.map { ($0.key, $0.value) })
  }

  private init(uniqueOrLast elements: [(Key, Value)]) {
    var entries = SortedEntries<Key, Value>()
    for (key, value) in elements { entries.set(Self.stored(key), key, value) }
    self.init(entries)
  }
}
