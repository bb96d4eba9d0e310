/// The elements of a list or array within one transaction: a collection by position, whose reads report an element that cannot be
/// decoded.
///
/// Only ``SharedList/Contents`` and ``SharedArray/Contents`` conform; it is not meant for other types.
public protocol StoredElements: RandomAccessCollection, MutableCollection, CustomStringConvertible
where Element: Storable, Index == Int, Indices == Range<Int>, Iterator == ElementIterator<Element> {
  /// The elements, for the library's own use.
  @_documentation(visibility: internal)
  var view: ElementView<Element> { get set }
}

extension StoredElements {
  /// The number of elements.
  ///
  /// - Complexity: O(1).
  @inlinable public var count: Int { view.count }
  /// Always 0.
  @inlinable public var startIndex: Int { 0 }
  /// The number of elements.
  @inlinable public var endIndex: Int { view.count }

  /// Accesses the element at a position. A position out of range stops the program; ``element(at:)`` throws instead.
  ///
  /// An element that cannot be decoded fails the transaction, which throws at its end; until then the
  /// ``Codec/placeholder`` of its type stands in for it, or another element. When there is neither, the program stops.
  /// Assigning does not decode the replaced element.
  ///
  /// - Complexity: O(log *n*), and O(1) within a block.
  @inlinable
  public subscript(position: Int) -> Element {
    get { view.get(position) }
    _modify {
      var element = view.get(position)
      yield &element
      view.modify(position, element)
    }
    set { view.set(position, newValue) }
  }

  /// Swaps two elements.
  @inlinable
  public mutating func swapAt(_ first: Int, _ second: Int) { view.swap(first, second) }

  /// Returns the element at a position.
  ///
  /// - Throws: ``StoreError`` when there is none, or it cannot be decoded.
  @inlinable
  public func element(at position: Int) throws -> Element { try view.element(position) }

  /// The elements as results: one that cannot be decoded is a failure that names it. It neither ends the iteration nor fails the
  /// transaction, nor does it stop the program, not even in a view of a snapshot that is used by itself.
  ///
  ///     let readable = try log.read { orders in orders.results.compactMap { try? $0.get() } }
  ///
  /// - Complexity: As that of the subscript for each element.
  public var results: some RandomAccessCollection<Result<Element, any Error>> {
    (0..<count).lazy.map { position in Result { try element(at: position) } }
  }

  @usableFromInline
  func checkIndex(_ position: Int, upTo last: Int) throws(StoreError) {
    guard position >= 0, position <= last else { throw view.outOfRange(position, count) }
  }

  /// Returns an iterator over the elements.
  @inlinable
  public func makeIterator() -> ElementIterator<Element> { ElementIterator(view, from: 0) }

  // The bounds checks that `Collection` uses for positions and slices.
  /// Stops the program when the position is out of range.
  @inlinable
  public func _failEarlyRangeCheck(_ position: Int, bounds: Range<Int>) { view.check(position..<position + 1) }
  /// Stops the program when the position is neither in range nor the end.
  @inlinable
  public func _failEarlyRangeCheck(_ position: Int, bounds: ClosedRange<Int>) { view.check(position..<position) }
  /// Stops the program when a part of the range is out of range.
  @inlinable
  public func _failEarlyRangeCheck(_ range: Range<Int>, bounds: Range<Int>) { view.check(range) }

  /// Copies the elements up to the first one that cannot be decoded, which fails the transaction.
  @inlinable
  public func _copyToContiguousArray() -> ContiguousArray<Element> { ContiguousArray(view.copied()) }

  /// Returns the transformed elements, by iteration.
  @inlinable
  public func map<T, E: Error>(_ transform: (Element) throws(E) -> T) throws(E) -> [T] { try view.map(transform) }

  /// The elements as an array.
  public var description: String { view.copied().description }
}

extension StoredElements where Self: StructureView {
  /// Ends a change in place, for the library's own use.
  @_documentation(visibility: internal) @inlinable @inline(__always)
  public mutating func endChange(of reference: StructureReference, in transaction: borrowing WriteTransaction) {
    if view.isDetached { store(to: reference, in: transaction) }
    transaction.core.giveBack(view.token.take())
  }
}

// MARK: Finding

extension StoredElements {
  /// The first element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public var first: Element? { view.find(0) }
  /// The last element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public var last: Element? { view.find(count - 1) }

  /// Returns a random element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public func randomElement() -> Element? {
    var generator = SystemRandomNumberGenerator()
    return view.random(using: &generator)
  }
  /// Returns a random element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public func randomElement(using generator: inout some RandomNumberGenerator) -> Element? {
    view.random(using: &generator)
  }

  /// Returns the position of the first element that satisfies `predicate`, or nil.
  ///
  /// - Complexity: O(*n*), by iteration.
  @inlinable
  public func firstIndex(where predicate: (Element) throws -> Bool) rethrows -> Int? {
    var position = 0
    for element in self {
      if try predicate(element) { return position }
      position += 1
    }
    return nil
  }
  /// Returns the position of the last element that satisfies `predicate`, or nil.
  ///
  /// - Complexity: O(*n*).
  public func lastIndex(where predicate: (Element) throws -> Bool) rethrows -> Int? {
    try view.lastIndex(where: predicate)
  }
  /// Returns the last element that satisfies `predicate`, or nil.
  ///
  /// - Complexity: O(*n*).
  public func last(where predicate: (Element) throws -> Bool) rethrows -> Element? {
    try lastIndex(where: predicate).flatMap { view.find($0) }
  }

  /// Returns the first position at which `belongsInSecondPartition` holds, in elements that are partitioned by it. Uses binary
  /// search.
  ///
  /// - Complexity: O(log *n*) calls.
  public func partitioningIndex(where belongsInSecondPartition: (Element) throws -> Bool) rethrows -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = low + (high - low) / 2
      guard let element = view.find(middle) else { break }
      if try belongsInSecondPartition(element) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension StoredElements where Element: Equatable {
  /// Returns the position of the first element that equals `element`, or nil.
  @inlinable
  public func firstIndex(of element: Element) -> Int? { firstIndex { $0 == element } }
  /// Returns the position of the last element that equals `element`, or nil.
  public func lastIndex(of element: Element) -> Int? { lastIndex { $0 == element } }

  /// Returns whether both have equal elements in the same order.
  public static func == (a: Self, b: Self) -> Bool { a.count == b.count && a.elementsEqual(b) }
}

extension StoredElements where Element: Hashable {
  /// Hashes all elements.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for element in self { hasher.combine(element) }
  }
}

extension SharedList.Contents: Equatable where Element: Equatable {}
extension SharedList.Contents: Hashable where Element: Hashable {}
extension SharedArray.Contents: Equatable where Element: Equatable {}
extension SharedArray.Contents: Hashable where Element: Hashable {}
