/// A type whose values can be the fields of a ``FieldStorable`` type.
///
/// The standard types, `Date`, `UUID`, `URL`, `Data` and `Decimal`, arrays, dictionaries with `String` keys and optionals of such types,
/// and ``FieldStorable`` types themselves conform. A field of any other `Codable` type is declared with
/// `Field("places", codable: \.places)`, and takes its coder's time.
///
/// An enumeration with raw values conforms by one word, and is stored as its raw value:
///
///     enum State: String, FieldValue { case ready, done }
///
/// A type of your own can have a form of its own: a number, text, boolean, byte string, or an array of such values.
///
///     struct Celsius: FieldValue {
///       var degrees: Double
///       static func writeField(_ value: Celsius, into writer: inout FieldWriter) { writer.append(value.degrees) }
///       static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Celsius { Celsius(degrees: try reader.number()) }
///     }
public protocol FieldValue: Sendable {
  /// Appends one value in CBOR.
  /// - Throws: ``EncodingFailure`` when the value has no representation.
  static func writeField(_ value: Self, into writer: inout FieldWriter) throws(EncodingFailure)

  /// Reads the value that the reader stands at.
  /// - Throws: ``DecodingFailure`` when it is not one of this type.
  static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Self

  /// Whether all that is written can be read. If not, a value is read once before it is stored, and refused if that fails. True for
  /// nearly all types of this library; false for others that do not say so.
  static var isFieldAlwaysReadable: Bool { get }

  /// Whether a field that has this value is left out. Only optionals leave out nil.
  static func isOmittedField(_ value: Self) -> Bool

  /// The value of a field that was left out; nil when the field must be there. Only optionals have one.
  static var omittedField: Self? { get }

  /// A value that stands in for one that cannot be decoded, see ``Codec/placeholder``.
  static var fieldPlaceholder: Self? { get }
}

extension FieldValue {
  /// False.
  @inlinable @inline(__always)
  public static func isOmittedField(_ value: Self) -> Bool { false }

  /// Nil.
  @inlinable public static var omittedField: Self? { nil }

  /// False.
  public static var isFieldAlwaysReadable: Bool { false }

  /// The first case of an enumeration, else nil.
  public static var fieldPlaceholder: Self? { firstValue(of: Self.self) }
}

extension FieldValue where Self: RawRepresentable, RawValue: FieldValue {
  /// Appends the raw value.
  /// - Throws: ``EncodingFailure`` when the raw value does not convert back to the value.
  @inlinable public static func writeField(_ value: Self, into writer: inout FieldWriter) throws(EncodingFailure) {
    try RawValue.writeField(value.reversibleRawValue, into: &writer)
  }

  /// Reads the value with the stored raw value.
  @inlinable public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Self {
    let raw = try RawValue.readField(reader)
    guard let value = Self(rawValue: raw) else { throw DecodingFailure("\(raw) is not a value of \(Self.self)") }
    return value
  }

  /// The same as that of the raw value.
  public static var isFieldAlwaysReadable: Bool { RawValue.isFieldAlwaysReadable }
}

// MARK: The standard types

extension FieldValue where Self: FixedWidthInteger {
  /// Appends the integer.
  @inlinable public static func writeField(_ value: Self, into writer: inout FieldWriter) { writer.append(value) }

  /// Reads an integer.
  @inlinable public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Self {
    if let value = reader.shortInteger(), let value = Self(exactly: value) { return value }
    return try reader.integer()
  }

  /// 0.
  public static var fieldPlaceholder: Self? { 0 }
  /// True.
  public static var isFieldAlwaysReadable: Bool { true }
}

extension Int: FieldValue {}
extension Int8: FieldValue {}
extension Int16: FieldValue {}
extension Int32: FieldValue {}
extension Int64: FieldValue {}
extension Int128: FieldValue {}
extension UInt: FieldValue {}
extension UInt8: FieldValue {}
extension UInt16: FieldValue {}
extension UInt32: FieldValue {}
extension UInt64: FieldValue {}
extension UInt128: FieldValue {}

extension Bool: FieldValue {
  /// Appends a boolean.
  public static func writeField(_ value: Bool, into writer: inout FieldWriter) { writer.append(value) }
  /// Reads a boolean.
  public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Bool { try reader.bool() }
  /// False.
  public static var fieldPlaceholder: Bool? { false }
  /// True.
  public static var isFieldAlwaysReadable: Bool { true }
}

