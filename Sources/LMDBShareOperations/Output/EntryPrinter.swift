package import LMDBShare

/// Prints entries of a structure one by one, in constant memory.
package struct EntryPrinter: ~Copyable {
  private let format: Format
  private let style: Style
  private let keys: Bool
  private let values: Bool
  private let limit: Int
  private var output = Output()
  private var table: Table?
  private var json = JSONWriter()
  private var count = 0
  /// The kind of structure, so that titles are printed even without entries.
  package var kind: StructureDescription.Kind?

  package init(_ format: Format, _ style: Style, keys: Bool = false, values: Bool = false, limit: Int = .max) {
    self.format = format
    self.style = style
    self.keys = keys
    self.values = values
    self.limit = limit
  }

  package mutating func print(_ types: Types, _ entry: ListedEntry, _ key: RawSpan?, _ value: RawSpan) throws {
    switch format {
    case .text: try row(texts(types, entry, key, value))
    case .csv:
      if count == 0 {
        try output.line(
          titles(isItem: entry.item != nil, hasKey: key != nil, hasValue: types.hasValues).joined(separator: ","))
      }
      try output.line(texts(types, entry, key, value).map { CSV.field($0) }.joined(separator: ","))
    case .json, .jsonl:
      try begin()
      types.write(entry, key, value, keys: keys, values: values, to: &json)
      try end()
    }
    count += 1
  }

  package mutating func print(raw key: RawSpan, _ value: RawSpan) throws {
    var cells: [String] = []
    if !values { cells.append(Types.rawText(key, limit)) }
    if !keys { cells.append(Types.rawText(value, limit)) }
    switch format {
    case .text: try row(cells)
    case .csv:
      if count == 0 {
        try output.line([values ? nil : "key", keys ? nil : "value"].compactMap { $0 }.joined(separator: ","))
      }
      try output.line(cells.map { CSV.field($0) }.joined(separator: ","))
    case .json, .jsonl:
      try begin()
      if !values {
        json.name("keyBytes")
        json.base64(key)
      }
      if !keys {
        json.name("valueBytes")
        json.base64(value)
      }
      try end()
    }
    count += 1
  }

  private mutating func row(_ cells: [String]) throws {
    if cells.count == 1 { return try output.line(cells[0]) }
    if table == nil { table = Table(cells.map { _ in Table.Column("") }, style, titled: false) }
    try table?.add(cells, to: &output)
  }

  private mutating func begin() throws {
    if format == .json { try output.line(count == 0 ? "[" : ",", ends: false) }
    json.begin("{")
  }

  private mutating func end() throws {
    json.end("}")
    try output.line(&json, ends: format == .jsonl)
  }

  /// Prints the remaining entries.
  package mutating func finish() throws {
    try table?.finish(&output)
    if format == .csv, count == 0, let kind {
      try output.line(
        titles(isItem: kind == .queue, hasKey: kind.shape == .map, hasValue: kind.hasValues).joined(separator: ","))
    }
    if format == .json { try output.line(count == 0 ? "[]" : "]") }
    try output.flush()
  }

  private func texts(_ types: Types, _ entry: ListedEntry, _ key: RawSpan?, _ value: RawSpan) -> [String] {
    var cells: [String] = []
    if let item = entry.item {
      if keys {
        cells.append(String(item.sequence))
      } else if format == .csv, !values {
        cells += [String(item.sequence), item.state.rawValue, String(item.level), String(item.attempts)]
      } else if !values {
        cells.append(item.state.rawValue)
      }
    } else if keys, key == nil {
      cells.append(String(entry.position))
    }
    if let key, !values {
      cells.append(format == .csv ? types.table(key, isKey: true) : types.keyText(key, limit: limit))
    }
    if !keys, types.hasValues { cells.append(format == .csv ? types.table(value) : types.text(value, limit: limit)) }
    return cells
  }

  private func titles(isItem: Bool, hasKey: Bool, hasValue: Bool) -> [String] {
    if isItem {
      return keys ? ["sequence"] : (values ? [] : ["sequence", "state", "priority", "attempts"]) + ["value"]
    }
    if keys { return [hasKey ? "key" : "position"] }
    if !hasValue { return ["key"] }
    return hasKey && !values ? ["key", "value"] : ["value"]
  }
}

extension Types {
  /// Appends the members that describe an entry.
  package func write(
    _ entry: ListedEntry, _ key: RawSpan?, _ value: RawSpan, keys: Bool = false, values: Bool = false,
    to json: inout JSONWriter
  ) {
    if let item = entry.item, !values { item.write(to: &json) }
    if entry.item == nil, keys, key == nil {
      json.name("position")
      json.number(entry.position)
    }
    if let key, !values { writeKey(key, to: &json) }
    if !keys { writeValue(value, to: &json) }
  }
}

extension UntypedContents.Item {
  /// Appends the members that describe the state of an item.
  package func write(to json: inout JSONWriter) {
    json.name("sequence")
    json.number(sequence)
    json.name("state")
    json.plain(state.rawValue)
    json.name("priority")
    json.number(level)
    json.name("attempts")
    json.number(attempts)
    if let time {
      json.name("time")
      json.number(time)
    }
    if let reason {
      json.name("reason")
      json.string(reason)
    }
  }
}
