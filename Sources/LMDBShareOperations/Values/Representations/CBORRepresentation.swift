import LMDBShare

/// A program's own CBOR (RFC 8949). Its JSON has the same fields; what JSON cannot say is an object of one member whose name
/// begins with `$`, see ``CBORForm``. It is converted back to the deterministic form, which is the one that this library writes.
struct CBORRepresentation: CompoundRepresentation {
  static let opening = "cbor("
  static let forms = "cbor(Name)"
  let name: String

  init?(_ parser: inout Representations.Parser) {
    guard let name = parser.balanced() else { return nil }
    self.name = String(name)
  }

  var identifier: String { "cbor(\(name))" }
  var title: String { "JSON (of \(name))" }
  var mayBeNull: Bool { true }
  var comparesByMeaning: Bool { true }

  func write(_ bytes: RawSpan, isKey: Bool, as json: inout JSONWriter) throws(DecodingFailure) {
    let items = CBORItems(bytes)
    try items.checkEnd(items.skip(0))
    try json.write(items, 0, 0)
  }

  @_lifetime(json: copy json)
  func encode(_ json: inout JSONReader, isKey: Bool, into writer: inout ByteWriter) throws(ValueProblem) {
    // Skipped first, which limits its depth.
    var probe = json
    _ = try probe.skip()
    var item: [UInt8] = []
    try json.item(into: &item)
    do throws(DecodingFailure) {
      _ = try CBORItems(item).skip(0)
    } catch {
      throw json.problem(error.description)
    }
    writer.append(contentsOf: item)
  }

  func problem(_ argument: String, _ reason: String) -> ValueProblem { .quoting(argument, title, reason) }

  func text(_ bytes: RawSpan, isKey: Bool, limit: Int) -> String {
    var json = JSONWriter()
    do throws(DecodingFailure) {
      try write(bytes, isKey: isKey, as: &json)
    } catch {
      return "\(Types.rawText(bytes, limit)) (no CBOR: \(error.description))"
    }
    return json.out.withBytes { Printable.json($0, limit: limit) }
  }
}

// MARK: To JSON

extension JSONWriter {
  /// Appends the item at a position, which is well-formed, and returns where it ends.
  ///
  /// - Parameter depth: The level in the JSON. What would lie too deep to be read again is not written.
  @discardableResult
  fileprivate mutating func write(_ items: CBORItems, _ position: Int, _ depth: Int) throws(DecodingFailure) -> Int {
    guard depth < JSONReader.deepest else { throw DecodingFailure("more than \(JSONReader.deepest) levels of JSON") }
    let head = try items.head(position)
    switch head.major {
    case CBORMajor.unsigned, CBORMajor.negative: number(try items.integer(position, Int128.self))
    case CBORMajor.bytes:
      let content = try items.content(position)
      form(.bytes) { json in withBytes(of: content) { json.base64($0) } }
    case CBORMajor.text: string(try items.text(position))
    case CBORMajor.array: return try writeArray(items, head, depth)
    case CBORMajor.map: return try writeMap(items, head, depth)
    case CBORMajor.tag: return try writeTagged(items, position, head, depth)
    default: try writeOther(items, position, head)
    }
    return try items.skip(position)
  }

  /// Appends an object of one member.
  private mutating func form<E: Error>(_ form: CBORForm, _ content: (inout JSONWriter) throws(E) -> Void) throws(E) {
    begin("{")
    name(form.rawValue)
    try content(&self)
    end("}")
  }

  private mutating func writeArray(
    _ items: CBORItems, _ head: CBORItems.Head, _ depth: Int
  ) throws(DecodingFailure) -> Int {
    begin("[")
    let end = try items.forEach(head) { (position) throws(DecodingFailure) in
      separate()
      return try write(items, position, depth + 1)
    }
    self.end("]")
    return end
  }

