// Items whose bytes are none of the queue's type: of a newer version of it, of another program, or damaged. They are their own
// fault, and never the queue's: whoever takes items passes them over, and no byte of them is lost.

extension QueueStorage {
  /// How many of them one transaction moves at most, where another one can follow: it keeps others from writing.
  @usableFromInline static let mostUndecodable = 1000
  /// After how long one that was leased comes again, when it has attempts left: another program may understand it.
  static let undecodablePause = Duration.seconds(1)

  /// An item that is none of the queue's type, out of the queue.
  struct Undecodable {
    var record: QueueRecord
    let item: [UInt8]
    let reason: String
  }

  /// What was taken so far, and how much more is wanted.
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

  /// Takes items for good, in order. Those that cannot be decoded go to the dead letters.
  ///
  /// - Parameter limit: After how many that cannot be decoded it ends.
  @usableFromInline
  func pop(
    _ core: Transaction, atMost most: Int, undecodable limit: Int, _ body: (Taken, RawSpan) -> DecodingFailure?
  ) {
    for undecodable in take(core, atMost: most, undecodable: limit, body).undecodable {
      // Taken, but not for good.
      state.gone -= 1
      withBytes(of: undecodable.item) { bury(core, undecodable.record, $0, undecodable.reason) }
    }
  }

  /// Counts an attempt for an item that could not be decoded: it comes again after a pause, or goes to the dead letters when it has
  /// no attempts left, or the queue no limit to them.
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

  /// Puts all dead letters back into the queue, as items that were never tried; tells how many.
  func reviveAll(_ core: Transaction) -> Int {
    var letters: [UInt64] = []
    walk(core, QueueArea.dead) { record, _ in
      letters.append(record.sequence)
      return true
    }
    return letters.count { revive(core, $0) }
  }
}
