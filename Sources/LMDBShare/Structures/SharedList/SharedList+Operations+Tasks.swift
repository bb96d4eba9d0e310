// Written by tools/pairs from SharedList+Operations.swift: change that, and run it again.

extension SharedList {
  /// Appends an element.
  @inlinable
  public nonisolated(nonsending) func append(_ element: Element) async throws {
    try await write { $0.append(element) }
  }

  /// Appends the elements of a sequence.
  @inlinable
  public nonisolated(nonsending) func append(contentsOf elements: some Sequence<Element>) async throws {
    let elements = Array(elements)
    try await write { $0.append(contentsOf: elements) }
  }

  /// Inserts an element at the start.
  @inlinable
  public nonisolated(nonsending) func prepend(_ element: Element) async throws {
    try await write { $0.prepend(element) }
  }

  /// Inserts an element before the one at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange``.
  @inlinable
  public nonisolated(nonsending) func insert(_ element: Element, at position: Int) async throws {
    try await write { list in
      try list.checkIndex(position, upTo: list.count)
      list.insert(element, at: position)
    }
  }

  /// Removes and returns the element at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none.
  @inlinable @discardableResult
  public nonisolated(nonsending) func remove(at position: Int) async throws -> Element {
    try await write { list in
      try list.checkIndex(position, upTo: list.count - 1)
      return list.remove(at: position)
    }
  }

  /// Removes and returns the first element; nil when there is none.
  @inlinable @discardableResult
  public nonisolated(nonsending) func popFirst() async throws -> Element? {
    try await write { $0.popFirst() }
  }

  /// Removes and returns the last element; nil when there is none.
  @inlinable @discardableResult
  public nonisolated(nonsending) func popLast() async throws -> Element? {
    try await write { $0.popLast() }
  }

  /// Replaces the elements in a range.
  ///
  /// - Throws: ``StoreError/Code/outOfRange``.
  public nonisolated(nonsending) func replaceSubrange(_ range: Range<Int>, with elements: some Collection<Element>)
    async throws
  {
    let elements = Array(elements)
    try await write { list in
      try list.checkIndex(range.upperBound, upTo: list.count)
      try list.checkIndex(range.lowerBound, upTo: list.count)
      list.replaceSubrange(range, with: elements)
    }
  }

  /// Swaps two elements.
  ///
  /// - Throws: ``StoreError/Code/outOfRange``.
  public nonisolated(nonsending) func swapAt(_ a: Int, _ b: Int) async throws {
    try await write { list in
      try list.checkIndex(a, upTo: list.count - 1)
      try list.checkIndex(b, upTo: list.count - 1)
      list.swapAt(a, b)
    }
  }

  /// Removes the elements that satisfy `shouldRemove`.
  public nonisolated(nonsending) func removeAll(where shouldRemove: @escaping @Sendable (Element) throws -> Bool)
    async throws
  {
    try await write { try $0.removeAll(where: shouldRemove) }
  }

  /// Permanently removes the elements that cannot be decoded, which end every iteration.
  ///
  /// - Returns: An error for each of them, with its position and the reason.
  @discardableResult
  public nonisolated(nonsending) func removeUndecodable() async throws -> [StoreError] {
    try await write { $0.removeUndecodable() }
  }

  /// Removes all elements.
  public nonisolated(nonsending) func removeAll() async throws {
    try await write { $0.removeAll() }
  }

  /// Reverses the order of the elements.
  public nonisolated(nonsending) func reverse() async throws {
    try await write { $0.reverse() }
  }

  /// Sorts the elements by a predicate that returns whether its first argument comes before its second.
  public nonisolated(nonsending) func sort(
    by areInIncreasingOrder: @escaping @Sendable (Element, Element) throws -> Bool
  ) async throws {
    try await write { try $0.sort(by: areInIncreasingOrder) }
  }
}

extension SharedList where Element: Comparable {
  /// Sorts the elements.
  public nonisolated(nonsending) func sort() async throws {
    try await write { $0.sort() }
  }
}
