// CBOR (RFC 8949) in its deterministic form (section 4.2): the shortest heads and numbers, definite lengths, and maps in the order
// of their encoded keys.

/// The major types of CBOR (RFC 8949, section 3.1).
package enum CBORMajor {
  package static let unsigned: UInt8 = 0
  package static let negative: UInt8 = 1
  package static let bytes: UInt8 = 2
  package static let text: UInt8 = 3
  package static let array: UInt8 = 4
  package static let map: UInt8 = 5
  package static let tag: UInt8 = 6
  package static let other: UInt8 = 7
}

/// How many levels deep values may lie in others.
enum CBORDepth {
  static let written = 256
  /// A little more, since tags and numbers count here, too.
  static let read = written + 16
}

/// The tags that this library writes (RFC 8949, section 3.4; 37 is registered for UUIDs).
package enum CBORTag {
  package static let dateText: UInt64 = 0
  package static let secondsSince1970: UInt64 = 1
  package static let bignum: UInt64 = 2
  package static let negativeBignum: UInt64 = 3
  package static let decimal: UInt64 = 4
  package static let address: UInt64 = 32
  package static let uuid: UInt64 = 37
  package static let selfDescribed: UInt64 = 55799
}

/// The simple values and sizes of major type 7.
package enum CBORSimple {
  package static let isFalse: UInt8 = 0xF4
  package static let isTrue: UInt8 = 0xF5
  package static let null: UInt8 = 0xF6
  package static let half: UInt8 = 0xF9
  package static let single: UInt8 = 0xFA
  package static let double: UInt8 = 0xFB
  package static let end: UInt8 = 0xFF
}

extension [UInt8] {
  /// Appends the head of an item: its major type, and a number in as few bytes as possible.
  package mutating func append(cbor major: UInt8, _ value: UInt64) {
    let type = major << 5
    switch value {
    case 0..<24: append(type | UInt8(value))
    case 24...0xFF:
      append(type | 24)
      append(UInt8(value))
    case 0x100...0xFFFF:
      append(type | 25)
      append(bigEndian: UInt16(value))
    case 0x1_0000...0xFFFF_FFFF:
      append(type | 26)
      append(bigEndian: UInt32(value))
    default:
      append(type | 27)
      append(bigEndian: value)
    }
  }

  private mutating func append<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T) {
    withBytes(of: value.bigEndian) { append(copying: $0) }
  }

  /// Appends an integer.
  mutating func append(cborInteger value: some FixedWidthInteger) {
    if let small = UInt64(exactly: value) {
      append(cbor: CBORMajor.unsigned, small)
    } else if let small = Int64(exactly: value) {
      append(cbor: CBORMajor.negative, UInt64(bitPattern: ~small))
    } else {
      append(cborMagnitude: UInt128(truncatingIfNeeded: value.magnitude), isNegative: value < 0)
    }
  }

  /// Appends an integer as its magnitude and sign; a negative one is written as what it is less than -1.
  package mutating func append(cborMagnitude magnitude: UInt128, isNegative: Bool) {
    let isNegative = isNegative && magnitude > 0
    let number = isNegative ? magnitude - 1 : magnitude
    if let small = UInt64(exactly: number) {
      return append(cbor: isNegative ? CBORMajor.negative : CBORMajor.unsigned, small)
    }
    append(cbor: CBORMajor.tag, isNegative ? CBORTag.negativeBignum : CBORTag.bignum)
    let count = (UInt128.bitWidth - number.leadingZeroBitCount + 7) / 8
    append(cbor: CBORMajor.bytes, UInt64(count))
    for index in (0..<count).reversed() { append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
  }

  /// Appends a number in the shortest of the three sizes that keeps its value, and all bits of one that is not a number.
  package mutating func append(cborFloat value: Double) {
    guard let single = CBORFloat.single(value) else {
      append(CBORSimple.double)
      return append(bigEndian: value.bitPattern)
    }
    guard let half = CBORFloat.half(single) else {
      append(CBORSimple.single)
      return append(bigEndian: single)
    }
    append(CBORSimple.half)
    append(bigEndian: half)
  }

  /// Appends a simple value (RFC 8949, section 3.3): one byte below 24, two from 32 on.
  package mutating func append(cborSimple value: UInt8) {
    append(cbor: CBORMajor.other, UInt64(value))
  }

  /// Appends bytes.
  mutating func append(cborBytes value: RawSpan) {
    append(cbor: CBORMajor.bytes, UInt64(value.byteCount))
    append(copying: value)
  }

  /// Appends a text.
  package mutating func append(cborText value: String) {
    withUTF8(of: value) { bytes in
      append(cbor: CBORMajor.text, UInt64(bytes.byteCount))
      append(copying: bytes)
    }
  }
}

/// Conversions between the sizes of floating-point numbers, by their bits: the conversions of the hardware make a signalling NaN
/// quiet.
enum CBORFloat {
  /// The same number in 32 bits, or nil.
  static func single(_ value: Double) -> UInt32? {
    let bits = value.bitPattern
    if value.isNaN || value.isInfinite {
      guard bits & 0x1FFF_FFFF == 0 else { return nil }
      let sign = UInt32(truncatingIfNeeded: bits >> 32) & 0x8000_0000
      return sign | 0x7F80_0000 | UInt32(truncatingIfNeeded: bits >> 29) & 0x007F_FFFF
    }
    let single = Float(value)
    return Double(single) == value ? single.bitPattern : nil
  }

  /// The same number in 16 bits, or nil.
  static func half(_ bits: UInt32) -> UInt16? {
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let exponent = Int(bits >> 23 & 0xFF)
    let fraction = bits & 0x007F_FFFF
    switch exponent {
    case 0xFF: return fraction & 0x1FFF == 0 ? sign | 0x7C00 | UInt16(truncatingIfNeeded: fraction >> 13) : nil
    case 113...142:
      guard fraction & 0x1FFF == 0 else { return nil }
      return sign | UInt16(exponent - 112) << 10 | UInt16(truncatingIfNeeded: fraction >> 13)
    case 103...112:
      // Below the normal range: the leading bit is explicit.
      let shift = 126 - exponent
      let whole = fraction | 0x0080_0000
      return whole & (1 << shift - 1) == 0 ? sign | UInt16(truncatingIfNeeded: whole >> shift) : nil
    case 0: return fraction == 0 ? sign : nil
    default: return nil
    }
  }

  /// The number of 16 bits in 64.
  static func double(half bits: UInt16) -> Double {
    let sign = UInt64(bits & 0x8000) << 48
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = UInt64(bits & 0x3FF)
    switch exponent {
    case 0x1F: return Double(bitPattern: sign | 0x7FF << 52 | fraction << 42)
    case 0:
      let value = Double(fraction) * 0x1p-24
      return sign == 0 ? value : -value
    default: return Double(bitPattern: sign | UInt64(exponent + 1008) << 52 | fraction << 42)
    }
  }

  /// The number of 32 bits in 64.
  static func double(single bits: UInt32) -> Double {
    guard bits & 0x7F80_0000 == 0x7F80_0000 else { return Double(Float(bitPattern: bits)) }
    return Double(bitPattern: UInt64(bits & 0x8000_0000) << 32 | 0x7FF << 52 | UInt64(bits & 0x007F_FFFF) << 29)
  }
}
