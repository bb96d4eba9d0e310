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
/// A handle is small, holds no transaction, and can be used from any thread. Each of its methods is one transaction; for several
/// changes at once, and for iteration, use its ``Contents``.
public struct SharedSet<Element: StorableKey>: Sendable {
  @usableFromInline let store: SharedStore
  @usableFromInline let reference: StructureReference

  init(_ store: SharedStore, _ reference: StructureReference) {
    self.store = store
    self.reference = reference
  }

  /// The set's name.
  public var name: String { reference.name }

  static func description(_ name: String) -> StructureDescription {
    StructureDescription(
      name, .set, key: Element.OrderedCodec.identifier, element: Nothing.StorageCodec.identifier)
  }
}

/// The value of an entry that has none.
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

extension SharedStore {
  /// Opens the set of that name, and creates an empty one when it is missing.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func set<Element: StorableKey>(_ name: String, of _: Element.Type) throws -> SharedSet<Element> {
    SharedSet(self, try open(SharedSet<Element>.description(name)))
  }
}

extension WriteTransaction {
  /// Opens the set of that name, or creates an empty one as part of this transaction.
  public func set<Element: StorableKey>(_ name: String, of _: Element.Type) throws -> SharedSet<Element> {
    SharedSet(store, try store.openOrCreate(SharedSet<Element>.description(name), core))
  }

  /// Accesses the set's elements, to read and change them in place.
  @inlinable
  public subscript<Element>(_ set: SharedSet<Element>) -> SharedSet<Element>.Contents {
    get { SharedSet<Element>.Contents(.init(core, set.reference, core.use(set.reference))) }
    nonmutating _modify {
      var contents = SharedSet<Element>.Contents(.init(core, set.reference, core.useForWriting(set.reference)))
      contents.entries.token = core.takeToken()
      defer {
        if contents.entries.isDetached { contents.entries.storeDetached(core, set.reference) }
        core.giveBack(contents.entries.token.take())
      }
      yield &contents
    }
    nonmutating set {
      var entries = newValue.entries.detached()
      entries.needsStoring = true
      entries.storeDetached(core, set.reference)
    }
  }
}

extension ReadTransaction {
  /// Returns the set's elements in this snapshot.
  @inlinable
  public subscript<Element>(_ set: SharedSet<Element>) -> SharedSet<Element>.Contents {
    SharedSet<Element>.Contents(.init(core, set.reference, core.use(set.reference)))
  }
}

extension Snapshot {
  /// Returns the set's elements in this snapshot.
  ///
  /// - Throws: ``StoreError`` when the set is not in the snapshot.
  @inlinable
  public subscript<Element>(_ set: SharedSet<Element>) -> SharedSet<Element>.Contents {
    get throws {
      var contents = try read { $0[set] }
      contents.entries.token = pin
      return contents
    }
  }
}

extension SharedSet: SharedStructure {
  /// For the library's own use.
  @_documentation(visibility: internal)
  public var link: StructureLink { StructureLink(store, reference) }
  /// Returns the elements in a snapshot.
  public func view(of snapshot: Snapshot) throws -> Contents { try snapshot[self] }
}
