/// The numbers of a queue's items, and its leases.
public struct QueueStatistics: Hashable, Sendable {
  /// The number of items that can be taken.
  public let ready: Int
  /// The number of delayed items that are not due yet.
  public let delayed: Int
  /// The number of dead letters.
  public let dead: Int
  /// The leases, in the order of their items' numbers.
  public let leases: [Lease]
  /// Whether the queue is closed and accepts no more items.
  public let isClosed: Bool

  package init(ready: Int, delayed: Int, dead: Int, leases: [Lease], isClosed: Bool) {
    self.ready = ready
    self.delayed = delayed
    self.dead = dead
    self.leases = leases
    self.isClosed = isClosed
  }

  /// A leased item and its process.
  public struct Lease: Hashable, Sendable {
    /// The item's number.
    public let sequence: UInt64
    /// The lease's number.
    public let token: UInt64
    /// The PID of the process that holds the lease.
    public let processID: Int
    /// Whether that process is alive; if not, the item returns the next time that a consumer looks for one.
    public let isAlive: Bool
    /// The number of times that the item has been leased.
    public let attempt: Int
    /// The time until the lease expires; negative when it has expired.
    public let remaining: Duration
  }
}

extension SharedQueue {
  /// An item that failed too often, was rejected, or could not be decoded.
  public struct DeadLetter: Sendable {
    /// The item's number, by which it can be put back or removed.
    public let sequence: UInt64
    /// The item; nil when its bytes cannot be decoded, in which case ``reason`` may say why.
    public let element: Element?
    /// The item's stored bytes, as they were pushed.
    public let bytes: [UInt8]
    /// The item's priority.
    public let priority: QueuePriority
    /// The number of times that it was leased.
    public let attempts: Int
    /// The reason why it became a dead letter.
    public let reason: String
    /// The time since it became a dead letter.
    public let age: Duration
  }

  /// Returns the numbers of items, and the leases.
  ///
  /// - Complexity: O(*n*) in the number of leases.
  public func statistics() throws -> QueueStatistics { try store.read { $0[self].statistics } }

  /// Returns the items that failed too often, were rejected, or could not be decoded, in the order of their numbers.
  public func deadLetters() throws -> [DeadLetter] { try store.read { $0[self].deadLetters } }
}

extension SharedQueue.Contents {
  /// The numbers of items, and the leases.
  public var statistics: QueueStatistics {
    let storage = storage
    let now = Int64(clamping: core.now())
    var leases: [QueueStatistics.Lease] = []
    var liveness = Liveness(reference.environment)
    storage.walkLeased(core) { record, _ in
      leases.append(
        .init(
          sequence: record.sequence, token: record.token, processID: Int(record.processID),
          isAlive: liveness.isAlive(record.owner), attempt: Int(record.attempts),
          remaining: .microseconds(Int64(clamping: record.time) - now)))
      return true
    }
    let state = storage.state
    return QueueStatistics(
      ready: state.ready, delayed: state.delayed, dead: state.dead, leases: leases, isClosed: state.isClosed)
  }

  /// The items that failed too often, were rejected, or could not be decoded, in the order of their numbers.
  public var deadLetters: [SharedQueue<Element>.DeadLetter] {
    let now = Int64(clamping: core.now())
    var letters: [SharedQueue<Element>.DeadLetter] = []
    storage.walk(core, QueueArea.dead) { record, bytes in
      let item = QueueRecord.item(bytes)
      letters.append(
        .init(
          sequence: record.sequence, element: try? Element.StorageCodec.decode(item, in: reference.form),
          bytes: item.copied(),
          priority: QueuePriority(level: record.level) ?? .normal, attempts: Int(record.attempts),
          reason: QueueRecord.reason(bytes), age: .microseconds(max(0, now - Int64(clamping: record.time)))))
      return true
    }
    return letters
  }
}
