// How a queue is stored in its database; see OnDiskFormat.md. Keys are 64-bit integers: the highest byte is an area, the rest a
// number. Items that have never been leased or delayed are stored in records of one or more, as they were pushed together. Items
// with a history have a record each, whose header holds the history.

enum QueueArea {
  /// The state, at key 0.
  static let state: UInt64 = 0
  /// Leased items, by sequence number.
  static let leased: UInt64 = 1 << 56
  /// Delayed items that are not due yet, by the time at which they are due.
  static let delayed: UInt64 = 2 << 56
  /// Dead letters, by sequence number.
  static let dead: UInt64 = 3 << 56
  /// The first area of items that can be taken.
  static let ready: UInt64 = 0x10 << 56
  static let numberMask: UInt64 = 1 << 56 - 1

  /// Ready items of a level that have been leased or delayed, by sequence number.
  static func returned(_ level: Int) -> UInt64 { UInt64(0x10 + 2 * level) << 56 }
  /// Ready items of a level in the records in which they were pushed, by the sequence number of the first.
  static func fresh(_ level: Int) -> UInt64 { UInt64(0x11 + 2 * level) << 56 }
  /// Returns the level of a ready item's key; nil for any other key.
  static func level(_ key: UInt64) -> Int? {
    let area = Int(key >> 56) - 0x10
    return area >= 0 && area < 2 * QueuePriority.levels ? area / 2 : nil
  }
  static func isFresh(_ key: UInt64) -> Bool { key >> 56 & 1 == 1 }
}

/// The contents of the record at key 0: 88 bytes. A missing record stands for zeros.
///
/// A push does not write it. The last number follows from the newest record; the number of ready items follows from the number of
/// items ever pushed and the numbers of those that are gone, leased, delayed or dead. So a push changes only the end of the
/// database.
@usableFromInline
struct QueueState {
  /// The last number that was assigned, which is also the number of items ever pushed.
  var lastSequence: UInt64 = 0
  var lastToken: UInt64 = 0
  /// The number of items that were taken permanently or removed.
  var gone = 0
  var leased = 0
  var delayed = 0
  var dead = 0
  var isClosed = false
  /// The levels to which items were ever pushed, one bit each.
  var levels: UInt8 = 1 << 4
  /// For each level, the number of items in its first fresh record that are gone.
  var skipped = [8 of UInt32](repeating: 0)

  /// The number of items that can be taken.
  var ready: Int { Int(lastSequence) - gone - leased - delayed - dead }

  static let byteCount = 88

  init() {}

  /// Returns nil when the bytes are not a valid state.
  init?(_ bytes: RawSpan) {
    guard bytes.byteCount == Self.byteCount else { return nil }
    func number(_ offset: Int) -> UInt64 { bytes.littleEndian(at: offset) ?? 0 }
    // These bounds are far below the values at which adding one would overflow.
    guard number(0) < 1 << 55, number(8) < 1 << 62 else { return nil }
    func count(_ offset: Int) -> Int { Int(min(number(offset), QueueArea.numberMask)) }
    lastSequence = number(0)
    lastToken = number(8)
    (gone, leased, delayed, dead) = (count(16), count(24), count(32), count(40))
    isClosed = number(48) & 1 == 1
    levels |= UInt8(truncatingIfNeeded: number(48) >> 8)
    for level in skipped.indices { skipped[level] = bytes.littleEndian(at: 56 + 4 * level) ?? 0 }
  }

  func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    let flags: UInt64 = (isClosed ? 1 : 0) | UInt64(levels) << 8
    let words: [11 of UInt64] = [
      lastSequence.littleEndian, lastToken.littleEndian, UInt64(clamping: gone).littleEndian,
      UInt64(clamping: leased).littleEndian, UInt64(clamping: delayed).littleEndian,
      UInt64(clamping: dead).littleEndian, flags.littleEndian,
      pair(0).littleEndian, pair(2).littleEndian, pair(4).littleEndian, pair(6).littleEndian,
    ]
    return LMDBShare.withBytes(of: words, body)
  }

  private func pair(_ level: Int) -> UInt64 { UInt64(skipped[level]) | UInt64(skipped[level + 1]) << 32 }

  /// Whether anything but the last number differs.
  func differs(from other: QueueState) -> Bool {
    var mine = self
    mine.lastSequence = other.lastSequence
    return mine.withBytes { mine in other.withBytes { !mine.hasSameBytes(as: $0) } }
  }
}

/// A record of items that were pushed together: their number (`u32`), the offsets after the table at which they end (`u32` each),
/// and their bytes.
@usableFromInline
struct QueueChunk: ~Escapable {
  @usableFromInline let bytes: RawSpan
  @usableFromInline let count: Int

  /// A record is filled up to this size, which with LMDB's page header makes four pages. A larger item has a record of its own.
  @usableFromInline static let mostBytes = 4 * 4096 - 16

  /// The number of bytes that a record of one item has besides the item.
  static let overhead = 8

  /// Returns nil when the bytes are not a valid record.
  @_lifetime(copy bytes)
  init?(_ bytes: RawSpan) {
    guard let count = bytes.littleEndian(at: 0, UInt32.self), count > 0, count <= 1 << 24,
      4 + 4 * Int(count) <= bytes.byteCount
    else { return nil }
    self.count = Int(count)
    self.bytes = bytes
  }

