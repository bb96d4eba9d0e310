extension SharedList {
  /// The elements of a list, a collection like `Array`.
  ///
  /// Accessed as `txn[names]`, it changes the store in place. A copy (`var copy = txn[names]`) is independent, as with
  /// `Array`: changing it does not change the store.
  ///
  /// A view is valid until its transaction ends, and until its list is changed by anything but the view itself; a
  /// use afterwards stops the program with a message.
  ///
  /// A list with a maximum count drops elements, so that appending to a full list does not change its count.
  public struct Contents: StoredElements {
    /// An iterator over the elements.
    public typealias Iterator = ElementIterator<Element>

    /// The elements, for the library's own use.
    @_documentation(visibility: internal)
    public var view: ElementView<Element>
    /// The maximum number of elements that are kept.
    @usableFromInline let maximum: Int?

    @inlinable
    init(_ view: ElementView<Element>, _ maximum: Int?) {
      self.view = view
      self.maximum = maximum
    }

    /// Creates empty contents in memory.
    public init() { self.init(ElementView([]), nil) }
  }
}

extension SharedList.Contents: StructureView {
  /// Makes the view of a transaction, for the library's own use.
  @_documentation(visibility: internal) @inlinable @inline(__always)
  public init(of reference: StructureReference, in transaction: borrowing ReadTransaction, for use: StructureUse) {
    self.init(ElementView(reference, transaction.core, use), reference.description.maximumCount)
  }

  /// Replaces the elements of the store, for the library's own use.
  @_documentation(visibility: internal)
  public func store(to reference: StructureReference, in transaction: borrowing WriteTransaction) {
    let (elements, maximum) = (view.copied(), reference.description.maximumCount)
    ElementView.store(maximum.map { Array(elements.suffix($0)) } ?? elements, to: reference, transaction.core)
  }
}

extension SharedList.Contents: ExpressibleByArrayLiteral {
  /// Creates contents in memory.
  public init(arrayLiteral elements: Element...) { self.init(ElementView(elements), nil) }
}
