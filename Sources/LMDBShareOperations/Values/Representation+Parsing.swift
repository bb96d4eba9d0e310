package import LMDBShare

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

// The reverse: from JSON, or from an argument of the command line, to bytes.

extension Representation {
  /// Appends the bytes of the next JSON value.
  ///
  /// - Throws: When it is not a value of this representation.
  @_lifetime(json: copy json)
  package func encode(
    _ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter
  ) throws(ValueProblem) {
    switch self {
    case .integer(64, true):
      if let value = try json.integer() {
        if isKey {
          OrderedIntegerCodec<Int64>.encode(value, into: &writer)
        } else {
          IntegerCodec<Int64>.encode(value, into: &writer)
        }
      } else {
        try Representation.integer(try json.number(), 64, true, isKey, into: &writer)
      }
    case .integer(let bits, let isSigned):
      try Representation.integer(try json.number(), bits, isSigned, isKey, into: &writer)
    case .float(32): Representation.append(try Representation.float(&json, Float.self), isKey, into: &writer)
    case .float: Representation.append(try Representation.float(&json, Double.self), isKey, into: &writer)
    case .bool: writer.append(try json.bool() ? 1 : 0)
    case .string: try json.string(into: &writer)
    case .uuid:
      guard let uuid = UUID(uuidString: try json.string()) else { throw json.problem("no uuid") }
      UUIDCodec.encode(uuid, into: &writer)
    case .date:
      if try json.kind() == .string {
        let text = try json.string()
        guard let seconds = DateText.seconds(text) ?? FloatText.value(text, Double.self) else {
          throw json.problem("no date")
        }
        Representation.append(seconds, isKey, into: &writer)
      } else {
        Representation.append(try Representation.float(&json, Double.self), isKey, into: &writer)
      }
    case .bytes, .own: writer.append(contentsOf: try Representation.base64(&json))
    case .bits(_, let size):
      let bytes = try Representation.base64(&json)
      guard bytes.count == size else { throw json.problem("\(bytes.count) bytes instead of \(size)") }
      writer.append(contentsOf: bytes)
    case .optional(let wrapped): try encodeOptional(&json, wrapped, into: &writer)
    case .array(let element): try encodeArray(&json, element, into: &writer)
    case .json:
      let text = try json.skip()
      writer.append(json.bytes.extracting(text))
    case .composite(let parts): try encodeParts(&json, parts, into: &writer)
    case .dictionary(let key, let value): try encodeEntries(&json, key, value, into: &writer)
    case .set(let element): try encodeEntries(&json, element, nil, into: &writer)
    case .text(let form):
      let text = try json.kind() == .number ? try json.number() : try json.string()
      guard form.encode(text, isKey, &writer) else { throw json.problem("no \(form.title)") }
    }
  }

  /// Entries in the order of their keys, whatever their order in the JSON is.
  @_lifetime(json: copy json)
  private func encodeEntries(
    _ json: inout JSONReader, _ key: Representation, _ value: Representation?, into writer: inout ByteWriter
  ) throws(ValueProblem) {
    var entries: [(key: [UInt8], value: [UInt8])] = []
    try json.elements { (json) throws(ValueProblem) in
      var first = ByteWriter()
      var second = ByteWriter()
      if let value {
        var count = 0
        try json.elements { (json) throws(ValueProblem) in
          count += 1
          switch count {
          case 1: try key.encode(&json, isKey: true, into: &first)
          case 2: try value.encode(&json, isKey: false, into: &second)
          default: throw json.problem("[key, value] expected")
          }
        }
        guard count == 2 else { throw json.problem("[key, value] expected") }
      } else {
        try key.encode(&json, isKey: true, into: &first)
      }
      entries.append((first.finish(), second.finish()))
    }
    entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
    for index in entries.indices.dropFirst() where entries[index].key == entries[index - 1].key {
      throw json.problem("a key is repeated")
    }
    for entry in entries {
      if key.fixedSize == nil { writer.append(littleEndian: UInt32(truncatingIfNeeded: entry.key.count)) }
      writer.append(contentsOf: entry.key)
      guard let value else { continue }
      if value.fixedSize == nil { writer.append(littleEndian: UInt32(truncatingIfNeeded: entry.value.count)) }
      writer.append(contentsOf: entry.value)
    }
  }

