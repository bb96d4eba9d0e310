// Waiting for items, or for room, by a sleeping thread or a suspended task. A waiter uses no CPU time and is woken by the commit
// that ends its wait. If it is killed, no item is lost.

extension SharedQueue {
  // MARK: Taking

  /// Takes the next item, after waiting for one.
  ///
  /// The thread sleeps until a process adds an item, without polling.
  ///
  /// - Parameter timeout: How long to wait.
  /// - Returns: The item; nil when none came in time, or the queue is closed and empty.
  /// - Throws: ``StoreError/Code/writerBusy`` when there was an item, but another process wrote until the timeout: its
  ///   ``StoreError/processID`` is that of the writer.
  @inlinable
  public func pop(timeout: Duration) throws -> Element? {
    try waiting("pop", timeout) { txn in txn[self].popNext() }
  }

  /// Takes the next item, after waiting for one without blocking a thread.
  ///
  /// - Parameter timeout: How long to wait; nil for no limit.
  /// - Returns: The item; nil when none came in time, or the queue is closed and empty.
  /// - Throws: ``StoreError/Code/writerBusy`` when there was an item, but another process wrote until the timeout;
  ///   `CancellationError`. No item was taken then.
  @inlinable
  public nonisolated(nonsending) func pop(timeout: Duration?) async throws -> Element? {
    try await waiting(timeout) { txn in txn[self].popNext() }
  }

  /// Takes at most `count` items as soon as there are any; see ``pop(timeout:)``.
  @inlinable
  public func pop(atMost count: Int, timeout: Duration) throws -> [Element] {
    if count <= 0 { return [] }
    return try waiting("pop", timeout, { contents in contents.prefetch(atMost: count) }) { txn, prefetch in
      let items = txn[self].pop(atMost: count, prefetch)
      return items.isEmpty ? nil : items
    } ?? []
  }

  /// Takes at most `count` items as soon as there are any, without blocking a thread.
  @inlinable
  public nonisolated(nonsending) func pop(atMost count: Int, timeout: Duration?) async throws -> [Element] {
    if count <= 0 { return [] }
    return try await waiting(timeout, { contents in contents.prefetch(atMost: count) }) {
      (txn: inout WriteTransaction, prefetch: Prefetch) -> [Element]? in
      let items = txn[self].pop(atMost: count, prefetch)
      return items.isEmpty ? nil : items
    } ?? []
  }

  /// Takes an item from the first of several queues that has one, after waiting for one.
  ///
  /// - Parameters:
  ///   - queues: Queues of one store, in the order in which they are tried.
  ///   - timeout: How long to wait.
  /// - Returns: The item and its queue; nil when no item came in time, or all queues are closed and empty.
  /// - Throws: ``StoreError/Code/writerBusy`` when there was an item, but another process wrote until the timeout.
  public static func pop(
    from queues: [SharedQueue], timeout: Duration
  ) throws -> (queue: SharedQueue, element: Element)? {
    guard let first = queues.first else { return nil }
    let environment = first.store.environment
    try environment.checkMayWait("pop", first.name)
    var taken: (SharedQueue, Element)?
    let deadline = ContinuousClock.now + timeout
    _ = try environment.wait(for: queues.channels, until: deadline) {
      let found = try first.store.read { txn in survey(queues, &txn) }
      guard found.isReady else { return found.look }
      do {
        taken = try first.store.writeNow(until: deadline) { txn in takeFirst(from: queues, &txn) }
      } catch let error as StoreError where error.code == .writerBusy {
        // The writer was busy, which does not mean that the queues are empty; but they may be by now.
        if try first.store.read({ txn in survey(queues, &txn).isReady }) { throw error }
      }
      return Look(isReady: taken != nil)
    }
    return taken
  }

  /// Takes an item from the first of several queues that has one, after waiting without blocking a thread.
  public static nonisolated(nonsending) func pop(
    from queues: [SharedQueue], timeout: Duration?
  ) async throws -> (queue: SharedQueue, element: Element)? {
    guard let store = queues.first?.store else { return nil }
    let deadline = timeout.map { ContinuousClock.now + $0 }
    return try await store.environment.wait(for: queues.channels, until: deadline) {
      let (known, found) = try store.read { txn in (txn.snapshotID, survey(queues, &txn)) }
      guard found.isReady else { return (nil, found.look, known) }
      do {
        let taken = try await store.writeInTurn(until: deadline) { txn in takeFirst(from: queues, &txn) }
        return (taken, .nothing, known)
      } catch let error as StoreError where error.code == .writerBusy {
        if try store.read({ txn in survey(queues, &txn).isReady }) { throw error }
        return (nil, .nothing, known)
      }
    }
  }

