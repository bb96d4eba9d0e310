extension SharedList {
  /// The elements of a list: a collection like `Array`.
  ///
  /// Reached as `txn[names]`, it changes the store in place. A copy (`var copy = txn[names]`) has a life of its own, as
  /// with `Array`: changing it leaves the store alone.
  ///
  /// A view is valid until its transaction ends, and until its list is changed by other means than the view itself; a
  /// use afterwards stops the program with a message.
  ///
  /// A list with a maximum count drops elements, so that appending to a full one leaves its count as it was.
  public struct Contents {
    @usableFromInline var view: ElementView<Element>
    /// The most elements that are kept.
    @usableFromInline let maximum: Int?

    @inlinable
    init(_ view: ElementView<Element>, _ maximum: Int?) {
      self.view = view
      self.maximum = maximum
    }

    /// No elements, in memory.
    public init() { self.init(ElementView([]), nil) }
  }
}

extension SharedList.Contents: RandomAccessCollection {
  /// The number of elements.
  ///
  /// - Complexity: O(1).
  @inlinable public var count: Int { view.count }
  /// Always 0.
  @inlinable public var startIndex: Int { 0 }
  /// The number of elements.
  @inlinable public var endIndex: Int { view.count }

  /// The element at a position.
  ///
  /// - Throws: ``StoreError`` when there is none, or one that cannot be decoded.
  @inlinable
  public func element(at position: Int) throws(StoreError) -> Element { try view.element(position) }

  /// Walks the elements.
  @inlinable
  public func makeIterator() -> ElementIterator<Element> { ElementIterator(view, from: 0) }

  // What `Collection` checks positions and slices by.
  /// Stops the program when the position is out of range.
  @inlinable
  public func _failEarlyRangeCheck(_ position: Int, bounds: Range<Int>) { view.check(position..<position + 1) }
  /// Stops the program when the position is neither in range nor the end.
  @inlinable
  public func _failEarlyRangeCheck(_ position: Int, bounds: ClosedRange<Int>) { view.check(position..<position) }
  /// Stops the program when a part of the range is out of range.
  @inlinable
  public func _failEarlyRangeCheck(_ range: Range<Int>, bounds: Range<Int>) { view.check(range) }

  /// A walk that ends early, at an element that cannot be decoded, gives a short array here, and the transaction throws.
  @inlinable
  public func _copyToContiguousArray() -> ContiguousArray<Element> { ContiguousArray(view.copied()) }

  /// The transformed elements, by a walk.
  @inlinable
  public func map<T, E: Error>(_ transform: (Element) throws(E) -> T) throws(E) -> [T] { try view.map(transform) }

  /// The position of the first element for which `predicate` says so.
  ///
  /// - Complexity: O(*n*), by a walk instead of by positions.
  @inlinable
  public func firstIndex(where predicate: (Element) throws -> Bool) rethrows -> Int? {
    var position = 0
    for element in self {
      if try predicate(element) { return position }
      position += 1
    }
    return nil
  }

  /// The first position from which on `belongsInSecondPartition` holds, in a list that is partitioned so: binary
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

  @usableFromInline
  func checkIndex(_ position: Int, upTo last: Int) throws(StoreError) {
    guard position >= 0, position <= last else { throw view.outOfRange(position, count) }
  }
}

extension SharedList.Contents where Element: Equatable {
  /// The position of the first element equal to `element`, or nil.
  @inlinable
  public func firstIndex(of element: Element) -> Int? { firstIndex { $0 == element } }
}
