/// A fixed number of elements of fixed size that are shared between processes, like `multiprocessing.Array`.
///
///     let samples = try store.array("samples", of: Int32.self, count: 1_000)
///     try store.write { txn in
///       txn[samples][0] = 42
///       try txn[samples].withSpan(at: 0) { span, start in print(start, span.count) }
///     }
///
/// A handle is small, holds no transaction, and can be used from any thread.
public struct SharedArray<Element: FixedSizeStorable>: SharedStructure {
  /// The structure in one transaction.
  public typealias View = Contents
  /// The store and the structure, for the library's own use.
  @_documentation(visibility: internal)
  public let link: StructureLink

  /// The number of elements, which never changes.
  public var count: Int { reference.description.count ?? 0 }

  static func description(_ name: String, _ count: Int) throws(StoreError) -> StructureDescription {
    guard count >= 0, count <= 1 << 40 else {
      throw StoreError(
        .outOfRange, "open", structure: name, reason: "an array of \(count) elements", advice: "give 0 to 2^40")
    }
    return try .sequence(name, .array, of: Element.StorageCodec.self, count: count)
  }
}

// Blocking methods, each one transaction. `tools/pairs` generates the forms for tasks.

extension StructureOpening where Self: ~Copyable {
  /// Opens the array of that name, and creates it when it is missing.
  ///
  /// - Parameters:
  ///   - name: The array's name.
  ///   - type: The type of the elements.
  ///   - count: The number of elements; for an existing array it must match.
  ///   - element: The initial value of the elements of a new array; nil for zero bytes, which for numbers is 0.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else, or the count differs.
  public func array<Element: FixedSizeStorable>(
    _ name: String, of type: Element.Type, count: Int, repeating element: Element? = nil
  ) throws -> SharedArray<Element> {
    SharedArray(
      link: try link(
        to: SharedArray<Element>.description(name, count), initial: element.map { try encoded($0, name) }))
  }
}

extension SharedArray {
  /// Overwrites all elements.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when the number of elements differs.
  public func setAll(_ elements: some Collection<Element>) throws {
    try write { $0 = Contents(ElementView(Array(elements))) }
  }

  /// Overwrites every element with the same value.
  public func fill(_ element: Element) throws { try write { $0.fill(element) } }
}

/// Says how to iterate over the elements.
@available(*, unavailable, message: "walk the view of a transaction: try array.read { for element in $0 { … } }")
extension SharedArray: Sequence {
  /// Unavailable: iterate over the view of a transaction.
  public func makeIterator() -> Contents.Iterator { stop("unavailable") }
}
