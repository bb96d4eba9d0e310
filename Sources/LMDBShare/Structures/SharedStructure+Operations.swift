// Blocking methods, each one transaction. `tools/pairs` generates the forms for tasks.

extension SharedStructure where View: StructureView {
  /// Runs `body` on the view of the structure in a read transaction.
  @inlinable @discardableResult
  public func read<R>(_ body: (View) throws -> R) throws -> R { try store.read { try body($0[self]) } }

  /// Runs `body` on the view of the structure in a write transaction: either all of its changes are committed, or none.
  @inlinable @discardableResult
  public func write<R>(_ body: (inout View) throws -> R) throws -> R { try store.writeNow { try body(&$0[self]) } }
}

extension SharedStructure where View: StructureView & StoredElements {
  /// Returns the element at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none.
  @inlinable
  public subscript(position: Int) -> View.Element {
    get throws { try read { try $0.element(at: position) } }
  }

  /// Overwrites the element at a position.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none.
  @inlinable
  public func set(_ element: View.Element, at position: Int) throws {
    // The stored elements are not checked: they may be what has to be overwritten.
    try write { elements in
      try elements.checkIndex(position, upTo: elements.count - 1)
      elements[position] = element
    }
  }

  /// Changes the element at a position by `body`.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when there is none; the errors of `body`.
  @inlinable @discardableResult
  public func update<R>(at position: Int, _ body: (inout View.Element) throws -> R) throws -> R {
    try write { elements in
      var element = try elements.element(at: position)
      let result = try body(&element)
      elements.view.modify(position, element)
      return result
    }
  }
}
