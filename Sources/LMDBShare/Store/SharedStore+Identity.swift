// Blocking: the first call writes. `tools/pairs` generates the form for tasks.

extension SharedStore {
  /// Returns the store's identity, which no other store has, whatever their paths. The first call creates it.
  ///
  /// Copies made by ``backup(to:compacting:)`` and ``compact(path:)`` keep it. A store that is loaded from a dump gets its own.
  ///
  /// - Returns: 32 hexadecimal digits.
  /// - Throws: ``StoreError`` when the first call cannot write.
  public func identity() throws -> String {
    if let known = try read({ txn in Catalogue.identity(environment.catalogue, txn.core) }) { return known }
    return try writeNow { txn in Catalogue.makeIdentity(self.environment.catalogue, txn.core) }
  }
}

extension Catalogue {
  private static let identityKey = ".identity"
  /// The key of the features that a program must know to use the store, separated by spaces.
  static let requirementsKey = ".requires"
  /// The features that this version knows.
  private static let features: Set<Substring> = []

  static func identity(_ catalogue: Database, _ transaction: Transaction) -> String? {
    withUTF8(of: identityKey) { transaction.get(catalogue, $0)?.utf8String() }
  }

  static func makeIdentity(_ catalogue: Database, _ transaction: Transaction) -> String {
    // Another process may have created it first.
    if let known = identity(catalogue, transaction) { return known }
    let half = { String(UInt64.random(in: 1 << 60...UInt64.max), radix: 16) }
    let identity = half() + half()
    withUTF8(of: identityKey) { key in _ = withUTF8(of: identity) { transaction.put(catalogue, key, $0) } }
    return identity
  }

  /// Refuses a store that requires a feature unknown to this version, for example a replicated one.
  static func checkRequirements(
    _ catalogue: Database, _ transaction: Transaction, _ path: String
  ) throws(StoreError) {
    let required = withUTF8(of: requirementsKey) { transaction.get(catalogue, $0)?.utf8String() } ?? ""
    let unknown = required.split(separator: " ").filter { !features.contains($0) }
    guard let first = unknown.first else { return }
    throw StoreError(
      .newerFormat, "open \(path)", reason: "the store requires '\(first)', which this version does not know",
      advice: "open it with the version of lmdbshare that wrote it")
  }
}
