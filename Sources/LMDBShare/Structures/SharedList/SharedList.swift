/// A list that is shared between processes.
///
///     let names = try store.list("names", of: String.self)
///     try names.append("Ada")
///     try store.write { txn in
///       txn[names].append(contentsOf: ["Eve", "Bob"])
///       txn[names].sort()
///     }
///
/// Elements are stored side by side in blocks of 4,080 bytes; a larger element has a block of its own. Reading and changing an
/// element at any position, inserting and removing are O(log *n*).
///
/// A handle is small, holds no transaction, and can be used from any thread. Each of its methods is one transaction. For several
/// changes in one transaction, and for all reading beyond single elements, use its ``Contents``.
public struct SharedList<Element: Storable>: SharedStructure {
  /// The structure in one transaction.
  public typealias View = Contents
  /// The store and the structure, for the library's own use.
  @_documentation(visibility: internal)
  public let link: StructureLink

  /// The maximum number of elements, or nil for no limit.
  public var maximumCount: Int? { reference.description.maximumCount }

  static func description(_ name: String, _ maximum: Int?) throws(StoreError) -> StructureDescription {
    if let maximum, maximum < 1 {
      throw StoreError(
        .outOfRange, "open", structure: name, reason: "a maximum of \(maximum) elements", advice: "give 1 or more")
    }
    return try .sequence(name, .list, of: Element.StorageCodec.self, maximumCount: maximum)
  }
}

// Blocking: opens or creates a structure. `tools/pairs` generates the forms for tasks.

extension StructureOpening where Self: ~Copyable {
  /// Opens the list of that name, and creates an empty one when it is missing.
  ///
  /// - Parameters:
  ///   - name: The list's name.
  ///   - type: The type of the elements.
  ///   - maximumCount: The maximum number of elements of a new list: appending to a full list drops its first elements, inserting
  ///     at the start its last ones. For an existing list it must match, or be nil.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func list<Element: Storable>(
    _ name: String, of type: Element.Type, maximumCount: Int? = nil
  ) throws -> SharedList<Element> {
    SharedList(link: try link(to: SharedList<Element>.description(name, maximumCount)))
  }
}

/// Says how to iterate over the elements.
@available(*, unavailable, message: "walk the view of a transaction: try list.read { for element in $0 { … } }")
extension SharedList: Sequence {
  /// Unavailable: iterate over the view of a transaction.
  public func makeIterator() -> Contents.Iterator { stop("unavailable") }
}
