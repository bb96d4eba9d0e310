extension SharedSet {
  /// The elements of a set within one transaction, in order.
  ///
  /// Accessed as `txn[seen]`, it changes the store in place. A copy (`var copy = txn[seen]`) is independent: changing it does not
  /// change the store.
  public struct Contents {
    @usableFromInline var entries: SharedDictionary<Element, Nothing>.Contents

    @inlinable
    init(_ entries: SharedDictionary<Element, Nothing>.Contents) { self.entries = entries }

    /// Creates empty contents in memory.
    public init() { entries = .init() }

    /// Creates contents in memory from the elements of a sequence.
    public init(_ elements: some Sequence<Element>) {
      self.init()
      formUnion(elements)
    }
  }
}

extension SharedSet.Contents: StructureView {
  /// Makes the view of a transaction, for the library's own use.
  @_documentation(visibility: internal) @inlinable @inline(__always)
  public init(of reference: StructureReference, in transaction: borrowing ReadTransaction, for use: StructureUse) {
    self.init(.init(of: reference, in: transaction, for: use))
  }
  /// Ends a change in place, for the library's own use.
  @_documentation(visibility: internal) @inlinable
  public mutating func endChange(of reference: StructureReference, in transaction: borrowing WriteTransaction) {
    entries.endChange(of: reference, in: transaction)
  }
  /// Replaces the elements of the store, for the library's own use.
  @_documentation(visibility: internal)
  public func store(to reference: StructureReference, in transaction: borrowing WriteTransaction) {
    entries.store(to: reference, in: transaction)
  }
}

// MARK: Reading

extension SharedSet.Contents: BidirectionalCollection {
  /// The position of an element.
  public struct Index: Comparable, Hashable, Sendable {
    let entry: SharedDictionary<Element, Nothing>.Contents.Index
    /// Returns whether the first position comes before the second.
    public static func < (a: Index, b: Index) -> Bool { a.entry < b.entry }
  }

  /// The number of elements.
  ///
  /// - Complexity: O(1).
  public var count: Int { entries.count }
  /// Whether there are no elements.
  public var isEmpty: Bool { entries.isEmpty }
  /// The position of the least element.
  public var startIndex: Index { Index(entry: entries.startIndex) }
  /// The position after the greatest element.
  public var endIndex: Index { Index(entry: entries.endIndex) }
  /// Returns the position of the next element.
  public func index(after index: Index) -> Index { Index(entry: entries.index(after: index.entry)) }
  /// Returns the position of the previous element.
  public func index(before index: Index) -> Index { Index(entry: entries.index(before: index.entry)) }
  /// Returns the element at a position.
  public subscript(position: Index) -> Element { entries[position.entry].key }
  /// The least element, or nil.
  public var first: Element? { entries.first?.key }
  /// The greatest element, or nil.
  public var last: Element? { entries.last?.key }

  /// An iterator over elements in order.
  public struct Iterator: IteratorProtocol {
    @usableFromInline var base: SharedDictionary<Element, Nothing>.Contents.Iterator

    @usableFromInline
    init(_ base: SharedDictionary<Element, Nothing>.Contents.Iterator) { self.base = base }

    /// Returns the next element, or nil at the end.
    @inlinable
    public mutating func next() -> Element? { base.nextKey() }
  }

  /// Returns an iterator over the elements in order.
  @inlinable
  public func makeIterator() -> Iterator { Iterator(entries.makeIterator()) }

  /// Returns whether the set contains an element.
  ///
  /// - Complexity: O(log *n*).
  public func contains(_ element: Element) -> Bool { entries.keys.contains(element) }

  /// Returns the position of an element, or nil.
  public func firstIndex(of element: Element) -> Index? { entries.index(forKey: element).map(Index.init) }

  /// Returns the elements in a range.
  public subscript(range: Range<Element>) -> Elements where Element: Comparable { Elements(entries[range]) }
  /// Returns the elements in a range.
  public subscript(range: ClosedRange<Element>) -> Elements where Element: Comparable { Elements(entries[range]) }
  /// Returns the elements from the bound on.
  public subscript(range: PartialRangeFrom<Element>) -> Elements where Element: Comparable { Elements(entries[range]) }
  /// Returns the elements up to, but not including, the bound.
  public subscript(range: PartialRangeUpTo<Element>) -> Elements where Element: Comparable { Elements(entries[range]) }
  /// Returns the elements up to the bound.
  public subscript(range: PartialRangeThrough<Element>) -> Elements where Element: Comparable {
    Elements(entries[range])
  }

  /// Returns the elements that begin with a prefix, for strings and bytes.
  public func elements(withPrefix prefix: Element) -> Elements where Element.OrderedCodec: PrefixCodec {
    Elements(entries.entries(withPrefix: prefix))
  }

  /// A range of the elements, in order.
  public struct Elements: BidirectionalCollection {
    private let entries: SharedDictionary<Element, Nothing>.Contents.Entries
    init(_ entries: SharedDictionary<Element, Nothing>.Contents.Entries) { self.entries = entries }

