extension SharedQueue {
  /// A leased item, which returns to the queue when its process dies or the lease expires.
  public struct Lease: Sendable {
    /// The item.
    public let element: Element
    /// The item's number.
    public let sequence: UInt64
    /// The lease's number, which grows with each lease of the queue. As a fencing token it distinguishes a late result from a
    /// current one.
    public let token: UInt64
    /// The number of times that the item has been leased, including this one.
    public let attempt: Int
    /// The item's priority.
    public let priority: QueuePriority
    /// The time at which the lease expires.
    public let deadline: ContinuousClock.Instant
  }
}

// As part of a transaction.
extension SharedQueue.Contents {
  /// Leases at most `count` items, in order.
  ///
  /// An item that cannot be decoded does not block the others. It counts an attempt and returns after a second, when another
  /// program may understand it; after its last attempt, or when the queue has no maximum, it goes to the dead letters.
  ///
  /// - Parameters:
  ///   - count: The maximum number of items.
  ///   - duration: The time after which the items return to the queue unless they are acknowledged or extended.
  public mutating func lease(
    atMost count: Int, for duration: Duration
  ) throws -> [SharedQueue<Element>.Lease] {
    try leaseNext(atMost: count, for: duration, undecodable: .max)
  }

  /// Leases at most `count` items; ends when `limit` items could not be decoded.
  mutating func leaseNext(
    atMost count: Int, for duration: Duration, undecodable limit: Int = QueueStorage.mostUndecodable
  ) throws(StoreError) -> [SharedQueue<Element>.Lease] {
    var leases: [SharedQueue<Element>.Lease] = []
    let deadline = ContinuousClock.now + duration
    let form = reference.form
    try changing.lease(core, atMost: count, for: duration, undecodable: limit) { record, bytes in
      let element: Element
      do throws(DecodingFailure) {
        element = try Element.StorageCodec.decode(bytes, in: form)
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

  /// Leases the next item; returns nil when there is none.
  public mutating func lease(for duration: Duration) throws -> SharedQueue<Element>.Lease? {
    try lease(atMost: 1, for: duration).first
  }

  /// Removes a leased item permanently: its work is done.
  ///
  /// - Throws: ``StoreError/Code/leaseLost`` when the lease is no longer current.
  public mutating func acknowledge(_ lease: SharedQueue<Element>.Lease) throws {
    try changing.acknowledge(core, lease.sequence, lease.token)
  }

  /// Extends the lease of an item to `duration` from now.
  ///
  /// - Returns: The lease with its new deadline.
  /// - Throws: ``StoreError/Code/leaseLost`` when the lease is no longer current.
  @discardableResult
  public mutating func extend(
    _ lease: SharedQueue<Element>.Lease, for duration: Duration
  ) throws -> SharedQueue<Element>.Lease {
    try changing.extend(core, lease.sequence, lease.token, duration)
    return .init(
      element: lease.element, sequence: lease.sequence, token: lease.token, attempt: lease.attempt,
      priority: lease.priority, deadline: .now + duration)
  }

  /// Returns an item to the queue, to be tried again; after its last attempt it goes to the dead letters.
  ///
  /// - Parameters:
  ///   - lease: The lease of the item.
  ///   - delay: The time during which the item cannot be taken.
  ///   - reason: The reason that a dead letter records.
  ///   - countingAttempt: False returns the item as if it had not been leased, for a program that is asked to end. It does not
  ///     go to the dead letters then.
  /// - Throws: ``StoreError/Code/leaseLost`` when the lease is no longer current.
  public mutating func release(
    _ lease: SharedQueue<Element>.Lease, delay: Duration = .zero, reason: String = "it was released",
    countingAttempt: Bool = true
  ) throws {
    try changing.release(
      core, lease.sequence, lease.token, delay: delay, reason: reason, isTried: countingAttempt)
  }

  /// Moves an item to the dead letters immediately, because it will never succeed.
  ///
  /// - Throws: ``StoreError/Code/leaseLost`` when the lease is no longer current.
  public mutating func reject(_ lease: SharedQueue<Element>.Lease, reason: String) throws {
    try changing.reject(core, lease.sequence, lease.token, reason)
  }

  /// Returns a dead letter to the queue as an untried item.
  ///
  /// - Returns: Whether there was a dead letter of that number.
  @discardableResult
  public mutating func retry(_ sequence: UInt64) -> Bool { changing.revive(core, sequence) }

  /// Returns all dead letters to the queue as untried items, once the cause of their failure has been fixed.
  ///
  /// - Returns: The number of dead letters.
  /// - Complexity: O(*n*) in the number of dead letters.
  @discardableResult
  public mutating func retryAll() -> Int { changing.reviveAll(core) }
}

// Blocking methods, each one transaction. `tools/pairs` generates the forms for tasks.

extension SharedQueue {
  /// Leases the next item; returns nil when there is none.
  ///
  /// See ``Contents/lease(atMost:for:)`` for items that cannot be decoded.
  public func lease(for duration: Duration) throws -> Lease? { try lease(atMost: 1, for: duration).first }

  /// Leases at most `count` items.
  public func lease(atMost count: Int, for duration: Duration) throws -> [Lease] {
    if count <= 0 { return [] }
    while try hasItems() {
      let leases = try store.writeNow { try $0[self].leaseNext(atMost: count, for: duration) }
      if !leases.isEmpty { return leases }
    }
    return []
  }

  /// Leases the next item, after waiting for one, or for a lease that expires.
  ///
  /// - Returns: The lease; nil when no item came in time, or the queue is closed and empty.
  /// - Throws: ``StoreError/Code/writerBusy`` when there was an item, but another process wrote until the timeout.
  public func lease(for duration: Duration, timeout: Duration) throws -> Lease? {
    try waiting("lease", timeout) { txn in try txn[self].leaseNext(atMost: 1, for: duration).first }
  }

  /// Leases the next item, after waiting for one without blocking a thread.
  public nonisolated(nonsending) func lease(for duration: Duration, timeout: Duration?) async throws -> Lease? {
    try await waiting(timeout) { txn in try txn[self].leaseNext(atMost: 1, for: duration).first }
  }

  /// Leases at most `count` items as soon as there are any.
  public func lease(atMost count: Int, for duration: Duration, timeout: Duration) throws -> [Lease] {
    if count <= 0 { return [] }
    return try waiting("lease", timeout) { txn in
      let leases = try txn[self].leaseNext(atMost: count, for: duration)
      return leases.isEmpty ? nil : leases
    } ?? []
  }

  /// Leases at most `count` items as soon as there are any, without blocking a thread.
  public nonisolated(nonsending) func lease(
    atMost count: Int, for duration: Duration, timeout: Duration?
  ) async throws -> [Lease] {
    if count <= 0 { return [] }
    return try await waiting(timeout) { txn in
      let leases = try txn[self].leaseNext(atMost: count, for: duration)
      return leases.isEmpty ? nil : leases
    } ?? []
  }

  /// Removes a leased item permanently: its work is done.
  ///
  /// - Throws: ``StoreError/Code/leaseLost`` when the lease is no longer current.
  public func acknowledge(_ lease: Lease) throws { try store.writeNow { try $0[self].acknowledge(lease) } }

  /// Extends the lease of an item to `duration` from now; see ``Contents/extend(_:for:)``.
  @discardableResult
  public func extend(_ lease: Lease, for duration: Duration) throws -> Lease {
    try store.writeNow { try $0[self].extend(lease, for: duration) }
  }

  /// Returns an item to the queue, to be tried again; see ``Contents/release(_:delay:reason:countingAttempt:)``.
  public func release(
    _ lease: Lease, delay: Duration = .zero, reason: String = "it was released", countingAttempt: Bool = true
  ) throws {
    try store.writeNow {
      try $0[self].release(lease, delay: delay, reason: reason, countingAttempt: countingAttempt)
    }
  }

  /// Moves an item to the dead letters immediately; see ``Contents/reject(_:reason:)``.
  public func reject(_ lease: Lease, reason: String) throws {
    try store.writeNow { try $0[self].reject(lease, reason: reason) }
  }

  /// Returns a dead letter to the queue as an untried item.
  ///
  /// - Returns: Whether there was a dead letter of that number.
  @discardableResult
  public func retry(_ sequence: UInt64) throws -> Bool { try store.writeNow { $0[self].retry(sequence) } }

  /// Returns all dead letters to the queue as untried items.
  ///
  /// - Returns: The number of dead letters.
  @discardableResult
  public func retryAll() throws -> Int { try store.writeNow { $0[self].retryAll() } }

  /// Returns a sequence that leases items as they arrive: `for try await lease in jobs.leases(for: .seconds(30))`. It ends when the
  /// queue is closed and empty.
  public func leases(for duration: Duration) -> Leases { Leases(queue: self, duration: duration) }

  /// A sequence of leases.
  public struct Leases: AsyncSequence {
    /// A lease.
    public typealias Element = Lease
    let queue: SharedQueue
    let duration: Duration

    /// Returns an iterator, which leases an item when it is asked for the next one.
    public func makeAsyncIterator() -> Iterator { Iterator(leases: self) }

    /// An iterator that leases items.
    public struct Iterator: AsyncIteratorProtocol {
      let leases: Leases

      /// Returns the next item as soon as there is one; nil when the queue is closed and empty.
      public mutating func next() async throws -> Lease? {
        try await leases.queue.lease(for: leases.duration, timeout: nil)
      }

      /// Returns the next item as soon as there is one; nil when the queue is closed and empty.
      public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Lease? {
        try await leases.queue.lease(for: leases.duration, timeout: nil)
      }
    }
  }
}
