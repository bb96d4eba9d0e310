// Written by tools/pairs from SharedStore+Identity.swift: change that, and run it again.

extension SharedStore {
  /// Returns the store's identity, which no other store has, whatever their paths. The first call creates it.
  ///
  /// Copies made by ``backup(to:compacting:)`` and ``compact(path:)`` keep it. A store that is loaded from a dump gets its own.
  ///
  /// - Returns: 32 hexadecimal digits.
  /// - Throws: ``StoreError`` when the first call cannot write.
  public nonisolated(nonsending) func identity() async throws -> String {
    if let known = try read({ txn in Catalogue.identity(environment.catalogue, txn.core) }) { return known }
    return try await write { txn in Catalogue.makeIdentity(self.environment.catalogue, txn.core) }
  }
}