    /// The position of the first element.
    public var startIndex: Index { Index(entry: entries.startIndex) }
    /// The position after the last element.
    public var endIndex: Index { Index(entry: entries.endIndex) }
    /// Returns the position of the next element.
    public func index(after index: Index) -> Index { Index(entry: entries.index(after: index.entry)) }
    /// Returns the position of the previous element.
    public func index(before index: Index) -> Index { Index(entry: entries.index(before: index.entry)) }
    /// Returns the element at a position.
    public subscript(position: Index) -> Element { entries[position.entry].key }
    /// Returns an iterator over the elements in order.
    public func makeIterator() -> Iterator { Iterator(entries.makeIterator()) }
    /// The least element, or nil.
    public var first: Element? { entries.first?.key }
    /// The greatest element, or nil.
    public var last: Element? { entries.last?.key }
  }
}

// MARK: Changing

extension SharedSet.Contents {
  /// Inserts an element if it is missing.
  ///
  /// - Returns: Whether it was inserted, and the element that the set contains now.
  /// - Complexity: O(log *n*).
  @discardableResult
  public mutating func insert(_ element: Element) -> (inserted: Bool, memberAfterInsert: Element) {
    (entries.setIfAbsent(Nothing(), forKey: element), element)
  }

  /// Removes an element.
  ///
  /// - Returns: The element; nil when the set did not contain it.
  /// - Complexity: O(log *n*).
  @discardableResult
  public mutating func remove(_ element: Element) -> Element? {
    entries.removeValue(forKey: element) == nil ? nil : element
  }

  /// Removes and returns the least element; nil when there is none.
  @discardableResult
  public mutating func popFirst() -> Element? { entries.popFirst()?.key }

  /// Removes and returns the greatest element; nil when there is none.
  @discardableResult
  public mutating func popLast() -> Element? { entries.popLast()?.key }

  /// Removes all elements.
  public mutating func removeAll() { entries.removeAll() }

  /// Removes the elements that satisfy `shouldRemove`.
  public mutating func removeAll(where shouldRemove: (Element) throws -> Bool) rethrows {
    try entries.removeAll { try shouldRemove($0.key) }
  }

  /// Removes the elements that cannot be decoded.
  ///
  /// - Returns: An error for each of them, with the reason.
  @discardableResult
  public mutating func removeUndecodable() -> [StoreError] { entries.removeUndecodable() }

  /// Adds the elements of a sequence: a `Set`, or another set of the same transaction.
  public mutating func formUnion(_ other: some Sequence<Element>) {
    for element in other { insert(element) }
  }

  /// Removes the elements of a sequence.
  public mutating func subtract(_ other: some Sequence<Element>) {
    for element in other { remove(element) }
  }

  /// Removes the elements that are not in a sequence.
  public mutating func formIntersection(_ other: some Sequence<Element>) {
    let kept = Set(other)
    removeAll { !kept.contains($0) }
  }

  /// Keeps the elements that are either in the set or in a sequence, but not in both.
  public mutating func formSymmetricDifference(_ other: some Sequence<Element>) {
    for element in Set(other) where remove(element) == nil { insert(element) }
  }
}

// MARK: Comparing in memory

extension SharedSet.Contents {
  /// Returns an in-memory set of the elements of both.
  public func union(_ other: some Sequence<Element>) -> Set<Element> { Set(self).union(other) }
  /// Returns an in-memory set of the elements that are in both.
  public func intersection(_ other: some Sequence<Element>) -> Set<Element> { Set(other.filter(contains)) }
  /// Returns an in-memory set of the elements that are not in a sequence.
  public func subtracting(_ other: some Sequence<Element>) -> Set<Element> { Set(self).subtracting(other) }
  /// Returns an in-memory set of the elements that are either in the set or in a sequence, but not in both.
  public func symmetricDifference(_ other: some Sequence<Element>) -> Set<Element> {
    Set(self).symmetricDifference(other)
  }
  /// Returns whether a sequence contains all elements of the set.
  public func isSubset(of other: some Sequence<Element>) -> Bool { Set(self).isSubset(of: other) }
  /// Returns whether the set contains all elements of a sequence.
  public func isSuperset(of other: some Sequence<Element>) -> Bool { other.allSatisfy(contains) }
  /// Returns whether the set and a sequence have no element in common.
  public func isDisjoint(with other: some Sequence<Element>) -> Bool { !other.contains(where: contains) }
}

extension SharedSet.Contents: Equatable {
  /// Returns whether both have the same elements.
  public static func == (a: Self, b: Self) -> Bool { a.count == b.count && a.elementsEqual(b) }
}

extension SharedSet.Contents: Hashable {
  /// Hashes all elements.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for element in self { hasher.combine(element) }
  }
}

extension SharedSet.Contents: CustomStringConvertible {
  /// The elements as text, like those of an array.
  public var description: String { Array(self).description }
}

extension SharedSet.Contents: ExpressibleByArrayLiteral {
  /// Creates contents in memory.
  public init(arrayLiteral elements: Element...) { self.init(elements) }
}
