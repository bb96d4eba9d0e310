import LMDBShare

/// Text that is safe for a terminal: names and values come from other programs, and may be malicious.
package enum Printable {
  /// A text in which everything that moves the cursor, changes colours or reverses letters is escaped.
  ///
  /// - Parameter limit: The maximum number of bytes to show.
  package static func text(_ text: String, limit: Int = .max) -> String {
    withUTF8(of: text) { bytes in self.text(bytes, limit: limit) }
  }

  /// A text of several lines in which everything harmful except line ends is escaped.
  package static func lines(_ text: String) -> String {
    let text = withUTF8(of: text) { bytes in self.text(bytes, keepingLines: true) }
    guard text.utf8.contains(0x0D) else { return text }
    return String(decoding: text.utf8.flatMap { $0 == 0x0D ? Array("\\r".utf8) : [$0] }, as: UTF8.self)
  }

  /// JSON in which everything harmful is escaped as in JSON: its meaning stays the same.
  package static func json(_ bytes: RawSpan, limit: Int = .max) -> String {
    let shown = bytes.extracting(0..<min(limit, bytes.byteCount))
    if isSafe(shown) {
      let text = shown.withUTF8Decoded()
      return shown.byteCount < bytes.byteCount ? "\(text)… (\(Size.text(bytes.byteCount)))" : text
    }
    var text = ""
    var index = 0
    while index < shown.byteCount {
      let (length, isHarmless) = scalar(shown, at: index)
      if isHarmless {
        text += shown.extracting(index..<index + length).withUTF8Decoded()
      } else if length == 1, [0x09, 0x0A, 0x0D].contains(shown.byte(at: index)) {
        // White space between values.
        text += " "
      } else if length == 1, shown.byte(at: index) >= 0x80 {
        text += "\\x" + String(shown.byte(at: index), radix: 16)
      } else {
        for unit in Unicode.Scalar(value(shown, at: index, length)).map({ Array(String($0).utf16) }) ?? [] {
          let digits = String(unit, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      }
      index += length
    }
    return shown.byteCount < bytes.byteCount ? "\(text)… (\(Size.text(bytes.byteCount)))" : text
  }

  /// The printable text of bytes; invalid UTF-8 is shown as `\xff`.
  ///
  /// - Parameter keepingLines: Whether line ends, tabs and backslashes stay unchanged.
  package static func text(_ bytes: RawSpan, limit: Int = .max, keepingLines: Bool = false) -> String {
    if bytes.byteCount <= limit, isPlain(bytes) { return bytes.utf8String() ?? "" }
    var writer = ByteWriter()
    var index = 0
    while index < bytes.byteCount, index < limit {
      let byte = bytes.byte(at: index)
      let (length, isHarmless) = scalar(bytes, at: index)
      let isKept = keepingLines && [0x09, 0x0A, 0x0D].contains(byte)
      if isKept || isHarmless && (keepingLines || byte != UInt8(ascii: "\\")) {
        writer.append(bytes.extracting(index..<index + length))
      } else {
        writer.append(contentsOf: escape(bytes, index, length).utf8)
      }
      index += length
    }
    let text = writer.withBytes { String(decoding: $0.copied(), as: UTF8.self) }
    return index < bytes.byteCount ? "\(text)… (\(Size.text(bytes.byteCount)))" : text
  }

  /// Whether there is nothing to escape, which is the usual case.
  private static func isPlain(_ bytes: RawSpan) -> Bool {
    for index in 0..<bytes.byteCount {
      let byte = bytes.byte(at: index)
      if byte < 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\\") { return false }
    }
    return true
  }

  private static func escape(_ bytes: RawSpan, _ index: Int, _ length: Int) -> String {
    if length == 0 || (length == 1 && bytes.byte(at: index) >= 0x80) {
      return "\\x" + String(bytes.byte(at: index), radix: 16)
    }
    switch value(bytes, at: index, length) {
    case 0x09: return "\\t"
    case 0x0A: return "\\n"
    case 0x0D: return "\\r"
    case 0x5C: return "\\\\"
    case let scalar: return "\\u{\(String(scalar, radix: 16))}"
    }
  }

  /// One byte, for a message.
  static func byte(_ byte: UInt8) -> String { withBytes(of: byte) { "'\(text($0))'" } }

  /// Whether JSON can be shown in one line unchanged.
  static func isSafe(_ bytes: RawSpan) -> Bool {
    var index = 0
    while index < bytes.byteCount {
      let byte = bytes.byte(at: index)
      if byte >= 0x20, byte < 0x7F {
        index += 1
        continue
      }
      let (length, isHarmless) = scalar(bytes, at: index)
      guard isHarmless else { return false }
      index += length
    }
    return true
  }

  /// The length of the character at an index, 1 for an invalid byte, and whether it may be shown unchanged.
  static func scalar(_ bytes: RawSpan, at index: Int) -> (length: Int, isHarmless: Bool) {
    let first = bytes.byte(at: index)
    if first < 0x80 { return (1, first >= 0x20 && first != 0x7F) }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1
    guard length > 1, first < 0xF5, index + length <= bytes.byteCount else { return (1, false) }
    for offset in 1..<length where bytes.byte(at: index + offset) & 0xC0 != 0x80 { return (1, false) }
    let value = value(bytes, at: index, length)
    let least: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
    guard value >= least, let scalar = Unicode.Scalar(value) else { return (1, false) }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
      // Joins emoji.
      return (length, value == 0x200D)
    default: return (length, true)
    }
  }

  /// The code of the character of that length.
  static func value(_ bytes: RawSpan, at index: Int, _ length: Int) -> UInt32 {
    let first = UInt32(bytes.byte(at: index))
    if length <= 1 { return first }
    var value = first & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
    for offset in 1..<length { value = value << 6 | UInt32(bytes.byte(at: index + offset) & 0x3F) }
    return value
  }

  /// The number of columns of a text on a terminal: wide characters take two, combining marks none.
  package static func width(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + width($1) }
  }

  private static func width(_ character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    switch first.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if first.properties.isEmojiPresentation || character.unicodeScalars.contains("\u{FE0F}") { return 2 }
    switch first.value {
    // Unicode's East Asian Width, W and F, in whole blocks.
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
      0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
      0x17000...0x18D08, 0x1B000...0x1B2FB, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }

  /// A text cut to a number of columns.
  package static func cut(_ text: String, to columns: Int) -> String {
    guard width(text) > columns else { return text }
    var taken = 0
    var result = ""
    for character in text {
      taken += width(character)
      if taken > columns - 1 { break }
      result.append(character)
    }
    return result + "…"
  }
}

/// Sizes and durations for people.
package enum Size {
  package static func text(_ bytes: Int) -> String {
    var (value, unit) = (Double(bytes), 0)
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(bytes) \(bytes == 1 ? "byte" : "bytes")" : "\((value * 10).rounded() / 10) \(units[unit])"
  }

  package static func text(_ duration: Duration) -> String {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    let size = abs(seconds)
    func rounded(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
    if size < 0.001 { return "\(Int(seconds * 1e6)) µs" }
    if size < 1 { return "\(Int(seconds * 1000)) ms" }
    if size < 120 { return "\(rounded(seconds)) s" }
    if size < 7200 { return "\(rounded(seconds / 60)) min" }
    return size < 172_800 ? "\(rounded(seconds / 3600)) h" : "\(rounded(seconds / 86400)) d"
  }
}

extension RawSpan {
  /// The bytes as text; invalid UTF-8 is replaced.
  fileprivate func withUTF8Decoded() -> String { utf8String() ?? String(decoding: copied(), as: UTF8.self) }
}
