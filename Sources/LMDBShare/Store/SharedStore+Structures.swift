extension SharedStore {
  /// Returns all structures of the store by name, except those of a kind that this version does not know.
  ///
  /// - Complexity: O(*n*) in the number of structures.
  public func structures() throws -> [StructureDescription] { try catalogue().known }

  /// Returns an error for each structure whose record this version does not understand, named by ``StoreError/structure``. A
  /// later version of the library may have created it.
  ///
  /// All other structures can be used. A structure that is not understood can be neither opened, removed nor replaced.
  ///
  /// - Complexity: O(*n*) in the number of structures.
  public func unknownStructures() throws -> [StoreError] { try catalogue().unknown }

  func catalogue() throws(StoreError) -> (known: [StructureDescription], unknown: [StoreError]) {
    let core = try environment.beginRead()
    defer { core.end() }
    return try Catalogue.all(environment.catalogue, core)
  }

  /// Removes a structure and its contents.
  ///
  /// From then on, handles of the structure throw ``StoreError/Code/structureRemoved``, in every process, and so do calls that
  /// wait for a lock or semaphore.
  ///
  /// - Parameters:
  ///   - name: The name of the structure.
  ///   - timeout: How long to wait for another writer; nil for no limit.
  /// - Returns: Whether the structure existed.
  /// - Throws: ``StoreError/Code/busy`` for a lock that is held, or a semaphore of which a permit is;
  ///   ``StoreError/Code/writerBusy`` when the time is up.
  @discardableResult
  public func remove(_ name: String, timeout: Duration? = nil) throws -> Bool {
    try inOwnWrite(until: timeout.map { .now + $0 }) { (core) throws(StoreError) in try remove(name, core) }
  }

  /// Does the same within a write transaction, which must not have used the structure.
  @discardableResult
  func remove(_ name: String, _ core: Transaction) throws(StoreError) -> Bool {
    guard let found = try Catalogue.description(of: name, environment.catalogue, core) else { return false }
    try keepFree(found, "remove")
    removeCount(found, core)
    if found.kind.liesAmongValues {
      removeValue(name, core)
    } else {
      try core.dropDatabase(name)
    }
    core.writtenChannels.formUnion(Channels.of(found.identity))
    Catalogue.set(nil, for: name, environment.catalogue, core)
    return true
  }

  /// Renames a structure.
  ///
  /// From then on, handles of the old name throw ``StoreError/Code/structureRemoved``, in every process.
  ///
  /// - Parameters:
  ///   - name: The present name.
  ///   - other: The new name, which must be free.
  ///   - timeout: How long to wait for another writer; nil for no limit.
  /// - Throws: ``StoreError/Code/structureNotFound``, ``StoreError/Code/structureExists``;
  ///   ``StoreError/Code/busy`` for a lock that is held, or a semaphore of which a permit is; ``StoreError/Code/writerBusy`` when
  ///   the time is up.
  public func rename(_ name: String, to other: String, timeout: Duration? = nil) throws {
    try Catalogue.checkName(other)
    try inOwnWrite(until: timeout.map { .now + $0 }) { (core) throws(StoreError) in try rename(name, to: other, core) }
  }

  /// Does the same within a write transaction, which must not have used the structure.
  func rename(_ name: String, to other: String, _ core: Transaction) throws(StoreError) {
    try Catalogue.checkName(other)
    let catalogue = environment.catalogue
    guard var found = try Catalogue.description(of: name, catalogue, core) else { throw .notFound(name) }
    guard try Catalogue.description(of: other, catalogue, core) == nil else {
      throw StoreError(
        .structureExists, "rename", structure: name, reason: "there is a structure '\(other)' already",
        advice: "remove that one first, or take another name")
    }
    try keepFree(found, "rename")
    removeCount(found, core)
    if found.kind.liesAmongValues {
      let bytes = withUTF8(of: name) { core.get(environment.values, $0)?.copied() }
      withUTF8(of: other) { key in
        if let bytes { _ = withBytes(of: bytes) { core.put(environment.values, key, $0) } }
      }
      removeValue(name, core)
    } else {
      try core.renameDatabase(name, to: other)
    }
    Catalogue.set(nil, for: name, catalogue, core)
    found.name = other
    // Its database has another number under its new name, so it counts as another one.
    core.writtenChannels.formUnion(Channels.of(found.identity))
    found.identity = Catalogue.newIdentity(catalogue, core)
    Catalogue.set(found, for: other, catalogue, core)
  }

  /// Checks that a lock or semaphore is not held, and prevents that it is acquired before the write has ended. A process that
  /// acquires it afterwards finds that the structure is gone, and releases it.
  private func keepFree(_ found: StructureDescription, _ operation: String) throws(StoreError) {
    guard found.kind == .lock || found.kind == .semaphore, let owners = environment.owners else { return }
    let count = found.kind == .lock ? 1 : min(max(found.count ?? 1, 1), Permits.most)
    for index in 0..<count {
      let place = Permits.place(found.identity, index)
      if try owners.tryLock(place) == .locked {
        environment.freedAfterWrite.append(place)
        continue
      }
      let holder =
        owners.holds(place) ? Int(currentProcessID()) : owners.holder(found.index ?? 0, found.identity)
      throw StoreError(
        .busy, operation, structure: found.name,
        reason: "it is held\(holder.map { " by process \($0)" } ?? "")",
        advice: "release it first, or end the process that holds it", processID: holder)
    }
  }

  private func removeCount(_ found: StructureDescription, _ core: Transaction) {
    guard found.kind == .event else { return }
    _ = withUTF8(of: SharedEvent.countKey(found.identity)) { core.delete(environment.values, $0) }
  }

  private func removeValue(_ name: String, _ core: Transaction) {
    _ = withUTF8(of: name) { core.delete(environment.values, $0) }
  }

  /// Runs `body` in a separate write transaction.
  ///
  /// - Parameter deadline: Until when to wait for other writers; nil for no limit.
  func inOwnWrite<R>(
    until deadline: ContinuousClock.Instant?, _ body: (Transaction) throws(StoreError) -> R
  ) throws(StoreError) -> R {
    let core = try environment.beginWrite(until: deadline)
    let result: R
    do throws(StoreError) {
      result = try body(core)
    } catch {
      environment.abort(core)
      throw error
    }
    try environment.commit(core)
    return result
  }

  /// Returns the structure with a name; nil when there is none.
  ///
  /// - Parameter wanted: The expected description; nil to accept any.
  func find(_ name: String, as wanted: StructureDescription?) throws(StoreError) -> StructureReference? {
    let core = try environment.beginRead()
    defer { core.end() }
    guard let found = try Catalogue.description(of: name, environment.catalogue, core) else { return nil }
    let form = try wanted.map { (wanted) throws(StoreError) in try found.check(wanted) } ?? 0
    return StructureReference(found, number: try environment.number(of: found, in: core), environment, form: form)
  }

  /// The catalogue's description of a structure; nil when there is none.
  package func description(of name: String) throws(StoreError) -> StructureDescription? {
    let core = try environment.beginRead()
    defer { core.end() }
    return try Catalogue.description(of: name, environment.catalogue, core)
  }

  /// Opens a structure within a write transaction, or creates it.
  ///
  /// - Parameters:
  ///   - initial: The bytes of a new value, or of each element of a new array; nil for zero bytes.
  ///   - isFilled: Whether a new array gets its elements now.
  func openOrCreate(
    _ wanted: StructureDescription, _ core: Transaction, initial: [UInt8]? = nil, isFilled: Bool = true
  ) throws(StoreError) -> StructureReference {
    try Catalogue.checkName(wanted.name)
    try wanted.checkNames([wanted.element] + wanted.otherElements)
    if let failure = core.failure { throw failure }
    let catalogue = environment.catalogue
    if let found = try Catalogue.description(of: wanted.name, catalogue, core) {
      let form = try found.check(wanted)
      return StructureReference(found, number: try environment.number(of: found, in: core), environment, form: form)
    }
    var made = wanted
    made.otherElements = []
    if made.identity == 0 { made.identity = Catalogue.newIdentity(catalogue, core) }
    if made.kind == .lock { made.index = lockIndices.withLock { $0.next(for: made, catalogue, core) } }
    if !made.kind.liesAmongValues {
      guard try core.createDatabase(made.name, made.databaseLayout) else {
        throw StoreError(
          .structureExists, "create", structure: made.name,
          reason: "there is a database of that name which is not in the catalogue", advice: "take another name")
      }
    }
    let number = try environment.number(of: made, in: core)
    Catalogue.set(made, for: made.name, catalogue, core)
    let reference = StructureReference(made, number: number, environment)
    switch made.kind.shape {
    case .cell:
      if let initial { UntypedContents(core, reference, core.useForWriting(reference)).setValue(initial) }
    case .sequence where made.kind == .array && isFilled:
      core.fill(reference, initial ?? [UInt8](repeating: 0, count: made.elementSize ?? 1))
    case .sequence, .map, .queue: break
    }
    if let failure = core.failure { throw failure }
    return reference
  }
}

