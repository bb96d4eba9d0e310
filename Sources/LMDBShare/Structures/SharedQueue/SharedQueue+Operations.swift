// Blocking methods, each one transaction. `tools/pairs` generates the forms for tasks.

extension SharedQueue {
  /// The number of items that can be taken.
  public var count: Int { get throws { try store.read { $0[self].count } } }
  /// Whether there are no items that can be taken.
  public var isEmpty: Bool { get throws { try count == 0 } }
  /// Whether the queue is closed and accepts no more items.
  public var isClosed: Bool { get throws { try store.read { $0[self].isClosed } } }

  /// Returns the next item without taking it; nil when there is none. See ``Contents/peek()``.
  public func peek() throws -> Element? { try store.read { $0[self].peek() } }

  /// Adds an item and wakes a waiting consumer.
  ///
  /// - Parameters:
  ///   - item: The item.
  ///   - priority: Items of a higher priority are taken first; those of the same priority in the order of their numbers.
  ///   - delay: The time during which the item cannot be taken.
  /// - Returns: The item's number.
  /// - Throws: ``StoreError/Code/queueFull``, ``StoreError/Code/queueClosed``.
  @inlinable @discardableResult
  public func push(_ item: Element, priority: QueuePriority = .normal, delay: Duration = .zero) throws -> UInt64 {
    try store.writeNow { $0[self].push(item, priority: priority, delay: delay) }
  }

  /// Adds the items of a sequence in one transaction, several in one record.
  ///
  /// - Throws: ``StoreError/Code/queueFull``, ``StoreError/Code/queueClosed``.
  @inlinable
  public func push(contentsOf items: some Sequence<Element>, priority: QueuePriority = .normal) throws {
    try store.writeNow { $0[self].push(contentsOf: items, priority: priority) }
  }

  /// Takes the next item; returns nil when there is none.
  ///
  /// An item that cannot be decoded goes to the dead letters, and the next one is taken.
  @inlinable
  public func pop() throws -> Element? {
    // A read transaction checks first whether there are items, so that an empty queue does not cost the writer lock. It is
    // repeated when none of the items that were taken could be decoded.
    while try hasItems() {
      if let item = try store.writeNow({ $0[self].popNext() }) { return item }
    }
    return nil
  }

  /// Takes at most `count` items, in order and in one transaction. Items that cannot be decoded go to the dead letters.
  @inlinable
  public func pop(atMost count: Int) throws -> [Element] {
    if count <= 0 { return [] }
    while let prefetch = try prepared({ $0.prefetch(atMost: count) }) {
      let items = try store.writeNow { $0[self].pop(atMost: count, prefetch) }
      if !items.isEmpty { return items }
    }
    return []
  }

  /// Removes the item of that number, whatever its state.
  ///
  /// - Returns: Whether it existed.
  @discardableResult
  public func remove(_ sequence: UInt64) throws -> Bool { try store.writeNow { $0[self].remove(sequence) } }

  /// Removes all items, including leased and delayed ones and dead letters.
  public func removeAll() throws { try store.writeNow { $0[self].removeAll() } }

  /// Closes the queue: it accepts no more items. Consumers take the remaining items, and return when none is left.
  public func close() throws { try store.writeNow { $0[self].close() } }

  /// Reopens the queue, so that it accepts items again.
  public func reopen() throws { try store.writeNow { $0[self].reopen() } }

  /// Returns whether an item could be taken now.
  @usableFromInline
  func hasItems() throws -> Bool { try prepared { _ in } != nil }
}
