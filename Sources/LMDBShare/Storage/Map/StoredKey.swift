// How an encoded key becomes an LMDB key, which has 1 to 511 bytes.
//
// - Keys of a fixed size are stored as they are.
// - A variable-size key may be empty, and an empty key cannot be stored. So a key that consists only of zero bytes (of any
//   number, including none) gets one more zero byte; the order is preserved.
// - A key that would then have more than 510 bytes is stored as its first 479 bytes and its SHA-256. The value starts with the
//   length of the key in four bytes, least significant first, and the whole key. Such keys sort by their first 479 bytes; among
//   keys with equal first bytes the order is arbitrary but fixed.

@usableFromInline
enum StoredKey {
  static let longest = 510
  static let prefixBytes = 479
  @usableFromInline static let hashedBytes = 511

  /// Calls `body` with the stored form of an encoded key.
  @inlinable @inline(__always)
  static func with<R>(_ encoded: RawSpan, isFixed: Bool, _ body: (RawSpan) -> R) -> R {
    if isFixed || (encoded.byteCount > 0 && encoded.byteCount <= 510 && encoded.byte(at: 0) != 0) {
      return body(encoded)
    }
    return withBytes(of: make(encoded), body)
  }

  /// Returns the stored form of any variable-size key.
  @usableFromInline @inline(never)
  static func make(_ encoded: RawSpan) -> [UInt8] {
    var bytes = encoded.copied()
    if bytes.allSatisfy({ $0 == 0 }) { bytes.append(0) }
    guard bytes.count > longest else { return bytes }
    let whole = encoded.copied()
    return bytes[..<prefixBytes] + SHA256.digest(whole)
  }

  /// Whether this stored form is hashed, so that the value contains the key itself.
  @inlinable @inline(__always)
  static func isHashed(_ stored: RawSpan, isFixed: Bool) -> Bool { !isFixed && stored.byteCount == hashedBytes }

  /// Returns the encoded key of an entry.
  @inlinable @inline(__always)
  @_lifetime(copy stored, copy bytes)
  static func key(_ stored: RawSpan, _ bytes: RawSpan, isFixed: Bool) throws(DecodingFailure) -> RawSpan {
    guard isHashed(stored, isFixed: isFixed) else { return encoded(stored, isFixed: isFixed) }
    var reader = ByteReader(bytes)
    return try reader.bytes(Int(reader.littleEndian(UInt32.self)))
  }

  /// Returns the value of an entry, without the long key that may precede it.
  @inlinable @inline(__always)
  @_lifetime(copy bytes)
  static func value(_ stored: RawSpan, _ bytes: RawSpan, isFixed: Bool) throws(DecodingFailure) -> RawSpan {
    guard isHashed(stored, isFixed: isFixed) else { return bytes }
    var reader = ByteReader(bytes)
    _ = try reader.bytes(Int(reader.littleEndian(UInt32.self)))
    return reader.remainder()
  }

  /// Returns the stored value of a hashed key's entry: the key, followed by the value.
  static func wrap(key: RawSpan, value: RawSpan) -> [UInt8] {
    var writer = ByteWriter()
    // LMDB refuses the value when the key's length does not fit.
    writer.append(littleEndian: UInt32(clamping: key.byteCount))
    writer.append(key)
    writer.append(value)
    return writer.finish()
  }

  /// Returns the encoded key of a stored form that is not hashed.
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

  /// Returns the least stored key that is greater than all keys starting with `prefix`, or nil when there is none.
  static func successor(ofPrefix prefix: [UInt8]) -> [UInt8]? {
    var bytes = prefix
    while let last = bytes.popLast() {
      if last < 0xFF { return bytes + [last + 1] }
    }
    return nil
  }
}

extension StoredKey {
  /// Returns a stored key as text for messages: as it is if it is valid text, otherwise in hexadecimal.
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
