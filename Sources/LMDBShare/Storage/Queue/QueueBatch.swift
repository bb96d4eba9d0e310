/// Items on their way into a queue, in the records in which they will be stored. The memory of a batch is reused.
@usableFromInline
struct QueueBatch: ~Copyable, Sendable {
  /// The records, one after the other, and where each of them ends.
  private var bytes = ByteWriter()
  private var ends: [Int] = []
  /// The record that is being filled.
  private var builder = QueueChunkBuilder()
  /// The number of items.
  private(set) var count = 0
  /// The size of an item that was left out, since no store accepts one that large.
  private(set) var tooLarge: Int?
  static let mostItemBytes = Limits.valueBytes - QueueChunk.overhead

  init() {}

  @usableFromInline
  mutating func append(_ item: RawSpan) {
    guard item.byteCount <= Self.mostItemBytes else { return tooLarge = item.byteCount }
    if !builder.hasRoom(item.byteCount) { close() }
    builder.append(item)
    count += 1
  }

  /// Moves all items of another batch to the end of this one.
  mutating func take(_ other: inout QueueBatch) {
    if count == 0 { return swap(&self, &other) }
    close()
    other.close()
    let start = bytes.count
    other.bytes.withBytes { bytes.append($0) }
    for end in other.ends { ends.append(start + end) }
    count += other.count
    other.removeAll()
  }

  /// Ends the record that is being filled.
  mutating func close() {
    guard builder.count > 0 else { return }
    builder.finish(into: &bytes)
    ends.append(bytes.count)
  }

  /// Removes all items; keeps the memory unless it is large.
  mutating func removeAll() {
    if bytes.count > 4 << 20 {
      self = QueueBatch()
    } else {
      bytes.removeAll()
      ends.removeAll(keepingCapacity: true)
      builder.removeAll()
      (count, tooLarge) = (0, nil)
    }
  }

  var recordCount: Int { ends.count }

  /// Calls `body` with a record.
  func withRecord<R>(_ index: Int, _ body: (RawSpan) -> R) -> R {
    bytes.withBytes { body($0.extracting((index == 0 ? 0 : ends[index - 1])..<ends[index])) }
  }
}

/// The position at which a batch continues: an item of one of its records.
struct QueueBatchPlace {
  var record = 0
  var item = 0
}

extension QueueStorage {
  /// Adds the items of a closed batch from a position on, as many as there is room for; throws when the queue is closed.
  ///
  /// - Parameter most: The number of bytes after which it ends.
  /// - Returns: The position at which to continue, and how many items were added.
  func push(
    _ core: Transaction, _ batch: borrowing QueueBatch, from start: QueueBatchPlace, atMost most: Int, level: Int
  ) -> (place: QueueBatchPlace, count: Int) {
    var place = start
    var (added, bytes) = (0, 0)
    if state.isClosed, let refusal = refusal(1) { core.fail(refusal) }
    while place.record < batch.recordCount, bytes < most, room > 0, !core.hasFailed {
      batch.withRecord(place.record) { record in
        guard let chunk = QueueChunk(record) else { return fail(core, "a record of items is damaged") }
        bytes += record.byteCount
        let count = min(chunk.count - place.item, room)
        if count == chunk.count {
          putFresh(core, record, count, level: level)
        } else {
          var part = QueueChunkBuilder()
          for index in place.item..<place.item + count { if let item = chunk.item(index) { part.append(item) } }
          part.finish { putFresh(core, $0, count, level: level) }
        }
        added += count
        place.item += count
        if place.item == chunk.count { place = QueueBatchPlace(record: place.record + 1) }
      }
    }
    return (place, added)
  }
}