  /// Returns what several queues together wait for, which is ready when all are drained, and whether one has an item.
  private static func survey(_ queues: [SharedQueue], _ txn: inout ReadTransaction) -> (look: Look, isReady: Bool) {
    var all = Look(isReady: true)
    for queue in queues {
      switch txn[queue].storage.availability(txn.core) {
      case .ready: return (Look(isReady: false), true)
      case .drained: break
      case .nothing(let look):
        all.isReady = false
        all.again = earlier(all.again, look.again)
        all.watched += look.watched
      }
    }
    return (all, false)
  }

  private static func takeFirst(
    from queues: [SharedQueue], _ txn: inout WriteTransaction
  ) -> (queue: SharedQueue, element: Element)? {
    for queue in queues { if let item = txn[queue].popNext() { return (queue, item) } }
    return nil
  }

  /// Waits until the queue has an item, without taking it: for a transaction that takes the item together with other
  /// changes.
  ///
  /// - Returns: Whether there was an item in time. Another consumer may take it first.
  public func waitForItem(timeout: Duration) throws -> Bool {
    try store.environment.checkMayWait("wait", name)
    var isThere = false
    _ = try store.environment.wait(for: reference.channel, until: .now + timeout) {
      switch try store.read({ txn in txn[self].storage.availability(txn.core) }) {
      case .ready:
        isThere = true
        return Look(isReady: true)
      case .drained: return Look(isReady: true)
      case .nothing(let look): return look
      }
    }
    return isThere
  }

  // MARK: Adding

  /// Adds an item, after waiting for room when the queue is full.
  ///
  /// - Throws: ``StoreError/Code/queueFull`` when there was no room in time; ``StoreError/Code/writerBusy`` when there was room, but
  ///   another process wrote until the timeout; ``StoreError/Code/queueClosed``.
  @discardableResult
  public func push(
    _ item: Element, priority: QueuePriority = .normal, delay: Duration = .zero, timeout: Duration
  ) throws -> UInt64 {
    try waitingForRoom(1, timeout) { txn in txn[self].push(item, priority: priority, delay: delay) }
  }

  /// Adds an item, after waiting for room without blocking a thread.
  @discardableResult
  public nonisolated(nonsending) func push(
    _ item: Element, priority: QueuePriority = .normal, delay: Duration = .zero, timeout: Duration?
  ) async throws -> UInt64 {
    try await waitingForRoom(1, timeout) { txn in txn[self].push(item, priority: priority, delay: delay) }
  }

  /// Adds the items of a collection in one transaction, after waiting for room for all of them.
  public func push(
    contentsOf items: some Collection<Element>, priority: QueuePriority = .normal, timeout: Duration
  ) throws {
    try waitingForRoom(items.count, timeout) { txn in txn[self].push(contentsOf: items, priority: priority) }
  }

  /// Adds the items of a collection in one transaction, after waiting for room without blocking a thread.
  public nonisolated(nonsending) func push(
    contentsOf items: some Collection<Element>, priority: QueuePriority = .normal, timeout: Duration?
  ) async throws {
    let items = Array(items)
    try await waitingForRoom(items.count, timeout) { txn in txn[self].push(contentsOf: items, priority: priority) }
  }

  private func waitingForRoom<R>(
    _ count: Int, _ timeout: Duration, _ push: (inout WriteTransaction) -> R
  ) throws -> R {
    try store.environment.checkMayWait("push", name)
    var result: R?
    let deadline = ContinuousClock.now + timeout
    _ = try store.environment.wait(for: reference.channel, until: deadline) {
      guard try mayPush(count) else { return Look(isReady: false) }
      do {
        result = try store.writeNow(until: deadline) { txn in
          isFull(count, txn[self].storage) ? nil : push(&txn)
        }
      } catch let error as StoreError where error.code == .writerBusy {
        // The writer was busy, which does not mean that the queue is full; but it may be by now.
        if try mayPush(count) { throw error }
      }
      return Look(isReady: result != nil)
    }
    guard let result else { throw try full(count) }
    return result
  }

  private nonisolated(nonsending) func waitingForRoom<R: Sendable>(
    _ count: Int, _ timeout: Duration?, _ push: @escaping @Sendable (inout WriteTransaction) -> R
  ) async throws -> R {
    let deadline = timeout.map { ContinuousClock.now + $0 }
    let result: R? = try await store.environment.wait(for: reference.channel, until: deadline) {
      let known = try store.read { $0.snapshotID }
      guard try mayPush(count) else { return (nil, .nothing, known) }
      do {
        let result = try await store.writeInTurn(until: deadline) { txn in
          isFull(count, txn[self].storage) ? nil : push(&txn)
        }
        return (result, .nothing, known)
      } catch let error as StoreError where error.code == .writerBusy {
        if try mayPush(count) { throw error }
        return (nil, .nothing, known)
      }
    }
    guard let result else { throw try full(count) }
    return result
  }

  /// Returns whether pushing should be tried: there is room, or waiting for it is of no use.
  private func mayPush(_ count: Int) throws -> Bool {
    try store.read { txn in !isFull(count, txn[self].storage) }
  }

