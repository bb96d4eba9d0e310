import LMDBShare

/// The format of results.
package enum Format: String, CaseIterable, Sendable {
  /// For people.
  case text
  /// One JSON document.
  case json
  /// One JSON object per line.
  case jsonl
  /// RFC 4180, with a header line.
  case csv
}

/// Prints records with named fields in the requested format.
package struct Records: ~Copyable {
  /// A field of a record: its value for programs, and its text for people, if that differs.
  package struct Field {
    package var name: StaticString
    package var title: String
    var value: Value
    package var text: String?
    var isRight: Bool { if case .number = value { true } else { false } }

    package init(_ name: StaticString, _ value: Value, title: String? = nil, text: String? = nil) {
      self.name = name
      self.title = title ?? name.description
      self.value = value
      self.text = text
    }
  }

  package enum Value {
    case text(String?)
    case number(Int?)
    case decimal(Double?)
    case bool(Bool)
    /// JSON that is printed unchanged.
    case json([UInt8])
  }

  private let format: Format
  private let style: Style
  private var output: Output
  private var table: Table?
  private var writer = JSONWriter()
  private var count = 0

  package init(_ format: Format, _ style: Style) {
    self.format = format
    self.style = style
    output = Output()
  }

  package mutating func add(_ fields: [Field]) throws {
    defer { count += 1 }
    switch format {
    case .text:
      if count == 0 {
        table = Table(fields.map { Table.Column($0.title, right: $0.isRight) }, style)
      }
      try table?.add(fields.map { $0.text ?? Records.text($0.value) }, to: &output)
    case .json, .jsonl:
      if format == .json { try output.line(count == 0 ? "[" : ",", ends: false) }
      Records.write(fields, to: &writer)
      try output.line(&writer, ends: format == .jsonl)
    case .csv:
      if count == 0 { try output.line(fields.map { CSV.field($0.name.description) }.joined(separator: ",")) }
      try output.line(fields.map { CSV.field(Records.table($0.value)) }.joined(separator: ","))
    }
  }

  /// Prints the names of the fields, if there may be no record.
  package mutating func titles(_ names: StaticString...) throws {
    if format == .csv, count == 0 { try output.line(names.map(\.description).joined(separator: ",")) }
  }

  /// Prints the remaining records.
  package mutating func finish() throws {
    try table?.finish(&output)
    if format == .json { try output.line(count == 0 ? "[]" : "]") }
    try output.flush()
  }

  /// Prints a single record: names and values in lines, or one JSON object.
  package static func single(_ fields: [Field], _ format: Format, _ style: Style) throws {
    var output = Output()
    switch format {
    case .text:
      let width = fields.map { Printable.width($0.title) }.max() ?? 0
      for field in fields {
        let padding = String(repeating: " ", count: width - Printable.width(field.title))
        try output.line("\(style.faint(field.title))\(padding)  \(field.text ?? text(field.value))")
      }
    case .json, .jsonl:
      var writer = JSONWriter()
      write(fields, to: &writer)
      try output.line(&writer)
    case .csv:
      try output.line(fields.map { CSV.field($0.name.description) }.joined(separator: ","))
      try output.line(fields.map { CSV.field(table($0.value)) }.joined(separator: ","))
    }
    try output.flush()
  }

  package static func write(_ fields: [Field], to writer: inout JSONWriter) {
    writer.begin("{")
    for field in fields {
      writer.name(field.name)
      switch field.value {
      case .text(let text?): writer.string(text)
      case .number(let number?): writer.number(number)
      case .decimal(let number?): writer.float(number)
      case .bool(let value): writer.bool(value)
      case .json(let bytes): withBytes(of: bytes) { writer.verbatim($0) }
      case .text(nil), .number(nil), .decimal(nil): writer.null()
      }
    }
    writer.end("}")
  }

  /// Text for CSV: exact, except on a terminal.
  private static func table(_ value: Value) -> String {
    switch value {
    case .text(let text?) where Types.printsExactly: text
    case .json(let bytes) where Types.printsExactly: String(decoding: bytes, as: UTF8.self)
    default: text(value)
    }
  }

  private static func text(_ value: Value) -> String {
    switch value {
    case .text(let text): text.map { Printable.text($0) } ?? ""
    case .number(let number): number.map(String.init) ?? ""
    case .decimal(let number): number.map { $0.description } ?? ""
    case .bool(let value): value ? "yes" : "no"
    case .json(let bytes): withBytes(of: bytes) { Printable.text($0) }
    }
  }
}

/// Comma-separated values according to RFC 4180.
package enum CSV {
  package static func field(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
