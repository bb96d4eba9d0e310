/// The representations of a type with declared fields that come after the one of its fields: JSON, if the type is `Codable`, too, and
/// those of its earlier versions.
@usableFromInline enum OtherForms<Value: Storable> {
  static var hasJSON: Bool {
    #if FoundationCodecs
      return Value.self is any Codable.Type
    #else
      return false
    #endif
  }

  /// The index of the first representation of an earlier version.
  private static var firstEarlier: Int { hasJSON ? 2 : 1 }

  @usableFromInline static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Value {
    #if FoundationCodecs
      func read<C: Codable & Storable>(_: C.Type) throws(DecodingFailure) -> Value? {
        try JSONCodec<C>.read(bytes) as? Value
      }
      if form < firstEarlier, let type = Value.self as? any (Codable & Storable).Type, let value = try read(type) {
        return value
      }
    #endif
    return try EarlierVersions.decode(bytes, in: form - firstEarlier)
  }

  @usableFromInline static func bytes(of value: Value, in form: Int) throws(EncodingFailure) -> [UInt8] {
    #if FoundationCodecs
      func bytes<C: Codable & Storable>(_ value: C) throws(EncodingFailure) -> [UInt8] {
        try JSONCodec<C>.withEncoded(value, in: 0) { $0.copied() }
      }
      if form < firstEarlier, let value = value as? any Codable & Storable { return try bytes(value) }
    #endif
    throw EarlierVersions<Value>.failure
  }
}
