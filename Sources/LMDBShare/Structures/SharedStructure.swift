// The common part of all handles. A structure adds a type that defines how its view is made and what happens when a change ends.

/// A structure that is shared between processes, and can be read, changed, observed and waited for.
///
/// A transaction returns the structure as its view: `txn[names]`.
///
/// The library's handles conform; it is not meant for other types.
public protocol SharedStructure: Sendable, CustomStringConvertible {
  /// The structure in one transaction: a view, or a value.
  associatedtype View

  /// The store and the structure, for the library's own use.
  @_documentation(visibility: internal)
  var link: StructureLink { get }
  /// Returns the view of a transaction, for the library's own use.
  @_documentation(visibility: internal)
  func view(in transaction: borrowing ReadTransaction, for use: StructureUse) -> View
  /// Ends a change in place: writes what the view could not write, for the library's own use.
  @_documentation(visibility: internal)
  func endChange(of view: inout View, in transaction: borrowing WriteTransaction)
  /// Replaces the contents, for the library's own use.
  @_documentation(visibility: internal)
  func replace(by view: View, in transaction: borrowing WriteTransaction)
}

extension SharedStructure {
  /// The store.
  @inlinable @inline(__always) public var store: SharedStore { link.store }
  /// The structure, for the library's own use.
  @_documentation(visibility: internal) @inlinable @inline(__always)
  public var reference: StructureReference { link.reference }
  var channel: Channels { reference.channel }

  /// The structure's name.
  public var name: String { reference.name }

  /// The kind, name and count, for example `list 'names' (5 elements)`; without the count if it cannot be read.
  public var description: String {
    let unit: String? =
      switch reference.description.kind.shape {
      case .sequence: "element"
      case .map: reference.description.kind.hasValues ? "entry" : "element"
      case .queue: "item"
      case .cell: nil
      }
    let count = try? store.read { txn in UntypedContents(txn.core, reference, txn.core.use(reference)).count }
    guard let unit, let count else { return reference.title }
    return "\(reference.title) (\(counted(count, unit)))"
  }
}

/// A view through which a structure is changed in place, for the library's own use.
@_documentation(visibility: internal)
public protocol StructureView {
  /// Makes the view of a transaction.
  init(of reference: StructureReference, in transaction: borrowing ReadTransaction, for use: StructureUse)
  /// Ends a change in place: writes a copy that replaced the view.
  mutating func endChange(of reference: StructureReference, in transaction: borrowing WriteTransaction)
  /// Replaces the stored contents.
  func store(to reference: StructureReference, in transaction: borrowing WriteTransaction)
}

extension SharedStructure where View: StructureView {
  /// Returns the view of a transaction, for the library's own use.
  @_documentation(visibility: internal) @inlinable @inline(__always)
  public func view(in transaction: borrowing ReadTransaction, for use: StructureUse) -> View {
    View(of: reference, in: transaction, for: use)
  }
  /// Ends a change in place, for the library's own use.
  @_documentation(visibility: internal) @inlinable @inline(__always)
  public func endChange(of view: inout View, in transaction: borrowing WriteTransaction) {
    view.endChange(of: reference, in: transaction)
  }
  /// Replaces the contents, for the library's own use.
  @_documentation(visibility: internal) @inlinable
  public func replace(by view: View, in transaction: borrowing WriteTransaction) {
    view.store(to: reference, in: transaction)
  }
}

/// The parts of a handle, for the library's own use.
@_documentation(visibility: internal)
public struct StructureLink: Sendable {
  @usableFromInline let store: SharedStore
  @usableFromInline let reference: StructureReference

  init(_ store: SharedStore, _ reference: StructureReference) {
    self.store = store
    self.reference = reference
  }
}

/// The purpose of a view, for the library's own use.
@_documentation(visibility: internal)
public enum StructureUse {
  /// Reading while the transaction lasts.
  case read
  /// Changing the store in place.
  case change
  /// Reading while the view or the snapshot lasts.
  case keep(Snapshot)

  /// Returns what a view holds besides the structure.
  @inlinable @inline(__always)
  func token(_ core: Transaction) -> ViewToken? {
    switch self {
    case .read: nil
    case .change: core.takeToken()
    case .keep(let snapshot): snapshot.pin
    }
  }

  /// Returns the structure's database.
  @inlinable @inline(__always)
  func database(_ core: Transaction, _ reference: StructureReference) -> Database {
    if case .change = self { core.useForWriting(reference) } else { core.use(reference) }
  }
}

// MARK: One subscript for each kind of transaction

extension ReadTransaction {
  /// Returns a structure in this snapshot.
  @inlinable
  public subscript<Structure: SharedStructure>(_ structure: Structure) -> Structure.View {
    structure.view(in: self, for: .read)
  }
}

extension WriteTransaction {
  /// Accesses a structure, to read it and to change it in place: `txn[names].append("Ada")`, `txn[total] += 1`. Assigning replaces
  /// its contents.
  @inlinable
  public subscript<Structure: SharedStructure>(_ structure: Structure) -> Structure.View {
    get { structure.view(in: reading, for: .read) }
    nonmutating _modify {
      var view = structure.view(in: reading, for: .change)
      defer { structure.endChange(of: &view, in: self) }
      yield &view
    }
    nonmutating set { structure.replace(by: newValue, in: self) }
  }
}

extension Snapshot {
  /// Returns a structure in this snapshot.
  ///
  /// - Throws: ``StoreError`` when the structure is not in the snapshot, or its value cannot be read.
  @inlinable
  public subscript<Structure: SharedStructure>(_ structure: Structure) -> Structure.View {
    get throws { try read { txn in structure.view(in: txn, for: .keep(self)) } }
  }
}
