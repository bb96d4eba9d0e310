/// What there is in a queue.
public struct QueueStatistics: Hashable, Sendable {
  /// Items that can be taken.
  public let ready: Int
  /// Items that are not due yet.
  public let delayed: Int
  /// Items that were tried too often, rejected, or could not be decoded.
  public let dead: Int
  /// Items that are being worked on, in the order of their numbers.
  public let leases: [Lease]
  /// Whether the queue takes no more items.
  public let isClosed: Bool

  package init(ready: Int, delayed: Int, dead: Int, leases: [Lease], isClosed: Bool) {
    self.ready = ready
    self.delayed = delayed
    self.dead = dead
    self.leases = leases
    self.isClosed = isClosed
  }

  /// Who works on what.
  public struct Lease: Hashable, Sendable {
    /// The item's number.
    public let sequence: UInt64
    /// The lease's number.
    public let token: UInt64
    /// The number of the process that has it.
    public let processID: Int
    /// Whether that process lives; if not, the item comes back the next time that somebody looks for one.
    public let isAlive: Bool
    /// How often the item has been leased.
    public let attempt: Int
    /// For how long the item stays leased; negative when it is overdue.
    public let remaining: Duration
  }
}

extension SharedQueue {
  /// An item that was tried too often, was rejected, or could not be decoded.
  public struct DeadLetter: Sendable {
    /// The item's number, by which it can be put back or removed.
    public let sequence: UInt64
    /// The item; nil when its bytes are no `Element`, of which ``reason`` may tell more.
    public let element: Element?
    /// The item's representation, as it was pushed.
    public let bytes: [UInt8]
    /// How soon the item was to be taken.
    public let priority: QueuePriority
    /// How often it was leased.
    public let attempts: Int
    /// Why it was given up.
    public let reason: String
    /// How long ago.
    public let age: Duration
  }

  /// What there is in the queue, and who works on it.
  ///
  /// - Complexity: O(*n*) in the number of leases.
  public func statistics() throws -> QueueStatistics { try store.read { $0[self].statistics } }

  /// The items that were tried too often, rejected, or could not be decoded, by their numbers.
  public func deadLetters() throws -> [DeadLetter] { try store.read { $0[self].deadLetters } }
}

extension SharedQueue.Contents {
  /// What there is in the queue, and who works on it.
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

  /// The items that were tried too often, rejected, or could not be decoded, by their numbers.
  public var deadLetters: [SharedQueue<Element>.DeadLetter] {
    let now = Int64(clamping: core.now())
    var letters: [SharedQueue<Element>.DeadLetter] = []
    storage.walk(core, QueueArea.dead) { record, bytes in
      let item = QueueRecord.item(bytes)
      letters.append(
        .init(
          sequence: record.sequence, element: try? Element.StorageCodec.decode(item), bytes: item.copied(),
          priority: QueuePriority(level: record.level) ?? .normal, attempts: Int(record.attempts),
          reason: QueueRecord.reason(bytes), age: .microseconds(max(0, now - Int64(clamping: record.time)))))
      return true
    }
    return letters
  }
}
