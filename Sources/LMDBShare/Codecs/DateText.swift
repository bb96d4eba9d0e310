/// Dates as ISO 8601 text in UTC, to the bit: `2026-11-24T12:00:00.25Z`. What is stored is seconds since 2001.
package enum DateText {
  private static let epoch = 11_323  // Days from 1970-01-01 to 2001-01-01.
  private static let power: [Double] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

  /// The text that reads back as exactly this date; nil when 9 decimals and years 1 to 9999 are not enough.
  package static func exact(_ seconds: Double) -> String? {
    guard seconds.isFinite, abs(seconds) < 1e12, seconds.sign == .plus || seconds != 0 else { return nil }
    let whole = seconds.rounded(.down)
    for decimals in 0...9 {
      let fraction = ((seconds - whole) * power[decimals]).rounded()
      guard fraction < power[decimals], whole + fraction / power[decimals] == seconds else { continue }
      return text(Int(whole), Int(fraction), decimals)
    }
    return nil
  }

  /// The nearest millisecond, for people.
  package static func rounded(_ seconds: Double) -> String? {
    guard seconds.isFinite, abs(seconds) < 1e12 else { return nil }
    return exact((seconds * 1000).rounded() / 1000) ?? exact(seconds.rounded())
  }

  /// A number of microseconds since 1970, to the second, for people.
  package static func text(microsecondsSince1970 time: UInt64) -> String {
    rounded(Double(time / 1_000_000) - 978_307_200) ?? "\(time)"
  }

  private static func text(_ whole: Int, _ fraction: Int, _ decimals: Int) -> String? {
    let days = (Double(whole) / 86400).rounded(.down)
    let second = whole - Int(days) * 86400
    // Days to a date of the proleptic Gregorian calendar: years start in March, 400 of them have 146,097 days.
    let shifted = Int(days) + epoch + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
    guard 1...9999 ~= year else { return nil }
    var digits: [UInt8] = []
    digits.reserveCapacity(30)
    func append(_ number: Int, _ width: Int, _ end: Unicode.Scalar) {
      var divisor = 1
      for _ in 1..<width { divisor *= 10 }
      while divisor > 0 {
        digits.append(UInt8(truncatingIfNeeded: number / divisor % 10) + 0x30)
        divisor /= 10
      }
      digits.append(UInt8(ascii: end))
    }
    append(year, 4, "-")
    append(month < 10 ? month + 3 : month - 9, 2, "-")
    append(day, 2, "T")
    append(second / 3600, 2, ":")
    append(second / 60 % 60, 2, ":")
    append(second % 60, 2, decimals > 0 ? "." : "Z")
    if decimals > 0 { append(fraction, decimals, "Z") }
    return String(decoding: digits, as: UTF8.self)
  }

  /// The seconds of such a text: a date only, or with a time to the minute, second or fraction of it; in UTC, or with the offset
  /// of a time zone (`+01:00`, `+0100` or `+01`), which may follow a space.
  package static func seconds(_ text: String) -> Double? { plainSeconds(text) ?? anySeconds(text) }

  /// The seconds of a text as this library writes it; nil for others.
  private static func plainSeconds(_ text: String) -> Double? {
    withUTF8(of: text) { bytes in
      let count = bytes.byteCount
      guard count == 20 || 22...30 ~= count, bytes.byte(at: count - 1) == UInt8(ascii: "Z") else { return nil }
      var position = 0
      /// Reads a number of some digits, and what follows it.
      func number(_ width: Int, _ end: Unicode.Scalar) -> Int? {
        var value = 0
        for index in position..<position + width {
          let digit = bytes.byte(at: index)
          guard 0x30...0x39 ~= digit else { return nil }
          value = value * 10 + Int(digit - 0x30)
        }
        guard bytes.byte(at: position + width) == UInt8(ascii: end) else { return nil }
        position += width + 1
        return value
      }
      guard let year = number(4, "-"), let month = number(2, "-"), let day = number(2, "T"),
        let days = days(year, month, day), let hour = number(2, ":"), hour < 24, let minute = number(2, ":"),
        minute < 60, let second = number(2, count == 20 ? "Z" : "."), second < 60
      else { return nil }
      let whole = Double(days * 86400 + hour * 3600 + minute * 60 + second)
      if count == 20 { return whole }
      let decimals = count - 21
      return number(decimals, "Z").map { whole + Double($0) / power[decimals] }
    }
  }

  private static func anySeconds(_ text: String) -> Double? {
    let parts = text.split(whereSeparator: { $0 == "T" || $0 == "t" || $0 == " " })
    guard 1...3 ~= parts.count else { return nil }
    let date = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard date.count == 3, date[0].utf8.count == 4, let year = digits(date[0]), let month = digits(date[1]),
      let day = digits(date[2]), let days = days(year, month, day)
    else { return nil }
    guard parts.count > 1 else { return Double(days * 86400) }
    var time = parts[1]
    if parts.count == 3 {
      guard let first = parts[2].first, "+-Zz".contains(first) else { return nil }
      time += parts[2]
    }
    var offset = 0
    if time.last == "Z" || time.last == "z" {
      time.removeLast()
    } else if let sign = time.lastIndex(where: { $0 == "+" || $0 == "-" }) {
      guard let seconds = zone(time[sign...]) else { return nil }
      offset = seconds
      time = time[..<sign]
    }
    var fraction = 0.0
    if let point = time.firstIndex(of: ".") {
      let decimals = time[time.index(after: point)...]
      guard 1...9 ~= decimals.utf8.count, let value = digits(decimals) else { return nil }
      fraction = Double(value) / power[decimals.utf8.count]
      time = time[..<point]
    }
    let clock = time.split(separator: ":", omittingEmptySubsequences: false).map(digits)
    guard clock.count == 2 || clock.count == 3, let hour = clock[0], let minute = clock[1], hour < 24, minute < 60,
      let second = clock.count == 3 ? clock[2] : 0, second < 60
    else { return nil }
    return Double(days * 86400 + hour * 3600 + minute * 60 + second - offset) + fraction
  }

  /// The days from the beginning of 2001 to a date; nil when there is no such date.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int? {
    guard 1...12 ~= month, year >= 1, 1...days(of: month, year) ~= day else { return nil }
    let shiftedYear = month > 2 ? year : year - 1
    let era = shiftedYear / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468 - epoch
  }

  /// The seconds by which a time zone is ahead of UTC: `+01:00`, `-0330` or `+01`.
  private static func zone(_ text: Substring) -> Int? {
    var numbers = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
    if numbers.count == 1, numbers[0].utf8.count == 4 { numbers = [numbers[0].prefix(2), numbers[0].suffix(2)] }
    guard 1...2 ~= numbers.count, numbers.allSatisfy({ $0.utf8.count == 2 }), let hours = digits(numbers[0]),
      hours < 24, let minutes = numbers.count == 2 ? digits(numbers[1]) : 0, minutes < 60
    else { return nil }
    return (text.first == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
  }

  private static func days(of month: Int, _ year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    switch month {
    case 2: return isLeap ? 29 : 28
    case 4, 6, 9, 11: return 30
    default: return 31
    }
  }

  private static func digits(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? Int(text) : nil
  }
}
