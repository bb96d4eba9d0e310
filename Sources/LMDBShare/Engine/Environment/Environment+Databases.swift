internal import _LMDBShareLMDB

// Named databases, as the layer above uses them.

extension Environment {
  /// Returns the number of a name. Using the number fails when no database has that name.
  ///
  /// - Parameter identity: The identity of the structure to which the database belongs: a structure that is created again has
  ///   another number.
  package func number(_ name: String, of identity: UInt64 = 0) -> Database {
    numbers.withLock { $0.number(Array(name.utf8), identity) }
  }

  /// The number of a named database; nil when the last commit has no database of that name.
  package func database(_ name: String) throws(StoreError) -> Database? {
    let core = try beginRead()
    defer { core.end() }
    return try core.layout(named: name) == nil ? nil : number(name)
  }
}

extension DatabaseLayout {
  /// Checks that a database orders its keys as a structure of its kind needs it: with other flags, LMDB would put new keys in
  /// places that do not match the existing ones.
  func check(_ expected: DatabaseLayout, structure: String) throws(StoreError) {
    guard self != expected else { return }
    throw StoreError(
      .damaged, "open", structure: structure,
      reason: "its database has flags \(rawValue) instead of \(expected.rawValue)", advice: "restore a backup")
  }
}
