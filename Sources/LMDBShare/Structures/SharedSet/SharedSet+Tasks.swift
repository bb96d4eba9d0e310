// Written by tools/pairs from SharedSet.swift: change that, and run it again.

extension SharedStore {
  /// Opens the set of that name, and creates an empty one when it is missing.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public nonisolated(nonsending) func set<Element: StorableKey>(_ name: String, of _: Element.Type) async throws
    -> SharedSet<Element>
  {
    SharedSet(link: try await link(to: SharedSet<Element>.description(name)))
  }
}