  /// Returns the bytes of an item; nil when the table is invalid.
  @inlinable
  @_lifetime(copy self)
  func item(_ index: Int) -> RawSpan? {
    guard index >= 0, index < count else { return nil }
    let start = index == 0 ? 0 : Int(bytes.littleEndian(at: 4 * index, UInt32.self) ?? 0)
    let end = Int(bytes.littleEndian(at: 4 + 4 * index, UInt32.self) ?? 0)
    let base = 4 + 4 * count
    guard start <= end, base + end <= bytes.byteCount else { return nil }
    return bytes.extracting(base + start..<base + end)
  }
}

/// Collects items for a record.
@usableFromInline
struct QueueChunkBuilder: ~Copyable, Sendable {
  private var items = ByteWriter()
  private var ends: [UInt32] = []

  init() {}
  var count: Int { ends.count }

  /// Whether an item of this size fits into the record.
  func hasRoom(_ byteCount: Int) -> Bool {
    ends.isEmpty || items.count + byteCount + 4 * ends.count + 8 <= QueueChunk.mostBytes
  }

  mutating func append(_ item: RawSpan) {
    items.append(item)
    ends.append(UInt32(truncatingIfNeeded: items.count))
  }

  /// Appends the record to `writer`, and empties the builder.
  mutating func finish(into writer: inout ByteWriter) {
    writer.append(littleEndian: UInt32(ends.count))
    writer.append(littleEndian: ends)
    items.withBytes { writer.append($0) }
    removeAll()
  }

  /// Calls `body` with the record, and empties the builder.
  mutating func finish(_ body: (RawSpan) -> Void) {
    var record = ByteWriter(capacity: 4 + 4 * ends.count + items.count)
    finish(into: &record)
    record.withBytes(body)
  }

  mutating func removeAll() {
    items.removeAll()
    ends.removeAll(keepingCapacity: true)
  }

  /// Calls `body` with the record of a single item.
  static func single(_ item: RawSpan, _ body: (RawSpan) -> Void) {
    var record = ByteWriter(capacity: 8 + item.byteCount)
    record.append(littleEndian: 1 as UInt32)
    record.append(littleEndian: UInt32(truncatingIfNeeded: item.byteCount))
    record.append(item)
    record.withBytes(body)
  }
}

/// An item with a history: a header of 48 bytes with its history, then the reason (for dead letters), then the item.
@usableFromInline
struct QueueRecord {
  var sequence: UInt64
  /// The token of the current lease.
  var token: UInt64 = 0
  var owner = OwnerID.none
  /// The time at which the lease ends, the delay ends, or the item became a dead letter: microseconds by the store's clock.
  var time: UInt64 = 0
  /// The number of times that the item has been leased.
  var attempts: UInt32 = 0
  var processID: UInt32 = 0
  var level: Int

  static let byteCount = 48

  init(_ sequence: UInt64, level: Int) {
    self.sequence = sequence
    self.level = level
  }

  /// Returns nil when the bytes are not a valid record.
  init?(_ bytes: RawSpan) {
    func word(_ offset: Int) -> UInt64? { bytes.littleEndian(at: offset) }
    func half(_ offset: Int) -> UInt32? { bytes.littleEndian(at: offset) }
    // No valid record has a number so large that it overlaps the area of a key.
    guard bytes.byteCount >= Self.byteCount, let sequence = word(0), let token = word(8), let owner = word(16),
      let time = word(24), let attempts = half(32), let processID = half(36), let level = half(40),
      level < QueuePriority.levels, let reason = half(44), Int(reason) <= bytes.byteCount - Self.byteCount,
      sequence < 1 << 55
    else { return nil }
    (self.sequence, self.token, self.owner, self.time) = (sequence, token, OwnerID(owner), time)
    (self.attempts, self.processID, self.level) = (attempts, processID, Int(level))
  }

  /// Returns the item after a record's header.
  @_lifetime(copy bytes)
  static func item(_ bytes: RawSpan) -> RawSpan {
    let start = Self.byteCount + Int(bytes.littleEndian(at: 44, UInt32.self) ?? 0)
    return bytes.extracting(min(start, bytes.byteCount)..<bytes.byteCount)
  }

  /// Returns the reason why an item is a dead letter.
  static func reason(_ bytes: RawSpan) -> String {
    let end = Self.byteCount + Int(bytes.littleEndian(at: 44, UInt32.self) ?? 0)
    return bytes.extracting(Self.byteCount..<min(end, bytes.byteCount)).utf8String() ?? ""
  }

  func withBytes(reason: String = "", _ item: RawSpan, _ body: (RawSpan) -> Void) {
    var record = ByteWriter(capacity: Self.byteCount + reason.utf8.count + item.byteCount)
    for word in [sequence, token, owner.number, time] { record.append(littleEndian: word) }
    for half in [attempts, processID, UInt32(level), UInt32(reason.utf8.count)] { record.append(littleEndian: half) }
    record.append(contentsOf: reason.utf8)
    record.append(item)
    record.withBytes(body)
  }
}
