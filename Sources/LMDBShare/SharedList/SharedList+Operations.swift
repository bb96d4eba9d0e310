// Each a transaction of its own.

extension SharedList {
  /// Runs `body` on the elements, in a read transaction.
  @inlinable
  public func read<R>(_ body: (Contents) throws -> R) throws -> R { try store.read { try body($0[self]) } }

  /// Runs `body` on the elements, in a write transaction; all of its changes are committed, or none.
  @inlinable
  public func write<R>(_ body: (inout Contents) throws -> R) throws -> R { try store.writeNow { try body(&$0[self]) } }

  /// The number of elements.
  public var count: Int { get throws { try read { $0.count } } }
  /// Whether there are no elements.
  public var isEmpty: Bool { get throws { try count == 0 } }
  /// The first element, or nil.
  public var first: Element? { get throws { try read { $0.first } } }
  /// The last element, or nil.
  public var last: Element? { get throws { try read { $0.last } } }

  /// The element at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none.
  @inlinable
  public subscript(position: Int) -> Element {
    get throws { try read { try $0.element(at: position) } }
  }

  /// Overwrites the element at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none.
  @inlinable
  public func set(_ element: Element, at position: Int) throws {
    try write { list in
      try list.checkIndex(position, upTo: list.count - 1)
      list[position] = element
    }
  }

  /// Lets `body` change the element at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none; what `body` throws.
  @inlinable @discardableResult
  public func update<R>(at position: Int, _ body: (inout Element) throws -> R) throws -> R {
    try write { list in
      var element = try list.element(at: position)
      let result = try body(&element)
      list[position] = element
      return result
    }
  }

  /// Appends an element.
  @inlinable
  public func append(_ element: Element) throws { try write { $0.append(element) } }

  /// Appends the elements of a sequence.
  @inlinable
  public func append(contentsOf elements: some Sequence<Element>) throws {
    try write { $0.append(contentsOf: elements) }
  }

  /// Inserts an element in front of all others.
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

  /// Removes the element at a position and returns it.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none.
  @inlinable @discardableResult
  public func remove(at position: Int) throws -> Element {
    try write { list in
      try list.checkIndex(position, upTo: list.count - 1)
      return list.remove(at: position)
    }
  }

  /// Removes the first element and returns it, or nil.
  @inlinable @discardableResult
  public func popFirst() throws -> Element? { try write { $0.popFirst() } }

  /// Removes the last element and returns it, or nil.
  @inlinable @discardableResult
  public func popLast() throws -> Element? { try write { $0.popLast() } }

  /// Puts other elements in the place of those in a range.
  ///
  /// - Throws: ``StoreError/Code/outOfRange``.
  public func replaceSubrange(_ range: Range<Int>, with elements: some Collection<Element>) throws {
    try write { list in
      try list.checkIndex(range.upperBound, upTo: list.count)
      try list.checkIndex(range.lowerBound, upTo: list.count)
      list.replaceSubrange(range, with: elements)
    }
  }

  /// Exchanges two elements.
  ///
  /// - Throws: ``StoreError/Code/outOfRange``.
  public func swapAt(_ a: Int, _ b: Int) throws {
    try write { list in
      try list.checkIndex(a, upTo: list.count - 1)
      try list.checkIndex(b, upTo: list.count - 1)
      list.swapAt(a, b)
    }
  }

  /// Removes the elements for which `shouldRemove` says so.
  public func removeAll(where shouldRemove: (Element) throws -> Bool) throws {
    try write { try $0.removeAll(where: shouldRemove) }
  }

  /// Removes the elements that cannot be decoded, which no other read gets past. They are gone for good.
  ///
  /// - Returns: For each of them where it stood, and why it cannot be decoded.
  @discardableResult
  public func removeUndecodable() throws -> [StoreError] { try write { $0.removeUndecodable() } }

  /// Removes all elements.
  public func removeAll() throws { try write { $0.removeAll() } }

  /// Turns the order of the elements around.
  public func reverse() throws { try write { $0.reverse() } }

  /// Sorts the elements; `areInIncreasingOrder` tells whether the first one comes before the second.
  public func sort(by areInIncreasingOrder: (Element, Element) throws -> Bool) throws {
    try write { try $0.sort(by: areInIncreasingOrder) }
  }
}

extension SharedList where Element: Comparable {
  /// Sorts the elements.
  public func sort() throws { try write { $0.sort() } }
}

extension SharedList where Element: Equatable {
  /// The position of the first element equal to `element`, or nil.
  public func firstIndex(of element: Element) throws -> Int? { try read { $0.firstIndex(of: element) } }
  /// Whether an element equal to `element` is there.
  public func contains(_ element: Element) throws -> Bool { try firstIndex(of: element) != nil }
}
