/// Integers, least significant byte first.
public enum IntegerCodec<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: Codec {
  /// `i64`, `u8`, …
  public static var identifier: String { "\(Value.isSigned ? "i" : "u")\(Value.bitWidth)" }
  /// The integer's size.
  @inlinable public static var fixedByteCount: Int? { MemoryLayout<Value>.size }

  /// Appends the integer's bytes.
  @inlinable public static func encode(_ value: Value, into writer: inout ByteWriter) {
    writer.append(littleEndian: value)
  }

  /// Decodes the integer from exactly its number of bytes.
  @inlinable @inline(__always)
  public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
    guard let value = bytes.littleEndian(Value.self) else { throw .size(of: identifier, bytes.byteCount) }
    return value
  }

  /// Calls `body` with the bytes, on the stack.
  @inlinable @inline(__always)
  public static func withEncoded<R>(_ value: Value, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    withBytes(of: value.littleEndian, body)
  }
}

/// Integers as keys: most significant byte first with the sign bit inverted, so that bytes sort as the numbers do.
public enum OrderedIntegerCodec<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: KeyCodec {
  /// `i64`, `u8`, …
  public static var identifier: String { IntegerCodec<Value>.identifier }
  /// The integer's size.
  @inlinable public static var fixedByteCount: Int? { MemoryLayout<Value>.size }

  @inlinable @inline(__always) static func turn(_ value: Value) -> Value { Value.isSigned ? value ^ Value.min : value }

  /// Appends the integer's bytes.
  @inlinable public static func encode(_ value: Value, into writer: inout ByteWriter) {
    writer.append(bigEndian: turn(value))
  }

  /// Decodes the integer from exactly its number of bytes.
  @inlinable @inline(__always)
  public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
    guard let value = bytes.bigEndian(Value.self) else { throw .size(of: identifier, bytes.byteCount) }
    return turn(value)
  }

  /// Calls `body` with the bytes, on the stack.
  @inlinable @inline(__always)
  public static func withEncoded<R>(_ value: Value, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    withBytes(of: turn(value).bigEndian, body)
  }

  /// Appends the integer's bytes; their number is fixed.
  public static func encodeComponent(_ value: Value, into writer: inout ByteWriter) { encode(value, into: &writer) }

  /// Decodes an integer.
  @_lifetime(reader: copy reader)
  public static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> Value {
    try decode(reader.bytes(MemoryLayout<Value>.size))
  }
}

/// A floating-point type with a bit pattern.
public protocol StorableFloat: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// An integer of the same size.
  associatedtype BitPattern: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable
  /// The value's bits.
  var bitPattern: BitPattern { get }
  /// The value of these bits.
  init(bitPattern: BitPattern)
}

extension Double: StorableFloat {}
extension Float: StorableFloat {}

/// Floating-point numbers as IEEE 754 bits, least significant byte first.
public enum FloatCodec<Value: StorableFloat>: Codec {
  /// `f64` or `f32`.
  public static var identifier: String { "f\(Value.BitPattern.bitWidth)" }
  /// The number's size.
  @inlinable public static var fixedByteCount: Int? { MemoryLayout<Value>.size }

  /// Appends the number's bits.
  @inlinable public static func encode(_ value: Value, into writer: inout ByteWriter) {
    writer.append(littleEndian: value.bitPattern)
  }

  /// Decodes the number from exactly its number of bytes.
  @inlinable @inline(__always)
  public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
    guard let bits = bytes.littleEndian(Value.BitPattern.self) else { throw .size(of: identifier, bytes.byteCount) }
    return Value(bitPattern: bits)
  }

  /// Calls `body` with the bytes, on the stack.
  @inlinable @inline(__always)
  public static func withEncoded<R>(_ value: Value, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    withBytes(of: value.bitPattern.littleEndian, body)
  }
}

/// Floating-point numbers as keys: bits most significant byte first, all inverted for negative numbers, only the sign for
/// others. Equal numbers are one key: -0 is stored as 0, and every NaN as the one that sorts after infinity.
public enum OrderedFloatCodec<Value: StorableFloat>: KeyCodec {
  /// `f64` or `f32`.
  public static var identifier: String { FloatCodec<Value>.identifier }
  /// The number's size.
  @inlinable public static var fixedByteCount: Int? { MemoryLayout<Value>.size }

  @inlinable static var sign: Value.BitPattern { 1 << (Value.BitPattern.bitWidth - 1) }

  @inlinable static func ordered(_ value: Value) -> Value.BitPattern {
    if value.isNaN { return Value.BitPattern.max }
    if value == 0 { return sign }
    let bits = value.bitPattern
    return bits & sign != 0 ? ~bits : bits | sign
  }

  /// Appends the number's bits.
  @inlinable public static func encode(_ value: Value, into writer: inout ByteWriter) {
    writer.append(bigEndian: ordered(value))
  }

  /// Decodes the number from exactly its number of bytes.
  @inlinable public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
    guard let bits = bytes.bigEndian(Value.BitPattern.self) else { throw .size(of: identifier, bytes.byteCount) }
    return Value(bitPattern: bits & sign != 0 ? bits ^ sign : ~bits)
  }

  /// Calls `body` with the bytes, on the stack.
  @inlinable public static func withEncoded<R>(
    _ value: Value, _ body: (RawSpan) -> R
  ) throws(EncodingFailure) -> R {
    withBytes(of: ordered(value).bigEndian, body)
  }

  /// Appends the number's bits; their size is fixed.
  public static func encodeComponent(_ value: Value, into writer: inout ByteWriter) { encode(value, into: &writer) }

  /// Decodes a number.
  @_lifetime(reader: copy reader)
  public static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> Value {
    try decode(reader.bytes(MemoryLayout<Value>.size))
  }
}

/// `false` as 0, `true` as 1.
public enum BoolCodec: KeyCodec {
  /// `bool`.
  public static var identifier: String { "bool" }
  /// One byte.
  @inlinable public static var fixedByteCount: Int? { 1 }

  /// Appends one byte.
  @inlinable public static func encode(_ value: Bool, into writer: inout ByteWriter) { writer.append(value ? 1 : 0) }

  /// Decodes a single byte, 0 or 1.
  @inlinable public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Bool {
    guard let byte = bytes.littleEndian(UInt8.self) else { throw .size(of: identifier, bytes.byteCount) }
    guard byte <= 1 else { throw DecodingFailure("\(byte) is not a bool") }
    return byte == 1
  }

  /// Calls `body` with the byte, on the stack.
  @inlinable public static func withEncoded<R>(_ value: Bool, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    withBytes(of: value ? 1 : 0 as UInt8, body)
  }

  /// Appends one byte.
  public static func encodeComponent(_ value: Bool, into writer: inout ByteWriter) { encode(value, into: &writer) }

  /// Decodes one byte.
  @_lifetime(reader: copy reader)
  public static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> Bool {
    try decode(reader.bytes(1))
  }
}

extension DecodingFailure {
  @usableFromInline static func size(of type: String, _ count: Int) -> DecodingFailure {
    DecodingFailure("\(count) bytes are not a valid \(type)")
  }
}
