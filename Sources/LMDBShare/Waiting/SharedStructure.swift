/// A structure that processes share: what can be observed and waited for.
///
/// The library's handles conform; it is not meant for other types.
public protocol SharedStructure: Sendable {
  /// What one snapshot of it is: a view, or a value.
  associatedtype View

  /// The structure's name.
  var name: String { get }
  /// The store and the structure, for the library's own use.
  var link: StructureLink { get }
  /// The structure as a snapshot has it.
  ///
  /// - Throws: ``StoreError`` when it is not in it, or cannot be read.
  func view(of snapshot: Snapshot) throws -> View
}

/// What a handle refers to, for the library's own use.
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
  public var link: StructureLink { StructureLink(store, reference) }
  /// The elements as a snapshot has them.
  public func view(of snapshot: Snapshot) throws -> Contents { try snapshot[self] }
}

extension SharedDictionary: SharedStructure {
  /// For the library's own use.
  public var link: StructureLink { StructureLink(store, reference) }
  /// The entries as a snapshot has them.
  public func view(of snapshot: Snapshot) throws -> Contents { try snapshot[self] }
}

extension SharedArray: SharedStructure {
  /// For the library's own use.
  public var link: StructureLink { StructureLink(store, reference) }
  /// The elements as a snapshot has them.
  public func view(of snapshot: Snapshot) throws -> Contents { try snapshot[self] }
}

extension SharedValue: SharedStructure {
  /// For the library's own use.
  public var link: StructureLink { StructureLink(store, reference) }
  /// The value as a snapshot has it.
  public func view(of snapshot: Snapshot) throws -> Value { try snapshot[self] }
}

extension SharedQueue: SharedStructure {
  /// For the library's own use.
  public var link: StructureLink { StructureLink(store, reference) }
  /// The items as a snapshot has them.
  public func view(of snapshot: Snapshot) throws -> Contents { try snapshot[self] }
}
