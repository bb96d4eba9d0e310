/// Reads CBOR items (RFC 8949) from untrusted bytes. It accepts every well-formed encoding, not only the deterministic one that
/// this library writes.
@usableFromInline package struct CBORItems: Sendable {
  package let bytes: [UInt8]
  package init(_ bytes: [UInt8]) { self.bytes = bytes }
  package init(_ bytes: RawSpan) { self.bytes = bytes.copied() }

  /// The head of an item.
  package struct Head {
    package let major: UInt8
    /// The five low bits of the first byte.
    package let detail: UInt8
    /// The number that follows.
    package let value: UInt64
    /// Where the head ends.
    package let end: Int

    var isIndefinite: Bool { detail == 31 }
    var isEnd: Bool { major == CBORMajor.other && detail == 31 }
    var isNull: Bool { major == CBORMajor.other && (detail == 22 || detail == 23) }
  }

  @inline(__always)
  package func head(_ position: Int) throws(DecodingFailure) -> Head {
    // Most heads are one byte.
    if position < bytes.count {
      let first = bytes[position]
      let detail = first & 31
      if detail < 24 { return Head(major: first >> 5, detail: detail, value: UInt64(detail), end: position + 1) }
    }
    return try longHead(position)
  }

  @inline(never)
  private func longHead(_ position: Int) throws(DecodingFailure) -> Head {
    guard position < bytes.count else {
      throw DecodingFailure("it ends at byte \(position), in the middle of an item")
    }
    let first = bytes[position]
    let (major, detail) = (first >> 5, first & 31)
    switch detail {
    case 24...27:
      let raw = bytes.rawSpan
      let number: UInt64? =
        switch detail {
        case 24: raw.bigEndian(at: position + 1, UInt8.self).map { UInt64($0) }
        case 25: raw.bigEndian(at: position + 1, UInt16.self).map { UInt64($0) }
        case 26: raw.bigEndian(at: position + 1, UInt32.self).map { UInt64($0) }
        default: raw.bigEndian(at: position + 1, UInt64.self)
        }
      guard let value = number else { throw DecodingFailure("it ends within the head of an item") }
      let count = 1 << Int(detail - 24)
      if major == CBORMajor.other, detail == 24, value < 32 {
        throw DecodingFailure("a simple value of two bytes that has one of one byte, at byte \(position)")
      }
      return Head(major: major, detail: detail, value: value, end: position + 1 + count)
    case 31 where 2...5 ~= major || major == CBORMajor.other:
      return Head(major: major, detail: detail, value: 0, end: position + 1)
    default: throw DecodingFailure("a malformed head \(first) at byte \(position)")
    }
  }

  /// The head of the item at a position, behind its tags.
  func untagged(_ position: Int) throws(DecodingFailure) -> Head {
    var head = try head(position)
    var tags = 0
    while head.major == CBORMajor.tag {
      tags += 1
      guard tags < 16 else { throw DecodingFailure("more than 15 tags of one item") }
      head = try self.head(head.end)
    }
    if head.isEnd { throw DecodingFailure("an end of nothing at byte \(position)") }
    return head
  }

  /// Where the content of a string ends.
  @inline(__always)
  func end(of head: Head) throws(DecodingFailure) -> Int {
    guard let count = Int(exactly: head.value), count <= bytes.count - head.end else {
      throw DecodingFailure("\(head.value) bytes where \(bytes.count - head.end) are left")
    }
    return head.end + count
  }

  /// The number of elements of an array, or of entries of a map; nil when it is not known before its end.
  func count(_ head: Head) throws(DecodingFailure) -> Int? {
    if head.isIndefinite { return nil }
    let most = (bytes.count - head.end) / (head.major == CBORMajor.map ? 2 : 1)
    guard let count = Int(exactly: head.value), count <= most else {
      throw DecodingFailure("\(head.value) elements where \(bytes.count - head.end) bytes are left")
    }
    return count
  }

  /// Whether the item of unknown length that is open at a position ends there.
  func isEnd(_ position: Int) -> Bool { position < bytes.count && bytes[position] == CBORSimple.end }

  /// Where the item at a position ends. Checks that it is well-formed.
  package func skip(_ position: Int, _ depth: Int = 0) throws(DecodingFailure) -> Int {
    guard depth < CBORDepth.read else { throw DecodingFailure("more than \(CBORDepth.read) levels") }
    let head = try head(position)
    switch head.major {
    case CBORMajor.bytes, CBORMajor.text:
      guard head.isIndefinite else { return try end(of: head) }
      var position = head.end
      while !isEnd(position) { position = try chunk(position, head.major).upperBound }
      return position + 1
    case CBORMajor.array, CBORMajor.map:
      var position = head.end
      let parts = head.major == CBORMajor.map ? 2 : 1
      if let count = try count(head) {
        for _ in 0..<count * parts { position = try skip(position, depth + 1) }
        return position
      }
      while !isEnd(position) { for _ in 0..<parts { position = try skip(position, depth + 1) } }
      return position + 1
    case CBORMajor.tag: return try skip(head.end, depth + 1)
    default:
      if head.isEnd { throw DecodingFailure("an end of nothing at byte \(position)") }
      return head.end
    }
  }

  /// Checks that the value of a whole ends where the bytes end.
  package func checkEnd(_ end: Int) throws(DecodingFailure) {
    guard end == bytes.count else { throw DecodingFailure("more bytes after the value") }
  }

  /// Calls `body` with the position of each element of an array, or of each key of a map, which must return the next position.
  ///
  /// - Returns: Where the array or map ends.
  package func forEach(
    _ head: Head, _ body: (Int) throws(DecodingFailure) -> Int
  ) throws(DecodingFailure) -> Int {
    var position = head.end
    if let count = try count(head) {
      for _ in 0..<count { position = try body(position) }
      return position
    }
    while !isEnd(position) { position = try body(position) }
    return position + 1
  }

  /// A part of a string of unknown length.
  private func chunk(_ position: Int, _ major: UInt8) throws(DecodingFailure) -> Range<Int> {
    let head = try head(position)
    guard head.major == major, !head.isIndefinite else { throw DecodingFailure("a part of a string that is none") }
    return head.end..<(try end(of: head))
  }

  /// The content of the string with a head, in one piece.
  private func content(_ head: Head) throws(DecodingFailure) -> [UInt8] {
    guard head.isIndefinite else { return Array(bytes[head.end..<(try end(of: head))]) }
    var all: [UInt8] = []
    var position = head.end
    while !isEnd(position) {
      let part = try chunk(position, head.major)
      all.append(contentsOf: bytes[part])
      position = part.upperBound
    }
    return all
  }

  // MARK: Values

  func wrong(_ expected: StaticString, _ head: Head) -> DecodingFailure {
    let kinds = ["an integer", "a negative integer", "bytes", "a text", "an array", "a map", "a tag"]
    let found =
      head.major < 7
      ? kinds[Int(head.major)] : head.isNull ? "null" : head.detail < 24 ? "a simple value" : "a number"
    return DecodingFailure("\(found) where \(expected) is expected", isMismatch: true)
  }

  func isNull(_ position: Int) throws(DecodingFailure) -> Bool { try untagged(position).isNull }

  func bool(_ position: Int) throws(DecodingFailure) -> Bool {
    let head = try untagged(position)
    guard head.major == CBORMajor.other, head.detail == 20 || head.detail == 21 else {
      throw wrong("a boolean", head)
    }
    return head.detail == 21
  }

  package func text(_ position: Int) throws(DecodingFailure) -> String {
    let head = try untagged(position)
    guard head.major == CBORMajor.text else { throw wrong("a text", head) }
    let text: String?
    if head.isIndefinite {
      text = String(validating: try content(head), as: UTF8.self)
    } else {
      let range = head.end..<(try end(of: head))
      text = withBytes(of: bytes) { $0.extracting(range).utf8String() }
    }
    guard let text else { throw DecodingFailure("a text that is not UTF-8") }
    return text
  }

  package func content(_ position: Int) throws(DecodingFailure) -> [UInt8] {
    let head = try untagged(position)
    guard head.major == CBORMajor.bytes else { throw wrong("bytes", head) }
    return try content(head)
  }

  package func integer<T: FixedWidthInteger>(_ position: Int, _: T.Type = T.self) throws(DecodingFailure) -> T {
    let head = try head(position)
    switch head.major {
    case CBORMajor.unsigned: if let value = T(exactly: head.value) { return value }
    case CBORMajor.negative:
      if T.isSigned, T.bitWidth > 64 || head.value < 1 << (T.bitWidth - 1) {
        return ~T(truncatingIfNeeded: head.value)
      }
    default:
      let (magnitude, isNegative) = try magnitude(position)
      if !isNegative, let value = T(exactly: magnitude) { return value }
      if isNegative, magnitude <= 1 << 127, let value = T(exactly: ~Int128(bitPattern: magnitude - 1)) {
        return value
      }
    }
    throw DecodingFailure("an integer that does not fit into \(T.self)")
  }

  /// An integer, also of more than 64 bits, as its magnitude and sign.
  package func magnitude(_ position: Int) throws(DecodingFailure) -> (magnitude: UInt128, isNegative: Bool) {
    var head = try head(position)
    var tags = 0
    while head.major == CBORMajor.tag {
      if head.value == CBORTag.bignum || head.value == CBORTag.negativeBignum {
        return try bignum(head.end, isNegative: head.value == CBORTag.negativeBignum)
      }
      tags += 1
      guard tags < 16 else { throw DecodingFailure("more than 15 tags of one item") }
      head = try self.head(head.end)
    }
    switch head.major {
    case CBORMajor.unsigned: return (UInt128(head.value), false)
    case CBORMajor.negative: return (UInt128(head.value) + 1, true)
    default: throw wrong("an integer", head)
    }
  }

  /// The integer whose digits are the bytes at a position.
  private func bignum(
    _ position: Int, isNegative: Bool
  ) throws(DecodingFailure) -> (magnitude: UInt128, isNegative: Bool) {
    let digits = try content(position).drop { $0 == 0 }
    let number = digits.count > 16 ? nil : digits.reduce(0) { $0 << 8 | UInt128($1) } as UInt128?
    guard let number, !isNegative || number < .max else {
      throw DecodingFailure("an integer of more than 128 bits")
    }
    return (isNegative ? number + 1 : number, isNegative)
  }

  /// A number of any size; an integer when it has the same value.
  package func number(_ position: Int) throws(DecodingFailure) -> Double {
    let head = try untagged(position)
    switch (head.major, head.detail) {
    case (CBORMajor.other, 25): return CBORFloat.double(half: UInt16(truncatingIfNeeded: head.value))
    case (CBORMajor.other, 26): return CBORFloat.double(single: UInt32(truncatingIfNeeded: head.value))
    case (CBORMajor.other, 27): return Double(bitPattern: head.value)
    case (CBORMajor.unsigned, _): if let value = Double(exactly: head.value) { return value }
    case (CBORMajor.negative, _): if let value = Double(exactly: -1 - Int128(head.value)) { return value }
    default: throw wrong("a number", head)
    }
    throw DecodingFailure("an integer that no floating-point number equals")
  }

  func single(_ position: Int) throws(DecodingFailure) -> Float {
    // Other programs write each number with 64 bits: it is rounded.
    let value = try number(position)
    return CBORFloat.single(value).map { Float(bitPattern: $0) } ?? Float(value)
  }

  /// The elements of an array.
  func elements(_ position: Int) throws(DecodingFailure) -> (start: Int, count: Int?) {
    let head = try untagged(position)
    guard head.major == CBORMajor.array else { throw wrong("an array", head) }
    return (head.end, try count(head))
  }

  /// The entries of a map.
  func entries(_ position: Int) throws(DecodingFailure) -> CBOREntries {
    let head = try untagged(position)
    guard head.major == CBORMajor.map else { throw wrong("a map", head) }
    var named: [CBOREntries.Entry] = []
    var others: [String: Int] = [:]
    named.reserveCapacity(head.isIndefinite ? 8 : min(Int(clamping: head.value), bytes.count / 2))
    _ = try forEach(head) { (position) throws(DecodingFailure) in
      let key = try self.head(position)
      let value = try skip(position, 1)
      if key.major == CBORMajor.text, !key.isIndefinite {
        named.append(CBOREntries.Entry(key: key.end..<value, value: value))
      } else if let name = try name(position) {
        guard others.updateValue(value, forKey: name) == nil else { throw Self.repeated(name) }
      }
      return try skip(value, 1)
    }
    return try CBOREntries(self, named, others)
  }

  static func repeated(_ name: String) -> DecodingFailure {
    DecodingFailure("the key '\(name.prefix(50))' is repeated")
  }

  /// The name of a key that is not a text in one piece: the digits of an integer.
  func name(_ position: Int) throws(DecodingFailure) -> String? {
    switch try untagged(position).major {
    case CBORMajor.unsigned, CBORMajor.negative: "\(try integer(position, Int128.self))"
    case CBORMajor.text: try text(position)
    default: nil
    }
  }
}

