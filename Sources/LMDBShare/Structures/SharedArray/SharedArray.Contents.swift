extension SharedArray {
  /// The elements of an array: a collection like `Array` whose count is fixed.
  ///
  /// Accessed as `txn[samples]`, it changes the store in place. A copy (`var copy = txn[samples]`) is independent: changing
  /// it does not change the store.
  ///
  /// A view is valid until its transaction ends, and until its array is changed by anything but the view itself; a
  /// use afterwards stops the program with a message.
  public struct Contents: StoredElements {
    /// An iterator over the elements.
    public typealias Iterator = ElementIterator<Element>

    /// The elements, for the library's own use.
    @_documentation(visibility: internal)
    public var view: ElementView<Element>

    @inlinable
    init(_ view: ElementView<Element>) { self.view = view }
  }
}

extension SharedArray.Contents {
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
}

extension SharedArray.Contents: StructureView {
  /// Makes the view of a transaction, for the library's own use.
  @_documentation(visibility: internal) @inlinable @inline(__always)
  public init(of reference: StructureReference, in transaction: borrowing ReadTransaction, for use: StructureUse) {
    self.init(ElementView(reference, transaction.core, use))
  }

  /// Replaces the elements of the store if the number matches; for the library's own use.
  @_documentation(visibility: internal)
  public func store(to reference: StructureReference, in transaction: borrowing WriteTransaction) {
    let (elements, count) = (view.copied(), reference.description.count ?? 0)
    guard elements.count == count else {
      return transaction.core.fail(
        StoreError(
          .outOfRange, "write", structure: reference.name,
          reason: "\(elements.count) elements were assigned to an array of \(count)",
          advice: "assign as many as it has"))
    }
    ElementView.store(elements, to: reference, transaction.core)
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
