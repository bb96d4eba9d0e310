/// The key of a field in a map.
@usableFromInline struct FieldKey: Comparable, Sendable {
  let name: String
  /// The text in CBOR, by which the keys of a map are in order.
  let bytes: [UInt8]

  @usableFromInline init(_ name: String) {
    self.name = name
    var bytes: [UInt8] = []
    bytes.append(cborText: name)
    self.bytes = bytes
  }

  @usableFromInline static func < (a: FieldKey, b: FieldKey) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
  @usableFromInline static func == (a: FieldKey, b: FieldKey) -> Bool { a.bytes == b.bytes }
}

/// The keys of a type's fields.
@usableFromInline final class FieldKeys: Sendable {
  /// The keys, side by side in the order of a map.
  private let bytes: [UInt8]
  /// Where each key begins, and where the last one ends.
  private let starts: [Int]
  /// The first eight bytes of each key, the most significant first, filled up with zeros.
  private let words: [UInt64]
  /// For each key the position of its field in the declaration.
  @usableFromInline let fields: [Int]
  private let names: [String]
  /// A name that occurs twice.
  let repeated: String?

  /// - Parameter keys: In the order of the declaration.
  @usableFromInline init(_ keys: [FieldKey]) {
    fields = keys.indices.sorted { keys[$0] < keys[$1] }
    let sorted = fields.map { keys[$0] }
    names = sorted.map(\.name)
    bytes = sorted.flatMap(\.bytes)
    starts = sorted.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.bytes.count) }
    words = sorted.map { key in
      key.bytes.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << (56 - 8 * UInt64($1.offset)) }
    }
    repeated = zip(sorted, sorted.dropFirst()).first { $0 == $1 }?.0.name
  }

  /// The position of a name in the order of a map.
  func index(of name: String) -> Int? {
    names.firstIndex { $0.utf8.elementsEqual(name.utf8) }
  }

  /// Finds the values of the fields in a map.
  ///
  /// - Parameter positions: Gets for each field, in the order of the declaration, where its value begins, or keeps its 0.
  @usableFromInline func find(_ items: CBORItems, _ position: Int, _ positions: inout MutableSpan<Int>)
    throws(DecodingFailure)
  {
    if let repeated { throw DecodingFailure("its type declares the field '\(repeated)' twice") }
    let head = try items.map(position)
    var place = head.end
    var left = try items.count(head)
    // The keys of the map and those of the fields are both in order, and are walked together.
    var next = 0
    var last = place..<place
    let map = items.bytes.rawSpan
    while left.map({ $0 > 0 }) ?? !items.isEnd(place) {
      left = left.map { $0 - 1 }
      guard let key = items.plainKey(place) else { return try search(items, position, &positions) }
      let value = key.upperBound
      var order = -1
      while next < fields.count {
        order = compare(next, map, key)
        if order >= 0 { break }
        next += 1
      }
      if order == 0, next < fields.count {
        positions[fields[next]] = value
        next += 1
      } else if last.count > 0, !items.precedes(last, key) {
        return try search(items, position, &positions)
      }
      last = key
      place = try items.skip(value, 1)
    }
    if position == 0, left == nil { place += 1 }
    if position == 0 { try items.checkEnd(place) }
  }

  /// Finds the values of the fields in a map whose keys have another order or form.
  private func search(
    _ items: CBORItems, _ position: Int, _ positions: inout MutableSpan<Int>
  ) throws(DecodingFailure) {
    let entries = try items.entries(position)
    for (index, name) in names.enumerated() { positions[fields[index]] = entries.value(name) ?? 0 }
    if position == 0 { try items.checkEnd(items.skip(0)) }
  }

  /// Compares a key with one of a map: negative, zero or positive.
  @inline(__always)
  private func compare(_ index: Int, _ map: RawSpan, _ key: Range<Int>) -> Int {
    let start = starts[index]
    let (first, second) = (starts[index + 1] - start, key.count)
    var offset = 0
    if let word = map.bigEndian(at: key.lowerBound, UInt64.self) {
      let (x, y) = (words[index], second < 8 ? word & ~(.max >> (8 * UInt64(second))) : word)
      // Each key begins with its length, so that keys with the same bytes have the same number of bytes.
      if x != y { return x < y ? -1 : 1 }
      if first <= 8 { return first - second }
      offset = 8
    }
    while offset < min(first, second) {
      let (x, y) = (bytes[start + offset], map.byte(at: key.lowerBound + offset))
      if x != y { return x < y ? -1 : 1 }
      offset += 1
    }
    return first - second
  }
}

extension CBORItems {
  /// The head of a map.
  fileprivate func map(_ position: Int) throws(DecodingFailure) -> Head {
    let head = try untagged(position)
    guard head.major == CBORMajor.map else { throw wrong("a map", head) }
    return head
  }

  /// The bytes of a key that is a text in one piece, with the shortest head; nil for another.
  @inline(__always)
  fileprivate func plainKey(_ position: Int) -> Range<Int>? {
    guard let head = try? head(position), head.major == CBORMajor.text, !head.isIndefinite,
      head.detail < 24 || head.detail == 24 && head.value >= 24, let end = try? end(of: head)
    else { return nil }
    return position..<end
  }

  fileprivate func precedes(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
    bytes[a].lexicographicallyPrecedes(bytes[b])
  }
}
