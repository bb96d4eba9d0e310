// What all handles have in common. A structure adds a type that says how its view is made, and what happens when a change ends.

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
  func view(in access: StructureAccess) -> View
  /// Ends a change in place: writes what the view could not write, for the library's own use.
  @_documentation(visibility: internal)
  func endChange(of view: inout View, in access: StructureAccess)
  /// Replaces the contents, for the library's own use.
  @_documentation(visibility: internal)
  func replace(by view: View, in access: StructureAccess)
}

extension SharedStructure {
  @inlinable var store: SharedStore { link.store }
  @inlinable var reference: StructureReference { link.reference }

  /// The structure's name.
  public var name: String { reference.name }

  /// The kind, name and count, for example `list 'names' (5 elements)`; without the count if it cannot be read.
  public var description: String {
    let unit: String? =
      switch reference.description.kind.shape {
      case .sequence: "elements"
      case .map: reference.description.kind == .set ? "elements" : "entries"
      case .queue: "items"
      case .cell: nil
      }
    let count = try? store.read { txn in UntypedContents(txn.core, reference, txn.core.use(reference)).count }
    guard let unit, let count else { return reference.title }
    return "\(reference.title) (\(count) \(unit))"
  }
}

/// A view through which a structure is changed in place, for the library's own use.
@_documentation(visibility: internal)
public protocol StructureView {
  /// Makes the view of a transaction.
  init(_ access: StructureAccess)
  /// Ends a change in place: writes a copy that took the view's place.
  mutating func endChange(in access: StructureAccess)
  /// Replaces what the store has.
  func store(in access: StructureAccess)
}

extension SharedStructure where View: StructureView {
  /// Returns the view of a transaction, for the library's own use.
  @_documentation(visibility: internal) @inlinable
  public func view(in access: StructureAccess) -> View { View(access) }
  /// Ends a change in place, for the library's own use.
  @_documentation(visibility: internal) @inlinable
  public func endChange(of view: inout View, in access: StructureAccess) { view.endChange(in: access) }
  /// Replaces the contents, for the library's own use.
  @_documentation(visibility: internal) @inlinable
  public func replace(by view: View, in access: StructureAccess) { view.store(in: access) }
}

/// What a handle refers to, for the library's own use.
@_documentation(visibility: internal)
public struct StructureLink: Sendable {
  @usableFromInline let store: SharedStore
  @usableFromInline let reference: StructureReference

  @usableFromInline
  init(_ store: SharedStore, _ reference: StructureReference) {
    self.store = store
    self.reference = reference
  }

  var environment: Environment { store.environment }
  var channel: Channels { reference.channel }
}

/// One use of a structure by a transaction, for the library's own use.
@_documentation(visibility: internal)
public struct StructureAccess {
  @usableFromInline
  enum Purpose {
    case read, change
    /// A view that keeps its snapshot.
    case keep(SnapshotPin)
  }

  @usableFromInline let core: Transaction
  @usableFromInline let reference: StructureReference
  @usableFromInline let database: Database
  @usableFromInline let purpose: Purpose

  @inlinable @inline(__always)
  init(_ core: Transaction, _ reference: StructureReference, _ database: Database, _ purpose: Purpose) {
    self.core = core
    self.reference = reference
    self.database = database
    self.purpose = purpose
  }

  /// What a view holds beside the structure.
  @inlinable @inline(__always)
  func token() -> ViewToken? {
    switch purpose {
    case .read: nil
    case .change: core.takeToken()
    case .keep(let pin): pin
    }
  }
}

// MARK: One subscript for each kind of transaction

extension ReadTransaction {
  /// Returns a structure in this snapshot.
  @inlinable
  public subscript<Structure: SharedStructure>(_ structure: Structure) -> Structure.View {
    let reference = structure.reference
    return structure.view(in: StructureAccess(core, reference, core.use(reference), .read))
  }
}

extension WriteTransaction {
  /// Accesses a structure, to read it and to change it in place: `txn[names].append("Ada")`, `txn[total] += 1`. Assigning replaces
  /// its contents.
  @inlinable
  public subscript<Structure: SharedStructure>(_ structure: Structure) -> Structure.View {
    get {
      let reference = structure.reference
      return structure.view(in: StructureAccess(core, reference, core.use(reference), .read))
    }
    nonmutating _modify {
      let reference = structure.reference
      let access = StructureAccess(core, reference, core.useForWriting(reference), .change)
      var view = structure.view(in: access)
      defer { structure.endChange(of: &view, in: access) }
      yield &view
    }
    nonmutating set {
      let reference = structure.reference
      structure.replace(
        by: newValue, in: StructureAccess(core, reference, core.useForWriting(reference), .change))
    }
  }
}

extension Snapshot {
  /// Returns a structure in this snapshot.
  ///
  /// - Throws: ``StoreError`` when the structure is not in the snapshot, or its value cannot be read.
  @inlinable
  public subscript<Structure: SharedStructure>(_ structure: Structure) -> Structure.View {
    get throws {
      let reference = structure.reference
      return try read { txn in
        structure.view(in: StructureAccess(txn.core, reference, txn.core.use(reference), .keep(pin)))
      }
    }
  }
}
