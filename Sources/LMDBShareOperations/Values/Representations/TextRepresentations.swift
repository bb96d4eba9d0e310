package import LMDBShare

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Text, unchanged.
package struct StringRepresentation: Representation {
  package init() {}
  package var identifier: String { "string" }
  package var title: String { "string" }
  package var isKey: Bool { true }

  package func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure) {
    guard isUTF8(bytes) else { throw DecodingFailure("\(bytes.byteCount) bytes are not UTF-8") }
    json.string(bytes)
  }

  @_lifetime(json: copy json)
  package func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem) {
    try json.string(into: &writer)
  }

  @_lifetime(reader: copy reader)
  package func writePart(_ reader: inout ByteReader, as json: inout JSONWriter) throws(DecodingFailure) {
    let bytes = try reader.escapedBytes()
    guard String(validating: bytes, as: UTF8.self) != nil else { throw DecodingFailure("a part is not UTF-8") }
    withBytes(of: bytes) { json.string($0) }
  }

  @_lifetime(json: copy json)
  package func encodePart(_ json: inout JSONReader, into writer: inout ByteWriter) throws(ValueProblem) {
    UTF8Codec.encodeComponent(try json.string(), into: &writer)
  }

  package func encode(argument: String, isKey: Bool) throws(ValueProblem) -> [UInt8] { Array(argument.utf8) }
  package func keyPrefix(_ argument: String) throws(ValueProblem) -> [UInt8]? { Array(argument.utf8) }
  package func text(_ bytes: RawSpan, isKey: Bool, limit: Int) -> String { Printable.text(bytes, limit: limit) }
  package func textStart(_ bytes: RawSpan) -> Int? { 0 }
}

/// A program's own JSON, unchanged.
struct JSONRepresentation: CompoundRepresentation {
  static let opening = "json("
  static let forms = "json(Name)"
  let name: String

  init?(_ parser: inout Representations.Parser) {
    guard let name = parser.balanced() else { return nil }
    self.name = String(name)
  }

  var identifier: String { "json(\(name))" }
  var title: String { "JSON (of \(name))" }
  var mayBeNull: Bool { true }
  var comparesByMeaning: Bool { true }

  func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure) {
    var reader = JSONReader(bytes)
    do throws(ValueProblem) {
      _ = try reader.skip()
      try reader.end()
    } catch {
      throw DecodingFailure(error.description)
    }
    guard Printable.isSafe(bytes) else { throw DecodingFailure("its JSON cannot stand in a line as it is") }
    json.verbatim(bytes)
  }

  func isSame(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    if first == second { return true }
    guard let a = withBytes(of: first, { JSONValue($0) }), let b = withBytes(of: second, { JSONValue($0) }) else {
      return false
    }
    return a == b
  }

  @_lifetime(json: copy json)
  func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem) {
    let text = try json.skip()
    writer.append(json.bytes.extracting(text))
  }

  func problem(_ argument: String, _ reason: String) -> ValueProblem { .quoting(argument, title, reason) }

  func text(_ bytes: RawSpan, isKey: Bool, limit: Int) -> String { Printable.json(bytes, limit: limit) }
  func textStart(_ bytes: RawSpan) -> Int? { 0 }
}

extension ValueProblem {
  /// The reason why an argument is not JSON: most often, it is text without quotation marks.
  static func quoting(_ argument: String, _ title: String, _ reason: String) -> ValueProblem {
    let shown = Printable.text(argument, limit: 50)
    let isWord = argument.first?.isLetter ?? false
    let advice = isWord ? "quote text, as in '\"\(shown)\"'" : reason
    return ValueProblem("\(shown) is not a valid value of type \(title): \(advice)")
  }
}

/// A text that must be one of a codec's, unchanged. In JSON it may be a number.
struct TextRepresentation<C: Codec>: Representation {
  let title: String
  var identifier: String { C.identifier }

