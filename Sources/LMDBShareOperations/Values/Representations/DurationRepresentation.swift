import LMDBShare

extension Duration: JSONText {
  static var title: String { "duration in seconds" }
  /// A number of seconds with up to 18 decimals.
  var jsonText: String { DurationText.text(self) }
  static func value(_ text: String) -> Duration? { DurationText.value(text) }
}

/// Durations as exact numbers of seconds.
enum DurationText {
  private static let second: Int128 = 1_000_000_000_000_000_000

  static func text(_ duration: Duration) -> String {
    let (seconds, rest) = duration.attoseconds.magnitude.quotientAndRemainder(dividingBy: UInt128(second))
    let sign = duration.attoseconds < 0 ? "-" : ""
    if rest == 0 { return "\(sign)\(seconds)" }
    var digits = String(rest)
    digits = String(repeating: "0", count: 18 - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "\(sign)\(seconds).\(digits)"
  }

  /// Nil when the text is not such a number, or has more decimals than a duration.
  static func value(_ text: String) -> Duration? {
    let isNegative = text.first == "-"
    let parts = text.dropFirst(isNegative ? 1 : 0).split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let whole = digits(parts[0]) else { return nil }
    var rest: Int128 = 0
    if parts.count == 2 {
      guard (1...18).contains(parts[1].count),
        let found = digits(parts[1] + String(repeating: "0", count: 18 - parts[1].count))
      else {
        return nil
      }
      rest = found
    }
    let (scaled, overflows) = whole.multipliedReportingOverflow(by: second)
    let signed = isNegative ? (-scaled).subtractingReportingOverflow(rest) : scaled.addingReportingOverflow(rest)
    return overflows || signed.overflow ? nil : Duration(attoseconds: signed.partialValue)
  }

  private static func digits(_ text: some StringProtocol) -> Int128? {
    text.isEmpty || !text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? nil : Int128(text)
  }
}
