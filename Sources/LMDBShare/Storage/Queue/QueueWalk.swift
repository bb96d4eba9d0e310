/// Walks the items of a queue that can be taken, in the order in which they would be taken.
struct QueueWalk {
  private let core: Transaction
  private let queue: QueueStorage
  private let returned: Cursor
  private let fresh: Cursor
  private var level: Int? = nil
  private var isPlaced = false
  /// The numbers of the level's items at the cursors, where there are such items.
  private var returnedAt: UInt64?
  private var freshAt: UInt64?
  private var index = 0

  init(_ core: Transaction, _ queue: QueueStorage) {
    self.core = core
    self.queue = queue
    returned = Cursor(core, queue.database)
    fresh = Cursor(core, queue.database)
  }

  /// Calls `body` with the next item. Returns false at the end.
  mutating func next(_ body: (QueueStorage.Taken, RawSpan) -> Void) -> Bool {
    while true {
      if level == nil, !advance() { return false }
      guard let level else { return false }
      switch (returnedAt, freshAt) {
      case (nil, nil): self.level = nil
      case (let a?, let b) where a < b ?? .max:
        guard giveReturned(a, level, body) else { return damaged() }
        returnedAt = returned.move(.next) ? number(returned, QueueArea.returned(level)) : nil
        return true
      case (_, let b?):
        guard let count = give(.init(sequence: b, level: level, attempts: 0), body) else { return damaged() }
        index += 1
        if index < count {
          freshAt = b + 1
        } else {
          index = 0
          freshAt = fresh.move(.next) ? number(fresh, QueueArea.fresh(level)) : nil
        }
        return true
      default: return false
      }
    }
  }

  private func giveReturned(
    _ sequence: UInt64, _ level: Int, _ body: (QueueStorage.Taken, RawSpan) -> Void
  ) -> Bool {
    guard let record = QueueRecord(returned.value) else { return false }
    body(.init(sequence: sequence, level: level, attempts: record.attempts), QueueRecord.item(returned.value))
    return true
  }

  /// Passes the item of the record at the cursor to `body`. Returns the number of items in the record; nil when it is damaged.
  private func give(_ taken: QueueStorage.Taken, _ body: (QueueStorage.Taken, RawSpan) -> Void) -> Int? {
    guard let chunk = QueueChunk(fresh.value), let item = chunk.item(index) else { return nil }
    body(taken, item)
    return chunk.count
  }

  private func damaged() -> Bool {
    if !core.hasFailed { queue.fail(core, "a record of items is damaged") }
    return false
  }

  private func number(_ cursor: Cursor, _ area: UInt64) -> UInt64? {
    guard let key = cursor.key.littleEndian(UInt64.self), key & ~QueueArea.numberMask == area else { return nil }
    return key & QueueArea.numberMask
  }

  /// Moves to the next level that has items.
  private mutating func advance() -> Bool {
    let start = isPlaced ? lastLevel.map { QueueArea.returned($0 + 1) } ?? QueueArea.ready : QueueArea.ready
    guard returned.seek(start), let key = returned.key.littleEndian(UInt64.self), let found = QueueArea.level(key)
    else { return false }
    isPlaced = true
    level = found
    lastLevel = found
    returnedAt = number(returned, QueueArea.returned(found))
    index = Int(queue.state.skipped[found])
    freshAt =
      fresh.seek(QueueArea.fresh(found)) ? number(fresh, QueueArea.fresh(found)).map { $0 + UInt64(index) } : nil
    return true
  }

  private var lastLevel: Int?
}
