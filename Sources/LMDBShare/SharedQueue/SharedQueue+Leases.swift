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
  /// One whose bytes are no `Element` is not in the way. An attempt counts for it: it comes again after a second, when another
  /// program may understand it; or goes to the dead letters, when that was the last attempt or the queue has no maximum.
  ///
  /// - Parameter duration: After how long they come back, unless they are acknowledged or extended.
  public mutating func lease(
    atMost count: Int, for duration: Duration
  ) throws(StoreError) -> [SharedQueue<Element>.Lease] {
    try leaseNext(atMost: count, for: duration, undecodable: .max)
  }

  /// Leases up to so many items; ends when so many could not be decoded.
  mutating func leaseNext(
    atMost count: Int, for duration: Duration, undecodable limit: Int = QueueStorage.mostUndecodable
  ) throws(StoreError) -> [SharedQueue<Element>.Lease] {
    var leases: [SharedQueue<Element>.Lease] = []
    let deadline = ContinuousClock.now + duration
    try changing.lease(core, atMost: count, for: duration, undecodable: limit) { record, bytes in
      let element: Element
      do throws(DecodingFailure) {
        element = try Element.StorageCodec.decode(bytes)
      } catch {
        return error
      }
      leases.append(
        .init(
          element: element, sequence: record.sequence, token: record.token, attempt: Int(record.attempts),
          priority: QueuePriority(level: record.level) ?? .normal, deadline: deadline))
      return nil
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
  ///   - countingAttempt: False gives the item back untried, as if it had not been leased: for a program that is asked to end. It
  ///     does not go to the dead letters then.
  /// - Throws: ``StoreError/Code/leaseLost`` when another process may have it by now.
  public mutating func release(
    _ lease: SharedQueue<Element>.Lease, delay: Duration = .zero, reason: String = "it was released",
    countingAttempt: Bool = true
  ) throws(StoreError) {
    try changing.release(
      core, lease.sequence, lease.token, delay: delay, reason: reason, isTried: countingAttempt)
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

  /// Puts all dead letters back into the queue, as items that were never tried: what made them fail has been mended.
  ///
  /// - Returns: How many there were.
  /// - Complexity: O(*n*) in the number of dead letters.
  @discardableResult
  public mutating func retryAll() -> Int { changing.reviveAll(core) }
}

// Each a transaction of its own.
extension SharedQueue {
  /// Leases the item that is next; nil when there is none.
  ///
  /// See ``Contents/lease(atMost:for:)`` for items that cannot be decoded.
  public func lease(for duration: Duration) throws -> Lease? { try lease(atMost: 1, for: duration).first }

  /// Leases up to so many items.
  public func lease(atMost count: Int, for duration: Duration) throws -> [Lease] {
    if count <= 0 { return [] }
    while try hasItems() {
      let leases = try store.writeNow { try $0[self].leaseNext(atMost: count, for: duration) }
      if !leases.isEmpty { return leases }
    }
    return []
  }

  /// Leases the item that is next; waits for one, and for leases of others that end.
  ///
  /// - Returns: The lease; nil when there was no item in time, or the queue is closed and empty.
  /// - Throws: ``StoreError/Code/writerBusy`` when there was an item, and another process wrote until the time was up.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func lease(for duration: Duration, timeout: Duration) throws -> Lease? {
    try waiting("lease", timeout) { txn in try txn[self].leaseNext(atMost: 1, for: duration).first }
  }

  /// Leases the item that is next; waits for one, without blocking a thread.
  public nonisolated(nonsending) func lease(for duration: Duration, timeout: Duration?) async throws -> Lease? {
    try await waiting(timeout) { txn in try txn[self].leaseNext(atMost: 1, for: duration).first }
  }

  /// Leases up to so many items as soon as there are any.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func lease(atMost count: Int, for duration: Duration, timeout: Duration) throws -> [Lease] {
    if count <= 0 { return [] }
    return try waiting("lease", timeout) { txn in
      let leases = try txn[self].leaseNext(atMost: count, for: duration)
      return leases.isEmpty ? nil : leases
    } ?? []
  }

  /// Leases up to so many items as soon as there are any, without blocking a thread.
  public nonisolated(nonsending) func lease(
    atMost count: Int, for duration: Duration, timeout: Duration?
  ) async throws -> [Lease] {
    if count <= 0 { return [] }
    return try await waiting(timeout) { txn in
      let leases = try txn[self].leaseNext(atMost: count, for: duration)
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

  /// Gives the item back, to be tried again; see ``Contents/release(_:delay:reason:countingAttempt:)``.
  public func release(
    _ lease: Lease, delay: Duration = .zero, reason: String = "it was released", countingAttempt: Bool = true
  ) throws {
    try store.writeNow {
      try $0[self].release(lease, delay: delay, reason: reason, countingAttempt: countingAttempt)
    }
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

  /// Puts all dead letters back into the queue, as items that were never tried.
  ///
  /// - Returns: How many there were.
  @discardableResult
  public func retryAll() throws -> Int { try store.writeNow { $0[self].retryAll() } }

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
