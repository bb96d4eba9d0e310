import LMDBShare

/// Floating-point numbers that JSON cannot represent.
enum FloatText {
  /// The texts that this library, Python and JavaScript write.
  static func value<T: StorableFloat>(_ text: String, _: T.Type) -> T? {
    switch text.lowercased() {
    case "inf", "+inf", "infinity", "+infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    case "nan": return .nan
    default:
      guard text.hasPrefix("nan:"), let bits = T.BitPattern(text.dropFirst(4), radix: 16) else { return nil }
      let value = T(bitPattern: bits)
      return value.isNaN ? value : nil
    }
  }

  /// The shortest text that reads back as the same number, and whether it is a JSON number.
  package static func text<T: StorableFloat & CustomStringConvertible>(_ value: T) -> (text: String, isNumber: Bool) {
    if value.isFinite { return (value.description, true) }
    if value.isNaN {
      let bits = value.bitPattern
      return (bits == T.nan.bitPattern ? "nan" : "nan:" + String(bits, radix: 16), false)
    }
    return (value > 0 ? "inf" : "-inf", false)
  }
}
