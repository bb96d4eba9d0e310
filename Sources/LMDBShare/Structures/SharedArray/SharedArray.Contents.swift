extension SharedArray {
  /// The elements of an array: a collection like `Array` whose count is fixed.
  ///
  /// Accessed as `txn[samples]`, it changes the store in place. A copy (`var copy = txn[samples]`) is independent: changing
  /// it does not change the store.
  ///
  /// A view is valid until its transaction ends, and until its array is changed by anything but the view itself; a
  /// use afterwards stops the program with a message.
  public struct Contents {
    @usableFromInline var view: ElementView<Element>

    @inlinable
    init(_ view: ElementView<Element>) { self.view = view }
  }
}

extension SharedArray.Contents: RandomAccessCollection, MutableCollection {
  /// The number of elements.
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
  /// - Complexity: O(1).
  @inlinable
  public subscript(position: Int) -> Element {
    get { view.get(position) }
    _modify {
      var element = view.get(position)
      yield &element
      view.set(position, element)
    }
    set { view.set(position, newValue) }
  }

  /// Returns the element at a position.
  ///
  /// - Throws: ``StoreError`` when there is none, or it cannot be decoded.
  @inlinable
  public func element(at position: Int) throws -> Element { try view.element(position) }

  /// Returns an iterator over the elements.
  @inlinable
  public func makeIterator() -> ElementIterator<Element> { ElementIterator(view, from: 0) }

  /// Copies up to the first element that cannot be decoded, which fails the transaction.
  @inlinable
  public func _copyToContiguousArray() -> ContiguousArray<Element> { ContiguousArray(view.copied()) }

  /// Returns the transformed elements, by iteration.
  @inlinable
  public func map<T, E: Error>(_ transform: (Element) throws(E) -> T) throws(E) -> [T] { try view.map(transform) }

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

  /// Overwrites every element with the same value.
  public mutating func fill(_ element: Element) {
    for position in 0..<count { view.set(position, element) }
  }

  /// Overwrites the elements from a position on.
  public mutating func replace(from start: Int, with elements: some Collection<Element>) {
    var position = start
    for element in elements {
      view.set(position, element)
      position += 1
    }
  }

  /// Sorts the elements by a predicate that returns whether its first argument comes before its second.
  public mutating func sort(by areInIncreasingOrder: (Element, Element) throws -> Bool) rethrows {
    replace(from: 0, with: try view.copied().sorted(by: areInIncreasingOrder))
  }

  /// At the end of an access in place: a copy that took the view's place is written to the store, if it fits.
  @inlinable @inline(__always)
  mutating func store(_ core: Transaction, _ array: SharedArray<Element>) {
    if view.isDetached { storeDetached(core, array) }
  }

  @usableFromInline @inline(never)
  mutating func storeDetached(_ core: Transaction, _ array: SharedArray<Element>) {
    guard case .detached(let elements) = view.storage else { return }
    guard elements.count == array.count else {
      return core.fail(
        StoreError(
          .outOfRange, "write", structure: array.name,
          reason: "\(elements.count) elements were assigned to an array of \(array.count)",
          advice: "assign as many as it has"))
    }
    view.storeDetached(core, array.reference)
  }
}

extension SharedArray.Contents where Element: Comparable {
  /// Sorts the elements.
  public mutating func sort() { sort(by: <) }
}

extension SharedArray.Contents: ExpressibleByArrayLiteral {
  /// Creates contents in memory.
  public init(arrayLiteral elements: Element...) { self.init(ElementView(elements)) }

  /// Creates contents in memory.
  public init(_ elements: some Sequence<Element>) { self.init(ElementView(Array(elements))) }
}

extension SharedArray.Contents: Equatable where Element: Equatable {
  /// Returns whether both have equal elements in the same order.
  public static func == (a: Self, b: Self) -> Bool { a.count == b.count && a.elementsEqual(b) }
}

extension SharedArray.Contents: Hashable where Element: Hashable {
  /// Hashes all elements.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for element in self { hasher.combine(element) }
  }
}

extension SharedArray.Contents: CustomStringConvertible {
  /// The elements as an array.
  public var description: String { view.copied().description }
}