  private mutating func writeMap(
    _ items: CBORItems, _ head: CBORItems.Head, _ depth: Int
  ) throws(DecodingFailure) -> Int {
    var entries: [(key: [UInt8], value: Int)] = []
    var hasOnlyTexts = true
    var hasMark = false
    let end = try items.forEach(head) { (position) throws(DecodingFailure) in
      var key = JSONWriter()
      let value = try key.write(items, position, depth + 3)
      let isText = try items.head(position).major == CBORMajor.text
      if !isText { hasOnlyTexts = false }
      if isText, try items.text(position).utf8.first == CBORForm.mark { hasMark = true }
      entries.append((key.out.finish(), value))
      return try items.skip(value)
    }
    let isObject = hasOnlyTexts && !(hasMark && entries.count == 1)
    guard Set(try entries.map { (entry) throws(DecodingFailure) in try Self.item(entry.key) }).count == entries.count
    else { throw DecodingFailure("a map with a key twice") }
    if !isObject {
      begin("{")
      name(CBORForm.map.rawValue)
    }
    begin(isObject ? "{" : "[")
    for (key, value) in entries {
      separate()
      if !isObject { begin("[") }
      withBytes(of: key) { verbatim($0) }
      out.append(UInt8(ascii: isObject ? ":" : ","))
      try write(items, value, depth + (isObject ? 1 : 3))
      if !isObject { self.end("]") }
    }
    self.end(isObject ? "}" : "]")
    if !isObject { self.end("}") }
    return end
  }

  /// The deterministic form of a key: keys that differ only in their form are the same.
  private static func item(_ json: [UInt8]) throws(DecodingFailure) -> [UInt8] {
    try withBytes(of: json) { (json) -> Result<[UInt8], DecodingFailure> in
      var reader = JSONReader(json)
      var item: [UInt8] = []
      do throws(ValueProblem) {
        try reader.item(into: &item)
      } catch {
        return .failure(DecodingFailure(error.description))
      }
      return .success(item)
    }.get()
  }

  private mutating func writeTagged(
    _ items: CBORItems, _ position: Int, _ head: CBORItems.Head, _ depth: Int
  ) throws(DecodingFailure) -> Int {
    let end = try items.skip(position)
    let isInteger = head.value == CBORTag.bignum || head.value == CBORTag.negativeBignum
    if isInteger, let number = try? items.magnitude(position) {
      self.number("\(number.isNegative ? "-" : "")\(number.magnitude)")
    } else if let (form, text) = TaggedText.text(items.bytes[position..<end], tag: head.value) {
      self.form(form) { $0.string(text) }
    } else {
      try form(.tag) { (json) throws(DecodingFailure) in
        json.begin("[")
        json.separate()
        json.number(head.value)
        json.separate()
        try json.write(items, head.end, depth + 2)
        json.end("]")
      }
    }
    return end
  }

  private mutating func writeOther(
    _ items: CBORItems, _ position: Int, _ head: CBORItems.Head
  ) throws(DecodingFailure) {
    switch head.detail {
    case 20, 21: bool(head.detail == 21)
    case 22: null()
    case 25...27:
      let number = try items.number(position)
      if number.isFinite { float(number) } else { form(.float) { $0.float(number) } }
    default: form(.simple) { $0.number(head.value) }
    }
  }
}

// MARK: From JSON

extension JSONReader {
  /// Appends the next value as an item.
  @_lifetime(self: copy self)
  fileprivate mutating func item(into out: inout [UInt8]) throws(ValueProblem) {
    switch try kind() {
    case .null:
      _ = try null()
      out.append(CBORSimple.null)
    case .bool: out.append(try bool() ? CBORSimple.isTrue : CBORSimple.isFalse)
    case .string: out.append(cborText: try string())
    case .number: try number(into: &out)
    case .array:
      var elements: [UInt8] = []
      var count = 0
      try self.elements { (json) throws(ValueProblem) in
        count += 1
        try json.item(into: &elements)
      }
      out.append(cbor: CBORMajor.array, UInt64(count))
      out += elements
    case .object: try object(into: &out)
    }
  }

