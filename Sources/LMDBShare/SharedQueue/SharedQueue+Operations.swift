// Each a transaction of its own; none of these waits for items or for room.

extension SharedQueue {
  /// The number of items that can be taken.
  public var count: Int { get throws { try store.read { $0[self].count } } }
  /// Whether there are no items that can be taken.
  public var isEmpty: Bool { get throws { try count == 0 } }
  /// Whether the queue takes no more items.
  public var isClosed: Bool { get throws { try store.read { $0[self].isClosed } } }

  /// The item that is next, which stays; or nil. See ``Contents/peek()``.
  public func peek() throws -> Element? { try store.read { $0[self].peek() } }

  /// Adds an item and wakes those who wait for one.
  ///
  /// - Parameters:
  ///   - priority: Items of a higher priority are taken first; those of the same in the order of their numbers.
  ///   - delay: How long the item cannot be taken.
  /// - Returns: The item's number.
  /// - Throws: ``StoreError/Code/queueFull``, ``StoreError/Code/queueClosed``.
  @inlinable @discardableResult
  public func push(_ item: Element, priority: QueuePriority = .normal, delay: Duration = .zero) throws -> UInt64 {
    try store.writeNow { $0[self].push(item, priority: priority, delay: delay) }
  }

  /// Adds the items of a sequence, in one transaction and several to a record.
  ///
  /// - Throws: ``StoreError/Code/queueFull``, ``StoreError/Code/queueClosed``.
  @inlinable
  public func push(contentsOf items: some Sequence<Element>, priority: QueuePriority = .normal) throws {
    try store.writeNow { $0[self].push(contentsOf: items, priority: priority) }
  }

  /// Takes the item that is next; nil when there is none.
  ///
  /// One whose bytes are no `Element` is not in the way: it goes to the dead letters, and the next one is taken.
  @inlinable
  public func pop() throws -> Element? {
    // A look first: it disturbs nobody, and a queue that is empty needs no writer's lock. Another one when there were only
    // items that cannot be decoded.
    while try hasItems() {
      if let item = try store.writeNow({ $0[self].popNext() }) { return item }
    }
    return nil
  }

  /// Takes up to so many items, in order and in one transaction; those whose bytes are no `Element` go to the dead letters.
  @inlinable
  public func pop(atMost count: Int) throws -> [Element] {
    if count <= 0 { return [] }
    while let prefetch = try prepared({ $0.prefetch(atMost: count) }) {
      let items = try store.writeNow { $0[self].pop(atMost: count, prefetch) }
      if !items.isEmpty { return items }
    }
    return []
  }

  /// Removes the item of that number, wherever it is.
  ///
  /// - Returns: Whether it was there.
  @discardableResult
  public func remove(_ sequence: UInt64) throws -> Bool { try store.writeNow { $0[self].remove(sequence) } }

  /// Removes all items, those too that are leased, delayed or given up.
  public func removeAll() throws { try store.writeNow { $0[self].removeAll() } }

  /// Takes no more items from now on; what is there can be taken. Whoever waits for items ends when the last one is gone.
  public func close() throws { try store.writeNow { $0[self].close() } }

  /// Takes items again.
  public func reopen() throws { try store.writeNow { $0[self].reopen() } }

  /// Whether an item could be taken now.
  @usableFromInline
  func hasItems() throws -> Bool { try prepared { _ in } != nil }
}
