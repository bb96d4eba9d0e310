/// Strings as UTF-8. As keys they sort by their bytes, which is by Unicode scalars; strings that differ only in their
/// normal form are different keys.
public enum UTF8Codec: PrefixCodec {
  /// `string`.
  public static var identifier: String { "string" }

  /// Appends the string's UTF-8.
  @inlinable public static func encode(_ value: String, into writer: inout ByteWriter) {
    withUTF8(of: value) { writer.append($0) }
  }

  /// Decodes a string; the bytes must be valid UTF-8.
  @inlinable public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> String {
    guard let string = bytes.utf8String() else { throw DecodingFailure("\(bytes.byteCount) bytes are not UTF-8") }
    return string
  }

  /// Calls `body` with the string's own UTF-8.
  @inlinable @inline(__always)
  public static func withEncoded<R>(_ value: String, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    withUTF8(of: value, body)
  }

  /// Appends the string's UTF-8 with zeros escaped, and a terminator.
  public static func encodeComponent(_ value: String, into writer: inout ByteWriter) {
    writer.append(escaping: value.utf8)
  }

  /// Decodes the bytes up to the terminator.
  @_lifetime(reader: copy reader)
  public static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> String {
    let bytes = try reader.escapedBytes()
    guard let string = String(validating: bytes, as: UTF8.self) else {
      throw DecodingFailure("a component is not UTF-8")
    }
    return string
  }
}

/// Bytes as keys, unchanged.
public enum BytesKeyCodec: PrefixCodec {
  /// `bytes`.
  public static var identifier: String { "bytes" }

  /// Appends the bytes.
  @inlinable public static func encode(_ value: [UInt8], into writer: inout ByteWriter) {
    writer.append(contentsOf: value)
  }

  /// The bytes, unchanged.
  @inlinable public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> [UInt8] { bytes.copied() }

  /// Calls `body` with the bytes in place.
  @inlinable public static func withEncoded<R>(_ value: [UInt8], _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    withBytes(of: value, body)
  }

  /// Appends the bytes with zeros escaped, and a terminator.
  public static func encodeComponent(_ value: [UInt8], into writer: inout ByteWriter) { writer.append(escaping: value) }

  /// Decodes the bytes up to the terminator.
  @_lifetime(reader: copy reader)
  public static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> [UInt8] {
    try reader.escapedBytes()
  }
}

// Bytes of any length inside a key with further parts: 00 becomes 00 01, and 00 00 ends it. So a prefix sorts before longer
// bytes.

extension ByteWriter {
  mutating func append(escaping bytes: some Sequence<UInt8>) {
    for byte in bytes {
      append(byte)
      if byte == 0 { append(1) }
    }
    append(0)
    append(0)
  }
}

extension ByteReader {
  @_lifetime(self: copy self)
  package mutating func escapedBytes() throws(DecodingFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let byte = try byte()
      guard byte == 0 else {
        bytes.append(byte)
        continue
      }
      switch try self.byte() {
      case 0: return bytes
      case 1: bytes.append(0)
      default: throw DecodingFailure("a component has a wrong escape")
      }
    }
  }
}
