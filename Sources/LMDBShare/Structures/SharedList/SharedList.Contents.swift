extension SharedList {
  /// The elements of a list, a collection like `Array`.
  ///
  /// Accessed as `txn[names]`, it changes the store in place. A copy (`var copy = txn[names]`) is independent, as with
  /// `Array`: changing it does not change the store.
  ///
  /// A view is valid until its transaction ends, and until its list is changed by anything but the view itself; a
  /// use afterwards stops the program with a message.
  ///
  /// A list with a maximum count drops elements, so that appending to a full list does not change its count.
  public struct Contents {
    @usableFromInline var view: ElementView<Element>
    /// The most elements that are kept.
    @usableFromInline let maximum: Int?

    @inlinable
    init(_ view: ElementView<Element>, _ maximum: Int?) {
      self.view = view
      self.maximum = maximum
    }

    /// Creates empty contents in memory.
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

  /// Returns the element at a position.
  ///
  /// - Throws: ``StoreError`` when there is none, or it cannot be decoded.
  @inlinable
  public func element(at position: Int) throws -> Element { try view.element(position) }

  /// Returns an iterator over the elements.
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

  /// Copies up to the first element that cannot be decoded, which fails the transaction.
  @inlinable
  public func _copyToContiguousArray() -> ContiguousArray<Element> { ContiguousArray(view.copied()) }

  /// Returns the transformed elements, by iteration.
  @inlinable
  public func map<T, E: Error>(_ transform: (Element) throws(E) -> T) throws(E) -> [T] { try view.map(transform) }

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

  /// Returns the first position at which `belongsInSecondPartition` holds, in a list that is partitioned by it. Uses binary
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
  /// Returns the position of the first element that equals `element`, or nil.
  @inlinable
  public func firstIndex(of element: Element) -> Int? { firstIndex { $0 == element } }
}