/// Where the entries of a map lie. A class, since Swift's containers copy what they hold at each access.
final class CBOREntries: Sendable {
  struct Entry: Sendable {
    /// The bytes of the key's text.
    let key: Range<Int>
    let value: Int
  }
  let items: CBORItems
  /// In the order of the deterministic form: by length, then by bytes.
  private let named: [Entry]
  private let others: [String: Int]

  init(_ items: CBORItems, _ named: [Entry], _ others: [String: Int]) throws(DecodingFailure) {
    self.items = items
    self.named = try Self.sorted(items.bytes, named)
    self.others = others
  }

  /// Puts the keys into order, and checks that each occurs once.
  private static func sorted(_ bytes: [UInt8], _ entries: [Entry]) throws(DecodingFailure) -> [Entry] {
    if firstDisorder(bytes, entries) == nil { return entries }
    let sorted = entries.sorted { precedes(bytes, $0.key, $1.key) }
    if let index = firstDisorder(bytes, sorted) {
      throw CBORItems.repeated(withBytes(of: bytes) { $0.extracting(sorted[index].key).utf8String() } ?? "")
    }
    return sorted
  }

  private static func firstDisorder(_ bytes: [UInt8], _ entries: [Entry]) -> Int? {
    var index = 1
    while index < entries.count {
      if !precedes(bytes, entries[index - 1].key, entries[index].key) { return index }
      index += 1
    }
    return nil
  }