  func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure) {
    _ = try C.decode(bytes)
    json.string(bytes)
  }

  @_lifetime(json: copy json)
  func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem) {
    let text = try json.kind() == .number ? try json.number() : try json.string()
    let isValid = withUTF8(of: text) { bytes in
      writer.append(bytes)
      return (try? C.decode(bytes)) != nil
    }
    guard isValid else { throw json.problem("no \(title)") }
  }

  func isString(argument: String) -> Bool { true }
}

/// Bytes that JSON can only contain as base64. An argument is their text, `0x…` or `base64:…`.
package protocol RawRepresentation: Representation {}

extension RawRepresentation {
  package func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure) {
    if let fixedSize, bytes.byteCount != fixedSize {
      throw DecodingFailure("\(bytes.byteCount) bytes instead of \(fixedSize)")
    }
    json.base64(bytes)
  }

  @_lifetime(json: copy json)
  package func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem) {
    let bytes = try json.base64()
    if let fixedSize, bytes.count != fixedSize { throw json.problem("\(bytes.count) bytes instead of \(fixedSize)") }
    writer.append(contentsOf: bytes)
  }

  package func encode(argument: String, isKey: Bool) throws(ValueProblem) -> [UInt8] {
    var bytes = Array(argument.utf8)
    if argument.hasPrefix("0x") {
      let digits = bytes.dropFirst(2).map { Character(Unicode.Scalar($0)).hexDigitValue }
      guard digits.count % 2 == 0, !digits.contains(nil) else {
        throw ValueProblem("pairs of hexadecimal digits expected")
      }
      bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0]! << 4 | digits[$0 + 1]!) }
    } else if argument.hasPrefix("base64:") {
      guard let data = Data(base64Encoded: String(argument.dropFirst(7))) else { throw ValueProblem("no base64") }
      bytes = [UInt8](data)
    }
    if let fixedSize, bytes.count != fixedSize {
      throw ValueProblem("\(bytes.count) bytes instead of \(fixedSize)")
    }
    return bytes
  }

  package func text(_ bytes: RawSpan, isKey: Bool, limit: Int) -> String { Types.rawText(bytes, limit) }
}

extension JSONReader {
  @_lifetime(self: copy self)
  mutating func base64() throws(ValueProblem) -> [UInt8] {
    guard let data = Data(base64Encoded: try string()) else { throw problem("no base64") }
    return [UInt8](data)
  }
}

/// Bytes of any number.
package struct BytesRepresentation: RawRepresentation {
  package init() {}
  package var identifier: String { "bytes" }
  package var title: String { "bytes" }
  package var isKey: Bool { true }

  @_lifetime(reader: copy reader)
  package func writePart(_ reader: inout ByteReader, as json: inout JSONWriter) throws(DecodingFailure) {
    withBytes(of: try reader.escapedBytes()) { json.base64($0) }
  }

  @_lifetime(json: copy json)
  package func encodePart(_ json: inout JSONReader, into writer: inout ByteWriter) throws(ValueProblem) {
    BytesKeyCodec.encodeComponent(try json.base64(), into: &writer)
  }

  package func keyPrefix(_ argument: String) throws(ValueProblem) -> [UInt8]? {
    try encode(argument: argument, isKey: true)
  }
}

/// A program's own bytes of a known size.
struct BitsRepresentation: RawRepresentation, CompoundRepresentation {
  static let opening = "bits("
  static let forms = "bits(Name,SIZE)"
  let name: String
  let size: Int

  init?(_ parser: inout Representations.Parser) {
    guard let inner = parser.balanced(), let comma = inner.lastIndex(of: ","),
      let size = Int(inner[inner.index(after: comma)...]), size > 0
    else {
      return nil
    }
    name = String(inner[..<comma])
    self.size = size
  }

  var identifier: String { "bits(\(name),\(size))" }
  var title: String { "\(size) bytes (of \(name))" }
  var fixedSize: Int? { size }
}

/// A program's own representation.
package struct OwnRepresentation: RawRepresentation {
  package let identifier: String
  package var title: String { identifier }
}
