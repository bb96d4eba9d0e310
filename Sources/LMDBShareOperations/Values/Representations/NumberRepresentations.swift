import LMDBShare

// Integers and booleans unchanged: no digit is lost, even with 128 bits. Floating point: the shortest text that reads back the
// same; "inf", "-inf", "nan" or "nan:BITS".

extension JSONScalar where Self: FixedWidthInteger {
  static var title: String { StorageCodec.identifier }
  func write(as json: inout JSONWriter) { json.number(self) }

  @_lifetime(json: copy json)
  static func read(_ json: inout JSONReader) throws(ValueProblem) -> Self {
    if let value = try json.integer() {
      guard let exact = Self(exactly: value) else { throw outside("\(value)") }
      return exact
    }
    let text = try json.number()
    guard let value = Self(text) else { throw outside(Printable.text(text, limit: 50)) }
    return value
  }

  static func sum(_ value: Self?, _ amount: String) throws -> Self? {
    let isNegative = amount.first == "-"
    let digits = isNegative || amount.first == "+" ? amount.dropFirst() : amount[...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
      throw ValueProblem("\(Printable.text(amount, limit: 50)) is not an integer")
    }
    // The amount may be larger than each number, as in -100 + 200 of 8 bits.
    var (sum, rest) = (value ?? 0, Magnitude(digits))
    while let step = rest.map({ Self(clamping: $0) }), step != 0 {
      let (next, overflows) = isNegative ? sum.subtractingReportingOverflow(step) : sum.addingReportingOverflow(step)
      (sum, rest) = (next, overflows ? nil : rest! - step.magnitude)
    }
    if rest == nil {
      throw Problem("\(value ?? 0) and \(Printable.text(amount, limit: 50)) together do not fit into \(title)")
    }
    return sum
  }

  private static func outside(_ text: String) -> ValueProblem {
    ValueProblem("\(text) is not an integer from \(min) to \(max)")
  }
}

extension Int8: JSONScalar {}
extension Int16: JSONScalar {}
extension Int32: JSONScalar {}
extension Int64: JSONScalar {}
extension Int128: JSONScalar {}
extension UInt8: JSONScalar {}
extension UInt16: JSONScalar {}
extension UInt32: JSONScalar {}
extension UInt64: JSONScalar {}
extension UInt128: JSONScalar {}

extension JSONScalar where Self: StorableFloat & LosslessStringConvertible {
  static var title: String { StorageCodec.identifier }
  func write(as json: inout JSONWriter) { json.float(self) }

  @_lifetime(json: copy json)
  static func read(_ json: inout JSONReader) throws(ValueProblem) -> Self {
    if let name = try json.specialNumber(), let value = FloatText.value(name, Self.self) { return value }
    if try json.kind() == .number {
      let text = try json.number()
      guard let value = Self(text), value.isFinite else { throw json.problem("\(text) is out of range") }
      return value
    }
    guard let value = FloatText.value(try json.string(), Self.self) else { throw json.problem("no number") }
    return value
  }

  static func sum(_ value: Self?, _ amount: String) throws -> Self? {
    guard let number = Self(amount) else {
      throw ValueProblem("\(Printable.text(amount, limit: 50)) is not a number")
    }
    return (value ?? 0) + number
  }

  static func isString(argument: String) -> Bool { FloatText.value(argument, Self.self) != nil }
}

extension Float: JSONScalar {}
extension Double: JSONScalar {}

extension Bool: JSONScalar {
  static var title: String { "bool (true or false)" }
  func write(as json: inout JSONWriter) { json.bool(self) }
  @_lifetime(json: copy json)
  static func read(_ json: inout JSONReader) throws(ValueProblem) -> Bool { try json.bool() }
}
