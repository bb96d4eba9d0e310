extension SharedQueue {
  /// An item that is being worked on, and comes back when its process dies or the time is up.
  public struct Lease: Sendable {
    /// The item.
    public let element: Element
    /// The item's number.
    public let sequence: UInt64
    /// The lease's number, which grows with each lease of the queue: whoever keeps what became of the item elsewhere can tell
    /// a late result from a current one by it (a fencing token).
    public let token: UInt64
    /// How often the item has been leased, this time included.
    public let attempt: Int
    /// How soon the item was to be taken.
    public let priority: QueuePriority
    /// Until when the item stays leased.
    public let deadline: ContinuousClock.Instant
  }
}

// As part of a transaction.
extension SharedQueue.Contents {
  /// Leases up to so many items, in order.
  ///
  /// - Parameter duration: After how long they come back, unless they are acknowledged or extended.
  public mutating func lease(
    atMost count: Int, for duration: Duration
  ) throws(StoreError) -> [SharedQueue<Element>.Lease] {
    var leases: [SharedQueue<Element>.Lease] = []
    let deadline = ContinuousClock.now + duration
    try changing.lease(core, atMost: count, for: duration) { record, bytes in
      guard let element = decoded(bytes, record.sequence) else { return false }
      leases.append(
        .init(
          element: element, sequence: record.sequence, token: record.token, attempt: Int(record.attempts),
          priority: QueuePriority(level: record.level) ?? .normal, deadline: deadline))
      return true
    }
    return leases
  }

  /// Leases the item that is next, or nil.
  public mutating func lease(for duration: Duration) throws(StoreError) -> SharedQueue<Element>.Lease? {
    try lease(atMost: 1, for: duration).first
  }

  /// Removes the item for good: the work is done.
  ///
  /// - Throws: ``StoreError/Code/leaseLost`` when somebody else may have it by now.
  public mutating func acknowledge(_ lease: SharedQueue<Element>.Lease) throws(StoreError) {
    try changing.acknowledge(core, lease.sequence, lease.token)
  }

  /// Keeps the item for so long from now on.
  ///
  /// - Returns: The lease with its new deadline.
  /// - Throws: ``StoreError/Code/leaseLost`` when somebody else may have it by now.
  @discardableResult
  public mutating func extend(
    _ lease: SharedQueue<Element>.Lease, for duration: Duration
  ) throws(StoreError) -> SharedQueue<Element>.Lease {
    try changing.extend(core, lease.sequence, lease.token, duration)
    return .init(
      element: lease.element, sequence: lease.sequence, token: lease.token, attempt: lease.attempt,
      priority: lease.priority, deadline: .now + duration)
  }

  /// Gives the item back, to be tried again; after the last attempt it goes to the dead letters.
  ///
  /// - Parameters:
  ///   - delay: How long nobody can take it.
  ///   - reason: What the dead letter tells.
  /// - Throws: ``StoreError/Code/leaseLost`` when somebody else may have it by now.
  public mutating func release(
    _ lease: SharedQueue<Element>.Lease, delay: Duration = .zero, reason: String = "it was released"
  ) throws(StoreError) {
    try changing.release(core, lease.sequence, lease.token, delay: delay, reason: reason)
  }

  /// Moves the item to the dead letters at once: it will never succeed.
  ///
  /// - Throws: ``StoreError/Code/leaseLost`` when somebody else may have it by now.
  public mutating func reject(_ lease: SharedQueue<Element>.Lease, reason: String) throws(StoreError) {
    try changing.reject(core, lease.sequence, lease.token, reason)
  }

  /// Puts a dead letter back into the queue, as one that was never tried.
  ///
  /// - Returns: False when there is none of that number.
  @discardableResult
  public mutating func retry(_ sequence: UInt64) -> Bool { changing.revive(core, sequence) }
}

// Each a transaction of its own.
extension SharedQueue {
  /// Leases the item that is next; nil when there is none.
  public func lease(for duration: Duration) throws -> Lease? {
    guard try hasItems() else { return nil }
    return try store.writeNow { try $0[self].lease(for: duration) }
  }

