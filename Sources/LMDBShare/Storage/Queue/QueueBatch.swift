/// Items on their way into a queue, in the records in which they will lie there; its memory is used again and again.
@usableFromInline
struct QueueBatch: ~Copyable, Sendable {
  /// Records, one after the other, and where each ends.
  private var bytes = ByteWriter()
  private var ends: [Int] = []
  /// The record that is being filled.
  private var builder = QueueChunkBuilder()
  /// How many items it holds.
  private(set) var count = 0
  /// How many bytes one had that was left out, since no store takes it.
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

  /// Empties it; keeps the memory, unless that is much.
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

/// Where a batch goes on: an item of one of its records.
struct QueueBatchPlace {
  var record = 0
  var item = 0
}

extension QueueStorage {
  /// Adds items of a closed batch from a place on, as many as there is room for; fails when the queue is closed.
  ///
  /// - Parameter most: After how many bytes it ends.
  /// - Returns: Where to go on, and how many were added.
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
