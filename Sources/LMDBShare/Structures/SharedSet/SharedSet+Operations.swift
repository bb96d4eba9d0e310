// Blocking methods, each one transaction. `tools/pairs` generates the forms for tasks.

extension SharedSet {
  /// The number of elements.
  public var count: Int { get throws { try read { $0.count } } }
  /// Whether there are no elements.
  public var isEmpty: Bool { get throws { try count == 0 } }
  /// The least element, or nil.
  public var first: Element? { get throws { try read { $0.first } } }
  /// The greatest element, or nil.
  public var last: Element? { get throws { try read { $0.last } } }
  /// Returns whether the set contains an element.
  public func contains(_ element: Element) throws -> Bool { try read { $0.contains(element) } }

  /// Inserts an element if it is missing.
  ///
  /// - Returns: Whether it was inserted, and the element that the set contains now.
  @discardableResult
  public func insert(_ element: Element) throws -> (inserted: Bool, memberAfterInsert: Element) {
    try write { $0.insert(element) }
  }

  /// Removes an element.
  ///
  /// - Returns: The element; nil when the set did not contain it.
  @discardableResult
  public func remove(_ element: Element) throws -> Element? { try write { $0.remove(element) } }

  /// Adds the elements of a sequence.
  public func formUnion(_ other: some Sequence<Element>) throws { try write { $0.formUnion(other) } }

  /// Removes the elements of a sequence.
  public func subtract(_ other: some Sequence<Element>) throws { try write { $0.subtract(other) } }

  /// Removes the elements that are not in a sequence.
  public func formIntersection(_ other: some Sequence<Element>) throws { try write { $0.formIntersection(other) } }

  /// Keeps the elements that are either in the set or in a sequence, but not in both.
  public func formSymmetricDifference(_ other: some Sequence<Element>) throws {
    try write { $0.formSymmetricDifference(other) }
  }

  /// Removes and returns the least element; nil when there is none.
  @discardableResult
  public func popFirst() throws -> Element? { try write { $0.popFirst() } }

  /// Removes and returns the greatest element; nil when there is none.
  @discardableResult
  public func popLast() throws -> Element? { try write { $0.popLast() } }

  /// Removes the elements that satisfy `shouldRemove`.
  public func removeAll(where shouldRemove: (Element) throws -> Bool) throws {
    try write { try $0.removeAll(where: shouldRemove) }
  }

  /// Permanently removes the elements that cannot be decoded.
  ///
  /// - Returns: An error for each of them, with the reason.
  @discardableResult
  public func removeUndecodable() throws -> [StoreError] { try write { $0.removeUndecodable() } }

  /// Removes all elements.
  public func removeAll() throws { try write { $0.removeAll() } }
}

/// Says how to iterate over the elements.
@available(*, unavailable, message: "walk the view of a transaction: try set.read { for element in $0 { … } }")
extension SharedSet: Sequence {
  /// Unavailable: iterate over the view of a transaction.
  public func makeIterator() -> Contents.Iterator { stop("unavailable") }
}
