import LMDBShare

/// A value or null; a value that may be null itself in brackets.
struct OptionalRepresentation: Representation {
  let wrapped: any Representation

  var identifier: String { "\(wrapped.identifier)?" }
  var title: String { "\(wrapped.title) or null" }
  var mayBeNull: Bool { true }
  var comparesByMeaning: Bool { wrapped.comparesByMeaning }

  func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure) {
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

  @_lifetime(json: copy json)
  func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem) {
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

  /// Optional text needs no quotation marks.
  func encode(argument: String, isKey: Bool) throws(ValueProblem) -> [UInt8] {
    let isText = wrapped is StringRepresentation && argument != "null" && argument.first != "\""
    return isText ? [1] + Array(argument.utf8) : try json(argument, isKey: isKey)
  }

  func text(_ bytes: RawSpan, isKey: Bool, limit: Int) -> String {
    guard let start = textStart(bytes) else { return jsonText(bytes, isKey, limit) }
    return Printable.text(bytes.extracting(start..<bytes.byteCount), limit: limit)
  }

  func textStart(_ bytes: RawSpan) -> Int? {
    wrapped is StringRepresentation && bytes.byteCount > 0 && bytes.byte(at: 0) == 1 ? 1 : nil
  }
}

/// An array.
struct ArrayRepresentation: CompoundRepresentation {
  static let opening = "["
  static let forms = "[x] (an array)"
  let element: any Representation

  init?(_ parser: inout Representations.Parser) {
    guard let element = parser.representation(), parser.take("]") else { return nil }
    self.element = element
  }

  var identifier: String { "[\(element.identifier)]" }
  var title: String { "JSON array of \(element.title)" }
  var comparesByMeaning: Bool { element.comparesByMeaning }

  func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure) {
    if let size = element.fixedSize, bytes.byteCount % size != 0 {
      throw DecodingFailure("\(bytes.byteCount) bytes are not elements of \(size)")
    }
    var reader = ByteReader(bytes)
    json.begin("[")
    while reader.remaining > 0 {
      json.separate()
      let size = try element.size(&reader)
      try element.write(reader.bytes(size), isKey: false, as: &json)
    }
    json.end("]")
  }

  @_lifetime(json: copy json)
  func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem) {
    var elements = ByteWriter()
    try json.elements { (json) throws(ValueProblem) in
      var one = ByteWriter()
      try element.encode(&json, isKey: false, into: &one)
      element.append(one.finish(), to: &elements)
    }
    elements.withBytes { writer.append($0) }
  }
}

/// A key of several parts: an array.
struct CompositeRepresentation: CompoundRepresentation {
  static let opening = "("
  static let forms = "(x,y) (a composite)"
  let parts: [any Representation]

  init?(_ parser: inout Representations.Parser) {
    var parts: [any Representation] = []
    repeat {
      guard let part = parser.representation() else { return nil }
      parts.append(part)
    } while parser.take(",")
    guard parser.take(")") else { return nil }
    self.parts = parts
  }

  var identifier: String { "(\(parts.map(\.identifier).joined(separator: ",")))" }
  var title: String { "JSON array of \(parts.map(\.title).joined(separator: ", "))" }
  var isKey: Bool { parts.allSatisfy(\.isKey) }

  func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    try writePart(&reader, as: &json)
    try reader.end()
  }

  @_lifetime(json: copy json)
  func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem) {
    try encodePart(&json, into: &writer)
  }

  @_lifetime(reader: copy reader)
  func writePart(_ reader: inout ByteReader, as json: inout JSONWriter) throws(DecodingFailure) {
    json.begin("[")
    for part in parts {
      json.separate()
      try part.writePart(&reader, as: &json)
    }
    json.end("]")
  }

  @_lifetime(json: copy json)
  func encodePart(_ json: inout JSONReader, into writer: inout ByteWriter) throws(ValueProblem) {
    var all = ByteWriter()
    var index = 0
    try json.elements { (json) throws(ValueProblem) in
      guard index < parts.count else { throw json.problem("\(parts.count) parts expected") }
      try parts[index].encodePart(&json, into: &all)
      index += 1
    }
    guard index == parts.count else { throw json.problem("\(parts.count) parts expected") }
    all.withBytes { writer.append($0) }
  }

  /// Of the first part, without its terminator.
  func keyPrefix(_ argument: String) throws(ValueProblem) -> [UInt8]? {
    guard parts[0] is StringRepresentation else { return nil }
    return Array(argument.utf8).flatMap { $0 == 0 ? [0, 1] : [$0] }
  }
}
