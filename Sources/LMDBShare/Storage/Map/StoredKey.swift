// How an encoded key becomes a key of LMDB, which takes 1 to 511 bytes.
//
// - Keys of a fixed size are stored as they are.
// - Of others, one without bytes cannot be stored, so a key that is nothing but zeros (of any number, none included)
//   gets one zero more; the order stays.
// - A key that would then have more than 510 bytes is stored as its first 479 bytes and its SHA-256; the value starts
//   with the key's length in four bytes, least significant first, and the whole key. Such keys sort by their first 479
//   bytes, and where these are equal in an order of their own.

@usableFromInline
enum StoredKey {
  static let longest = 510
  static let prefixBytes = 479
  @usableFromInline static let hashedBytes = 511

  /// Calls `body` with the key's stored form, given its encoded form.
  @inlinable @inline(__always)
  static func with<R>(_ encoded: RawSpan, isFixed: Bool, _ body: (RawSpan) -> R) -> R {
    if isFixed || (encoded.byteCount > 0 && encoded.byteCount <= 510 && encoded.byte(at: 0) != 0) {
      return body(encoded)
    }
    return withBytes(of: make(encoded), body)
  }

  /// The stored form of any variable-size key.
  @usableFromInline @inline(never)
  static func make(_ encoded: RawSpan) -> [UInt8] {
    var bytes = encoded.copied()
    if bytes.allSatisfy({ $0 == 0 }) { bytes.append(0) }
    guard bytes.count > longest else { return bytes }
    let whole = encoded.copied()
    return bytes[..<prefixBytes] + SHA256.digest(whole)
  }

  /// Whether the stored form leaves the key itself to the value.
  @inlinable @inline(__always)
  static func isHashed(_ stored: RawSpan, isFixed: Bool) -> Bool { !isFixed && stored.byteCount == hashedBytes }

  /// The encoded key of an entry.
  @inlinable @inline(__always)
  @_lifetime(copy stored, copy bytes)
  static func key(_ stored: RawSpan, _ bytes: RawSpan, isFixed: Bool) throws(DecodingFailure) -> RawSpan {
    guard isHashed(stored, isFixed: isFixed) else { return encoded(stored, isFixed: isFixed) }
    var reader = ByteReader(bytes)
    return try reader.bytes(Int(reader.littleEndian(UInt32.self)))
  }

  /// The value of an entry, without the long key that may stand before it.
  @inlinable @inline(__always)
  @_lifetime(copy bytes)
  static func value(_ stored: RawSpan, _ bytes: RawSpan, isFixed: Bool) throws(DecodingFailure) -> RawSpan {
    guard isHashed(stored, isFixed: isFixed) else { return bytes }
    var reader = ByteReader(bytes)
    _ = try reader.bytes(Int(reader.littleEndian(UInt32.self)))
    return reader.remainder()
  }

  /// What a hashed key's value starts with.
  static func wrap(key: RawSpan, value: RawSpan) -> [UInt8] {
    var writer = ByteWriter()
    // More than LMDB takes is refused with the whole.
    writer.append(littleEndian: UInt32(clamping: key.byteCount))
    writer.append(key)
    writer.append(value)
    return writer.finish()
  }

  /// The encoded key, given its stored form, when that is not hashed.
  @inlinable @inline(__always)
  @_lifetime(copy stored)
  static func encoded(_ stored: RawSpan, isFixed: Bool) -> RawSpan {
    isFixed || stored.byteCount == 0 || stored.byte(at: 0) != 0 ? stored : withoutAddedZero(stored)
  }

  @usableFromInline @inline(never)
  @_lifetime(copy stored)
  static func withoutAddedZero(_ stored: RawSpan) -> RawSpan {
    for index in 0..<stored.byteCount where stored.byte(at: index) != 0 { return stored }
    return stored.extracting(0..<stored.byteCount - 1)
  }

  /// The least stored key that does not start with `prefix`, or nil when there is none.
  static func successor(ofPrefix prefix: [UInt8]) -> [UInt8]? {
    var bytes = prefix
    while let last = bytes.popLast() {
      if last < 0xFF { return bytes + [last + 1] }
    }
    return nil
  }
}

extension StoredKey {
  /// A stored key for messages: as text where it is some, else in hexadecimal.
  @usableFromInline
  static func describe(_ stored: [UInt8]) -> String {
    if let text = String(validating: stored, as: UTF8.self),
      text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
    {
      return "'\(text)'"
    }
    return "0x" + stored.prefix(32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
