// Written by tools/pairs from SharedQueue+Operations.swift: change that, and run it again.

extension SharedQueue {
  /// Adds an item and wakes a waiting consumer.
  ///
  /// - Parameters:
  ///   - item: The item.
  ///   - priority: Items of a higher priority are taken first; those of the same priority in the order of their numbers.
  ///   - delay: The time during which the item cannot be taken.
  /// - Returns: The item's number.
  /// - Throws: ``StoreError/Code/queueFull``, ``StoreError/Code/queueClosed``.
  @inlinable @discardableResult
  public nonisolated(nonsending) func push(_ item: Element, priority: QueuePriority = .normal, delay: Duration = .zero)
    async throws -> UInt64
  {
    try await store.write { $0[self].push(item, priority: priority, delay: delay) }
  }

  /// Adds the items of a sequence in one transaction, several in one record.
  ///
  /// - Throws: ``StoreError/Code/queueFull``, ``StoreError/Code/queueClosed``.
  @inlinable
  public nonisolated(nonsending) func push(contentsOf items: some Sequence<Element>, priority: QueuePriority = .normal)
    async throws
  {
    let items = Array(items)
    try await store.write { $0[self].push(contentsOf: items, priority: priority) }
  }

  /// Takes the next item; returns nil when there is none.
  ///
  /// An item that cannot be decoded goes to the dead letters, and the next one is taken.
  @inlinable
  public nonisolated(nonsending) func pop() async throws -> Element? {
    // A read transaction checks first whether there are items, so that an empty queue does not cost the writer lock. It is
    // repeated when none of the items that were taken could be decoded.
    while try hasItems() {
      if let item = try await store.write({ $0[self].popNext() }) { return item }
    }
    return nil
  }

  /// Takes at most `count` items, in order and in one transaction. Items that cannot be decoded go to the dead letters.
  @inlinable
  public nonisolated(nonsending) func pop(atMost count: Int) async throws -> [Element] {
    if count <= 0 { return [] }
    while let prefetch = try prepared({ $0.prefetch(atMost: count) }) {
      let items = try await store.write { $0[self].pop(atMost: count, prefetch) }
      if !items.isEmpty { return items }
    }
    return []
  }

  /// Removes the item of that number, whatever its state.
  ///
  /// - Returns: Whether it existed.
  @discardableResult
  public nonisolated(nonsending) func remove(_ sequence: UInt64) async throws -> Bool {
    try await store.write { $0[self].remove(sequence) }
  }

  /// Removes all items, including leased and delayed ones and dead letters.
  public nonisolated(nonsending) func removeAll() async throws {
    try await store.write { $0[self].removeAll() }
  }

  /// Closes the queue: it accepts no more items. Consumers take the remaining items, and return when none is left.
  public nonisolated(nonsending) func close() async throws {
    try await store.write { $0[self].close() }
  }

  /// Reopens the queue, so that it accepts items again.
  public nonisolated(nonsending) func reopen() async throws {
    try await store.write { $0[self].reopen() }
  }
}