  /// Leases up to so many items.
  public func lease(atMost count: Int, for duration: Duration) throws -> [Lease] {
    guard try hasItems() else { return [] }
    return try store.writeNow { try $0[self].lease(atMost: count, for: duration) }
  }

  /// Leases the item that is next; waits for one, and for leases of others that end.
  ///
  /// - Returns: The lease; nil when there was no item in time, or the queue is closed and empty.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func lease(for duration: Duration, timeout: Duration) throws -> Lease? {
    try waiting("lease", timeout) { txn in try txn[self].lease(for: duration) }
  }

  /// Leases the item that is next; waits for one, without blocking a thread.
  public nonisolated(nonsending) func lease(for duration: Duration, timeout: Duration?) async throws -> Lease? {
    try await waiting(timeout) { txn in try txn[self].lease(for: duration) }
  }

  /// Leases up to so many items as soon as there are any.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func lease(atMost count: Int, for duration: Duration, timeout: Duration) throws -> [Lease] {
    if count <= 0 { return [] }
    return try waiting("lease", timeout) { txn in
      let leases = try txn[self].lease(atMost: count, for: duration)
      return leases.isEmpty ? nil : leases
    } ?? []
  }

  /// Leases up to so many items as soon as there are any, without blocking a thread.
  public nonisolated(nonsending) func lease(
    atMost count: Int, for duration: Duration, timeout: Duration?
  ) async throws -> [Lease] {
    if count <= 0 { return [] }
    return try await waiting(timeout) { txn in
      let leases = try txn[self].lease(atMost: count, for: duration)
      return leases.isEmpty ? nil : leases
    } ?? []
  }

  /// Removes the item for good: the work is done.
  ///
  /// - Throws: ``StoreError/Code/leaseLost`` when somebody else may have it by now.
  public func acknowledge(_ lease: Lease) throws { try store.writeNow { try $0[self].acknowledge(lease) } }

  /// Keeps the item for so long from now on; see ``Contents/extend(_:for:)``.
  @discardableResult
  public func extend(_ lease: Lease, for duration: Duration) throws -> Lease {
    try store.writeNow { try $0[self].extend(lease, for: duration) }
  }

  /// Gives the item back, to be tried again; see ``Contents/release(_:delay:reason:)``.
  public func release(_ lease: Lease, delay: Duration = .zero, reason: String = "it was released") throws {
    try store.writeNow { try $0[self].release(lease, delay: delay, reason: reason) }
  }

  /// Moves the item to the dead letters at once; see ``Contents/reject(_:reason:)``.
  public func reject(_ lease: Lease, reason: String) throws {
    try store.writeNow { try $0[self].reject(lease, reason: reason) }
  }

  /// Puts a dead letter back into the queue, as one that was never tried.
  ///
  /// - Returns: False when there is none of that number.
  @discardableResult
  public func retry(_ sequence: UInt64) throws -> Bool { try store.writeNow { $0[self].retry(sequence) } }

  /// Leases items one after the other, as they come: `for try await lease in jobs.leases(for: .seconds(30))`. Ends when the
  /// queue is closed and empty.
  public func leases(for duration: Duration) -> Leases { Leases(queue: self, duration: duration) }

  /// Leases one after the other.
  public struct Leases: AsyncSequence {
    /// A lease.
    public typealias Element = Lease
    let queue: SharedQueue
    let duration: Duration

    /// Takes the first item when asked.
    public func makeAsyncIterator() -> Iterator { Iterator(leases: self) }

    /// Leases one after the other.
    public struct Iterator: AsyncIteratorProtocol {
      let leases: Leases

      /// The next item, as soon as there is one; nil when the queue is closed and empty.
      public mutating func next() async throws -> Lease? {
        try await leases.queue.lease(for: leases.duration, timeout: nil)
      }

      /// The next item, as soon as there is one; nil when the queue is closed and empty.
      public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Lease? {
        try await leases.queue.lease(for: leases.duration, timeout: nil)
      }
    }
  }
}
