// Written by tools/pairs from SharedSet+Operations.swift: change that, and run it again.

extension SharedSet {
  /// Inserts an element if it is missing.
  ///
  /// - Returns: Whether it was inserted, and the element that the set contains now.
  @discardableResult
  public nonisolated(nonsending) func insert(_ element: Element) async throws -> (
    inserted: Bool, memberAfterInsert: Element
  ) {
    try await write { $0.insert(element) }
  }

  /// Removes an element.
  ///
  /// - Returns: The element; nil when the set did not contain it.
  @discardableResult
  public nonisolated(nonsending) func remove(_ element: Element) async throws -> Element? {
    try await write { $0.remove(element) }
  }

  /// Adds the elements of a sequence.
  public nonisolated(nonsending) func formUnion(_ other: some Sequence<Element>) async throws {
    let other = Array(other)
    try await write { $0.formUnion(other) }
  }

  /// Removes the elements of a sequence.
  public nonisolated(nonsending) func subtract(_ other: some Sequence<Element>) async throws {
    let other = Array(other)
    try await write { $0.subtract(other) }
  }

  /// Removes the elements that are not in a sequence.
  public nonisolated(nonsending) func formIntersection(_ other: some Sequence<Element>) async throws {
    let other = Array(other)
    try await write { $0.formIntersection(other) }
  }

  /// Keeps the elements that are either in the set or in a sequence, but not in both.
  public nonisolated(nonsending) func formSymmetricDifference(_ other: some Sequence<Element>) async throws {
    let other = Array(other)
    try await write { $0.formSymmetricDifference(other) }
  }

  /// Removes and returns the least element; nil when there is none.
  @discardableResult
  public nonisolated(nonsending) func popFirst() async throws -> Element? {
    try await write { $0.popFirst() }
  }

  /// Removes and returns the greatest element; nil when there is none.
  @discardableResult
  public nonisolated(nonsending) func popLast() async throws -> Element? {
    try await write { $0.popLast() }
  }

  /// Removes the elements that satisfy `shouldRemove`.
  public nonisolated(nonsending) func removeAll(where shouldRemove: @escaping @Sendable (Element) throws -> Bool)
    async throws
  {
    try await write { try $0.removeAll(where: shouldRemove) }
  }

  /// Permanently removes the elements that cannot be decoded.
  ///
  /// - Returns: An error for each of them, with the reason.
  @discardableResult
  public nonisolated(nonsending) func removeUndecodable() async throws -> [StoreError] {
    try await write { $0.removeUndecodable() }
  }

  /// Removes all elements.
  public nonisolated(nonsending) func removeAll() async throws {
    try await write { $0.removeAll() }
  }
}
