package import LMDBShare

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

// Values as JSON, in one form for each representation, which can be converted back to the same bytes:
//
//   integers, bool, string            unchanged; no digit is lost, even with 128 bits
//   floating point                    the shortest text that reads back the same; "inf", "-inf", "nan" or "nan:BITS"
//   uuid, date                        their usual text; a number of seconds for a date that needs more than 9 decimals
//   bytes, bits, a program's own      base64
//   x?                                null or x; [x] if x may be null itself
//   [x], (x,y), {x}                   arrays; {x:y} an array of pairs
//   duration, decimal, url            their text
//   json                              unchanged

extension Representation {
  /// Appends a value as JSON.
  ///
  /// - Parameter isKey: Whether the bytes are those of a key, in sortable form.
  /// - Throws: When the bytes are not such a value, or are JSON that cannot be written in one line; part of it may have been
  ///   written.
  package func write(
    _ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter
  ) throws(DecodingFailure) {
    switch self {
    case .integer(let bits, let isSigned): json.number(try Representation.integer(bytes, bits, isSigned, isKey))
    case .float(32):
      json.float(isKey ? try OrderedFloatCodec<Float>.decode(bytes) : try FloatCodec<Float>.decode(bytes))
    case .float: json.float(try Representation.double(bytes, isKey))
    case .bool: json.bool(try BoolCodec.decode(bytes))
    case .string:
      guard isUTF8(bytes) else { throw DecodingFailure("\(bytes.byteCount) bytes are not UTF-8") }
      json.string(bytes)
    case .uuid: json.plain(try Representation.uuid(bytes))
    case .date:
      let seconds = try Representation.double(bytes, isKey)
      if let text = DateText.exact(seconds) { json.plain(text) } else { json.float(seconds) }
    case .bytes, .own: json.base64(bytes)
    case .bits(_, let size):
      guard bytes.byteCount == size else { throw DecodingFailure("\(bytes.byteCount) bytes instead of \(size)") }
      json.base64(bytes)
    case .optional(let wrapped): try writeOptional(bytes, wrapped, as: &json)
    case .array(let element): try writeArray(bytes, element, as: &json)
    case .json:
      var reader = JSONReader(bytes)
      do throws(ValueProblem) {
        _ = try reader.skip()
        try reader.end()
      } catch {
        throw DecodingFailure(error.description)
      }
      guard Printable.isSafe(bytes) else { throw DecodingFailure("its JSON cannot stand in a line as it is") }
      json.verbatim(bytes)
    case .composite(let parts):
      var reader = ByteReader(bytes)
      try writeParts(&reader, parts, as: &json)
      try reader.end()
    case .dictionary(let key, let value): try writeEntries(bytes, key, value, as: &json)
    case .set(let element): try writeEntries(bytes, element, nil, as: &json)
    case .text(let form): json.string(try form.text(bytes, isKey))
    }
  }

  private func writeOptional(
    _ bytes: RawSpan, _ wrapped: Representation, as json: inout JSONWriter
  ) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    switch try reader.byte() {
    case 0:
      try reader.end()
      json.null()
    case 1:
      if wrapped.mayBeNull { json.begin("[") }
      try wrapped.write(reader.remainder(), isKey: false, as: &json)
      if wrapped.mayBeNull { json.end("]") }
    default: throw DecodingFailure("an optional starts with neither 0 nor 1")
    }
  }

  private func writeArray(
    _ bytes: RawSpan, _ element: Representation, as json: inout JSONWriter
  ) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    json.begin("[")
    if let size = element.fixedSize, bytes.byteCount % size != 0 {
      throw DecodingFailure("\(bytes.byteCount) bytes are not elements of \(size)")
    }
    while reader.remaining > 0 {
      var length = element.fixedSize ?? 0
      if element.fixedSize == nil { length = Int(try reader.littleEndian(UInt32.self)) }
      json.separate()
      try element.write(reader.bytes(length), isKey: false, as: &json)
    }
    json.end("]")
  }

  /// The entries of a dictionary, or the elements of a set: an array, for a dictionary of pairs.
  private func writeEntries(
    _ bytes: RawSpan, _ key: Representation, _ value: Representation?, as json: inout JSONWriter
  ) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    json.begin("[")
    while reader.remaining > 0 {
      json.separate()
      if value != nil { json.begin("[") }
      if value != nil { json.separate() }
      try key.write(Self.part(&reader, key.fixedSize), isKey: true, as: &json)
      if let value {
        json.separate()
        try value.write(Self.part(&reader, value.fixedSize), isKey: false, as: &json)
        json.end("]")
      }
    }
    json.end("]")
  }

  /// A part, after its length if that is not fixed.
  @_lifetime(copy reader) @_lifetime(reader: copy reader)
  private static func part(_ reader: inout ByteReader, _ size: Int?) throws(DecodingFailure) -> RawSpan {
    if let size { return try reader.bytes(size) }
    return try reader.bytes(Int(reader.littleEndian(UInt32.self)))
  }

  @_lifetime(reader: copy reader)
  private func writeParts(
    _ reader: inout ByteReader, _ parts: [Representation], as json: inout JSONWriter
  ) throws(DecodingFailure) {
    json.begin("[")
    for part in parts {
      json.separate()
      switch part {
      case .string:
        let bytes = try reader.escapedBytes()
        guard String(validating: bytes, as: UTF8.self) != nil else { throw DecodingFailure("a part is not UTF-8") }
        withBytes(of: bytes) { json.string($0) }
      case .bytes: withBytes(of: try reader.escapedBytes()) { json.base64($0) }
      case .composite(let inner): try writeParts(&reader, inner, as: &json)
      default:
        guard let size = part.fixedSize else { throw DecodingFailure("a part that only its program knows") }
        try part.write(reader.bytes(size), isKey: true, as: &json)
      }
    }
    json.end("]")
  }

  // MARK: Numbers

  private static func integer(
    _ bytes: RawSpan, _ bits: Int, _ isSigned: Bool, _ isKey: Bool
  ) throws(DecodingFailure) -> String {
    switch (bits, isSigned) {
    case (8, true): try text(Int8.self, bytes, isKey)
    case (16, true): try text(Int16.self, bytes, isKey)
    case (32, true): try text(Int32.self, bytes, isKey)
    case (64, true): try text(Int64.self, bytes, isKey)
    case (_, true): try text(Int128.self, bytes, isKey)
    case (8, false): try text(UInt8.self, bytes, isKey)
    case (16, false): try text(UInt16.self, bytes, isKey)
    case (32, false): try text(UInt32.self, bytes, isKey)
    case (64, false): try text(UInt64.self, bytes, isKey)
    case (_, false): try text(UInt128.self, bytes, isKey)
    }
  }

  private static func text<T: FixedWidthInteger & BitwiseCopyable & Sendable>(
    _: T.Type, _ bytes: RawSpan, _ isKey: Bool
  ) throws(DecodingFailure) -> String {
    String(isKey ? try OrderedIntegerCodec<T>.decode(bytes) : try IntegerCodec<T>.decode(bytes))
  }

  static func double(_ bytes: RawSpan, _ isKey: Bool) throws(DecodingFailure) -> Double {
    isKey ? try OrderedFloatCodec<Double>.decode(bytes) : try FloatCodec<Double>.decode(bytes)
  }

  static func uuid(_ bytes: RawSpan) throws(DecodingFailure) -> String {
    guard bytes.byteCount == 16 else { throw DecodingFailure("\(bytes.byteCount) bytes are not a uuid") }
    var text = ""
    for index in 0..<16 {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      let byte = bytes.byte(at: index)
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
    return text
  }
}
