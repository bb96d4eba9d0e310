// How a queue lies in its database; see OnDiskFormat.md. Keys are 64-bit integers: an area in the highest byte, a number
// below. Items that nobody has touched lie in records of one or more, as they were pushed together; items with a history
// lie by themselves, behind a header that tells it.

enum QueueArea {
  /// The state, at key 0.
  static let state: UInt64 = 0
  /// Leased items, by sequence number.
  static let leased: UInt64 = 1 << 56
  /// Items that are not due yet, by the time at which they are.
  static let delayed: UInt64 = 2 << 56
  /// Items that were given up, by sequence number.
  static let dead: UInt64 = 3 << 56
  /// From here on lie the items that can be taken.
  static let ready: UInt64 = 0x10 << 56
  static let numberMask: UInt64 = 1 << 56 - 1

  /// Ready items of a level that were leased or delayed before, by sequence number.
  static func returned(_ level: Int) -> UInt64 { UInt64(0x10 + 2 * level) << 56 }
  /// Ready items of a level as they were pushed, in records, by the sequence number of the first.
  static func fresh(_ level: Int) -> UInt64 { UInt64(0x11 + 2 * level) << 56 }
  /// The level of a ready item's key; nil when it is none.
  static func level(_ key: UInt64) -> Int? {
    let area = Int(key >> 56) - 0x10
    return area >= 0 && area < 2 * QueuePriority.levels ? area / 2 : nil
  }
  static func isFresh(_ key: UInt64) -> Bool { key >> 56 & 1 == 1 }
}

/// What the record at key 0 tells, 88 bytes; all zeros when there is none.
///
/// A push does not write it: the last number also follows from the newest record, and how many items can be taken from how
/// many have ever been pushed, are gone, leased, delayed or dead. So a push changes the end of the database alone.
@usableFromInline
struct QueueState {
  /// The number that was given last, which is how many items were ever pushed.
  var lastSequence: UInt64 = 0
  var lastToken: UInt64 = 0
  /// How many items were taken for good or removed.
  var gone = 0
  var leased = 0
  var delayed = 0
  var dead = 0
  var isClosed = false
  /// The levels on which items were ever pushed, a bit each.
  var levels: UInt8 = 1 << 4
  /// For each level how many items of its first fresh record are gone.
  var skipped = [8 of UInt32](repeating: 0)

  /// How many items can be taken.
  var ready: Int { Int(lastSequence) - gone - leased - delayed - dead }

  static let byteCount = 88

  init() {}

  /// Nil when the bytes are no state.
  init?(_ bytes: RawSpan) {
    guard bytes.byteCount == Self.byteCount else { return nil }
    func number(_ offset: Int) -> UInt64 { bytes.littleEndian(at: offset) ?? 0 }
    // Far from where adding one more overflows.
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

  /// Whether all but the last number is the same.
  func differs(from other: QueueState) -> Bool {
    var mine = self
    mine.lastSequence = other.lastSequence
    return mine.withBytes { mine in other.withBytes { !mine.hasSameBytes(as: $0) } }
  }
}

/// A record of items as they were pushed together: their number (`u32`), where each ends behind the table (`u32` each), and
/// their bytes.
@usableFromInline
struct QueueChunk: ~Escapable {
  @usableFromInline let bytes: RawSpan
  @usableFromInline let count: Int

  /// A record is filled up to this size, which with LMDB's page header is four pages; a larger item has one of its own.
  @usableFromInline static let mostBytes = 4 * 4096 - 16

  /// What a record of one item has besides the item.
  static let overhead = 8

  /// Nil when the bytes are no such record.
  @_lifetime(copy bytes)
  init?(_ bytes: RawSpan) {
    guard let count = bytes.littleEndian(at: 0, UInt32.self), count > 0, count <= 1 << 24,
      4 + 4 * Int(count) <= bytes.byteCount
    else { return nil }
    self.count = Int(count)
    self.bytes = bytes
  }

  /// The bytes of an item; nil when the table is wrong.
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

  /// Whether an item of this size still belongs in the record.
  func hasRoom(_ byteCount: Int) -> Bool {
    ends.isEmpty || items.count + byteCount + 4 * ends.count + 8 <= QueueChunk.mostBytes
  }

  mutating func append(_ item: RawSpan) {
    items.append(item)
    ends.append(UInt32(truncatingIfNeeded: items.count))
  }

  /// Appends the record to `writer`; the builder is empty then.
  mutating func finish(into writer: inout ByteWriter) {
    writer.append(littleEndian: UInt32(ends.count))
    writer.append(littleEndian: ends)
    items.withBytes { writer.append($0) }
    removeAll()
  }

  /// Calls `body` with the record; the builder is empty then.
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

/// An item with a history: what happened to it, 48 bytes, then why (for dead ones), then the item.
@usableFromInline
struct QueueRecord {
  var sequence: UInt64
  /// Of the present lease.
  var token: UInt64 = 0
  var owner = OwnerID.none
  /// By the store's clock, in microseconds: when the lease ends, the delay ends, or the item was given up.
  var time: UInt64 = 0
  /// The number of times that it has been leased.
  var attempts: UInt32 = 0
  var processID: UInt32 = 0
  var level: Int

  static let byteCount = 48

  init(_ sequence: UInt64, level: Int) {
    self.sequence = sequence
    self.level = level
  }

  /// Nil when the bytes are no such record.
  init?(_ bytes: RawSpan) {
    func word(_ offset: Int) -> UInt64? { bytes.littleEndian(at: offset) }
    func half(_ offset: Int) -> UInt32? { bytes.littleEndian(at: offset) }
    // No sound record has a number so great that it reaches into the area of a key.
    guard bytes.byteCount >= Self.byteCount, let sequence = word(0), let token = word(8), let owner = word(16),
      let time = word(24), let attempts = half(32), let processID = half(36), let level = half(40),
      level < QueuePriority.levels, let reason = half(44), Int(reason) <= bytes.byteCount - Self.byteCount,
      sequence < 1 << 55
    else { return nil }
    (self.sequence, self.token, self.owner, self.time) = (sequence, token, OwnerID(owner), time)
    (self.attempts, self.processID, self.level) = (attempts, processID, Int(level))
  }

  /// The item behind a record's header.
  @_lifetime(copy bytes)
  static func item(_ bytes: RawSpan) -> RawSpan {
    let start = Self.byteCount + Int(bytes.littleEndian(at: 44, UInt32.self) ?? 0)
    return bytes.extracting(min(start, bytes.byteCount)..<bytes.byteCount)
  }

  /// Why a dead item is dead.
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
