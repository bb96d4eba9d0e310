// Items that cannot be decoded as the queue's type: a newer version of the type or another program wrote them, or they are
// damaged. They do not block the queue: consumers skip them, and no byte of them is lost.

extension QueueStorage {
  /// The maximum number that one transaction moves when another one can follow, since it excludes other writers.
  @usableFromInline static let mostUndecodable = 1000
  /// The time after which a leased one returns when it has attempts left: another program may be able to decode it.
  static let undecodablePause = Duration.seconds(1)

  /// An item that cannot be decoded and has been taken out of the queue.
  struct Undecodable {
    var record: QueueRecord
    let item: [UInt8]
    let reason: String
  }

  /// What has been taken so far, and how much more is wanted.
  struct Taking {
    var most: Int
    let limit: Int
    private(set) var count = 0
    private(set) var undecodable: [Undecodable] = []

    init(most: Int, limit: Int) {
      self.most = most
      self.limit = limit
    }

    @inline(__always)
    var goesOn: Bool { count < most && undecodable.count < limit }

    @inline(__always)
    mutating func note(_ taken: Taken, _ item: RawSpan, _ failure: DecodingFailure?) {
      guard let failure else {
        count += 1
        return
      }
      note(taken, item, failure)
    }

    @inline(never)
    private mutating func note(_ taken: Taken, _ item: RawSpan, _ failure: DecodingFailure) {
      var record = QueueRecord(taken.sequence, level: taken.level)
      record.attempts = taken.attempts
      undecodable.append(
        Undecodable(
          record: record, item: item.copied(),
          reason: "item \(taken.sequence) cannot be decoded: \(failure.description)"))
    }
  }

  /// Takes items permanently, in order. Those that cannot be decoded go to the dead letters.
  ///
  /// - Parameter limit: The number of undecodable items after which it ends.
  @usableFromInline
  func pop(
    _ core: Transaction, atMost most: Int, undecodable limit: Int, _ body: (Taken, RawSpan) -> DecodingFailure?
  ) {
    for undecodable in take(core, atMost: most, undecodable: limit, body).undecodable {
      // The item was taken, but not permanently.
      state.gone -= 1
      withBytes(of: undecodable.item) { bury(core, undecodable.record, $0, undecodable.reason) }
    }
  }

  /// Counts an attempt for an item that could not be decoded. It returns after a pause, or goes to the dead letters when it has
  /// no attempts left or the queue does not limit them.
  func postpone(_ core: Transaction, _ undecodable: Undecodable) {
    var record = undecodable.record
    if record.attempts < .max { record.attempts += 1 }
    state.gone -= 1
    let due = core.now(after: Self.undecodablePause)
    withBytes(of: undecodable.item) { item in
      if let most = reference.description.maximumAttempts, record.attempts < most {
        putDelayed(core, record, item, until: due)
      } else {
        bury(core, record, item, undecodable.reason)
      }
    }
  }

  /// Returns all dead letters to the queue as untried items, and returns their number.
  func reviveAll(_ core: Transaction) -> Int {
    var letters: [UInt64] = []
    walk(core, QueueArea.dead) { record, _ in
      letters.append(record.sequence)
      return true
    }
    return letters.count { revive(core, $0) }
  }
}
