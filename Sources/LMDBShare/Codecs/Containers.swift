/// Arrays: elements of a fixed size side by side, others each behind its length in four bytes, least significant first.
public enum ArrayCodec<Element: Storable>: MultiformCodec {
  /// `bytes` for `[UInt8]`, else the elements' in brackets.
  public static var identifiers: [String] {
    Element.StorageCodec.identifiers.map { $0 == "u8" ? "bytes" : "[\($0)]" }
  }

  /// Appends all elements.
  @inlinable public static func encode(
    _ value: [Element], in form: Int, into writer: inout ByteWriter
  ) throws(EncodingFailure) {
    if let bytes = same(value, as: [UInt8].self) { return writer.append(contentsOf: bytes) }
    if let size = Element.StorageCodec.fixedByteCount {
      let start = writer.count
      for element in value { try Element.StorageCodec.encode(element, in: form, into: &writer) }
      // Elements without bytes could not be counted, and elements of another size could not be separated.
      guard size > 0 || value.isEmpty, writer.count - start == size * value.count else {
        throw EncodingFailure(
          "\(value.count) elements of \(size) bytes each by their codec took \(writer.count - start) bytes")
      }
      return
    }
    for element in value {
      let start = writer.count
      writer.append(littleEndian: 0 as UInt32)
      try Element.StorageCodec.encode(element, in: form, into: &writer)
      guard let length = UInt32(exactly: writer.count - start - 4) else {
        throw EncodingFailure("an element of \(writer.count - start - 4) bytes")
      }
      writer.overwrite(at: start, littleEndian: length)
    }
  }

  /// Decodes the elements; the bytes must contain a whole number of them.
  @inlinable public static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> [Element] {
    if Element.self == UInt8.self, let array = same(bytes.copied(), as: [Element].self) { return array }
    var elements: [Element] = []
    var reader = ByteReader(bytes)
    if let size = Element.StorageCodec.fixedByteCount {
      if bytes.byteCount == 0 { return [] }
      guard size > 0, bytes.byteCount % size == 0 else { throw .size(of: identifier, bytes.byteCount) }
      elements.reserveCapacity(bytes.byteCount / size)
      while reader.remaining > 0 { elements.append(try Element.StorageCodec.decode(reader.bytes(size), in: form)) }
      return elements
    }
    while reader.remaining > 0 {
      let length = try reader.littleEndian(UInt32.self)
      elements.append(try Element.StorageCodec.decode(reader.bytes(Int(length)), in: form))
    }
    return elements
  }

  /// Calls `body` with the bytes; those of `[UInt8]` in place.
  @inlinable public static func withEncoded<R>(
    _ value: [Element], in form: Int, _ body: (RawSpan) -> R
  ) throws(EncodingFailure) -> R {
    if let bytes = same(value, as: [UInt8].self) { return withBytes(of: bytes, body) }
    var writer = ByteWriter()
    try encode(value, in: form, into: &writer)
    return writer.withBytes(body)
  }
}

/// `nil` as a byte 0, a value as a byte 1 followed by the value's bytes.
public enum OptionalCodec<Wrapped: Storable>: MultiformCodec {
  /// The wrapped type's identifiers with a question mark.
  public static var identifiers: [String] { Wrapped.StorageCodec.identifiers.map { "\($0)?" } }

  /// Appends the byte and the value.
  @inlinable public static func encode(
    _ value: Wrapped?, in form: Int, into writer: inout ByteWriter
  ) throws(EncodingFailure) {
    guard let value else { return writer.append(0) }
    writer.append(1)
    try Wrapped.StorageCodec.encode(value, in: form, into: &writer)
  }

  /// The same as that of the wrapped type.
  @inlinable public static var keepsUnknownFields: Bool { Wrapped.StorageCodec.keepsUnknownFields }