extension StructureDescription {
  /// Checks that this description from the catalogue matches the requested one.
  ///
  /// - Returns: The index of the element's representation among those that are accepted.
  func check(_ wanted: StructureDescription) throws(StoreError) -> Int {
    guard let form = form(among: wanted), matches(wanted) else {
      throw StoreError(
        .typeMismatch, "open", structure: name, reason: "it is a \(self), not a \(wanted)",
        advice: "open it as that, or remove it first")
    }
    return form
  }
}

extension StoreError {
  package static func notFound(_ name: String) -> StoreError {
    StoreError(
      .structureNotFound, "open", structure: name, reason: "there is no structure of that name",
      advice: "check the name")
  }
}

extension Environment {
  /// Returns the number of a structure's database, after checking that it can be the structure's.
  func number(of found: StructureDescription, in core: Transaction) throws(StoreError) -> Database {
    if found.kind.liesAmongValues { return values }
    guard let layout = try core.layout(named: found.name) else {
      throw StoreError(
        .damaged, "open", structure: found.name, reason: "it has no database", advice: "restore a backup")
    }
    try layout.check(found.databaseLayout, structure: found.name)
    return number(found.name, of: found.identity)
  }
}

extension StructureDescription {
  /// The order of the keys in its database.
  var databaseLayout: DatabaseLayout { hasIntegerKeys ? .integerKeys : [] }
}
