// Blocking methods, each one transaction. `tools/pairs` generates the forms for tasks.

extension SharedList {
  /// The number of elements.
  public var count: Int { get throws { try read { $0.count } } }
  /// Whether there are no elements.
  public var isEmpty: Bool { get throws { try count == 0 } }
  /// The first element, or nil.
  public var first: Element? { get throws { try read { $0.first } } }
  /// The last element, or nil.
  public var last: Element? { get throws { try read { $0.last } } }

  /// Appends an element.
  @inlinable
  public func append(_ element: Element) throws { try write { $0.append(element) } }

  /// Appends the elements of a sequence.
  @inlinable
  public func append(contentsOf elements: some Sequence<Element>) throws {
    try write { $0.append(contentsOf: elements) }
  }

  /// Inserts an element at the start.
  @inlinable
  public func prepend(_ element: Element) throws { try write { $0.prepend(element) } }

  /// Inserts an element before the one at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange``.
  @inlinable
  public func insert(_ element: Element, at position: Int) throws {
    try write { list in
      try list.checkIndex(position, upTo: list.count)
      list.insert(element, at: position)
    }
  }

  /// Removes and returns the element at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none.
  @inlinable @discardableResult
  public func remove(at position: Int) throws -> Element {
    try write { list in
      try list.checkIndex(position, upTo: list.count - 1)
      return list.remove(at: position)
    }
  }

  /// Removes and returns the first element; nil when there is none.
  @inlinable @discardableResult
  public func popFirst() throws -> Element? { try write { $0.popFirst() } }

  /// Removes and returns the last element; nil when there is none.
  @inlinable @discardableResult
  public func popLast() throws -> Element? { try write { $0.popLast() } }

  /// Replaces the elements in a range.
  ///
  /// - Throws: ``StoreError/Code/outOfRange``.
  public func replaceSubrange(_ range: Range<Int>, with elements: some Collection<Element>) throws {
    try write { list in
      try list.checkIndex(range.upperBound, upTo: list.count)
      try list.checkIndex(range.lowerBound, upTo: list.count)
      list.replaceSubrange(range, with: elements)
    }
  }

  /// Swaps two elements.
  ///
  /// - Throws: ``StoreError/Code/outOfRange``.
  public func swapAt(_ a: Int, _ b: Int) throws {
    try write { list in
      try list.checkIndex(a, upTo: list.count - 1)
      try list.checkIndex(b, upTo: list.count - 1)
      list.swapAt(a, b)
    }
  }

  /// Removes the elements that satisfy `shouldRemove`.
  public func removeAll(where shouldRemove: (Element) throws -> Bool) throws {
    try write { try $0.removeAll(where: shouldRemove) }
  }

  /// Permanently removes the elements that cannot be decoded, which end every iteration.
  ///
  /// - Returns: An error for each of them, with its position and the reason.
  @discardableResult
  public func removeUndecodable() throws -> [StoreError] { try write { $0.removeUndecodable() } }

  /// Removes all elements.
  public func removeAll() throws { try write { $0.removeAll() } }

  /// Reverses the order of the elements.
  public func reverse() throws { try write { $0.reverse() } }

  /// Sorts the elements by a predicate that returns whether its first argument comes before its second.
  public func sort(by areInIncreasingOrder: (Element, Element) throws -> Bool) throws {
    try write { try $0.sort(by: areInIncreasingOrder) }
  }
}

extension SharedList where Element: Comparable {
  /// Sorts the elements.
  public func sort() throws { try write { $0.sort() } }
}

extension SharedList where Element: Equatable {
  /// Returns the position of the first element that equals `element`, or nil.
  public func firstIndex(of element: Element) throws -> Int? { try read { $0.firstIndex(of: element) } }
  /// Returns whether there is an element that equals `element`.
  public func contains(_ element: Element) throws -> Bool { try firstIndex(of: element) != nil }
}