  private func isFull(_ count: Int, _ storage: QueueStorage) -> Bool {
    guard let refusal = storage.refusal(count), let capacity else { return false }
    return refusal.code == .queueFull && count <= capacity
  }

  private func full(_ count: Int) throws -> StoreError {
    let refusal = try store.read { txn in txn[self].storage.refusal(count) }
    // There is room, but other writers were busy all the time.
    return refusal ?? store.environment.writerBusy
  }

  // MARK: Implementation

  /// Tries to take something until it succeeds, the time is up, or the queue is drained.
  @usableFromInline
  func waiting<R>(
    _ operation: String, _ timeout: Duration, _ take: (inout WriteTransaction) throws -> R?
  ) throws -> R? {
    try waiting(operation, timeout, { _ in }) { txn, _ in try take(&txn) }
  }

  /// Does the same for a task.
  @usableFromInline
  nonisolated(nonsending) func waiting<R: Sendable>(
    _ timeout: Duration?, _ take: @escaping @Sendable (inout WriteTransaction) throws -> R?
  ) async throws -> R? {
    try await waiting(timeout, { _ in }) { txn, _ in try take(&txn) }
  }

  /// Does the same. When there are items, `prepare` runs before each try: it does the work that need not exclude other writers.
  @usableFromInline
  func waiting<Prepared, R>(
    _ operation: String, _ timeout: Duration, _ prepare: (Contents) -> Prepared,
    _ take: (inout WriteTransaction, Prepared) throws -> R?
  ) throws -> R? {
    try store.environment.checkMayWait(operation, name)
    var result: R?
    let deadline = ContinuousClock.now + timeout
    _ = try store.environment.wait(for: reference.channel, until: deadline) {
      let seen = try look(prepare)
      guard let prepared = seen.prepared else { return seen.rest }
      do {
        result = try store.writeNow(until: deadline) { txn in try take(&txn, prepared) }
      } catch let error as StoreError where error.code == .writerBusy {
        // The writer was busy, which does not mean that the queue is empty; but it may be by now.
        if try hasItems() { throw error }
      }
      return Look(isReady: result != nil)
    }
    return result
  }

  /// Does the same for a task.
  @usableFromInline
  nonisolated(nonsending) func waiting<Prepared: Sendable, R: Sendable>(
    _ timeout: Duration?, _ prepare: (Contents) -> Prepared,
    _ take: @escaping @Sendable (inout WriteTransaction, Prepared) throws -> R?
  ) async throws -> R? {
    let deadline = timeout.map { ContinuousClock.now + $0 }
    return try await store.environment.wait(for: reference.channel, until: deadline) {
      let seen = try look(prepare)
      guard let prepared = seen.prepared else { return (nil, seen.rest, seen.known) }
      do {
        return (try await store.writeInTurn(until: deadline) { txn in try take(&txn, prepared) }, .nothing, seen.known)
      } catch let error as StoreError where error.code == .writerBusy {
        if try hasItems() { throw error }
        return (nil, .nothing, seen.known)
      }
    }
  }

  /// Checks whether there are items to take. If so, calls `prepare`; if not, returns whether and for what to wait.
  private func look<Prepared>(
    _ prepare: (Contents) -> Prepared
  ) throws -> (known: Int, prepared: Prepared?, rest: Look) {
    try store.read { txn in
      let contents = txn[self]
      switch contents.storage.availability(txn.core) {
      case .ready: return (txn.snapshotID, prepare(contents), Look(isReady: false))
      case .drained: return (txn.snapshotID, nil, Look(isReady: true))
      case .nothing(let look): return (txn.snapshotID, nil, look)
      }
    }
  }

  /// Returns the result of `prepare`; nil when there are no items to take.
  @usableFromInline
  func prepared<Prepared>(_ prepare: (Contents) -> Prepared) throws -> Prepared? { try look(prepare).prepared }
}

extension Array where Element: SharedStructure {
  /// The channels of all elements.
  fileprivate var channels: Channels { reduce([]) { $0.union($1.channel) } }
}

extension SharedQueue: AsyncSequence {
  /// Returns an iterator that takes items as they arrive: `for try await job in jobs`. It ends when the queue is closed and empty.
  ///
  /// Each item is removed from the queue when it is taken; see ``leases(for:)`` for items that must not be lost.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: self) }

  /// An asynchronous iterator that takes items.
  public struct AsyncIterator: AsyncIteratorProtocol {
    let queue: SharedQueue

    /// Returns the next item as soon as there is one; nil when the queue is closed and empty.
    public mutating func next() async throws -> Element? { try await queue.pop(timeout: nil) }

    /// Returns the next item as soon as there is one; nil when the queue is closed and empty.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
      try await queue.pop(timeout: nil)
    }
  }
}
