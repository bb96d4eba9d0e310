/// Durations as a number of attoseconds, in the codec `Number`.
public enum DurationCodec<Number: Codec>: Codec where Number.Value == Int128 {
  /// `duration`.
  public static var identifier: String { "duration" }
  /// 16 bytes.
  @inlinable public static var fixedByteCount: Int? { Number.fixedByteCount }

  /// Appends the attoseconds.
  @inlinable public static func encode(_ value: Duration, into writer: inout ByteWriter) throws(EncodingFailure) {
    try Number.encode(value.attoseconds, into: &writer)
  }

  /// Decodes the duration from its attoseconds.
  @inlinable public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Duration {
    Duration(attoseconds: try Number.decode(bytes))
  }

  /// Calls `body` with the attoseconds, on the stack.
  @inlinable public static func withEncoded<R>(_ value: Duration, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    try Number.withEncoded(value.attoseconds, body)
  }
}

extension DurationCodec: KeyCodec where Number: KeyCodec {
  /// Appends the attoseconds.
  public static func encodeComponent(_ value: Duration, into writer: inout ByteWriter) throws(EncodingFailure) {
    try Number.encodeComponent(value.attoseconds, into: &writer)
  }

  /// Decodes the attoseconds.
  @_lifetime(reader: copy reader)
  public static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> Duration {
    Duration(attoseconds: try Number.decodeComponent(&reader))
  }
}

extension Duration: StorableKey, FixedSizeStorable {
  /// Attoseconds, least significant byte first.
  public typealias StorageCodec = DurationCodec<IntegerCodec<Int128>>
  /// Attoseconds, in numeric order.
  public typealias OrderedCodec = DurationCodec<OrderedIntegerCodec<Int128>>
}
