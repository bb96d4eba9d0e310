/// A structure opened by its name only, with its elements, keys and items as bytes: for tools, which know no types and read them
/// from its description.
package struct UntypedStructure: Sendable {
  let store: SharedStore
  let reference: StructureReference

  /// The structure's description in the catalogue.
  package var description: StructureDescription { reference.description }
  /// Its name.
  package var name: String { reference.name }
}

extension SharedStore {
  /// Returns the structure of that name, whatever its kind.
  ///
  /// - Throws: ``StoreError/Code/structureNotFound``.
  package func untyped(_ name: String) throws(StoreError) -> UntypedStructure {
    guard let reference = try find(name, as: nil) else { throw .notFound(name) }
    return UntypedStructure(store: self, reference: reference)
  }

  /// Returns the queue of that name, with items as bytes.
  ///
  /// - Throws: ``StoreError/Code/structureNotFound``; ``StoreError/Code/typeMismatch`` when it is not a queue.
  package func untypedQueue(_ name: String) throws(StoreError) -> SharedQueue<StoredBytes> {
    let structure = try untyped(name)
    guard structure.description.kind == .queue else {
      throw StoreError(
        .typeMismatch, "open", structure: name, reason: "it is a \(structure.description), not a queue",
        advice: "name a queue")
    }
    return SharedQueue(link: StructureLink(self, structure.reference))
  }
}

extension ReadTransaction {
  /// Returns the contents of the structure in this snapshot.
  package func contents(_ structure: UntypedStructure) -> UntypedContents {
    UntypedContents(core, structure.reference, core.use(structure.reference))
  }

  /// Returns all structures in this snapshot, by name.
  package func structures(of store: SharedStore) throws(StoreError) -> [StructureDescription] {
    try Catalogue.all(store.environment.catalogue, core).known
  }

  /// Returns a structure's description in this snapshot; nil when there is no such structure.
  package func description(of name: String, in store: SharedStore) throws(StoreError) -> StructureDescription? {
    try Catalogue.description(of: name, store.environment.catalogue, core)
  }

  /// Returns a structure of this snapshot.
  package func structure(_ description: StructureDescription, in store: SharedStore) throws(StoreError)
    -> UntypedStructure
  {
    let number = try store.environment.number(of: description, in: core)
    return UntypedStructure(
      store: store, reference: StructureReference(description, number: number, store.environment))
  }

  /// Checks that a structure's database orders its keys as the structure needs it.
  package func checkOrder(of description: StructureDescription) throws(StoreError) {
    try core.layout(named: description.database)?.check(description.databaseLayout, structure: description.name)
  }

  /// Calls `body` with the contents of a structure of this snapshot. Nothing is cached afterwards, so any number of structures
  /// can be visited.
  package func withContents<R>(
    of description: StructureDescription, in store: SharedStore, _ body: (UntypedContents) throws -> R
  ) throws -> R {
    let found = try core.withDatabase(description.database) { number in
      let reference = StructureReference(description, number: number, store.environment)
      return try body(UntypedContents(core, reference, core.use(reference)))
    }
    guard let found else { throw StoreError.notFound(description.name) }
    return found
  }
}

extension WriteTransaction {
  /// Returns the contents of the structure, for reading and changing.
  package func contents(_ structure: UntypedStructure) -> UntypedContents {
    UntypedContents(core, structure.reference, core.useForWriting(structure.reference))
  }

  /// Returns the structure of that name, whatever its kind.
  package func untyped(_ name: String) throws(StoreError) -> UntypedStructure {
    guard let found = try Catalogue.description(of: name, store.environment.catalogue, core) else {
      throw .notFound(name)
    }
    return UntypedStructure(store: store, reference: try store.openOrCreate(found, core))
  }

  /// Returns the queue of that name, with items as bytes.
  package func untypedQueue(_ structure: UntypedStructure) -> SharedQueue<StoredBytes> {
    SharedQueue(link: StructureLink(store, structure.reference))
  }

  /// Whether the store has never had a structure, so that no handle can exist.
  package var isNew: Bool { Catalogue.version(store.environment.catalogue, core) == Catalogue.firstVersion }

  /// Creates a structure. If the description has an identity, it is kept; no other structure may have or have had the same one.
  ///
  /// - Parameters:
  ///   - initial: The bytes of a value, or of each element of an array.
  ///   - isFilled: Whether an array gets its elements now. Otherwise the caller appends all of them before the transaction ends.
  /// - Throws: ``StoreError/Code/structureExists`` when there is one of that name.
  package func create(
    _ description: StructureDescription, initial: [UInt8]? = nil, isFilled: Bool = true
  ) throws(StoreError) -> UntypedStructure {
    guard try Catalogue.description(of: description.name, store.environment.catalogue, core) == nil else {
      throw StoreError(
        .structureExists, "create", structure: description.name, reason: "there is a structure of that name already",
        advice: "take another name, or drop that one first")
    }
    let reference = try store.openOrCreate(description, core, initial: initial, isFilled: isFilled)
    return UntypedStructure(store: store, reference: reference)
  }

  /// Removes the structure of that name, which this transaction must not have opened. Returns false when there is none.
  @discardableResult
  package func remove(_ name: String) throws(StoreError) -> Bool { try store.remove(name, core) }

  /// Renames the structure of that name, which this transaction must not have opened.
  package func rename(_ name: String, to other: String) throws(StoreError) {
    try store.rename(name, to: other, core)
  }

  /// Returns a structure's description; nil when there is no such structure.
  package func description(of name: String) throws(StoreError) -> StructureDescription? {
    try Catalogue.description(of: name, store.environment.catalogue, core)
  }
}

/// The stored bytes of an item or element, whatever they represent.
package struct StoredBytes: Storable, Hashable {
  package var bytes: [UInt8]
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package enum StorageCodec: Codec {
    /// No structure has this identifier: untyped access reads the type from the catalogue.
    package static var identifier: String { "*" }
    package static func encode(_ value: StoredBytes, into writer: inout ByteWriter) {
      writer.append(contentsOf: value.bytes)
    }
    package static func decode(_ bytes: RawSpan) -> StoredBytes { StoredBytes(bytes.copied()) }
  }
}

extension Snapshot {
  /// Returns all structures in the snapshot, by name.
  package func structures() throws -> [StructureDescription] {
    try read { txn in try Catalogue.all(txn.core.environment?.catalogue ?? Database.missing, txn.core).known }
  }
}
