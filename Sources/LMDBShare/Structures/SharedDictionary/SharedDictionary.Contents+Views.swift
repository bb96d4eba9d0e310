extension SharedDictionary.Contents {
  /// The keys, in order.
  public struct Keys: BidirectionalCollection {
    @usableFromInline let contents: SharedDictionary.Contents
    @usableFromInline init(_ contents: SharedDictionary.Contents) { self.contents = contents }

    /// The position of the first key.
    public var startIndex: Index { contents.startIndex }
    /// The position after the last key.
    public var endIndex: Index { contents.endIndex }
    /// Returns the position of the next key.
    public func index(after index: Index) -> Index { contents.index(after: index) }
    /// Returns the position of the previous key.
    public func index(before index: Index) -> Index { contents.index(before: index) }
    /// Checks the bounds of a slice.
    public func _failEarlyRangeCheck(_ range: Range<Index>, bounds: Range<Index>) {
      contents._failEarlyRangeCheck(range, bounds: bounds)
    }
    /// Returns the key at a position.
    public subscript(position: Index) -> Key { contents[position].key }
    /// The number of keys. O(1).
    public var count: Int { contents.count }
    /// Returns whether the key exists. O(log *n*).
    public func contains(_ key: Key) -> Bool { contents.contains(stored: SharedDictionary.Contents.stored(key)) }

    /// An iterator over the keys in order.
    public struct Iterator: IteratorProtocol {
      @usableFromInline var base: SharedDictionary.Contents.Iterator
      @usableFromInline init(_ base: SharedDictionary.Contents.Iterator) { self.base = base }
      /// Returns the next key, or nil at the end.
      @inlinable public mutating func next() -> Key? { base.nextKey() }
    }
    /// Returns an iterator over the keys in order.
    @inlinable public func makeIterator() -> Iterator { Iterator(contents.makeIterator()) }

    /// The first key; nil when there is none, or when it cannot be decoded, which fails the transaction.
    public var first: Key? { makeIterator().one() }
    /// The last key; nil when there is none, or when it cannot be decoded, which fails the transaction.
    public var last: Key? { contents.last?.key }
    /// Copies the keys up to the first one that cannot be decoded, which fails the transaction.
    public func _copyToContiguousArray() -> ContiguousArray<Key> { walked() }
    /// Returns the transformed keys, by iteration.
    @inlinable
    public func map<T, E: Error>(_ transform: (Key) throws(E) -> T) throws(E) -> [T] { try mapWalked(transform) }
  }

  /// The values, in the order of their keys.
  public struct Values: BidirectionalCollection {
    @usableFromInline let contents: SharedDictionary.Contents
    @usableFromInline init(_ contents: SharedDictionary.Contents) { self.contents = contents }

    /// The position of the first value.
    public var startIndex: Index { contents.startIndex }
    /// The position after the last value.
    public var endIndex: Index { contents.endIndex }
    /// Returns the position of the next value.
    public func index(after index: Index) -> Index { contents.index(after: index) }
    /// Returns the position of the previous value.
    public func index(before index: Index) -> Index { contents.index(before: index) }
    /// Checks the bounds of a slice.
    public func _failEarlyRangeCheck(_ range: Range<Index>, bounds: Range<Index>) {
      contents._failEarlyRangeCheck(range, bounds: bounds)
    }
    /// Returns the value at a position.
    public subscript(position: Index) -> Value { contents[position].value }
    /// The number of values. O(1).
    public var count: Int { contents.count }

    /// An iterator over the values in the order of their keys.
    public struct Iterator: IteratorProtocol {
      @usableFromInline var base: SharedDictionary.Contents.Iterator
      @usableFromInline init(_ base: SharedDictionary.Contents.Iterator) { self.base = base }
      /// Returns the next value, or nil at the end.
      @inlinable public mutating func next() -> Value? { base.nextValue() }
    }
    /// Returns an iterator over the values in the order of their keys.
    @inlinable public func makeIterator() -> Iterator { Iterator(contents.makeIterator()) }

    /// The value of the first key; nil when there is none, or when it cannot be decoded, which fails the transaction.
    public var first: Value? { makeIterator().one() }
    /// The value of the last key; nil when there is none, or when it cannot be decoded, which fails the transaction.
    public var last: Value? { contents.last?.value }
    /// Copies the values up to the first one that cannot be decoded, which fails the transaction.
    public func _copyToContiguousArray() -> ContiguousArray<Value> { walked() }
    /// Returns the transformed values, by iteration.
    @inlinable
    public func map<T, E: Error>(_ transform: (Value) throws(E) -> T) throws(E) -> [T] { try mapWalked(transform) }
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

extension IteratorProtocol {
  /// Returns the first entry of the iterator.
  func one() -> Element? {
    var copy = self
    return copy.next()
  }
}

// The default array conversions of collections read the count first, and stop the program when a walk ends early, as it does at
// an entry that cannot be decoded.
extension Sequence {
  /// Returns the elements of a walk.
  func walked() -> ContiguousArray<Element> {
    var result: ContiguousArray<Element> = []
    for element in self { result.append(element) }
    return result
  }

  /// Returns the transformed elements of a walk.
  @inlinable
  func mapWalked<T, E: Error>(_ transform: (Element) throws(E) -> T) throws(E) -> [T] {
    var result: [T] = []
    for element in self { result.append(try transform(element)) }
    return result
  }
}
