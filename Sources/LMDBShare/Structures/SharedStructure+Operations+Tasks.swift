// Written by tools/pairs from SharedStructure+Operations.swift: change that, and run it again.

extension SharedStructure where View: StructureView {
  /// Runs `body` on the view of the structure in a write transaction: either all of its changes are committed, or none.
  @inlinable @discardableResult
  public nonisolated(nonsending) func write<R>(_ body: @escaping @Sendable (inout View) throws -> sending R)
    async throws -> sending R
  {
    try await store.write { try body(&$0[self]) }
  }
}

extension SharedStructure where View: StructureView & StoredElements {
  /// Overwrites the element at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none.
  @inlinable
  public nonisolated(nonsending) func set(_ element: View.Element, at position: Int) async throws {
    // The stored elements are not checked: they may be what has to be overwritten.
    try await write { elements in
      try elements.checkIndex(position, upTo: elements.count - 1)
      elements[position] = element
    }
  }

  /// Changes the element at a position by `body`.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none; the errors of `body`.
  @inlinable @discardableResult
  public nonisolated(nonsending) func update<R>(
    at position: Int, _ body: @escaping @Sendable (inout View.Element) throws -> sending R
  ) async throws -> sending R {
    try await write { elements in
      var element = try elements.element(at: position)
      let result = try body(&element)
      elements.view.modify(position, element)
      return result
    }
  }
}
