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
/// A handle is small, holds no transaction, and can be used from any thread. Each of its methods is one transaction; for several
/// changes at once, and for all reading beyond single keys, use its ``Contents`` in a transaction.
public struct SharedDictionary<Key: StorableKey, Value: Storable>: Sendable {
  @usableFromInline let store: SharedStore
  @usableFromInline let reference: StructureReference

  init(_ store: SharedStore, _ reference: StructureReference) {
    self.store = store
    self.reference = reference
  }

  /// The dictionary's name.
  public var name: String { reference.name }

  static func description(_ name: String) -> StructureDescription {
    StructureDescription(
      name, .dictionary, key: Key.OrderedCodec.identifier, element: Value.StorageCodec.identifier)
  }
}

extension SharedStore {
  /// Opens the dictionary of that name, and creates an empty one when it is missing.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func dictionary<Key: StorableKey, Value: Storable>(
    _ name: String, of _: Key.Type, _: Value.Type
  ) throws -> SharedDictionary<Key, Value> {
    SharedDictionary(self, try open(SharedDictionary<Key, Value>.description(name)))
  }
}

extension WriteTransaction {
  /// Opens the dictionary of that name, or creates an empty one as part of this transaction.
  public func dictionary<Key: StorableKey, Value: Storable>(
    _ name: String, of _: Key.Type, _: Value.Type
  ) throws -> SharedDictionary<Key, Value> {
    SharedDictionary(store, try store.openOrCreate(SharedDictionary<Key, Value>.description(name), core))
  }

  /// Accesses the dictionary's entries, to read and change them in place.
  @inlinable
  public subscript<Key, Value>(_ dictionary: SharedDictionary<Key, Value>) -> SharedDictionary<Key, Value>.Contents {
    get { SharedDictionary<Key, Value>.Contents(core, dictionary.reference, core.use(dictionary.reference)) }
    nonmutating _modify {
      var contents = SharedDictionary<Key, Value>.Contents(
        core, dictionary.reference, core.useForWriting(dictionary.reference))
      contents.token = core.takeToken()
      defer {
        if contents.isDetached { contents.storeDetached(core, dictionary.reference) }
        core.giveBack(contents.token.take())
      }
      yield &contents
    }
    nonmutating set {
      var contents = newValue.detached()
      contents.needsStoring = true
      contents.storeDetached(core, dictionary.reference)
    }
  }
}

extension ReadTransaction {
  /// Returns the dictionary's entries in this snapshot.
  @inlinable
  public subscript<Key, Value>(_ dictionary: SharedDictionary<Key, Value>) -> SharedDictionary<Key, Value>.Contents {
    SharedDictionary<Key, Value>.Contents(core, dictionary.reference, core.use(dictionary.reference))
  }
}

extension Snapshot {
  /// Returns the dictionary's entries in this snapshot.
  ///
  /// - Throws: ``StoreError`` when the dictionary is not in the snapshot.
  @inlinable
  public subscript<Key, Value>(_ dictionary: SharedDictionary<Key, Value>) -> SharedDictionary<Key, Value>.Contents {
    get throws {
      var contents = try read { $0[dictionary] }
      contents.token = pin
      return contents
    }
  }
}

/// Says how the elements are walked.
@available(*, unavailable, message: "walk the view of a transaction: try dictionary.read { for element in $0 { … } }")
extension SharedDictionary: Sequence {
  /// Unavailable: iterate over the view of a transaction.
  public func makeIterator() -> Contents.Iterator { stop("unavailable") }
}
