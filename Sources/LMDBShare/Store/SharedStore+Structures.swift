extension SharedStore {
  /// Every structure of the store, by name, besides those of a kind that this version does not know.
  ///
  /// - Complexity: O(*n*) in the number of structures.
  public func structures() throws(StoreError) -> [StructureDescription] { try catalogue().known }

  /// Why structures of the store cannot be used by this version: one error for each whose record it does not understand, named
  /// by ``StoreError/structure``. A later version of the library may have made them.
  ///
  /// All others can be used. A structure that is not understood is neither opened, removed nor replaced.
  ///
  /// - Complexity: O(*n*) in the number of structures.
  public func unknownStructures() throws(StoreError) -> [StoreError] { try catalogue().unknown }

  func catalogue() throws(StoreError) -> (known: [StructureDescription], unknown: [StoreError]) {
    let core = try environment.beginRead()
    defer { core.end() }
    return try Catalogue.all(environment.catalogue, core)
  }

  /// Removes a structure with all that is in it. Handles of it say so from their next use on, in every process; those who wait
  /// for a lock or semaphore are told so.
  ///
  /// - Parameter timeout: How long to wait for another process or thread that writes; nil for no limit.
  /// - Returns: False when there is none of that name.
  /// - Throws: ``StoreError/Code/busy`` for a lock that is held, or a semaphore of which a permit is;
  ///   ``StoreError/Code/writerBusy`` when the time is up.
  @discardableResult
  public func remove(_ name: String, timeout: Duration? = nil) throws(StoreError) -> Bool {
    try inOwnWrite(until: timeout.map { .now + $0 }) { (core) throws(StoreError) in try remove(name, core) }
  }

  /// The same within a write transaction, which must not have touched it.
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
    core.writtenChannels |= Channels.of(found.identity)
    Catalogue.set(nil, for: name, environment.catalogue, core)
    return true
  }

  /// Gives a structure another name. Handles of the old name say so from their next use on, in every process.
  ///
  /// - Parameter timeout: How long to wait for another process or thread that writes; nil for no limit.
  /// - Throws: ``StoreError/Code/structureNotFound``, ``StoreError/Code/structureExists``;
  ///   ``StoreError/Code/busy`` for a lock that is held, or a semaphore of which a permit is; ``StoreError/Code/writerBusy`` when
  ///   the time is up.
  public func rename(_ name: String, to other: String, timeout: Duration? = nil) throws(StoreError) {
    try Catalogue.checkName(other)
    try inOwnWrite(until: timeout.map { .now + $0 }) { (core) throws(StoreError) in try rename(name, to: other, core) }
  }

  /// The same within a write transaction, which must not have touched it.
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
    core.writtenChannels |= Channels.of(found.identity)
    found.identity = Catalogue.newIdentity(catalogue, core)
    Catalogue.set(found, for: other, catalogue, core)
  }

  /// That nobody holds a lock or a semaphore's permit, and nobody gets one until the write has ended: who got one afterwards would
  /// find that the structure is gone, and give it back.
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
        owners.holds(place) ? Int(currentProcessID()) : owners.noted(found.index ?? 0, found.identity)?.processID
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

  /// Runs `body` in a write transaction of its own.
  ///
  /// - Parameter deadline: Until when to wait for who writes; nil for no limit.
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

  /// Opens a structure, or makes it.
  ///
  /// - Parameter fill: Puts in what a new structure starts with.
  func open(
    _ wanted: StructureDescription, fill: (Transaction, StructureReference) throws(StoreError) -> Void = { _, _ in }
  ) throws(StoreError) -> StructureReference {
    try Catalogue.checkName(wanted.name)
    guard !environment.isWriting else {
      throw StoreError(
        .nestedWrite, "open", structure: wanted.name, reason: "this thread is inside a write of the same store",
        advice: "open it before, or ask the transaction: txn.\(wanted.kind.rawValue)(…)")
    }
    let deadline = openingDeadline
    if let found = try description(of: wanted.name),
      let number = try environment.number(of: found, checking: wanted, until: deadline)
    {
      return StructureReference(found, number: number, environment)
    }
    return try inOwnWrite(until: deadline) { (core) throws(StoreError) in
      try self.openOrCreate(wanted, core, fill: fill)
    }
  }

  /// What the catalogue tells of a structure; nil when there is none.
  package func description(of name: String) throws(StoreError) -> StructureDescription? {
    let core = try environment.beginRead()
    defer { core.end() }
    return try Catalogue.description(of: name, environment.catalogue, core)
  }

  /// The same within a write transaction.
  func openOrCreate(
    _ wanted: StructureDescription, _ core: Transaction,
    fill: (Transaction, StructureReference) throws(StoreError) -> Void = { _, _ in }
  ) throws(StoreError) -> StructureReference {
    try Catalogue.checkName(wanted.name)
    if let failure = core.failure { throw failure }
    let catalogue = environment.catalogue
    if let found = try Catalogue.description(of: wanted.name, catalogue, core) {
      try found.check(wanted)
      try environment.forgetIfOutdated(found)
      guard
        let number = try environment.database(
          found.database, in: core, integerKeys: found.hasIntegerKeys, create: false)
      else { throw .notFound(found.name) }
      try environment.checkLayout(number, integerKeys: found.hasIntegerKeys, structure: found.name)
      environment.note(found)
      return StructureReference(found, number: number, environment)
    }
    var made = wanted
    if made.identity == 0 { made.identity = Catalogue.newIdentity(catalogue, core) }
    if made.kind == .lock { made.index = lockIndices.withLock { $0.next(for: made, catalogue, core) } }
    try environment.forgetIfOutdated(made)
    if !made.kind.liesAmongValues {
      guard try core.openDatabase(made.name, integerKeys: false, create: false) == nil else {
        throw StoreError(
          .structureExists, "create", structure: made.name,
          reason: "there is a database of that name which is not in the catalogue", advice: "take another name")
      }
    }
    guard
      let number = try environment.database(made.database, in: core, integerKeys: made.hasIntegerKeys, create: true)
    else { throw .notFound(made.name) }
    Catalogue.set(made, for: made.name, catalogue, core)
    environment.note(made)
    let reference = StructureReference(made, number: number, environment)
    try fill(core, reference)
    if let failure = core.failure { throw failure }
    return reference
  }
}

