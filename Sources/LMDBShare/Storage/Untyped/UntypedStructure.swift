/// A structure by its name alone, with its elements, keys and items as bytes: for tools that know no types, and take them
/// from its description.
package struct UntypedStructure: Sendable {
  let store: SharedStore
  let reference: StructureReference

  /// What the catalogue tells of it.
  package var description: StructureDescription { reference.description }
  /// Its name.
  package var name: String { reference.name }
}

extension SharedStore {
  /// The structure of that name, whatever it is.
  ///
  /// - Throws: ``StoreError/Code/structureNotFound``.
  package func untyped(_ name: String) throws(StoreError) -> UntypedStructure {
    guard let reference = try find(name, as: nil) else { throw .notFound(name) }
    return UntypedStructure(store: self, reference: reference)
  }

  /// The queue of that name, with items as bytes.
  ///
  /// - Throws: ``StoreError/Code/structureNotFound``; ``StoreError/Code/typeMismatch`` when it is no queue.
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
  /// The structure of that name as part of this snapshot.
  package func contents(_ structure: UntypedStructure) -> UntypedContents {
    UntypedContents(core, structure.reference, core.use(structure.reference))
  }

  /// Every structure that is in this snapshot, by name.
  package func structures(of store: SharedStore) throws(StoreError) -> [StructureDescription] {
    try Catalogue.all(store.environment.catalogue, core).known
  }

  /// What the catalogue tells of a structure in this snapshot; nil when there is none.
  package func description(of name: String, in store: SharedStore) throws(StoreError) -> StructureDescription? {
    try Catalogue.description(of: name, store.environment.catalogue, core)
  }

  /// A structure of this snapshot.
  package func structure(_ description: StructureDescription, in store: SharedStore) throws(StoreError)
    -> UntypedStructure
  {
    let number = try store.environment.number(of: description, in: core)
    return UntypedStructure(
      store: store, reference: StructureReference(description, number: number, store.environment))
  }

  /// Calls `body` with what is in a structure of this snapshot, of which nothing is remembered afterwards, however many are looked
  /// at.
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
  /// The structure, to be read and changed.
  package func contents(_ structure: UntypedStructure) -> UntypedContents {
    UntypedContents(core, structure.reference, core.useForWriting(structure.reference))
  }

  /// The structure of that name, whatever it is.
  package func untyped(_ name: String) throws(StoreError) -> UntypedStructure {
    guard let found = try Catalogue.description(of: name, store.environment.catalogue, core) else {
      throw .notFound(name)
    }
    return UntypedStructure(store: store, reference: try store.openOrCreate(found, core))
  }

  /// The queue of that name, with items as bytes.
  package func untypedQueue(_ structure: UntypedStructure) -> SharedQueue<StoredBytes> {
    SharedQueue(link: StructureLink(store, structure.reference))
  }

  /// Whether there has never been a structure, so that nobody can have one open.
  package var isNew: Bool { Catalogue.version(store.environment.catalogue, core) == Catalogue.firstVersion }

  /// Makes a structure. A description with an identity, which nobody else's must be or ever have been, keeps it.
  ///
  /// - Parameters:
  ///   - initial: The bytes of a value, or of each element of an array.
  ///   - isFilled: Whether an array gets its elements now; else its maker appends them, as many as it is to have, before the
  ///     transaction ends.
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

  /// Removes the structure of that name, which this transaction must not have opened; false when there is none.
  @discardableResult
  package func remove(_ name: String) throws(StoreError) -> Bool { try store.remove(name, core) }

  /// Gives the structure of that name, which this transaction must not have opened, another one.
  package func rename(_ name: String, to other: String) throws(StoreError) {
    try store.rename(name, to: other, core)
  }

  /// What the catalogue tells of a structure; nil when there is none.
  package func description(of name: String) throws(StoreError) -> StructureDescription? {
    try Catalogue.description(of: name, store.environment.catalogue, core)
  }
}

/// The bytes of an item or element as they are stored, whatever they mean.
package struct StoredBytes: Storable, Hashable {
  package var bytes: [UInt8]
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package enum StorageCodec: Codec {
    /// No structure has it: those who know no types look into the catalogue.
    package static var identifier: String { "*" }
    package static func encode(_ value: StoredBytes, into writer: inout ByteWriter) {
      writer.append(contentsOf: value.bytes)
    }
    package static func decode(_ bytes: RawSpan) -> StoredBytes { StoredBytes(bytes.copied()) }
  }
}

extension Snapshot {
  /// Every structure that is in it, by name.
  package func structures() throws -> [StructureDescription] {
    try read { txn in try Catalogue.all(txn.core.environment?.catalogue ?? Database.missing, txn.core).known }
  }
}
