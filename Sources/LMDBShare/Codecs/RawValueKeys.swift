/// The raw value of an enumeration as a key.
public enum RawValueKeyCodec<Value: RawRepresentable>: KeyCodec where Value.RawValue: StorableKey {
  /// The same as that of the raw value.
  public static var identifier: String { Value.RawValue.OrderedCodec.identifier }
  /// The same as that of the raw value.
  @inlinable public static var fixedByteCount: Int? { Value.RawValue.OrderedCodec.fixedByteCount }

  /// Appends the raw value.
  @inlinable public static func encode(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure) {
    try Value.RawValue.OrderedCodec.encode(try value.reversibleRawValue, into: &writer)
  }

  @inlinable static func make(_ raw: Value.RawValue) throws(DecodingFailure) -> Value {
    guard let value = Value(rawValue: raw) else { throw DecodingFailure("\(raw) is not a value of \(Value.self)") }
    return value
  }

  /// Decodes the value with the stored raw value.
  @inlinable public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
    try make(Value.RawValue.OrderedCodec.decode(bytes))
  }

  /// Calls `body` with the raw value's bytes.
  @inlinable public static func withEncoded<R>(_ value: Value, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    try Value.RawValue.OrderedCodec.withEncoded(try value.reversibleRawValue, body)
  }

  /// Appends the raw value as a component.
  public static func encodeComponent(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure) {
    try Value.RawValue.OrderedCodec.encodeComponent(try value.reversibleRawValue, into: &writer)
  }

  /// Decodes a raw value.
  @_lifetime(reader: copy reader)
  public static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> Value {
    try make(Value.RawValue.OrderedCodec.decodeComponent(&reader))
  }

  /// The placeholder of the raw value's codec, if it has one.
  public static var placeholder: Value? {
    if let raw = Value.RawValue.OrderedCodec.placeholder, let value = Value(rawValue: raw) { return value }
    return (Value.self as? any Storable.Type).flatMap { Self.placeholder(of: $0) as? Value }
  }

  private static func placeholder<T: Storable>(of _: T.Type) -> Any? { T.StorageCodec.placeholder }
}

extension RawValueKeyCodec: PrefixCodec where Value.RawValue.OrderedCodec: PrefixCodec {}
