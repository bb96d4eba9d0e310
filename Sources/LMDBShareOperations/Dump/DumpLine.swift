import LMDBShare

/// A line of a dump that is not an entry: a header, the description of a structure, or an end.
struct DumpLine {
  package var dump: String?
  var version: Int64?
  package var structure: String?
  package var kind: String?
  var key: String?
  var element: String?
  package var layout: String?
  var identity: String?
  var numbers: [String: Int64] = [:]
  var isClosed = false
  /// Whether it is an end, and of which structure; nil for the end of the dump.
  var isEnd = false
  package var end: String?

  package init(_ bytes: RawSpan) throws(ValueProblem) {
    var json = JSONReader(bytes)
    var line = DumpLine()
    try json.members { (json, name) throws(ValueProblem) in
      switch name {
      case "dump": line.dump = try json.string()
      case "version": line.version = try json.integer()
      case "structure": line.structure = try json.string()
      case "kind": line.kind = try json.string()
      case "key": line.key = try json.string()
      case "element": line.element = try json.string()
      case "layout": line.layout = try json.string()
      case "identity": line.identity = try json.string()
      case "closed": line.isClosed = try json.bool()
      case "end":
        line.isEnd = true
        if try !json.null() { line.end = try json.string() }
      case "size", "count", "maximum", "attempts", "lastSequence", "lastToken", "entries", "structures":
        guard let number = try json.integer(), number >= 0 else {
          throw json.problem("'\(name)' must be an integer")
        }
        line.numbers[name] = number
      default: throw json.problem("a member '\(Printable.text(name, limit: 50))', which is unknown here")
      }
    }
    try json.end()
    self = line
  }

  private init() {}

  /// Whether a line is not an entry.
  static func isOne(_ bytes: RawSpan) -> Bool {
    // Members of entries begin with other letters.
    guard bytes.byteCount > 4, bytes.byte(at: 0) == UInt8(ascii: "{") else { return false }
    switch (bytes.byte(at: 2), bytes.byte(at: 3)) {
    case (UInt8(ascii: "s"), UInt8(ascii: "t")):
      return bytes.byte(at: 4) == UInt8(ascii: "r")
    case (UInt8(ascii: "e"), UInt8(ascii: "n")): return true
    default: return false
    }
  }

  /// The description of the structure.
  package func description() throws -> StructureDescription {
    guard let structure, let kind = kind.flatMap({ StructureDescription.Kind(rawValue: $0) }), let element else {
      throw ValueProblem("'structure', 'kind' or 'element' is missing or unknown")
    }
    func number(_ name: String, atLeast least: Int64) throws -> Int? {
      guard let number = numbers[name] else { return nil }
      guard least...1 << 40 ~= number else { throw ValueProblem("'\(name)' is \(number)") }
      return Int(number)
    }
    let layout = try layout.map { text in
      guard let layout = StructureDescription.Layout(rawValue: text) else { throw ValueProblem("an unknown layout") }
      // A list of the older layout is loaded as one of the newer.
      return layout == .indexed ? .slotted : layout
    }
    var description = StructureDescription(
      structure, kind, layout: layout, key: key, element: element, count: try number("count", atLeast: 0),
      maximumCount: try number("maximum", atLeast: 1))
    description.elementSize = try number("size", atLeast: 1)
    description.maximumAttempts = try number("attempts", atLeast: 1)
    if let identity {
      guard let number = UInt64(identity, radix: 16), number > 0 else {
        throw ValueProblem("'identity' is not a number")
      }
      description.identity = number
    }
    try DumpLine.check(description)
    return description
  }

  /// Checks that the parts fit together, as OnDiskFormat.md specifies.
  private static func check(_ description: StructureDescription) throws {
    let size = Representations.named(description.element).fixedSize
    let isPacked = description.layout == .packed
    switch description.kind.shape {
    case .sequence:
      guard description.layout != nil, isPacked == (description.elementSize != nil),
        description.kind == .list || isPacked, description.kind == .list || description.count != nil
      else { throw ValueProblem("\(description.kind.withArticle) whose layout, size and count do not fit together") }
      if let size, description.elementSize != size {
        throw ValueProblem("elements of \(description.element) have \(size) bytes")
      }
    case .map:
      if description.key == nil { throw ValueProblem("\(description.kind.withArticle) without 'key'") }
    case .queue: if !isPacked { throw ValueProblem("a queue that is not packed") }
    case .cell:
      let isCounted = description.kind == .semaphore || description.kind == .barrier
      if isCounted, description.count == nil {
        throw ValueProblem("\(description.kind.withArticle) without 'count'")
      }
    }
  }
}

/// An entry of a dump.
struct DumpEntry: ~Copyable {
  var key = ByteWriter()
  var value = ByteWriter()
  var hasKey = false
  var hasValue = false
  var item = UntypedContents.Item(sequence: 0, state: .ready, level: 4, attempts: 0)

  /// Reads an entry; replaces the previous one.
  mutating func read(_ bytes: RawSpan, _ types: Types) throws(ValueProblem) {
    key.removeAll()
    value.removeAll()
    (hasKey, hasValue) = (false, false)
    item = UntypedContents.Item(sequence: 0, state: .ready, level: 4, attempts: 0)
    var json = JSONReader(bytes)
    var keyBytes = ByteWriter()
    var valueBytes = ByteWriter()
    swap(&keyBytes, &key)
    swap(&valueBytes, &value)
    var (foundKey, foundValue, found) = (false, false, item)
    try json.members { (json, name) throws(ValueProblem) in
      switch name {
      case "key" where !foundKey:
        foundKey = true
        try (types.key ?? BytesRepresentation()).encode(&json, isKey: true, into: &keyBytes)
      case "keyBytes" where !foundKey:
        foundKey = true
        keyBytes.append(contentsOf: try json.base64())
      case "value" where !foundValue:
        foundValue = true
        try types.value.encode(&json, isKey: false, into: &valueBytes)
      case "valueBytes" where !foundValue:
        foundValue = true
        valueBytes.append(contentsOf: try json.base64())
      case "sequence", "priority", "attempts", "time":
        guard let number = try json.integer(), number >= 0 else {
          throw json.problem("'\(name)' must be an integer")
        }
        switch name {
        case "sequence": found.sequence = UInt64(number)
        case "priority": found.level = Int(number)
        case "attempts": found.attempts = UInt32(clamping: number)
        default: found.time = UInt64(number)
        }
      case "state":
        guard let state = UntypedContents.Item.State(rawValue: try json.string()) else {
          throw json.problem("an unknown state")
        }
        found.state = state
      case "reason": found.reason = try json.string()
      default:
        throw json.problem(
          "a member '\(Printable.text(name, limit: 50))', which is repeated or unknown here")
      }
    }
    try json.end()
    swap(&keyBytes, &key)
    swap(&valueBytes, &value)
    (hasKey, hasValue, item) = (foundKey, foundValue, found)
    if types.hasValues, !hasValue { throw ValueProblem("'value' is missing") }
    if types.key != nil, !hasKey { throw ValueProblem("'key' is missing") }
  }
}
