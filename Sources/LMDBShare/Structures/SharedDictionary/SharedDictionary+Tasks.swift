// Written by tools/pairs from SharedDictionary.swift: change that, and run it again.

extension SharedStore {
  /// Opens the dictionary of that name, and creates an empty one when it is missing.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public nonisolated(nonsending) func dictionary<Key: StorableKey, Value: Storable>(
    _ name: String, of _: Key.Type, _: Value.Type
  ) async throws -> SharedDictionary<Key, Value> {
    SharedDictionary(link: try await link(to: SharedDictionary<Key, Value>.description(name)))
  }
}