  /// A number without point and exponent is an integer, any other a floating-point number.
  @_lifetime(self: copy self)
  private mutating func number(into out: inout [UInt8]) throws(ValueProblem) {
    let text = try number()
    if text.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }) {
      guard let value = Double(text), value.isFinite else {
        throw problem("a number beyond those of 64 bits; infinity is {\"$float\":\"inf\"}")
      }
      out.append(cborFloat: value)
    } else {
      let isNegative = text.utf8.first == UInt8(ascii: "-")
      guard let magnitude = UInt128(isNegative ? text.dropFirst() : text[...]) else {
        throw problem("an integer of more than 128 bits")
      }
      out.append(cborMagnitude: magnitude, isNegative: isNegative)
    }
  }

  @_lifetime(self: copy self)
  private mutating func object(into out: inout [UInt8]) throws(ValueProblem) {
    var entries: [Entry] = []
    var marked: (name: String, value: Range<Int>)?
    var count = 0
    try members { (json, name) throws(ValueProblem) in
      count += 1
      // Whether it is a form is known at the end of the object.
      if count == 1, name.utf8.first == CBORForm.mark {
        marked = (name, try json.skip())
        return
      }
      entries.append(try Entry(name, &json))
    }
    if let marked {
      var value = part(marked.value)
      if count == 1 { return try value.form(marked.name, into: &out) }
      entries.append(try Entry(marked.name, &value))
    }
    try append(entries, to: &out)
  }

  private struct Entry {
    var key: [UInt8] = []
    var value: [UInt8] = []

    init() {}
    init(_ name: String, _ json: inout JSONReader) throws(ValueProblem) {
      key.append(cborText: name)
      try json.item(into: &value)
    }
  }

  /// Appends a map, in the order of its encoded keys.
  private func append(_ entries: [Entry], to out: inout [UInt8]) throws(ValueProblem) {
    let sorted = entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    out.append(cbor: CBORMajor.map, UInt64(sorted.count))
    for (index, entry) in sorted.enumerated() {
      if index > 0, sorted[index - 1].key == entry.key { throw problem("a key is repeated") }
      out += entry.key
      out += entry.value
    }
  }

  /// Appends what a form means.
  @_lifetime(self: copy self)
  private mutating func form(_ name: String, into out: inout [UInt8]) throws(ValueProblem) {
    guard let form = CBORForm(rawValue: name) else {
      throw problem(
        "\(Printable.text(name, limit: 20)) is no form; a map with this key alone is {\"$map\":[[key,value]]}")
    }
    switch form {
    case .bytes:
      let bytes = try base64()
      out.append(cbor: CBORMajor.bytes, UInt64(bytes.count))
      out += bytes
    case .float:
      guard let value = FloatText.value(try string(), Double.self) else { throw problem("inf, -inf or nan expected") }
      out.append(cborFloat: value)
    case .simple:
      guard let value = try integer(), 0...19 ~= value || value == 23 || 32...255 ~= value else {
        throw problem("a simple value is 0 to 19, 23, or 32 to 255")
      }
      out.append(cborSimple: UInt8(value))
    case .tag:
      try pair { (json) throws(ValueProblem) in
        guard let tag = UInt64(try json.number()) else { throw json.problem("the number of a tag expected") }
        out.append(cbor: CBORMajor.tag, tag)
      } _: { (json) throws(ValueProblem) in
        try json.item(into: &out)
      }
    case .map:
      var entries: [Entry] = []
      try elements { (json) throws(ValueProblem) in
        var entry = Entry()
        try json.pair { (json) throws(ValueProblem) in
          try json.item(into: &entry.key)
        } _: { (json) throws(ValueProblem) in
          try json.item(into: &entry.value)
        }
        entries.append(entry)
      }
      try append(entries, to: &out)
    case .date, .uuid, .url, .decimal:
      guard let item = TaggedText.item(try string(), form) else { throw problem("no \(name.dropFirst())") }
      out += item
    }
    try end()
  }

  /// Reads an array of two elements.
  @_lifetime(self: copy self)
  private mutating func pair(
    _ first: (inout JSONReader) throws(ValueProblem) -> Void,
    _ second: (inout JSONReader) throws(ValueProblem) -> Void
  ) throws(ValueProblem) {
    var count = 0
    try elements { (json) throws(ValueProblem) in
      count += 1
      switch count {
      case 1: try first(&json)
      case 2: try second(&json)
      default: throw json.problem("an array of two elements expected")
      }
    }
    guard count == 2 else { throw problem("an array of two elements expected") }
  }
}
