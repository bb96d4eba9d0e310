#if FoundationCodecs
  #if canImport(FoundationEssentials)
    public import FoundationEssentials
  #else
    public import Foundation
  #endif

  /// UUIDs as their 16 bytes.
  public enum UUIDCodec: KeyCodec {
    /// `uuid`.
    public static var identifier: String { "uuid" }
    /// 16 bytes.
    public static var fixedByteCount: Int? { 16 }

    /// Appends the 16 bytes.
    public static func encode(_ value: UUID, into writer: inout ByteWriter) {
      withBytes(of: value.uuid) { writer.append($0) }
    }

    /// Decodes the UUID from 16 bytes.
    public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> UUID {
      guard let uuid = bytes.bits(of: uuid_t.self) else { throw .size(of: identifier, bytes.byteCount) }
      return UUID(uuid: uuid)
    }

    /// Calls `body` with the 16 bytes, on the stack.
    public static func withEncoded<R>(_ value: UUID, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
      withBytes(of: value.uuid, body)
    }

    /// Appends the 16 bytes.
    public static func encodeComponent(_ value: UUID, into writer: inout ByteWriter) { encode(value, into: &writer) }

    /// Decodes 16 bytes.
    @_lifetime(reader: copy reader)
    public static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> UUID {
      try decode(reader.bytes(16))
    }
  }

  /// Dates as seconds since 2001-01-01 00:00 UTC, as in `Date` itself, in the codec `Number`.
  public enum DateCodec<Number: Codec>: Codec where Number.Value == Double {
    /// `date`.
    public static var identifier: String { "date" }
    /// 8 bytes.
    public static var fixedByteCount: Int? { Number.fixedByteCount }

    /// Appends the seconds.
    public static func encode(_ value: Date, into writer: inout ByteWriter) throws(EncodingFailure) {
      try Number.encode(value.timeIntervalSinceReferenceDate, into: &writer)
    }

    /// Decodes the date from its seconds.
    public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Date {
      Date(timeIntervalSinceReferenceDate: try Number.decode(bytes))
    }

    /// Calls `body` with the seconds, on the stack.
    public static func withEncoded<R>(_ value: Date, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
      try Number.withEncoded(value.timeIntervalSinceReferenceDate, body)
    }
  }

  extension DateCodec: KeyCodec where Number: KeyCodec {
    /// Appends the seconds.
    public static func encodeComponent(_ value: Date, into writer: inout ByteWriter) throws(EncodingFailure) {
      try Number.encodeComponent(value.timeIntervalSinceReferenceDate, into: &writer)
    }

    /// Decodes the seconds.
    @_lifetime(reader: copy reader)
    public static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> Date {
      Date(timeIntervalSinceReferenceDate: try Number.decodeComponent(&reader))
    }
  }

  /// `Data` as its bytes, like `[UInt8]`.
  public enum DataCodec: PrefixCodec {
    /// `bytes`.
    public static var identifier: String { "bytes" }

    /// Appends the bytes.
    public static func encode(_ value: Data, into writer: inout ByteWriter) { writer.append(contentsOf: value) }

    /// Copies the bytes.
    public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Data { Data(bytes.copied()) }

    /// Appends the bytes with zeros escaped, and a terminator.
    public static func encodeComponent(_ value: Data, into writer: inout ByteWriter) { writer.append(escaping: value) }

    /// Decodes the bytes up to the terminator.
    @_lifetime(reader: copy reader)
    public static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> Data {
      Data(try reader.escapedBytes())
    }
  }

  extension UUID: StorableKey, FixedSizeStorable {
    /// 16 bytes.
    public typealias StorageCodec = UUIDCodec
    /// 16 bytes.
    public typealias OrderedCodec = UUIDCodec
  }

  extension Date: StorableKey, FixedSizeStorable {
    /// Seconds since 2001, least significant byte first.
    public typealias StorageCodec = DateCodec<FloatCodec<Double>>
    /// Seconds since 2001, in numeric order.
    public typealias OrderedCodec = DateCodec<OrderedFloatCodec<Double>>
  }

  extension Data: StorableKey {
    /// The bytes, unchanged.
    public typealias StorageCodec = DataCodec
    /// The bytes, unchanged.
    public typealias OrderedCodec = DataCodec
  }
#endif
