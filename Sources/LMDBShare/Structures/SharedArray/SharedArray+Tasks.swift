// Written by tools/pairs from SharedArray.swift: change that, and run it again.

extension SharedStore {
  /// Opens the array of that name, and creates it when it is missing.
  ///
  /// - Parameters:
  ///   - name: The array's name.
  ///   - type: The type of the elements.
  ///   - count: The number of elements; for an existing array it must match.
  ///   - element: The initial value of the elements of a new array; nil for zero bytes, which for numbers is 0.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else, or the count differs.
  public nonisolated(nonsending) func array<Element: FixedSizeStorable>(
    _ name: String, of type: Element.Type, count: Int, repeating element: Element? = nil
  ) async throws -> SharedArray<Element> {
    SharedArray(
      link: try await link(
        to: SharedArray<Element>.description(name, count), initial: element.map { try encoded($0, name) }))
  }
}

extension SharedArray {
  /// Runs `body` on the elements in a write transaction: either all of its changes are committed, or none.
  @inlinable @discardableResult
  public nonisolated(nonsending) func write<R>(_ body: @escaping @Sendable (inout Contents) throws -> sending R)
    async throws -> sending R
  {
    try await store.write { try body(&$0[self]) }
  }

  /// Overwrites the element at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none.
  @inlinable
  public nonisolated(nonsending) func set(_ element: Element, at position: Int) async throws {
    // The stored elements are not checked: they may be what has to be overwritten.
    try await write { array in
      guard array.indices.contains(position) else { throw array.view.outOfRange(position, array.count) }
      array[position] = element
    }
  }

  /// Changes the element at a position by `body`.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none; the errors of `body`.
  @inlinable @discardableResult
  public nonisolated(nonsending) func update<R>(
    at position: Int, _ body: @escaping @Sendable (inout Element) throws -> sending R
  ) async throws -> sending R {
    try await write { array in
      var element = try array.element(at: position)
      let result = try body(&element)
      array[position] = element
      return result
    }
  }

  /// Overwrites all elements.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when the number of elements differs.
  public nonisolated(nonsending) func setAll(_ elements: some Collection<Element>) async throws {
    let elements = Array(elements)
    try await write { $0 = Contents(ElementView(Array(elements))) }
  }

  /// Overwrites every element with the same value.
  public nonisolated(nonsending) func fill(_ element: Element) async throws {
    try await write { $0.fill(element) }
  }
}
