/// Keys, values, or other parts of entries, in the order of the keys.
///
/// The library's views conform; it is not meant for other types.
public protocol EntryParts: BidirectionalCollection where Index == Entries.Index {
  /// The collection of the entries.
  associatedtype Entries: BidirectionalCollection

  /// The entries, for the library's own use.
  @_documentation(visibility: internal)
  var entries: Entries { get }
  /// Returns the part of an entry, for the library's own use.
  @_documentation(visibility: internal)
  static func part(_ entry: Entries.Element) -> Element
}

extension EntryParts {
  /// The position of the first one.
  public var startIndex: Entries.Index { entries.startIndex }
  /// The position after the last one.
  public var endIndex: Entries.Index { entries.endIndex }
  /// Returns the next position.
  public func index(after index: Entries.Index) -> Entries.Index { entries.index(after: index) }
  /// Returns the previous position.
  public func index(before index: Entries.Index) -> Entries.Index { entries.index(before: index) }
  /// Checks the bounds of a slice.
  public func _failEarlyRangeCheck(_ range: Range<Entries.Index>, bounds: Range<Entries.Index>) {
    entries._failEarlyRangeCheck(range, bounds: bounds)
  }
  /// Returns the one at a position.
  public subscript(position: Entries.Index) -> Element { Self.part(entries[position]) }
  /// The number: of all in O(1), of those in a range by iteration.
  public var count: Int { entries.count }

  /// The first one; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public var first: Element? { makeIterator().one() }
  /// Copies all up to the first one that cannot be decoded, which fails the transaction.
  public func _copyToContiguousArray() -> ContiguousArray<Element> { walked() }
  /// Transforms all, by iteration.
  @inlinable
  public func map<T, E: Error>(_ transform: (Element) throws(E) -> T) throws(E) -> [T] { try mapWalked(transform) }
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
