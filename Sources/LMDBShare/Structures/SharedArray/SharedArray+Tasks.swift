// Written by tools/pairs from SharedArray.swift: change that, and run it again.

extension SharedStore {
  /// Opens the array of that name, and creates it when it is missing.
  ///
  /// - Parameters:
  ///   - name: The array's name.
  ///   - type: The type of the elements.
  ///   - count: The number of elements; for an existing array it must match.
  ///   - element: The initial value of the elements of a new array; nil for zero bytes, which for numbers is 0.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else, or the count differs.
  public nonisolated(nonsending) func array<Element: FixedSizeStorable>(
    _ name: String, of type: Element.Type, count: Int, repeating element: Element? = nil
  ) async throws -> SharedArray<Element> {
    SharedArray(
      link: try await link(
        to: SharedArray<Element>.description(name, count), initial: element.map { try encoded($0, name) }))
  }
}

extension SharedArray {
  /// Overwrites all elements.
  ///
  /// - Throws: ``StoreError/Code/outOfRange`` when the number of elements differs.
  public nonisolated(nonsending) func setAll(_ elements: some Collection<Element>) async throws {
    let elements = Array(elements)
    try await write { $0 = Contents(ElementView(Array(elements))) }
  }

  /// Overwrites every element with the same value.
  public nonisolated(nonsending) func fill(_ element: Element) async throws {
    try await write { $0.fill(element) }
  }
}
