import LMDBShare

/// The meaning of JSON: the order of members, white space, escapes and the notation of numbers do not matter.
indirect enum JSONValue: Hashable {
  case null
  case bool(Bool)
  case number(Number)
  /// UTF-8: texts that differ only in their normal form are different.
  case string([UInt8])
  case array([JSONValue])
  case object([[UInt8]: JSONValue])

  /// A decimal number without loss of digits.
  struct Number: Hashable {
    private var isNegative = false
    private var digits = ""
    private var exponent = 0

    package init(_ text: String) {
      let parts = text.lowercased().split(separator: "e", maxSplits: 1)
      let mantissa = parts.first ?? ""
      guard let power = parts.count > 1 ? Int(parts[1]) : 0, abs(power) < 1 << 40 else {
        // The exponent is too large for a normal form: the number only equals itself.
        digits = text
        return
      }
      let sides = mantissa.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
      var all = Substring(sides.joined()).drop { $0 == "0" }
      exponent = power - (sides.count > 1 ? sides[1].count : 0)
      while all.last == "0" {
        all.removeLast()
        exponent += 1
      }
      digits = String(all)
      if digits.isEmpty { exponent = 0 }
      isNegative = mantissa.hasPrefix("-") && !digits.isEmpty
    }
  }

  /// Nil when the bytes are not JSON.
  package init?(_ bytes: RawSpan) {
    var reader = JSONReader(bytes)
    do throws(ValueProblem) {
      // Checked first, which limits its depth.
      _ = try reader.skip()
      try reader.end()
      var reader = JSONReader(bytes)
      self = try JSONValue(&reader)
    } catch {
      return nil
    }
  }

  @_lifetime(reader: copy reader)
  private init(_ reader: inout JSONReader) throws(ValueProblem) {
    switch try reader.kind() {
    case .null:
      _ = try reader.null()
      self = .null
    case .bool: self = .bool(try reader.bool())
    case .number: self = .number(Number(try reader.number()))
    case .string: self = .string(Array(try reader.string().utf8))
    case .array:
      var elements: [JSONValue] = []
      try reader.elements { (reader) throws(ValueProblem) in elements.append(try JSONValue(&reader)) }
      self = .array(elements)
    case .object:
      var members: [[UInt8]: JSONValue] = [:]
      try reader.members { (reader, name) throws(ValueProblem) in members[Array(name.utf8)] = try JSONValue(&reader) }
      self = .object(members)
    }
  }
}
