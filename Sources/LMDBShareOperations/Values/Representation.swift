import LMDBShare

/// The representation of values in the file, as named in a structure's record: see OnDiskFormat.md.
package indirect enum Representation: Hashable, Sendable {
  case integer(bits: Int, isSigned: Bool)
  case float(bits: Int)
  case bool, uuid, date, string, bytes
  case optional(Representation)
  case array(Representation)
  case json(name: String)
  case composite([Representation])
  case dictionary(Representation, Representation)
  case set(Representation)
  /// A representation from the table of those whose values have a text.
  case text(TextForm)
  case bits(name: String, size: Int)
  /// Only the program that wrote it knows the meaning.
  case own(identifier: String)

  /// The representation with an identifier; every identifier has one.
  package init(_ identifier: String) {
    var text = Substring(identifier)
    if let parsed = Representation.parse(&text), text.isEmpty {
      self = parsed
    } else {
      self = .own(identifier: identifier)
    }
  }

  /// The size of every value in bytes; nil when it depends on the value, or is not known.
  package var fixedSize: Int? {
    switch self {
    case .integer(let bits, let isSigned): RepresentationTable.fixedSize(of: "\(isSigned ? "i" : "u")\(bits)")
    case .float(let bits): RepresentationTable.fixedSize(of: "f\(bits)")
    case .bool: RepresentationTable.fixedSize(of: "bool")
    case .uuid: RepresentationTable.fixedSize(of: "uuid")
    case .date: RepresentationTable.fixedSize(of: "date")
    case .text(let form): RepresentationTable.fixedSize(of: form.identifier)
    case .bits(_, let size): size
    case .string, .bytes, .optional, .array, .json, .composite, .dictionary, .set, .own: nil
    }
  }

  /// Whether keys can have it.
  package var isKey: Bool {
    switch self {
    case .integer, .float, .bool, .uuid, .date, .string, .bytes: true
    case .composite(let parts): parts.allSatisfy(\.isKey)
    case .text(let form): form.isKey
    case .optional, .array, .json, .bits, .dictionary, .set, .own: false
    }
  }

  /// Whether a value's JSON may be null, so that an optional needs brackets.
  var mayBeNull: Bool {
    switch self {
    case .optional, .json: true
    default: false
    }
  }

  /// Names may come from malicious files.
  private static let deepest = 100

  private static func parse(_ text: inout Substring, _ depth: Int = 0) -> Representation? {
    guard depth < deepest, var found = parseOne(&text, depth + 1) else { return nil }
    var marks = 0
    while text.first == "?" {
      marks += 1
      guard marks < deepest else { return nil }
      text.removeFirst()
      found = .optional(found)
    }
    return found
  }

  private static func parseOne(_ text: inout Substring, _ depth: Int) -> Representation? {
    if text.first == "[" {
      text.removeFirst()
      guard let element = parse(&text, depth), text.first == "]" else { return nil }
      text.removeFirst()
      return .array(element)
    }
    if text.first == "{" {
      text.removeFirst()
      guard let key = parse(&text, depth), key.isKey, let next = text.popFirst() else { return nil }
      if next == "}" { return .set(key) }
      guard next == ":", let value = parse(&text, depth), text.popFirst() == "}" else { return nil }
      return .dictionary(key, value)
    }
    if text.first == "(" {
      text.removeFirst()
      var parts: [Representation] = []
      while let part = parse(&text, depth) {
        parts.append(part)
        guard let next = text.popFirst(), next == "," || next == ")" else { return nil }
        if next == ")" { return .composite(parts) }
      }
      return nil
    }
    for word in ["json", "bits"] where text.hasPrefix(word + "(") {
      guard let inner = balanced(&text, after: word.count) else { return nil }
      if word == "json" { return .json(name: String(inner)) }
      guard let comma = inner.lastIndex(of: ","), let size = Int(inner[inner.index(after: comma)...]), size > 0 else {
        return nil
      }
      return .bits(name: String(inner[..<comma]), size: size)
    }
    let word = text.prefix { $0.isLetter || $0.isNumber }
    text = text[word.endIndex...]
    return simple[word]
  }

  /// The text in the parentheses that follow, including nested ones.
  private static func balanced(_ text: inout Substring, after count: Int) -> Substring? {
    let inner = text.dropFirst(count + 1)
    var depth = 1
    for index in inner.indices {
      if inner[index] == "(" { depth += 1 }
      if inner[index] == ")" { depth -= 1 }
      if depth == 0 {
        text = inner[inner.index(after: index)...]
        return inner[..<index]
      }
    }
    return nil
  }

  /// The names of all representations, for people.
  package static let names =
    "i8 to i128, u8 to u128, f32, f64, bool, string, bytes, uuid, date, x? (x or nothing), [x] (an array), (x,y) (a composite), "
    + "{x} (a set), {x:y} (a dictionary), json(Name), bits(Name,SIZE), "
    + TextForm.all.map(\.identifier).joined(separator: ", ")

  private static let simple: [Substring: Representation] = {
    var found: [Substring: Representation] = [
      "bool": .bool, "uuid": .uuid, "date": .date, "string": .string, "bytes": .bytes, "f32": .float(bits: 32),
      "f64": .float(bits: 64),
    ]
    for form in TextForm.all { found[form.identifier[...]] = .text(form) }
    for bits in [8, 16, 32, 64, 128] {
      found["i\(bits)"] = .integer(bits: bits, isSigned: true)
      found["u\(bits)"] = .integer(bits: bits, isSigned: false)
    }
    return found
  }()
}

/// The reason why a text is not a value of a representation.
package struct ValueProblem: Error, Hashable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