  /// Calls `body` with the byte and the value's bytes, which keep fields that the wrapped type does not have.
  @inlinable public static func withEncoded<R>(
    _ value: Wrapped?, in form: Int, changing old: [UInt8]?, _ body: (RawSpan) -> R
  ) throws(EncodingFailure) -> R {
    guard keepsUnknownFields, let value, let old, old.first == 1 else { return try withEncoded(value, in: form, body) }
    var writer = ByteWriter()
    writer.append(1)
    let bytes = try Wrapped.StorageCodec.withEncoded(value, in: form, changing: Array(old.dropFirst())) { $0.copied() }
    writer.append(contentsOf: bytes)
    return writer.withBytes(body)
  }

  /// Decodes the value, or nil from a single byte 0.
  @inlinable public static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Wrapped? {
    var reader = ByteReader(bytes)
    switch try reader.byte() {
    case 0:
      try reader.end()
      return nil
    case 1: return try Wrapped.StorageCodec.decode(reader.remainder(), in: form)
    default: throw DecodingFailure("an optional starts with neither 0 nor 1")
    }
  }

  /// Nil.
  public static var placeholder: Wrapped?? { .some(nil) }
}

/// A `BitwiseCopyable` value as it is in memory.
public enum BitwiseCodec<Value: BitwiseCopyable & Sendable>: Codec {
  /// `bits(name,size)`.
  public static var identifier: String {
    let name = (Value.self as? any Storable.Type)?.recordedName ?? String(describing: Value.self)
    return "bits(\(name),\(MemoryLayout<Value>.size))"
  }
  /// The value's size in memory.
  @inlinable public static var fixedByteCount: Int? { MemoryLayout<Value>.size }

  /// Appends the value's memory.
  @inlinable public static func encode(_ value: Value, into writer: inout ByteWriter) {
    withBytes(of: value) { writer.append($0) }
  }

  /// Decodes the value from exactly its number of bytes.
  @inlinable public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
    guard let value = bytes.bits(of: Value.self) else { throw .size(of: identifier, bytes.byteCount) }
    return value
  }

  /// Calls `body` with the value's memory.
  @inlinable public static func withEncoded<R>(_ value: Value, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    withBytes(of: value, body)
  }
}

/// An enumeration or option set as its raw value.
public enum RawValueCodec<Value: RawRepresentable>: MultiformCodec where Value.RawValue: Storable {

  /// The same as those of the raw value.
  public static var identifiers: [String] { Value.RawValue.StorageCodec.identifiers }
  /// The same as that of the raw value.
  @inlinable public static var fixedByteCount: Int? { Value.RawValue.StorageCodec.fixedByteCount }

  /// Appends the raw value.
  /// - Throws: ``EncodingFailure`` when the raw value does not convert back to the value.
  @inlinable public static func encode(
    _ value: Value, in form: Int, into writer: inout ByteWriter
  ) throws(EncodingFailure) {
    try Value.RawValue.StorageCodec.encode(try value.reversibleRawValue, in: form, into: &writer)
  }

  /// Decodes the value with the stored raw value.
  @inlinable public static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Value {
    let raw = try Value.RawValue.StorageCodec.decode(bytes, in: form)
    guard let value = Value(rawValue: raw) else { throw DecodingFailure("\(raw) is not a value of \(Value.self)") }
    return value
  }

  /// Calls `body` with the raw value's bytes.
  @inlinable public static func withEncoded<R>(
    _ value: Value, in form: Int, _ body: (RawSpan) -> R
  ) throws(EncodingFailure) -> R {
    try Value.RawValue.StorageCodec.withEncoded(try value.reversibleRawValue, in: form, body)
  }

  /// The value of the raw value's placeholder, or the first case.
  public static var placeholder: Value? {
    if let raw = Value.RawValue.StorageCodec.placeholder, let value = Value(rawValue: raw) { return value }
    return firstValue(of: Value.self)
  }
}

extension RawRepresentable {
  /// Appends the raw value, if the type creates a value from it: what could not be read back is not stored.
  @inlinable @inline(__always)
  var reversibleRawValue: RawValue {
    get throws(EncodingFailure) {
      let raw = rawValue
      guard Self(rawValue: raw) != nil else {
        throw EncodingFailure("\(Self.self) takes its raw value \(raw) for none")
      }
      return raw
    }
  }
}
