extension SharedSet {
  /// The elements of a set within one transaction, in order.
  ///
  /// Accessed as `txn[seen]`, it changes the store in place. A copy (`var copy = txn[seen]`) is independent: changing it does not
  /// change the store.
  public struct Contents {
    /// The entries, for the library's own use.
    @_documentation(visibility: internal)
    public var entries: SharedDictionary<Element, SharedSet.NoValue>.Contents

    @inlinable
    init(_ entries: SharedDictionary<Element, SharedSet.NoValue>.Contents) { self.entries = entries }

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

extension SharedSet.Contents: EntryParts {
  /// The position of an element.
  public typealias Index = SharedDictionary<Element, SharedSet.NoValue>.Contents.Index
  /// An iterator over elements in order.
  public typealias Iterator = SharedDictionary<Element, SharedSet.NoValue>.Contents.Keys.Iterator

  /// Returns the part of an entry, for the library's own use.
  @_documentation(visibility: internal)
  public static func part(_ entry: Entries.Element) -> Element { entry.key }

  /// The least element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public var first: Element? { entries.first?.key }
  /// The greatest element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public var last: Element? { entries.last?.key }
  /// Whether there are no elements.
  public var isEmpty: Bool { entries.isEmpty }

  /// Returns an iterator over the elements in order.
  @inlinable
  public func makeIterator() -> Iterator { Iterator(entries.makeIterator()) }

  /// Returns whether the set contains an element.
  ///
  /// - Complexity: O(log *n*).
  public func contains(_ element: Element) -> Bool { entries.keys.contains(element) }

  /// Returns the position of an element, or nil.
  public func firstIndex(of element: Element) -> Index? { entries.index(forKey: element) }

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
  public struct Elements: EntryParts {
    /// The entries, for the library's own use.
    @_documentation(visibility: internal)
    public let entries: SharedDictionary<Element, SharedSet.NoValue>.Contents.Entries
    init(_ entries: SharedDictionary<Element, SharedSet.NoValue>.Contents.Entries) { self.entries = entries }

    /// Returns the part of an entry, for the library's own use.
    @_documentation(visibility: internal)
    public static func part(_ entry: SharedSet.Contents.Entries.Element) -> Element { entry.key }
    /// The least element; nil when there is none, or when it cannot be decoded, which fails the transaction.
    public var first: Element? { entries.first?.key }
    /// The greatest element; nil when there is none, or when it cannot be decoded, which fails the transaction.
    public var last: Element? { entries.last?.key }
    /// Returns an iterator over the elements in order.
    public func makeIterator() -> SharedSet.Contents.Iterator { Iterator(entries.makeIterator()) }
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
    (entries.setIfAbsent(SharedSet.NoValue(), forKey: element), element)
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

  /// The elements in order as results: one that cannot be decoded is a failure that names it. It neither ends the iteration nor fails
  /// the transaction, nor does it stop the program.
  ///
  /// - Complexity: O(log *n*) for each element.
  public var results: some BidirectionalCollection<Result<Element, any Error>> {
    entries.results.lazy.map { result in result.map(\.key) }
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
