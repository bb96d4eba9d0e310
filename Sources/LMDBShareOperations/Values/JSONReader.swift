package import LMDBShare

/// Reads JSON (RFC 8259) from bytes, value by value, and keeps the text of each value: dumped values are restored to the same
/// bytes, including integers of 128 bits and a program's own JSON.
package struct JSONReader: ~Escapable {
  package let bytes: RawSpan
  private(set) var position = 0
  /// Where the bytes begin in the whole text, for the positions in errors.
  private let offset: Int
  /// Whether numbers may be `NaN`, `Infinity` and `-Infinity`, as Python writes them.
  private let hasSpecialNumbers: Bool
  /// Hostile input must not exhaust the stack.
  static let deepest = 512

  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan, specialNumbers: Bool = false, offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
    hasSpecialNumbers = specialNumbers
  }

  /// The kind of a value, according to its first character.
  package enum Kind { case object, array, string, number, bool, null }

  /// The kind of the next value.
  @_lifetime(self: copy self)
  package mutating func kind() throws(ValueProblem) -> Kind {
    let first = try next()
    if hasSpecialNumbers, special() != nil { return .number }
    switch first {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case let other: throw problem("\(Printable.byte(other)) instead of a value")
    }
  }

  /// Checks that nothing but white space is left.
  @_lifetime(self: copy self)
  package mutating func end() throws(ValueProblem) {
    skipSpace()
    if position < bytes.byteCount { throw problem("more text after the value") }
  }

  /// Reads `null` if it comes next.
  @_lifetime(self: copy self)
  package mutating func null() throws(ValueProblem) -> Bool {
    guard try kind() == .null else { return false }
    try word("null")
    return true
  }

  @_lifetime(self: copy self)
  package mutating func bool() throws(ValueProblem) -> Bool {
    guard try kind() == .bool else { throw problem("true or false expected") }
    if bytes.byte(at: position) == UInt8(ascii: "t") {
      try word("true")
      return true
    }
    try word("false")
    return false
  }

  /// Reads `NaN`, `Infinity` or `-Infinity` if it comes next, allowed or not.
  @_lifetime(self: copy self)
  package mutating func specialNumber() throws(ValueProblem) -> String? {
    _ = try next()
    guard let name = special() else { return nil }
    position += name.utf8.count
    return name
  }

  private func special() -> String? {
    for name in ["NaN", "Infinity", "-Infinity"] where bytes.byteCount - position >= name.utf8.count {
      let text = bytes.extracting(position..<position + name.utf8.count)
      if withUTF8(of: name, { $0.hasSameBytes(as: text) }) { return name }
    }
    return nil
  }

  /// The text of a number.
  @_lifetime(self: copy self)
  package mutating func number() throws(ValueProblem) -> String {
    guard try kind() == .number else { throw problem("a number expected") }
    let start = position
    try skipNumber()
    return text(start)
  }

  /// An integer; nil, and nothing is read, when it does not fit into 64 bits or is not written as an integer.
  @_lifetime(self: copy self)
  package mutating func integer() throws(ValueProblem) -> Int64? {
    guard try kind() == .number else { throw problem("an integer expected") }
    let start = position
    let isNegative = bytes.byte(at: position) == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let first = position
    var value: Int64 = 0
    while position < bytes.byteCount, 0x30...0x39 ~= bytes.byte(at: position) {
      let digit = Int64(bytes.byte(at: position) - 0x30)
      let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflows2) =
        isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
      guard !overflows, !overflows2 else {
        position = start
        return nil
      }
      value = sum
      position += 1
    }
    let goesOn = position < bytes.byteCount && [0x2E, 0x45, 0x65].contains(bytes.byte(at: position))
    let hasLeadingZero = position - first > 1 && bytes.byte(at: first) == 0x30
    guard position > first, !goesOn, !hasLeadingZero else {
      position = start
      return nil
    }
    return value
  }

  @_lifetime(self: copy self)
  package mutating func string() throws(ValueProblem) -> String {
    guard try kind() == .string else { throw problem("a string expected") }
    // In most cases there are no escapes.
    var end = position + 1
    while end < bytes.byteCount {
      let byte = bytes.byte(at: end)
      if byte == UInt8(ascii: "\\") || byte < 0x20 { break }
      if byte == UInt8(ascii: "\"") {
        guard let text = bytes.extracting(position + 1..<end).utf8String() else {
          throw problem("a string is not UTF-8")
        }
        position = end + 1
        return text
      }
      end += 1
    }
    var writer = ByteWriter()
    try string(into: &writer)
    return writer.withBytes { String(decoding: $0.copied(), as: UTF8.self) }
  }

  /// Appends the UTF-8 of a string.
  @_lifetime(self: copy self)
  package mutating func string(into writer: inout ByteWriter) throws(ValueProblem) {
    guard try kind() == .string else { throw problem("a string expected") }
    position += 1
    var plain = position
    while true {
      let byte = try here()
      if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
        position += 1
        continue
      }
      if position > plain {
        let run = bytes.extracting(plain..<position)
        guard isUTF8(run) else { throw problem("a string is not UTF-8") }
        writer.append(run)
      }
      guard byte >= 0x20 else { throw problem("a control character in a string") }
      position += 1
      if byte == UInt8(ascii: "\"") { return }
      try escape(into: &writer)
      plain = position
    }
  }

  /// A reader of a part of the text.
  @_lifetime(copy self)
  func part(_ range: Range<Int>) -> JSONReader {
    JSONReader(
      bytes.extracting(range), specialNumbers: hasSpecialNumbers, offset: offset + range.lowerBound)
  }

  /// Skips a value, and returns its range.
  @_lifetime(self: copy self)
  package mutating func skip(_ depth: Int = 0) throws(ValueProblem) -> Range<Int> {
    guard depth < Self.deepest else { throw problem("more than \(Self.deepest) levels") }
    let kind = try kind()
    let start = position
    switch kind {
    case .object: try members { (reader, _) throws(ValueProblem) in _ = try reader.skip(depth + 1) }
    case .array: try elements { (reader) throws(ValueProblem) in _ = try reader.skip(depth + 1) }
    case .string:
      var writer = ByteWriter()
      try string(into: &writer)
    case .number:
      let isSpecial = hasSpecialNumbers && special() != nil
      if isSpecial { _ = try specialNumber() } else { try skipNumber() }
    case .bool: _ = try bool()
    case .null: try word("null")
    }
    return start..<position
  }

  /// Calls `body` for each element of an array, which must read it.
  @_lifetime(self: copy self)
  package mutating func elements(
    _ body: (inout JSONReader) throws(ValueProblem) -> Void
  ) throws(ValueProblem) {
    guard try kind() == .array else { throw problem("an array expected") }
    position += 1
    if try next() == UInt8(ascii: "]") {
      position += 1
      return
    }
    while true {
      try body(&self)
      let separator = try next()
      position += 1
      if separator == UInt8(ascii: "]") { return }
      guard separator == UInt8(ascii: ",") else { throw problem("a comma or ] expected") }
    }
  }

  /// Calls `body` for each member of an object with its name, which must read the value.
  @_lifetime(self: copy self)
  package mutating func members(
    _ body: (inout JSONReader, String) throws(ValueProblem) -> Void
  ) throws(ValueProblem) {
    guard try kind() == .object else { throw problem("an object expected") }
    position += 1
    if try next() == UInt8(ascii: "}") {
      position += 1
      return
    }
    while true {
      let name = try string()
      guard try next() == UInt8(ascii: ":") else { throw problem("a colon expected") }
      position += 1
      try body(&self, name)
      let separator = try next()
      position += 1
      if separator == UInt8(ascii: "}") { return }
      guard separator == UInt8(ascii: ",") else { throw problem("a comma or } expected") }
    }
  }

  func problem(_ text: String) -> ValueProblem { ValueProblem("\(text), at character \(offset + position + 1)") }

  // MARK: Characters

  private func here() throws(ValueProblem) -> UInt8 {
    guard position < bytes.byteCount else { throw problem("the text ends too early") }
    return bytes.byte(at: position)
  }

  /// The next character that is not white space; it is not consumed.
  @_lifetime(self: copy self)
  private mutating func next() throws(ValueProblem) -> UInt8 {
    skipSpace()
    return try here()
  }

  @_lifetime(self: copy self)
  private mutating func skipSpace() {
    while position < bytes.byteCount {
      switch bytes.byte(at: position) {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func word(_ word: StaticString) throws(ValueProblem) {
    for expected in word.description.utf8 {
      guard try here() == expected else { throw problem("\(word) expected") }
      position += 1
    }
  }

  @_lifetime(self: copy self)
  private mutating func skipNumber() throws(ValueProblem) {
    if try here() == UInt8(ascii: "-") { position += 1 }
    if try here() == UInt8(ascii: "0") { position += 1 } else { try digits() }
    if position < bytes.byteCount, bytes.byte(at: position) == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if position < bytes.byteCount, bytes.byte(at: position) | 0x20 == UInt8(ascii: "e") {
      position += 1
      if let sign = try? here(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
  }

  @_lifetime(self: copy self)
  private mutating func digits() throws(ValueProblem) {
    let start = position
    while position < bytes.byteCount, 0x30...0x39 ~= bytes.byte(at: position) { position += 1 }
    if position == start { throw problem("a digit expected") }
  }

  @_lifetime(self: copy self)
  private mutating func escape(into writer: inout ByteWriter) throws(ValueProblem) {
    let byte = try here()
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): writer.append(byte)
    case UInt8(ascii: "b"): writer.append(0x08)
    case UInt8(ascii: "f"): writer.append(0x0C)
    case UInt8(ascii: "n"): writer.append(0x0A)
    case UInt8(ascii: "r"): writer.append(0x0D)
    case UInt8(ascii: "t"): writer.append(0x09)
    case UInt8(ascii: "u"):
      var code = UInt32(try hexadecimal())
      if 0xD800..<0xDC00 ~= code {
        try word("\\u")
        let low = UInt32(try hexadecimal())
        guard 0xDC00..<0xE000 ~= low else { throw problem("half a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw problem("half a surrogate pair") }
      for unit in UTF8.encode(scalar)! { writer.append(unit) }
    default: throw problem("an unknown escape")
    }
  }

  @_lifetime(self: copy self)
  private mutating func hexadecimal() throws(ValueProblem) -> UInt16 {
    var code: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(try here())).hexDigitValue else { throw problem("\\u needs 4 digits") }
      code = code << 4 | UInt16(digit)
      position += 1
    }
    return code
  }

  private func text(_ start: Int) -> String { bytes.extracting(start..<position).utf8String() ?? "" }
}

/// Whether bytes are UTF-8; in most cases they are ASCII.
func isUTF8(_ bytes: RawSpan) -> Bool {
  for index in 0..<bytes.byteCount where bytes.byte(at: index) >= 0x80 { return bytes.utf8String() != nil }
  return true
}
