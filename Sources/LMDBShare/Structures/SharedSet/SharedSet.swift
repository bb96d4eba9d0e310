/// A set that is shared between processes, in the order of its elements.
///
///     let seen = try store.set("seen", of: String.self)
///     let isNew = try seen.insert("https://example.org").inserted
///     try store.write { txn in
///       txn[seen].formUnion(["a", "b"])
///       print(txn[seen]["a"..<"c"].count, txn[seen].first ?? "none")
///     }
///
/// A set is stored as a dictionary without values. Adding, removing and finding an element takes O(log *n*).
///
/// A handle is small, holds no transaction, and can be used from any thread. Each of its methods is one transaction. For several
/// changes in one transaction, and for iteration, use its ``Contents``.
public struct SharedSet<Element: StorableKey>: SharedStructure {
  /// The structure in one transaction.
  public typealias View = Contents
  /// The store.
  public let store: SharedStore
  /// The structure, for the library's own use.
  @_documentation(visibility: internal)
  public let reference: StructureReference

  init(link: StructureLink) {
    store = link.store
    reference = link.reference
  }

  static func description(_ name: String) -> StructureDescription {
    StructureDescription(
      name, .set, key: Element.OrderedCodec.identifier, element: Nothing.StorageCodec.identifier)
  }
}

/// The empty value of a set's entries.
@usableFromInline
struct Nothing: Storable, Hashable {
  @inlinable init() {}

  /// No bytes.
  @usableFromInline
  enum StorageCodec: Codec {
    @usableFromInline static var identifier: String { "nothing" }
    @inlinable static var fixedByteCount: Int? { 0 }
    @inlinable static func encode(_: Nothing, into _: inout ByteWriter) {}
    @inlinable static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Nothing {
      guard bytes.byteCount == 0 else { throw DecodingFailure("\(bytes.byteCount) bytes where there should be none") }
      return Nothing()
    }
    @inlinable static func withEncoded<R>(_: Nothing, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
      body(RawSpan())
    }
  }
}

// Blocking: opens or creates a structure. `tools/pairs` generates the forms for tasks.

extension StructureOpening where Self: ~Copyable {
  /// Opens the set of that name, and creates an empty one when it is missing.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func set<Element: StorableKey>(_ name: String, of _: Element.Type) throws -> SharedSet<Element> {
    SharedSet(link: try link(to: SharedSet<Element>.description(name)))
  }
}
