import LMDBShare

/// A representation whose values have a text, which is used in JSON, in tables and on the command line.
package struct TextForm: Sendable {
  package let identifier: String
  /// The name for people.
  let title: String
  /// Whether keys can have it.
  let isKey: Bool
  /// The text of a value's bytes, or of a key's.
  let text: @Sendable (_ bytes: RawSpan, _ isKey: Bool) throws(DecodingFailure) -> String
  /// Appends the bytes of the value, or key, with a text; returns false when there is none.
  let encode: @Sendable (_ text: String, _ isKey: Bool, _ writer: inout ByteWriter) -> Bool

  /// All of them.
  package static let all = [duration, decimal, url]
}

extension TextForm: Hashable {
  package static func == (a: TextForm, b: TextForm) -> Bool { a.identifier == b.identifier }
  package func hash(into hasher: inout Hasher) { hasher.combine(identifier) }
}

extension TextForm {
  /// The text itself, if the codec can read it.
  static func utf8<C: Codec>(_ codec: C.Type, _ title: String) -> TextForm {
    TextForm(identifier: C.identifier, title: title, isKey: false) { (bytes, _) throws(DecodingFailure) in
      _ = try C.decode(bytes)
      return bytes.utf8String() ?? ""
    } encode: { text, _, writer in
      withUTF8(of: text) { bytes in
        guard (try? C.decode(bytes)) != nil else { return false }
        writer.append(bytes)
        return true
      }
    }
  }

  private static let decimal = utf8(DecimalCodec.self, "decimal number")
  private static let url = utf8(URLCodec.self, "URL")

  /// A number of seconds with up to 18 decimals.
  private static let duration = TextForm(identifier: "duration", title: "duration in seconds", isKey: true) {
    (bytes, isKey) throws(DecodingFailure) in
    let value = try isKey ? Duration.OrderedCodec.decode(bytes) : Duration.StorageCodec.decode(bytes)
    return DurationText.text(value)
  } encode: { text, isKey, writer in
    guard let value = DurationText.value(text) else { return false }
    if isKey {
      try? Duration.OrderedCodec.encode(value, into: &writer)
    } else {
      try? Duration.StorageCodec.encode(value, into: &writer)
    }
    return true
  }
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
