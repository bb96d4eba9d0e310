/// A list that processes share.
///
///     let names = try store.list("names", of: String.self)
///     try names.append("Ada")
///     try store.write { txn in
///       txn[names].append(contentsOf: ["Eve", "Bob"])
///       txn[names].sort()
///     }
///
/// Elements of a fixed size (numbers, dates, …) lie side by side in blocks; others one a key. Both ends grow and shrink
/// quickly: O(log *n*). A change in the middle costs O(log *n*) where elements lie in blocks, else it moves the shorter
/// side.
///
/// A handle: it is small, holds no transaction, and may be used from any thread. Each of its methods is a transaction of
/// its own; for several changes at once, and for all reading beyond single elements, use its ``Contents``.
public struct SharedList<Element: Storable>: Sendable {
  @usableFromInline let store: SharedStore
  @usableFromInline let reference: StructureReference

  init(_ store: SharedStore, _ reference: StructureReference) {
    self.store = store
    self.reference = reference
  }

  /// The list's name.
  public var name: String { reference.name }
  /// The most elements that the list keeps, or nil for no limit.
  public var maximumCount: Int? { reference.description.maximumCount }

  static func description(_ name: String, _ maximum: Int?) throws(StoreError) -> StructureDescription {
    if let maximum, maximum < 1 {
      throw StoreError(
        .outOfRange, "open", structure: name, reason: "a maximum of \(maximum) elements", advice: "give 1 or more")
    }
    return try .sequence(name, .list, of: Element.StorageCodec.self, maximumCount: maximum)
  }
}

extension SharedStore {
  /// Opens the list of that name; makes an empty one when there is none.
  ///
  /// - Parameter maximumCount: The most elements that a new list keeps: what is appended beyond drops the first
  ///   elements, what is inserted at the start the last ones. Of an existing list it must be the same, or nil.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func list<Element: Storable>(
    _ name: String, of _: Element.Type, maximumCount: Int? = nil
  ) throws(StoreError) -> SharedList<Element> {
    SharedList(self, try open(SharedList<Element>.description(name, maximumCount)))
  }
}

extension WriteTransaction {
  /// Opens the list of that name, or makes an empty one, as part of this transaction.
  public func list<Element: Storable>(
    _ name: String, of _: Element.Type, maximumCount: Int? = nil
  ) throws(StoreError) -> SharedList<Element> {
    SharedList(store, try store.openOrCreate(SharedList<Element>.description(name, maximumCount), core))
  }

  /// The list's elements, to be read and changed in place.
  @inlinable
  public subscript<Element>(_ list: SharedList<Element>) -> SharedList<Element>.Contents {
    get { SharedList<Element>.Contents(ElementView(core, list.reference, core.use(list.reference)), list.maximumCount) }
    nonmutating _modify {
      var contents = SharedList<Element>.Contents(
        ElementView(core, list.reference, core.useForWriting(list.reference)), list.maximumCount)
      contents.view.token = core.takeToken()
      defer {
        contents.store(core, list)
        core.giveBack(contents.view.token.take())
      }
      yield &contents
    }
    nonmutating set {
      var contents = SharedList<Element>.Contents(ElementView(newValue.view.copied()), nil)
      contents.store(core, list)
    }
  }
}

extension ReadTransaction {
  /// The list's elements as this snapshot has them.
  @inlinable
  public subscript<Element>(_ list: SharedList<Element>) -> SharedList<Element>.Contents {
    SharedList<Element>.Contents(ElementView(core, list.reference, core.use(list.reference)), nil)
  }
}

extension Snapshot {
  /// The list's elements as this snapshot has them.
  ///
  /// - Throws: ``StoreError`` when the list is not in it.
  @inlinable
  public subscript<Element>(_ list: SharedList<Element>) -> SharedList<Element>.Contents {
    get throws {
      var contents = try read { $0[list] }
      contents.view.token = pin
      return contents
    }
  }
}
