import LMDBShare

/// A set, which is an array of its elements, or a dictionary, which is an array of pairs, in the order of the keys.
struct EntriesRepresentation: CompoundRepresentation {
  static let opening = "{"
  static let forms = "{x} (a set), {x:y} (a dictionary)"
  let key: any Representation
  let value: (any Representation)?

  init?(_ parser: inout Representations.Parser) {
    guard let key = parser.representation(), key.isKey else { return nil }
    var value: (any Representation)?
    if parser.take(":") {
      value = parser.representation()
      if value == nil { return nil }
    }
    guard parser.take("}") else { return nil }
    (self.key, self.value) = (key, value)
  }

  var identifier: String { "{\(key.identifier)\(value.map { ":\($0.identifier)" } ?? "")}" }

  var title: String {
    guard let value else { return "JSON array of \(key.title), each once" }
    return "JSON array of pairs of \(key.title) and \(value.title)"
  }

  var comparesByMeaning: Bool { value?.comparesByMeaning ?? false }

  func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    json.begin("[")
    var last: [UInt8]?
    while reader.remaining > 0 {
      json.separate()
      if value != nil { json.begin("[") }
      if value != nil { json.separate() }
      let size = try key.size(&reader)
      let stored = try reader.bytes(size)
      // As the codecs demand: what is out of order would be restored in another one.
      if let last, !last.lexicographicallyPrecedes(stored.copied()) {
        throw DecodingFailure("its keys are not in order")
      }
      last = stored.copied()
      try key.write(stored, isKey: true, as: &json)
      if let value {
        json.separate()
        let size = try value.size(&reader)
        try value.write(reader.bytes(size), isKey: false, as: &json)
        json.end("]")
      }
    }
    json.end("]")
  }

  /// Accepts the entries in any order.
  @_lifetime(json: copy json)
  func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem) {
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
      key.append(entry.key, to: &writer)
      value?.append(entry.value, to: &writer)
    }
  }
}
