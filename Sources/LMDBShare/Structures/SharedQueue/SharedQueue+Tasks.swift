// Written by tools/pairs from SharedQueue.swift: change that, and run it again.

extension SharedStore {
  /// Opens the queue of that name, and creates an empty one when it is missing.
  ///
  /// - Parameters:
  ///   - name: The queue's name.
  ///   - type: The type of the items.
  ///   - capacity: The maximum number of items of a new queue, delayed ones included; for an existing queue it must match, or be
  ///     nil.
  ///   - maximumAttempts: The number of times that an item of a new queue may be leased before it goes to the dead letters; for
  ///     an existing queue it must match, or be nil.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public nonisolated(nonsending) func queue<Element: Storable>(
    _ name: String, of type: Element.Type, capacity: Int? = nil, maximumAttempts: Int? = nil
  ) async throws -> SharedQueue<Element> {
    SharedQueue(link: try await link(to: SharedQueue<Element>.description(name, capacity, maximumAttempts)))
  }
}
