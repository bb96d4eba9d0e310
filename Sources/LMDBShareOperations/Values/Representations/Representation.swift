package import LMDBShare

/// How values, or keys, lie in the file, as named in a structure's record: see OnDiskFormat.md. Each can be written as JSON, in one
/// form, which is converted back to the same bytes.
package protocol Representation: Sendable {
  /// The name in a structure's record.
  var identifier: String { get }
  /// The name for people.
  var title: String { get }
  /// The size of every value in bytes; nil when it depends on the value, or is not known.
  var fixedSize: Int? { get }
  /// Whether keys can have it.
  var isKey: Bool { get }
  /// Whether a value's JSON may be null, so that an optional needs brackets.
  var mayBeNull: Bool { get }
  /// Whether a value is, or contains, one of a program's own in JSON or CBOR, which have several forms of the same value.
  var comparesByMeaning: Bool { get }

  /// Appends a value as JSON.
  ///
  /// - Parameter isKey: Whether the bytes are those of a key, in sortable form.
  /// - Throws: When the bytes are not such a value, or are JSON that cannot be written in one line; part of it may have been
  ///   written.
  func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure)

  /// Appends the bytes of the next JSON value.
  ///
  /// - Throws: When it is not a value of this representation.
  @_lifetime(json: copy json)
  func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem)

  /// Appends the next part of a composite as JSON.
  @_lifetime(reader: copy reader)
  func writePart(_ reader: inout ByteReader, as json: inout JSONWriter) throws(DecodingFailure)

  /// Appends the bytes of the next JSON value as a part of a composite.
  @_lifetime(json: copy json)
  func encodePart(_ json: inout JSONReader, into writer: inout ByteWriter) throws(ValueProblem)

  /// The bytes of the sum of a number and an amount; nil when the values are not numbers.
  ///
  /// - Parameter bytes: Those of the number; nil for 0.
  /// - Throws: When the bytes or the amount are no number, or the sum is out of range.
  func adding(_ amount: String, to bytes: [UInt8]?) throws -> [UInt8]?

  /// The bytes of a command-line argument.
  func encode(argument: String, isKey: Bool) throws(ValueProblem) -> [UInt8]

  /// The reason why an argument is refused.
  func problem(_ argument: String, _ reason: String) -> ValueProblem

  /// Whether an argument without quotation marks stands for the JSON string of that text.
  func isString(argument: String) -> Bool

  /// The first bytes of all keys whose text begins with an argument; nil when keys have no text.
  func keyPrefix(_ argument: String) throws(ValueProblem) -> [UInt8]?

  /// A value, or a key, for people, of about `limit` bytes.
  func text(_ bytes: RawSpan, isKey: Bool, limit: Int) -> String

  /// Whether two values are equal: JSON and CBOR by their meaning, everything else by its bytes.
  func isSame(_ first: [UInt8], _ second: [UInt8]) -> Bool

  /// Where a value's own text begins, which then goes on to its end; nil when it has none.
  func textStart(_ bytes: RawSpan) -> Int?
}

extension Representation {
  /// The bytes of a command-line argument as a value.
  package func encode(argument: String) throws(ValueProblem) -> [UInt8] {
    try encode(argument: argument, isKey: false)
  }

  package func adding(_ amount: String, to bytes: [UInt8]?) throws -> [UInt8]? { nil }
  package var mayBeNull: Bool { false }
  package var comparesByMeaning: Bool { false }
  package var isKey: Bool { false }
  package var fixedSize: Int? { nil }

  @_lifetime(reader: copy reader)
  package func writePart(_ reader: inout ByteReader, as json: inout JSONWriter) throws(DecodingFailure) {
    guard let fixedSize else { throw DecodingFailure("a part that only its program knows") }
    try write(reader.bytes(fixedSize), isKey: true, as: &json)
  }

  @_lifetime(json: copy json)
  package func encodePart(_ json: inout JSONReader, into writer: inout ByteWriter) throws(ValueProblem) {
    guard fixedSize != nil else { throw json.problem("a part that only its program can make") }
    try encode(&json, isKey: true, into: &writer)
  }

