/// A key of several parts, sorted by the first part, then by the second, and so on.
///
///     let sales = try store.dictionary("sales", of: Composite<String, Int>.self, Double.self)
///     try sales.updateValue(9.5, forKey: Composite("Berlin", 2026))
public struct Composite<each Part: StorableKey>: StorableKey, Comparable, CustomStringConvertible {
  /// The parts as a tuple.
  public let parts: (repeat each Part)

  /// Creates a key of these parts.
  public init(_ part: repeat each Part) { parts = (repeat each part) }

  /// Returns whether all parts are equal.
  public static func == (a: Self, b: Self) -> Bool {
    for (x, y) in repeat (each a.parts, each b.parts) {
      if x != y { return false }
    }
    return true
  }

  /// Returns whether the first key comes before the second in a dictionary: by the first parts that differ.
  public static func < (a: Self, b: Self) -> Bool { a.encoded.lexicographicallyPrecedes(b.encoded) }

  private var encoded: [UInt8] { (try? OrderedCodec.withEncoded(self) { $0.copied() }) ?? [] }

  /// Hashes all parts.
  public func hash(into hasher: inout Hasher) {
    for part in repeat each parts { hasher.combine(part) }
  }

  /// The parts in parentheses.
  public var description: String {
    var texts: [String] = []
    for part in repeat each parts { texts.append(String(describing: part)) }
    return "(\(texts.joined(separator: ", ")))"
  }

  /// The parts one after the other, each in a form that ends by itself.
  public typealias StorageCodec = CompositeCodec<repeat each Part>
  /// The parts one after the other, each in a form that ends by itself.
  public typealias OrderedCodec = CompositeCodec<repeat each Part>
}

/// Several keys one after the other, each in a form that ends by itself.
public struct CompositeCodec<each Part: StorableKey>: KeyCodec {
  /// The parts' identifiers in parentheses.
  public static var identifier: String {
    var names: [String] = []
    for name in repeat (each Part).OrderedCodec.identifier { names.append(name) }
    return "(\(names.joined(separator: ",")))"
  }

  /// Appends all parts.
  public static func encode(
    _ value: Composite<repeat each Part>, into writer: inout ByteWriter
  ) throws(EncodingFailure) {
    func append<P: StorableKey>(_ part: P, _ writer: inout ByteWriter) throws(EncodingFailure) {
      try P.OrderedCodec.encodeComponent(part, into: &writer)
    }
    for part in repeat each value.parts { try append(part, &writer) }
  }

  /// Decodes the parts; the bytes must contain nothing else.
  public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Composite<repeat each Part> {
    var reader = ByteReader(bytes)
    let value = try decodeComponent(&reader)
    try reader.end()
    return value
  }

  /// A key of placeholders.
  public static var placeholder: Composite<repeat each Part>? {
    func part<P: StorableKey>(_: P.Type) throws(DecodingFailure) -> P {
      guard let part = P.OrderedCodec.placeholder else { throw DecodingFailure("no value of \(P.self) is known") }
      return part
    }
    return try? Composite(repeat part((each Part).self))
  }

  /// Appends all parts; since each ends by itself, so does the whole.
  public static func encodeComponent(
    _ value: Composite<repeat each Part>, into writer: inout ByteWriter
  ) throws(EncodingFailure) {
    try encode(value, into: &writer)
  }

  /// Decodes all parts.
  @_lifetime(reader: copy reader)
  public static func decodeComponent(
    _ reader: inout ByteReader
  ) throws(DecodingFailure) -> Composite<repeat each Part> {
    try Composite(repeat (each Part).OrderedCodec.decodeComponent(&reader))
  }
}
