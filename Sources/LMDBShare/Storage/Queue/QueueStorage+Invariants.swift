extension SharedQueue {
  /// Checks that what is stored conforms to the format, for tests and tools.
  ///
  /// - Throws: ``StoreError/Code/damaged``, whose reason says what is wrong.
  /// - Complexity: O(*n*).
  package func checkInvariants() throws {
    try store.read { txn in try txn[self].storage.checkInvariants(txn.core) }
  }
}

extension QueueStorage {
  /// Counts all items and compares the numbers with the state.
  func checkInvariants(_ core: Transaction) throws(StoreError) {
    var found = state
    (found.leased, found.delayed, found.dead) = (0, 0, 0)
    var ready = 0
    for level in found.skipped.indices { found.skipped[level] = 0 }
    var seen: Set<UInt64> = []
    var problem: String?
    func note(_ sequence: UInt64) {
      if sequence == 0 || sequence > state.lastSequence { problem = "item \(sequence) is beyond the last number" }
      if !seen.insert(sequence).inserted { problem = "item \(sequence) is there twice" }
    }
    var level: Int?
    let cursor = Cursor(core, database)
    var isThere = cursor.move(.first)
    while isThere, problem == nil, let key = cursor.key.littleEndian(UInt64.self) {
      let number = key & QueueArea.numberMask
      if key == QueueArea.state {
        // This record was read already.
      } else if let at = QueueArea.level(key), QueueArea.isFresh(key) {
        guard let chunk = QueueChunk(cursor.value) else {
          throw reference.damage("the record of item \(number) is damaged")
        }
        let gone = level == at ? 0 : Int(state.skipped[at])
        if level != at { found.skipped[at] = state.skipped[at] }
        level = at
        if gone >= chunk.count { problem = "the first record of level \(at) is used up" }
        for index in gone..<max(gone, chunk.count) {
          if chunk.item(index) == nil { problem = "the record of item \(number) is damaged" }
          note(number + UInt64(index))
        }
        ready += chunk.count - gone
        if state.levels >> at & 1 == 0 { problem = "level \(at) is not among those in use" }
      } else {
        guard let record = QueueRecord(cursor.value) else { throw reference.damage("the record \(number) is damaged") }
        note(record.sequence)
        switch key & ~QueueArea.numberMask {
        case QueueArea.leased where record.sequence == number && record.token > 0 && record.token <= state.lastToken:
          found.leased += 1
        case QueueArea.delayed where record.time == number && record.token == 0: found.delayed += 1
        case QueueArea.dead where record.sequence == number && record.token == 0: found.dead += 1
        case QueueArea.returned(record.level) where record.sequence == number && record.token == 0: ready += 1
        default: problem = "the record \(number) does not belong under its key"
        }
      }
      isThere = cursor.move(.next)
    }
    if let failure = core.failure { throw failure }
    if problem == nil, found.differs(from: state) || ready != state.ready {
      problem = "its state tells of other items than there are: \(state.numbers), found \(found.numbers)"
    }
    if let problem { throw reference.damage(problem) }
  }
}

extension QueueState {
  fileprivate var numbers: String {
    "\(lastSequence) pushed, \(gone) gone, \(leased) leased, \(delayed) delayed, \(dead) dead"
  }
}
