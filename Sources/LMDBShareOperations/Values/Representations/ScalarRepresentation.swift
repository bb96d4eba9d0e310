import LMDBShare

/// A type of the library whose values are single numbers, or have one text.
protocol JSONScalar: Storable {
  /// The name for people.
  static var title: String { get }
  /// Whether keys can have the type.
  static var isKey: Bool { get }
  /// Decodes a key.
  static func decodeKey(_ bytes: RawSpan) throws(DecodingFailure) -> Self
  /// Appends the bytes of a key.
  func encodeKey(into writer: inout ByteWriter) throws(EncodingFailure)

  /// Appends the value as JSON.
  func write(as json: inout JSONWriter)
  /// Reads the next JSON value.
  @_lifetime(json: copy json)
  static func read(_ json: inout JSONReader) throws(ValueProblem) -> Self
  /// Whether an argument without quotation marks stands for the JSON string of that text.
  static func isString(argument: String) -> Bool
  /// The sum of a number, or 0, and an amount; nil when the values are not numbers.
  static func sum(_ value: Self?, _ amount: String) throws -> Self?
}

extension JSONScalar {
  static var representation: any Representation { ScalarRepresentation<Self>() }
  static var isKey: Bool { false }
  static func decodeKey(_ bytes: RawSpan) throws(DecodingFailure) -> Self { try StorageCodec.decode(bytes) }
  func encodeKey(into writer: inout ByteWriter) throws(EncodingFailure) {
    try StorageCodec.encode(self, into: &writer)
  }
  static func isString(argument: String) -> Bool { false }
  static func sum(_ value: Self?, _ amount: String) throws -> Self? { nil }
}

extension JSONScalar where Self: StorableKey {
  static var isKey: Bool { true }
  static func decodeKey(_ bytes: RawSpan) throws(DecodingFailure) -> Self { try OrderedCodec.decode(bytes) }
  func encodeKey(into writer: inout ByteWriter) throws(EncodingFailure) {
    try OrderedCodec.encode(self, into: &writer)
  }
}

/// The representation of a number, or of a value with a text.
struct ScalarRepresentation<Value: JSONScalar>: Representation {
  let identifier = Value.StorageCodec.identifier
  let fixedSize = Value.StorageCodec.fixedByteCount
  var title: String { Value.title }
  var isKey: Bool { Value.isKey }

  func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure) {
    let value = isKey ? try Value.decodeKey(bytes) : try Value.StorageCodec.decode(bytes)
    value.write(as: &json)
  }

  @_lifetime(json: copy json)
  func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem) {
    let value = try Value.read(&json)
    do throws(EncodingFailure) {
      if isKey { try value.encodeKey(into: &writer) } else { try Value.StorageCodec.encode(value, into: &writer) }
    } catch {
      throw json.problem(error.description)
    }
  }

  func isString(argument: String) -> Bool { Value.isString(argument: argument) }

  func adding(_ amount: String, to bytes: [UInt8]?) throws -> [UInt8]? {
    let value: Value?
    do {
      value = try bytes.map { bytes in try withBytes(of: bytes) { try Value.StorageCodec.decode($0) } }
    } catch {
      throw Problem("the number that is there cannot be read: \(error)")
    }
    return try Value.sum(value, amount).map { sum in try Value.StorageCodec.withEncoded(sum) { $0.copied() } }
  }
}

/// A type whose JSON is a string, or a number with the same text.
protocol JSONText: JSONScalar {
  /// The text.
  var jsonText: String { get }
  /// The value with a text; nil when there is none.
  static func value(_ text: String) -> Self?
}

extension JSONText {
  func write(as json: inout JSONWriter) { json.string(jsonText) }

  @_lifetime(json: copy json)
  static func read(_ json: inout JSONReader) throws(ValueProblem) -> Self {
    let text = try json.kind() == .number ? try json.number() : try json.string()
    guard let value = value(text) else { throw json.problem("no \(title)") }
    return value
  }

  static func isString(argument: String) -> Bool { true }
}
