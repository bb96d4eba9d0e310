package import LMDBShare

/// Reads and writes the keys and values of one structure.
package struct Types: Sendable {
  package let key: (any Representation)?
  package let value: any Representation
  /// Whether entries have values: those of a set have none.
  package let hasValues: Bool

  package init(_ description: StructureDescription) {
    key = description.key.map { Representations.named($0) }
    hasValues = description.kind.hasValues
    // The contents of events, barriers, locks and semaphores are internal.
    value = Representations.named(description.element)
  }

  /// Appends the member `value`, or `valueBytes` for bytes that are not a value of the type.
  package func writeValue(
    _ bytes: RawSpan, _ name: StaticString = "value", _ other: StaticString = "valueBytes", to json: inout JSONWriter
  ) {
    if hasValues { Types.write(bytes, value, isKey: false, name, other, to: &json) }
  }

  /// Appends the member `key`, or `keyBytes`.
  package func writeKey(_ bytes: RawSpan, to json: inout JSONWriter) {
    Types.write(bytes, key ?? BytesRepresentation(), isKey: true, "key", "keyBytes", to: &json)
  }

  private static func write(
    _ bytes: RawSpan, _ representation: any Representation, isKey: Bool, _ name: StaticString, _ other: StaticString,
    to json: inout JSONWriter
  ) {
    let start = json.out.count
    let needsComma = json.needsComma
    json.name(name)
    do throws(DecodingFailure) {
      try representation.write(bytes, isKey: isKey, as: &json)
    } catch {
      json.truncate(to: start, needsComma: needsComma)
      json.name(other)
      json.base64(bytes)
    }
  }

  /// A value for people: strings, dates and numbers as text, bytes as text or `0x…`, everything else as JSON.
  package func text(_ bytes: RawSpan, limit: Int = .max) -> String { value.text(bytes, isKey: false, limit: limit) }

  /// A key for people.
  package func keyText(_ bytes: RawSpan, limit: Int = .max) -> String {
    (key ?? BytesRepresentation()).text(bytes, isKey: true, limit: limit)
  }

  /// A value for another program: strings and bytes unchanged, everything else as text.
  package func plain(_ bytes: RawSpan) -> [UInt8] {
    if let start = value.textStart(bytes) { return bytes.extracting(start..<bytes.byteCount).copied() }
    return value is BytesRepresentation ? bytes.copied() : Array(text(bytes).utf8)
  }

  /// Whether data formats are printed exactly: only terminals have to be protected.
  package static let printsExactly = !Stream.output.isTerminal

  /// Text for CSV: strings and JSON exactly; on a terminal control characters except line ends and tabs are escaped.
  package func table(_ bytes: RawSpan, isKey: Bool = false, exactly: Bool = Types.printsExactly) -> String {
    let representation = isKey ? key ?? BytesRepresentation() : value
    if exactly, let start = representation.textStart(bytes),
      let text = bytes.extracting(start..<bytes.byteCount).utf8String()
    {
      return text
    }
    if representation is StringRepresentation { return Printable.text(bytes, keepingLines: true) }
    return representation.text(bytes, isKey: isKey, limit: .max)
  }

  /// Bytes without a known type: as text if they are printable, otherwise in hexadecimal.
  static func rawText(_ bytes: RawSpan, _ limit: Int = .max) -> String {
    if isUTF8(bytes), Printable.isSafe(bytes) { return Printable.text(bytes, limit: limit) }
    let shown = bytes.extracting(0..<min(bytes.byteCount, max(1, limit / 2)))
    var text = "0x"
    for index in 0..<shown.byteCount {
      let byte = shown.byte(at: index)
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return shown.byteCount < bytes.byteCount ? "\(text)… (\(Size.text(bytes.byteCount)))" : text
  }
}

extension StructureDescription.Kind {
  /// For example `a list`.
  var withArticle: String { self == .array || self == .event ? "an \(rawValue)" : "a \(rawValue)" }
}
