/// A structure that is shared between processes, and can be observed and waited for.
///
/// The library's handles conform; it is not meant for other types.
public protocol SharedStructure: Sendable, CustomStringConvertible {
  /// The structure in one snapshot: a view, or a value.
  associatedtype View

  /// The structure's name.
  var name: String { get }
  /// The store and the structure, for the library's own use.
  @_documentation(visibility: internal)
  var link: StructureLink { get }
  /// Returns the structure in a snapshot.
  ///
  /// - Throws: ``StoreError`` when it is not in the snapshot, or cannot be read.
  func view(of snapshot: Snapshot) throws -> View
}

extension SharedStructure {
  /// The kind, name and count, for example `list 'names' (5 elements)`; without the count if it cannot be read.
  public var description: String {
    let reference = link.reference
    let unit: String? =
      switch reference.description.kind.shape {
      case .sequence: "elements"
      case .map: reference.description.kind == .set ? "elements" : "entries"
      case .queue: "items"
      case .cell: nil
      }
    let count = try? link.store.read { txn in
      UntypedContents(txn.core, reference, txn.core.use(reference)).count
    }
    guard let unit, let count else { return reference.title }
    return "\(reference.title) (\(count) \(unit))"
  }
}

/// What a handle refers to, for the library's own use.
@_documentation(visibility: internal)
public struct StructureLink: Sendable {
  let store: SharedStore
  let reference: StructureReference

  init(_ store: SharedStore, _ reference: StructureReference) {
    self.store = store
    self.reference = reference
  }

  var environment: Environment { store.environment }
  var channel: UInt64 { reference.channel }
}

extension SharedList: SharedStructure {
  /// For the library's own use.
  @_documentation(visibility: internal)
  public var link: StructureLink { StructureLink(store, reference) }
  /// Returns the elements in a snapshot.
  public func view(of snapshot: Snapshot) throws -> Contents { try snapshot[self] }
}

extension SharedDictionary: SharedStructure {
  /// For the library's own use.
  @_documentation(visibility: internal)
  public var link: StructureLink { StructureLink(store, reference) }
  /// Returns the entries in a snapshot.
  public func view(of snapshot: Snapshot) throws -> Contents { try snapshot[self] }
}

extension SharedArray: SharedStructure {
  /// For the library's own use.
  @_documentation(visibility: internal)
  public var link: StructureLink { StructureLink(store, reference) }
  /// Returns the elements in a snapshot.
  public func view(of snapshot: Snapshot) throws -> Contents { try snapshot[self] }
}

extension SharedValue: SharedStructure {
  /// For the library's own use.
  @_documentation(visibility: internal)
  public var link: StructureLink { StructureLink(store, reference) }
  /// Returns the value in a snapshot.
  public func view(of snapshot: Snapshot) throws -> Value { try snapshot[self] }
}

extension SharedQueue: SharedStructure {
  /// For the library's own use.
  @_documentation(visibility: internal)
  public var link: StructureLink { StructureLink(store, reference) }
  /// Returns the items in a snapshot.
  public func view(of snapshot: Snapshot) throws -> Contents { try snapshot[self] }
}
