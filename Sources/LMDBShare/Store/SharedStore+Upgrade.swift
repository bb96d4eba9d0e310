extension SharedStore {
  /// Stores all values of a structure anew, in the present representation of their type.
  ///
  /// A structure keeps the representation with which it was made: CBOR or JSON, and the version of the type, see ``Upgradable``. This
  /// reads each value of a value, list, dictionary or queue in that representation, and stores it in the first one of the type's
  /// ``Codec/identifiers``, all in one transaction:
  ///
  ///     try store.upgrade("orders", to: Order.self)
  ///     let orders = try store.list("orders", of: Order.self)
  ///
  /// From then on, handles that were opened before throw ``StoreError/Code/structureRemoved``, in every process, and programs that do
  /// not know the new representation cannot open the structure. Items of a queue that are leased can be taken again, once more than the
  /// queue's limit of attempts allows. Fields that the type does not have are not kept.
  ///
  /// - Parameters:
  ///   - name: The name of the structure.
  ///   - type: The type of the elements, of the values of a dictionary, or of the value.
  ///   - timeout: How long to wait for another writer; nil for no limit.
  /// - Returns: Whether it had another representation.
  /// - Throws: ``StoreError/Code/structureNotFound``; ``StoreError/Code/typeMismatch`` when the type does not have the representation
  ///   of the structure; ``StoreError/Code/undecodable``, with the index or key, when a value cannot be read.
  ///   ``StoreError/Code/writerBusy`` when the time is up. After an error the structure is as it was.
  /// - Complexity: O(*n*) in the size of the structure; a dictionary and a queue are copied into memory.
  @discardableResult
  public func upgrade<Element: Storable>(
    _ name: String, to type: Element.Type, timeout: Duration? = nil
  ) throws -> Bool {
    try inOwnWrite(until: timeout.map { .now + $0 }) { (core) throws(StoreError) in
      try upgrade(name, Element.StorageCodec.self, core)
    }
  }

  private func upgrade<C: Codec>(_ name: String, _: C.Type, _ core: Transaction) throws(StoreError) -> Bool {
    let catalogue = environment.catalogue
    guard var found = try Catalogue.description(of: name, catalogue, core) else { throw .notFound(name) }
    guard found.kind.hasElements, let form = C.identifiers.firstIndex(of: found.element),
      found.kind.shape != .sequence || found.elementSize == C.fixedByteCount
    else {
      throw StoreError(
        .typeMismatch, "upgrade", structure: name,
        reason: "it is a \(found), and the type has the representations \(C.identifiers.joined(separator: ", "))",
        advice: "name the type of its values")
    }
    try found.checkNames(C.identifiers)
    guard form > 0 else { return false }
    let database = try environment.number(of: found, in: core)
    let reference = StructureReference(found, number: database, environment, form: form)
    let contents = UntypedContents(core, reference, core.useForWriting(reference))
    try contents.replaceAll { (bytes, place) throws(StoreError) in
      let value: C.Value
      do throws(DecodingFailure) {
        value = try C.decode(bytes, in: form)
      } catch {
        throw core.undecodable(reference, place, error)
      }
      do throws(EncodingFailure) {
        return try C.withEncoded(value, in: 0) { $0.copied() }
      } catch {
        throw .unencodable(name, error)
      }
    }
    if let failure = core.failure { throw failure }
    core.writtenChannels.formUnion(Channels.of(found.identity))
    found.element = C.identifier
    // Handles that are open elsewhere must not take one representation for the other.
    found.identity = Catalogue.newIdentity(catalogue, core)
    Catalogue.set(found, for: name, catalogue, core)
    return true
  }
}

extension StructureDescription.Kind {
  /// Whether it has values of a type that the program chooses.
  fileprivate var hasElements: Bool {
    switch self {
    case .value, .list, .dictionary, .array, .queue: true
    case .set, .lock, .semaphore, .event, .barrier: false
    }
  }
}

extension UntypedContents {
  /// Replaces the bytes of all values.
  ///
  /// - Parameter make: Returns the new bytes. Its arguments are the old ones, and where they are.
  fileprivate func replaceAll(
    _ make: (RawSpan, _ place: String?) throws(StoreError) -> [UInt8]
  ) throws(StoreError) {
    do {
      switch description.kind.shape {
      case .cell: if let bytes = try value({ bytes in Result { try make(bytes, nil) } })?.get() { setValue(bytes) }
      case .sequence: try replaceElements(make)
      case .map: try replaceValues(make)
      case .queue:
        try checkInvariants()
        try replaceItems(make)
      }
    } catch {
      throw error as? StoreError ?? reference.damage("\(error)")
    }
  }

  private func replaceElements(_ make: (RawSpan, _ place: String?) throws(StoreError) -> [UInt8]) throws {
    var position = 0
    while position < count {
      // Elements are not replaced while they are walked.
      var elements: [[UInt8]] = []
      try walk(position..<min(count, position + 1000)) { index, bytes in
        elements.append(try make(bytes, "index \(index)"))
        return true
      }
      guard !elements.isEmpty else { break }
      for bytes in elements {
        try replace(position, bytes)
        position += 1
      }
    }
  }

  private func replaceValues(_ make: (RawSpan, _ place: String?) throws(StoreError) -> [UInt8]) throws {
    var entries: [(key: [UInt8], value: [UInt8])] = []
    try walk { key, value in
      entries.append((key.copied(), try make(value, "key \(Self.shown(key))")))
      return true
    }
    for (key, value) in entries {
      LMDBShare.withBytes(of: key) { key in LMDBShare.withBytes(of: value) { set($0, forKey: key) } }
    }
  }

  private func replaceItems(_ make: (RawSpan, _ place: String?) throws(StoreError) -> [UInt8]) throws {
    var items: [(item: Item, bytes: [UInt8])] = []
    try walkItems { item, bytes in
      items.append((item, try make(bytes, "item \(item.sequence)")))
      return true
    }
    let numbers = queueNumbers
    if let failure { throw failure }
    removeAll()
    for (item, bytes) in items { try LMDBShare.withBytes(of: bytes) { try restore(item, $0) } }
    restore(numbers)
  }

  /// A key of whose type nothing is known, for people.
  private static func shown(_ key: RawSpan) -> String {
    if let text = key.utf8String(), !text.unicodeScalars.contains(where: { $0.value < 32 }) { return text }
    return key.copied().map { String($0, radix: 16) }.joined(separator: " ")
  }
}
