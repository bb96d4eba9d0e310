// Dictionaries and sets as elements. Equal ones have equal bytes: entries are in the order of their encoded keys.

/// Dictionaries: the entries in the order of their keys, each as key and value. A part without a fixed size follows its length in
/// four bytes, least significant first.
public enum DictionaryCodec<Key: StorableKey, Value: Storable>: MultiformCodec {
  /// `{key:value}`, for each representation of the values.
  public static var identifiers: [String] {
    Value.StorageCodec.identifiers.map { "{\(Key.OrderedCodec.identifier):\($0)}" }
  }

  /// Appends the entries.
  public static func encode(
    _ value: [Key: Value], in form: Int, into writer: inout ByteWriter
  ) throws(EncodingFailure) {
    guard Key.OrderedCodec.fixedByteCount != 0 else { throw EncodingFailure("keys without bytes") }
    var entries: [(key: [UInt8], value: Value)] = []
    entries.reserveCapacity(value.count)
    for (key, value) in value { entries.append((try Key.OrderedCodec.withEncoded(key) { $0.copied() }, value)) }
    entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
    for (key, value) in entries {
      try writer.append(part: key, isFixed: Key.OrderedCodec.fixedByteCount != nil)
      let bytes = try Value.StorageCodec.withEncoded(value, in: form) { $0.copied() }
      try writer.append(part: bytes, isFixed: Value.StorageCodec.fixedByteCount != nil)
    }
  }

  /// Decodes the entries; each key must occur once, and in order.
  public static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> [Key: Value] {
    var entries: [Key: Value] = [:]
    var last: [UInt8]?
    var reader = ByteReader(bytes)
    while reader.remaining > 0 {
      let key = try reader.part(Key.OrderedCodec.fixedByteCount)
      try checkOrder(key, &last)
      let decoded = try Key.OrderedCodec.decode(key)
      let value = try Value.StorageCodec.decode(reader.part(Value.StorageCodec.fixedByteCount), in: form)
      guard entries.updateValue(value, forKey: decoded) == nil else { throw DecodingFailure("a key is repeated") }
    }
    return entries
  }
}

/// Sets: the elements as keys, in their order.
public enum SetCodec<Element: StorableKey>: Codec {
  /// `{element}`.
  public static var identifier: String { "{\(Element.OrderedCodec.identifier)}" }

  /// Appends the elements.
  public static func encode(_ value: Set<Element>, into writer: inout ByteWriter) throws(EncodingFailure) {
    guard Element.OrderedCodec.fixedByteCount != 0 else { throw EncodingFailure("elements without bytes") }
    var elements: [[UInt8]] = []
    elements.reserveCapacity(value.count)
    for element in value { elements.append(try Element.OrderedCodec.withEncoded(element) { $0.copied() }) }
    elements.sort { $0.lexicographicallyPrecedes($1) }
    for element in elements { try writer.append(part: element, isFixed: Element.OrderedCodec.fixedByteCount != nil) }
  }

  /// Decodes the elements; each must occur once, and in order.
  public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Set<Element> {
    var elements: Set<Element> = []
    var last: [UInt8]?
    var reader = ByteReader(bytes)
    while reader.remaining > 0 {
      let element = try reader.part(Element.OrderedCodec.fixedByteCount)
      try checkOrder(element, &last)
      guard elements.insert(try Element.OrderedCodec.decode(element)).inserted else {
        throw DecodingFailure("an element is repeated")
      }
    }
    return elements
  }
}

extension Dictionary: Storable where Key: StorableKey, Value: Storable {
  /// The entries in the order of their keys.
  public typealias StorageCodec = DictionaryCodec<Key, Value>
}

extension Set: Storable where Element: StorableKey {
  /// The elements in their order.
  public typealias StorageCodec = SetCodec<Element>
}

private func checkOrder(_ key: RawSpan, _ last: inout [UInt8]?) throws(DecodingFailure) {
  let key = key.copied()
  if let last, !last.lexicographicallyPrecedes(key) { throw DecodingFailure("keys out of order") }
  last = key
}

extension ByteWriter {
  /// Appends a part, after its length if that is not fixed.
  fileprivate mutating func append(part: [UInt8], isFixed: Bool) throws(EncodingFailure) {
    if !isFixed {
      guard let length = UInt32(exactly: part.count) else { throw EncodingFailure("a part of \(part.count) bytes") }
      append(littleEndian: length)
    }
    append(contentsOf: part)
  }
}

extension ByteReader {
  /// Reads a part.
  @_lifetime(copy self)
  fileprivate mutating func part(_ fixedSize: Int?) throws(DecodingFailure) -> RawSpan {
    if let fixedSize { return try bytes(fixedSize) }
    return try bytes(Int(littleEndian(UInt32.self)))
  }
}
