package import LMDBShare

/// A change as a line of JSON, which `apply` reads:
///
///     {"op": "set", "name": "scores", "key": "al", "value": 3, "ifEquals": 2}
package struct ChangeLine {
  package var name = ""
  private var operation = ""
  private var fields: [String: Range<Int>] = [:]
  private let bytes: [UInt8]

  static let operations = ["set", "append", "insert", "increment", "delete", "push", "clear"]
  /// The members that each operation accepts besides `op` and `name`.
  private static let members: [String: Set<String>] = [
    "set": ["key", "position", "value", "ifEquals", "ifAbsent"], "append": ["value"],
    "insert": ["position", "value"],
    "increment": ["key", "position", "by", "ifEquals", "ifAbsent"], "delete": ["key", "position", "ifEquals"],
    "push": ["value", "priority", "delay"], "clear": [],
  ]
  private static let known: Set<String> = [
    "op", "name", "key", "position", "value", "by", "ifEquals", "ifAbsent", "priority", "delay",
  ]

  package init(_ bytes: [UInt8]) throws {
    self.bytes = bytes
    var fields: [String: Range<Int>] = [:]
    try withBytes(of: bytes) { (bytes) -> Result<Void, ValueProblem> in
      var json = JSONReader(bytes, specialNumbers: true)
      do throws(ValueProblem) {
        try json.members { (json, name) throws(ValueProblem) in
          guard Self.known.contains(name) else {
            throw ValueProblem("a member '\(Printable.text(name, limit: 50))', which is unknown here")
          }
          guard fields[name] == nil else { throw ValueProblem("'\(name)' is repeated") }
          fields[name] = try json.skip()
        }
        try json.end()
        return .success(())
      } catch {
        return .failure(error)
      }
    }.get()
    self.fields = fields
    guard let operation = try text("op"), Self.operations.contains(operation) else {
      throw ValueProblem("'op' must be one of \(Self.operations.joined(separator: ", "))")
    }
    guard let name = try text("name") else { throw ValueProblem("'name' is missing") }
    self.operation = operation
    self.name = name
    let allowed = Self.members[operation] ?? []
    if let other = fields.keys.filter({ $0 != "op" && $0 != "name" && !allowed.contains($0) }).min() {
      throw ValueProblem("'\(other)' does not go with \(operation)")
    }
    if fields["ifEquals"] != nil, fields["ifAbsent"] != nil {
      throw ValueProblem("'ifEquals' and 'ifAbsent' cannot be combined")
    }
  }

  /// The change, for the structure with its name.
  package func change(of description: StructureDescription) throws -> Change {
    let types = Types(description)
    var change: Change
    switch operation {
    case "set": change = Change(action: .set(try place(description), try value(types)))
    case "append": change = Change(action: .append(try value(types)))
    case "insert":
      guard let position = try number("position") else { throw ValueProblem("'position' is missing") }
      change = Change(action: .insert(try value(types), at: position))
    case "increment":
      let amount = fields["by"].map { field in String(decoding: bytes[field], as: UTF8.self) } ?? "1"
      change = Change(action: .increment(try place(description), by: amount))
    case "delete": change = Change(action: .delete([try place(description)]))
    case "push":
      let delay = try fields["delay"].map { field in
        guard let seconds = Double(String(decoding: bytes[field], as: UTF8.self)), seconds >= 0, seconds < 1e9 else {
          throw ValueProblem("'delay' must be a number of seconds")
        }
        return Duration.seconds(seconds)
      }
      change = Change(
        action: .push(try value(types), level: try number("priority") ?? 4, delay: delay ?? .zero))
    default: change = Change(action: .clear)
    }
    if let field = fields["ifEquals"] { change.condition = .equals(try encoded(field, types.value, isKey: false)) }
    if let field = fields["ifAbsent"] {
      let text = String(decoding: bytes[field], as: UTF8.self)
      guard text == "true" || text == "false" else { throw ValueProblem("'ifAbsent' must be true or false") }
      if text == "true" { change.condition = .absent }
    }
    return change
  }

  private func place(_ description: StructureDescription) throws -> Place {
    if description.kind.shape == .map {
      guard let field = fields["key"] else { throw ValueProblem("'key' is missing") }
      let text = String(decoding: bytes[field], as: UTF8.self)
      return .key(try encoded(field, Types(description).key!, isKey: true), text: text)
    }
    return try Place(number("position").map { String($0) }, in: description)
  }

  private func value(_ types: Types) throws -> [UInt8] {
    guard types.hasValues else { return [] }
    guard let field = fields["value"] else { throw ValueProblem("'value' is missing") }
    return try encoded(field, types.value, isKey: false)
  }

  private func text(_ name: String) throws -> String? {
    try fields[name].map { String(decoding: try encoded($0, StringRepresentation(), isKey: false), as: UTF8.self) }
  }

  private func number(_ name: String) throws -> Int? {
    try fields[name].map { field in
      guard let number = Int(String(decoding: bytes[field], as: UTF8.self)) else {
        throw ValueProblem("'\(name)' must be an integer")
      }
      return number
    }
  }

  private func encoded(_ field: Range<Int>, _ representation: any Representation, isKey: Bool) throws -> [UInt8] {
    try withBytes(of: bytes) { bytes -> Result<[UInt8], ValueProblem> in
      var json = JSONReader(bytes.extracting(field))
      var writer = ByteWriter()
      do throws(ValueProblem) {
        try representation.encode(&json, isKey: isKey, into: &writer)
      } catch {
        return .failure(error)
      }
      return .success(writer.finish())
    }.get()
  }
}
