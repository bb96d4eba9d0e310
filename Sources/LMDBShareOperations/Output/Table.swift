/// Rows in aligned columns, printed page by page, so that millions of rows take no memory.
struct Table: ~Copyable {
  struct Column {
    package var title: String
    var isRight = false
    package init(_ title: String, right: Bool = false) {
      self.title = title
      isRight = right
    }
  }

  private let columns: [Column]
  private let style: Style
  private var widths: [Int]
  private var rows: [[String]] = []
  private var hasTitle: Bool
  private static let page = 256

  /// - Parameter titled: Whether to print a line of titles first.
  package init(_ columns: [Column], _ style: Style, titled: Bool = true) {
    self.columns = columns
    self.style = style
    hasTitle = titled
    widths = columns.map { titled ? Printable.width($0.title) : 0 }
  }

  /// Adds a row of printable texts.
  package mutating func add(_ row: [String], to output: inout Output) throws {
    rows.append(row)
    if rows.count == Self.page { try finish(&output) }
  }

  /// Prints the remaining rows.
  package mutating func finish(_ output: inout Output) throws {
    for row in rows {
      for (index, cell) in row.enumerated() { widths[index] = max(widths[index], Printable.width(cell)) }
    }
    if hasTitle {
      try output.line(style.faint(line(columns.map(\.title))))
      hasTitle = false
    }
    for row in rows { try output.line(line(row)) }
    rows.removeAll(keepingCapacity: true)
  }

  private func line(_ row: [String]) -> String {
    var line = ""
    for (index, cell) in row.enumerated() {
      let padding = String(repeating: " ", count: max(0, widths[index] - Printable.width(cell)))
      if columns[index].isRight { line += padding + cell } else { line += cell + padding }
      if index < row.count - 1 { line += "  " }
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}

/// Colours, if wanted: on a terminal, and never under `NO_COLOR`.
package struct Style: Sendable {
  package let isColoured: Bool

  package init(isColoured: Bool) { self.isColoured = isColoured }

  package func faint(_ text: String) -> String { wrap(text, "2") }
  package func bold(_ text: String) -> String { wrap(text, "1") }
  package func good(_ text: String) -> String { wrap(text, "32") }
  package func warning(_ text: String) -> String { wrap(text, "33") }
  package func bad(_ text: String) -> String { wrap(text, "31") }

  private func wrap(_ text: String, _ code: String) -> String {
    isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