  private static func precedes(_ bytes: [UInt8], _ a: Range<Int>, _ b: Range<Int>) -> Bool {
    if a.count != b.count { return a.count < b.count }
    for index in 0..<a.count {
      let (x, y) = (bytes[a.lowerBound + index], bytes[b.lowerBound + index])
      if x != y { return x < y }
    }
    return false
  }

  /// Where the value of a key begins.
  func value(_ key: String) -> Int? {
    let found = withUTF8(of: key) { bytes in
      // Few entries are compared one by one, from the first of that length on.
      var index = named.count <= 8 ? 0 : firstIndex(notBefore: bytes)
      while index < named.count {
        let comparison = compare(named[index].key, bytes)
        if comparison == 0 { return named[index].value as Int? }
        if comparison > 0 { return nil }
        index += 1
      }
      return nil
    }
    return found ?? others[key]
  }

  private func firstIndex(notBefore key: RawSpan) -> Int {
    var (low, high) = (0, named.count)
    while low < high {
      let middle = low + (high - low) / 2
      if compare(named[middle].key, key) < 0 { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func compare(_ entry: Range<Int>, _ key: RawSpan) -> Int {
    if entry.count != key.byteCount { return entry.count - key.byteCount }
    for index in 0..<key.byteCount {
      let (x, y) = (items.bytes[entry.lowerBound + index], key.byte(at: index))
      if x != y { return Int(x) - Int(y) }
    }
    return 0
  }

  /// The names of all keys.
  var names: [String] {
    named.compactMap { entry in withBytes(of: items.bytes) { $0.extracting(entry.key).utf8String() } }
      + others.keys
  }
}
