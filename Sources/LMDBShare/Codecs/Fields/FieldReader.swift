/// A value in CBOR (RFC 8949) from untrusted bytes: each function checks what it reads, and throws.
public struct FieldReader: Sendable {
  @usableFromInline let items: CBORItems
  /// Where the value begins.
  @usableFromInline let position: Int

  /// Stands at the value that takes all of the bytes.
  @usableFromInline init(_ bytes: RawSpan) {
    items = CBORItems(bytes)
    position = 0
  }

  @usableFromInline init(_ items: CBORItems, _ position: Int) {
    self.items = items
    self.position = position
  }

  /// The value as a boolean.
  /// - Throws: ``DecodingFailure`` when it is none, as all of these functions do.
  public func bool() throws(DecodingFailure) -> Bool { try items.bool(position) }

  /// The value as an integer; big ones of CBOR up to 128 bits.
  public func integer<T: FixedWidthInteger>(_: T.Type = T.self) throws(DecodingFailure) -> T {
    try items.integer(position)
  }

  /// The integer of a head without tags, if it fits into 64 bits.
  @usableFromInline func shortInteger() -> Int64? {
    guard let head = try? items.head(position), let value = Int64(exactly: head.value) else { return nil }
    return switch head.major {
    case CBORMajor.unsigned: value
    case CBORMajor.negative: ~value
    default: nil
    }
  }

  /// The value as a number; an integer if a `Double` has its value.
  public func number() throws(DecodingFailure) -> Double { try items.number(position) }

  /// The value as a text.
  public func text() throws(DecodingFailure) -> String { try items.text(position) }

  /// The value as bytes.
  public func bytes() throws(DecodingFailure) -> [UInt8] { try items.content(position) }

  /// The value's bytes; nil when it is not a byte string.
  @usableFromInline func bytesIfAny() throws(DecodingFailure) -> [UInt8]? {
    try items.untagged(position).major == CBORMajor.bytes ? try bytes() : nil
  }

  /// Whether the value is null.
  public func isNull() throws(DecodingFailure) -> Bool { try items.isNull(position) }

  /// The elements of an array.
  public func elements() throws(DecodingFailure) -> FieldElements {
    let (start, count) = try items.elements(position)
    return FieldElements(items: items, position: start, remaining: count)
  }

  /// The value of a map's entry; nil when the map has no such key.
  public func value(_ key: String) throws(DecodingFailure) -> FieldReader? {
    try items.entries(position).value(key).map { FieldReader(items, $0) }
  }

  /// Checks that the value is well-formed, not too deep, and takes all bytes.
  @usableFromInline func checkEnd() throws(DecodingFailure) {
    try items.checkEnd(items.skip(position))
  }

  /// What is wrong with the bytes of a type.
  @usableFromInline func failure(_ error: DecodingFailure, _ type: Any.Type) -> DecodingFailure {
    DecodingFailure("\(items.bytes.count) bytes are not a \(type) in CBOR: \(error)")
  }
}

/// The elements of an array in CBOR, one after the other.
public struct FieldElements: Sendable {
  let items: CBORItems
  /// Where the next element begins.
  var position: Int
  /// How many elements are left; nil for an array whose number of elements is not known before its end.
  var remaining: Int?

  /// The number of elements, as far as memory should be reserved for it: at most 1,024, since the number is untrusted.
  @usableFromInline var likelyCount: Int { Swift.min(remaining ?? 0, 1024) }

  /// Returns the next element, or nil at the end.
  /// - Throws: ``DecodingFailure`` when the array is malformed.
  public mutating func next() throws(DecodingFailure) -> FieldReader? {
    if let count = remaining {
      if count == 0 { return nil }
      remaining = count - 1
    } else if items.isEnd(position) {
      return nil
    }
    let element = FieldReader(items, position)
    position = try items.skip(position)
    return element
  }
}
