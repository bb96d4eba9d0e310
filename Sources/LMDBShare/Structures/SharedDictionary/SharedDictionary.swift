/// A dictionary that is shared between processes, ordered by key.
///
///     let scores = try store.dictionary("scores", of: String.self, Int.self)
///     try scores.update("al", default: 0) { $0 += 1 }
///     try store.read { txn in
///       for (name, score) in txn[scores]["a"..<"n"] { print(name, score) }
///     }
///
/// Keys sort by their encoded bytes: numbers and dates in their own order, strings by their Unicode scalars.
///
/// A handle is small, holds no transaction, and can be used from any thread. Each of its methods is one transaction. For several
/// changes in one transaction, and for all reading beyond single keys, use its ``Contents`` in a transaction.
public struct SharedDictionary<Key: StorableKey, Value: Storable>: SharedStructure {
  /// The structure in one transaction.
  public typealias View = Contents
  /// The store and the structure, for the library's own use.
  @_documentation(visibility: internal)
  public let link: StructureLink

  static func description(_ name: String) -> StructureDescription {
    StructureDescription(
      name, .dictionary, key: Key.OrderedCodec.identifier, elements: Value.StorageCodec.identifiers)
  }
}

// Blocking: opens or creates a structure. `tools/pairs` generates the forms for tasks.

extension StructureOpening where Self: ~Copyable {
  /// Opens the dictionary of that name, and creates an empty one when it is missing.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func dictionary<Key: StorableKey, Value: Storable>(
    _ name: String, of _: Key.Type, _: Value.Type
  ) throws -> SharedDictionary<Key, Value> {
    SharedDictionary(link: try link(to: SharedDictionary<Key, Value>.description(name)))
  }
}

/// Says how to iterate over the elements.
@available(*, unavailable, message: "walk the view of a transaction: try dictionary.read { for element in $0 { … } }")
extension SharedDictionary: Sequence {
  /// Unavailable: iterate over the view of a transaction.
  public func makeIterator() -> Contents.Iterator { stop("unavailable") }
}