extension Double: FieldValue {
  /// Appends the number.
  public static func writeField(_ value: Double, into writer: inout FieldWriter) { writer.append(value) }
  /// Reads a number.
  public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Double { try reader.number() }
  /// 0.
  public static var fieldPlaceholder: Double? { 0 }
  /// True.
  public static var isFieldAlwaysReadable: Bool { true }
}

extension Float: FieldValue {
  /// Appends the number.
  public static func writeField(_ value: Float, into writer: inout FieldWriter) {
    writer.append(CBORFloat.double(single: value.bitPattern))
  }
  /// Reads a number.
  public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Float {
    try reader.items.single(reader.position)
  }
  /// 0.
  public static var fieldPlaceholder: Float? { 0 }
  /// True.
  public static var isFieldAlwaysReadable: Bool { true }
}

extension String: FieldValue {
  /// Appends the text.
  public static func writeField(_ value: String, into writer: inout FieldWriter) { writer.append(value) }
  /// Reads a text.
  public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> String { try reader.text() }
  /// An empty text.
  public static var fieldPlaceholder: String? { "" }
  /// True.
  public static var isFieldAlwaysReadable: Bool { true }
}

extension Optional: FieldValue where Wrapped: FieldValue {
  /// Appends the value, or null.
  @inlinable public static func writeField(_ value: Wrapped?, into writer: inout FieldWriter) throws(EncodingFailure) {
    if let value { try Wrapped.writeField(value, into: &writer) } else { writer.appendNull() }
  }

  /// Reads the value, or nil from null.
  @inlinable public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Wrapped? {
    try reader.isNull() ? nil : try Wrapped.readField(reader)
  }

  /// Whether it is nil.
  @inlinable @inline(__always)
  public static func isOmittedField(_ value: Wrapped?) -> Bool { value == nil }

  /// Nil.
  @inlinable public static var omittedField: Wrapped?? { .some(nil) }

  /// Nil.
  public static var fieldPlaceholder: Wrapped?? { .some(nil) }
  /// The same as that of the wrapped type.
  public static var isFieldAlwaysReadable: Bool { Wrapped.isFieldAlwaysReadable }
}

extension Array: FieldValue where Element: FieldValue {
  /// Appends an array of the elements; bytes as a byte string.
  @inlinable public static func writeField(_ value: [Element], into writer: inout FieldWriter) throws(EncodingFailure) {
    if let bytes = same(value, as: [UInt8].self) { return withBytes(of: bytes) { writer.append($0) } }
    try writer.begin(arrayOf: value.count)
    for element in value { try Element.writeField(element, into: &writer) }
    writer.end()
  }

  /// Reads an array; bytes from an array or a byte string.
  @inlinable public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> [Element] {
    if Element.self == UInt8.self, let bytes = try reader.bytesIfAny(), let array = same(bytes, as: [Element].self) {
      return array
    }
    var elements = try reader.elements()
    var array: [Element] = []
    array.reserveCapacity(elements.likelyCount)
    while let element = try elements.next() { array.append(try Element.readField(element)) }
    return array
  }

  /// An empty array.
  public static var fieldPlaceholder: [Element]? { [] }
  /// The same as that of the elements.
  public static var isFieldAlwaysReadable: Bool { Element.isFieldAlwaysReadable }
}

extension Dictionary: FieldValue where Key == String, Value: FieldValue {
  /// Appends a map, in the order of its encoded keys.
  public static func writeField(_ value: [String: Value], into writer: inout FieldWriter) throws(EncodingFailure) {
    let keys = value.keys.map { FieldKey($0) }.sorted()
    try writer.begin(mapOf: keys.count)
    for key in keys {
      guard let value = value[key.name] else { continue }
      writer.append(key)
      try Value.writeField(value, into: &writer)
    }
    writer.end()
  }

  /// Reads a map with text keys.
  public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> [String: Value] {
    let entries = try reader.items.entries(reader.position)
    var dictionary: [String: Value] = [:]
    for name in entries.names {
      guard let position = entries.value(name) else { continue }
      dictionary[name] = try Value.readField(FieldReader(reader.items, position))
    }
    return dictionary
  }

  /// An empty dictionary.
  public static var fieldPlaceholder: [String: Value]? { [:] }
  /// The same as that of the values.
  public static var isFieldAlwaysReadable: Bool { Value.isFieldAlwaysReadable }
}