  @_lifetime(json: copy json)
  private func encodeOptional(
    _ json: inout JSONReader, _ wrapped: Representation, into writer: inout ByteWriter
  ) throws(ValueProblem) {
    if try json.null() { return writer.append(0) }
    writer.append(1)
    guard wrapped.mayBeNull else { return try wrapped.encode(&json, isKey: false, into: &writer) }
    var inner = ByteWriter()
    var count = 0
    try json.elements { (json) throws(ValueProblem) in
      count += 1
      try wrapped.encode(&json, isKey: false, into: &inner)
    }
    guard count == 1 else { throw json.problem("null or [value] expected") }
    inner.withBytes { writer.append($0) }
  }

  @_lifetime(json: copy json)
  private func encodeArray(
    _ json: inout JSONReader, _ element: Representation, into writer: inout ByteWriter
  ) throws(ValueProblem) {
    var elements = ByteWriter()
    try json.elements { (json) throws(ValueProblem) in
      var one = ByteWriter()
      try element.encode(&json, isKey: false, into: &one)
      if element.fixedSize == nil { elements.append(littleEndian: UInt32(truncatingIfNeeded: one.count)) }
      one.withBytes { elements.append($0) }
    }
    elements.withBytes { writer.append($0) }
  }

  @_lifetime(json: copy json)
  private func encodeParts(
    _ json: inout JSONReader, _ parts: [Representation], into writer: inout ByteWriter
  ) throws(ValueProblem) {
    var all = ByteWriter()
    var index = 0
    try json.elements { (json) throws(ValueProblem) in
      guard index < parts.count else { throw json.problem("\(parts.count) parts expected") }
      switch parts[index] {
      case .string: UTF8Codec.encodeComponent(try json.string(), into: &all)
      case .bytes: BytesKeyCodec.encodeComponent(try Representation.base64(&json), into: &all)
      case .composite(let inner): try encodeParts(&json, inner, into: &all)
      case let part:
        guard part.fixedSize != nil else { throw json.problem("a part that only its program can make") }
        try part.encode(&json, isKey: true, into: &all)
      }
      index += 1
    }
    guard index == parts.count else { throw json.problem("\(parts.count) parts expected") }
    all.withBytes { writer.append($0) }
  }

  // MARK: Numbers

  private static func integer(
    _ text: String, _ bits: Int, _ isSigned: Bool, _ isKey: Bool, into writer: inout ByteWriter
  ) throws(ValueProblem) {
    switch (bits, isSigned) {
    case (8, true): try append(Int8.self, text, isKey, into: &writer)
    case (16, true): try append(Int16.self, text, isKey, into: &writer)
    case (32, true): try append(Int32.self, text, isKey, into: &writer)
    case (64, true): try append(Int64.self, text, isKey, into: &writer)
    case (_, true): try append(Int128.self, text, isKey, into: &writer)
    case (8, false): try append(UInt8.self, text, isKey, into: &writer)
    case (16, false): try append(UInt16.self, text, isKey, into: &writer)
    case (32, false): try append(UInt32.self, text, isKey, into: &writer)
    case (64, false): try append(UInt64.self, text, isKey, into: &writer)
    case (_, false): try append(UInt128.self, text, isKey, into: &writer)
    }
  }

  private static func append<T: FixedWidthInteger & BitwiseCopyable & Sendable>(
    _: T.Type, _ text: String, _ isKey: Bool, into writer: inout ByteWriter
  ) throws(ValueProblem) {
    guard let value = T(text) else {
      throw ValueProblem("\(Printable.text(text, limit: 50)) is not an integer from \(T.min) to \(T.max)")
    }
    if isKey {
      OrderedIntegerCodec<T>.encode(value, into: &writer)
    } else {
      IntegerCodec<T>.encode(value, into: &writer)
    }
  }