  package func encode(argument: String, isKey: Bool) throws(ValueProblem) -> [UInt8] {
    try json(argument, isKey: isKey)
  }

  /// The bytes of an argument that is JSON, or the text of a JSON string.
  func json(_ argument: String, isKey: Bool) throws(ValueProblem) -> [UInt8] {
    let text = isString(argument: argument) && argument.first != "\"" ? "\"\(argument)\"" : argument
    return try withUTF8(of: text) { (bytes) -> Result<[UInt8], ValueProblem> in
      var json = JSONReader(bytes)
      var writer = ByteWriter()
      do throws(ValueProblem) {
        try encode(&json, isKey: isKey, into: &writer)
        try json.end()
      } catch {
        return .failure(problem(argument, "\(error)"))
      }
      return .success(writer.finish())
    }.get()
  }

  package func problem(_ argument: String, _ reason: String) -> ValueProblem {
    ValueProblem("\(Printable.text(argument, limit: 50)) is not a valid value of type \(title): \(reason)")
  }

  package func isString(argument: String) -> Bool { false }
  package func keyPrefix(_ argument: String) throws(ValueProblem) -> [UInt8]? { nil }
  package func textStart(_ bytes: RawSpan) -> Int? { nil }

  package func text(_ bytes: RawSpan, isKey: Bool, limit: Int) -> String { jsonText(bytes, isKey, limit) }

  /// JSON, or the text of a JSON string.
  func jsonText(_ bytes: RawSpan, _ isKey: Bool, _ limit: Int) -> String {
    var json = JSONWriter()
    do throws(DecodingFailure) {
      try write(bytes, isKey: isKey, as: &json)
    } catch {
      return "\(Types.rawText(bytes, limit)) (no \(title): \(error.description))"
    }
    return json.out.withBytes { json in
      let isQuoted = json.byteCount >= 2 && json.byte(at: 0) == UInt8(ascii: "\"")
      return Printable.json(isQuoted ? json.extracting(1..<json.byteCount - 1) : json, limit: limit)
    }
  }

  /// The size of a value: that of all, or, when they differ, one that is read first.
  @_lifetime(reader: copy reader)
  func size(_ reader: inout ByteReader) throws(DecodingFailure) -> Int {
    if let fixedSize { return fixedSize }
    return Int(try reader.littleEndian(UInt32.self))
  }

  /// Appends a value after its size, unless all values have the same.
  func append(_ bytes: [UInt8], to writer: inout ByteWriter) {
    if fixedSize == nil { writer.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count)) }
    writer.append(contentsOf: bytes)
  }

  package func isSame(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    if first == second { return true }
    guard comparesByMeaning, let first = meaning(first), let second = meaning(second) else { return false }
    return first == second
  }

  /// The meaning of a value, with all parts in the order that the representation gives them.
  private func meaning(_ bytes: [UInt8]) -> JSONValue? {
    guard let json = json(of: bytes) else { return nil }
    let ordered = withBytes(of: json) { (json) -> [UInt8]? in
      var reader = JSONReader(json)
      var writer = ByteWriter()
      do throws(ValueProblem) {
        try encode(&reader, isKey: false, into: &writer)
      } catch {
        return nil
      }
      return writer.finish()
    }
    return ordered.flatMap { self.json(of: $0) }.flatMap { json in withBytes(of: json) { JSONValue($0) } }
  }

  private func json(of bytes: [UInt8]) -> [UInt8]? {
    var writer = JSONWriter()
    let isWritten = withBytes(of: bytes) { bytes in
      do throws(DecodingFailure) {
        try write(bytes, isKey: false, as: &writer)
        return true
      } catch {
        return false
      }
    }
    return isWritten ? writer.out.finish() : nil
  }
}

/// The reason why a text is not a value of a representation.
package struct ValueProblem: Error, Hashable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
