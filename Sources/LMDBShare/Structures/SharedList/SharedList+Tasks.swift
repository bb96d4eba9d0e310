// Written by tools/pairs from SharedList.swift: change that, and run it again.

extension SharedStore {
  /// Opens the list of that name, and creates an empty one when it is missing.
  ///
  /// - Parameters:
  ///   - name: The list's name.
  ///   - type: The type of the elements.
  ///   - maximumCount: The maximum number of elements of a new list: appending to a full list drops its first elements, inserting
  ///     at the start its last ones. For an existing list it must match, or be nil.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public nonisolated(nonsending) func list<Element: Storable>(
    _ name: String, of type: Element.Type, maximumCount: Int? = nil
  ) async throws -> SharedList<Element> {
    SharedList(link: try await link(to: SharedList<Element>.description(name, maximumCount)))
  }
}