  private static func append<T: StorableFloat>(_ value: T, _ isKey: Bool, into writer: inout ByteWriter) {
    if isKey { OrderedFloatCodec<T>.encode(value, into: &writer) } else { FloatCodec<T>.encode(value, into: &writer) }
  }

  @_lifetime(json: copy json)
  private static func float<T: StorableFloat & LosslessStringConvertible>(
    _ json: inout JSONReader, _: T.Type
  ) throws(ValueProblem) -> T {
    if let name = try json.specialNumber(), let value = FloatText.value(name, T.self) { return value }
    if try json.kind() == .number {
      let text = try json.number()
      guard let value = T(text), value.isFinite else { throw json.problem("\(text) is out of range") }
      return value
    }
    let text = try json.string()
    guard let value = FloatText.value(text, T.self) else { throw json.problem("no number") }
    return value
  }

  @_lifetime(json: copy json)
  static func base64(_ json: inout JSONReader) throws(ValueProblem) -> [UInt8] {
    guard let data = Data(base64Encoded: try json.string()) else { throw json.problem("no base64") }
    return [UInt8](data)
  }

  // MARK: Arguments

  /// The bytes of a command-line argument: a string, date or uuid as text, bytes as text, `0x…` or `base64:…`, and everything
  /// else as JSON.
  package func encode(argument: String, isKey: Bool = false) throws(ValueProblem) -> [UInt8] {
    switch self {
    case .string: return Array(argument.utf8)
    case .bytes, .bits, .own: return try Representation.bytes(argument: argument, self)
    case .optional(.string) where argument != "null" && argument.first != "\"": return [1] + Array(argument.utf8)
    default: break
    }
    let isQuoted: Bool
    switch self {
    case .uuid: isQuoted = true
    case .text: isQuoted = true
    case .date: isQuoted = Double(argument).map { !$0.isFinite } ?? true
    case .float(32): isQuoted = FloatText.value(argument, Float.self) != nil
    case .float: isQuoted = FloatText.value(argument, Double.self) != nil
    default: isQuoted = false
    }
    let text = isQuoted && argument.first != "\"" ? "\"\(argument)\"" : argument
    return try withUTF8(of: text) { (bytes) -> Result<[UInt8], ValueProblem> in
      var json = JSONReader(bytes)
      var writer = ByteWriter()
      do throws(ValueProblem) {
        try encode(&json, isKey: isKey, into: &writer)
        try json.end()
      } catch {
        let shown = Printable.text(argument, limit: 50)
        if case .json = self, let first = argument.first, first.isLetter {
          return .failure(
            ValueProblem("\(shown) is not a valid value of type \(name): quote text, as in '\"\(shown)\"'"))
        }
        return .failure(ValueProblem("\(shown) is not a valid value of type \(name): \(error)"))
      }
      return .success(writer.finish())
    }.get()
  }

  private static func bytes(argument: String, _ representation: Representation) throws(ValueProblem) -> [UInt8] {
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
    if let size = representation.fixedSize, bytes.count != size {
      throw ValueProblem("\(bytes.count) bytes instead of \(size)")
    }
    return bytes
  }

  /// The name for people.
  package var name: String {
    switch self {
    case .integer(let bits, let isSigned): "\(isSigned ? "i" : "u")\(bits)"
    case .float(let bits): "f\(bits)"
    case .bool: "bool (true or false)"
    case .uuid: "uuid"
    case .date: "date (as 2026-01-31T12:00:00Z)"
    case .string: "string"
    case .bytes: "bytes"
    case .optional(let wrapped): "\(wrapped.name) or null"
    case .array(let element): "JSON array of \(element.name)"
    case .json(let name): "JSON (of \(name))"
    case .composite(let parts): "JSON array of \(parts.map(\.name).joined(separator: ", "))"
    case .bits(let name, let size): "\(size) bytes (of \(name))"
    case .dictionary(let key, let value): "JSON array of pairs of \(key.name) and \(value.name)"
    case .set(let element): "JSON array of \(element.name), each once"
    case .text(let form): form.title
    case .own(let identifier): identifier
    }
  }
}
