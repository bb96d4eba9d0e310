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
  /// The store and the structure, for the library's own use.
  @_documentation(visibility: internal)
  public let link: StructureLink

  static func description(_ name: String) -> StructureDescription {
    StructureDescription(
      name, .set, key: Element.OrderedCodec.identifier, element: NoValue.StorageCodec.identifier)
  }
}

extension SharedSet {
  /// The empty value of an element's entry, for the library's own use.
  @_documentation(visibility: internal)
  public struct NoValue: Storable, Hashable {
    @inlinable init() {}

    /// No bytes.
    public enum StorageCodec: Codec {
      /// `nothing`.
      public static var identifier: String { "nothing" }
      /// 0.
      @inlinable public static var fixedByteCount: Int? { 0 }
      /// Appends nothing.
      @inlinable public static func encode(_: NoValue, into _: inout ByteWriter) {}
      /// Checks that there are no bytes.
      @inlinable public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> NoValue {
        guard bytes.byteCount == 0 else { throw DecodingFailure("\(bytes.byteCount) bytes where there should be none") }
        return NoValue()
      }
      /// Calls `body` with no bytes.
      @inlinable public static func withEncoded<R>(_: NoValue, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
        body(RawSpan())
      }
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