extension StructureDescription {
  /// That this, which the catalogue tells, is what was asked for.
  func check(_ wanted: StructureDescription) throws(StoreError) {
    guard matches(wanted) else {
      throw StoreError(
        .typeMismatch, "open", structure: name, reason: "it is a \(self), not a \(wanted)",
        advice: "open it as what it is, or remove it first")
    }
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
  /// The database of all values.
  var values: UInt32 { knownDatabase(Catalogue.values) ?? noDatabase }

  /// The number of a structure's database, after making sure that it is what was asked for.
  ///
  /// - Parameter deadline: Until when to wait for this process's writer; nil for no limit.
  func number(
    of found: StructureDescription, checking wanted: StructureDescription, until deadline: ContinuousClock.Instant?
  ) throws(StoreError) -> UInt32? {
    try found.check(wanted)
    try forgetIfOutdated(found, until: deadline)
    let number = try database(found.database, until: deadline)
    if let number { try checkLayout(number, integerKeys: found.hasIntegerKeys, structure: found.name) }
    note(found)
    return number
  }

  /// This process may have the database of an earlier structure of the same name open.
  func forgetIfOutdated(
    _ description: StructureDescription, until deadline: ContinuousClock.Instant? = nil
  ) throws(StoreError) {
    guard !description.kind.liesAmongValues else { return }
    let known = identities.withLock { $0[DatabaseName(description.name)] }
    if let known, known != description.identity { try forgetDatabase(description.name, until: deadline) }
  }

  func note(_ description: StructureDescription) {
    guard !description.kind.liesAmongValues else { return }
    identities.withLock { $0[DatabaseName(description.name)] = description.identity }
  }
}
