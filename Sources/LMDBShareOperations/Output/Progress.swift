import LMDBShare
import _LMDBShareSystem

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The progress of a long command: one line of a terminal, which is overwritten, and removed at the end.
package struct Progress: ~Copyable {
  private let isShown: Bool
  private let what: String
  private let total: Int?
  private let start = ContinuousClock.now
  private var shownAt = ContinuousClock.now
  private var hasShown = false
  private var calls = 0

  /// - Parameter total: The total, if it is known.
  package init(_ what: String, of total: Int? = nil) {
    isShown = Stream.errors.isTerminal && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    self.what = what
    self.total = total
  }

  /// Reports how much is done; cheap enough for every entry.
  mutating func update(_ done: Int, _ note: @autoclosure () -> String = "") {
    calls &+= 1
    guard isShown, calls & 0xFF == 0 || total == nil else { return }
    let now = ContinuousClock.now
    guard shownAt.duration(to: now) > .milliseconds(100) else { return }
    shownAt = now
    show(done, note(), now)
  }

  /// Reports progress immediately, for callers that rarely do so.
  package mutating func updateNow(_ done: Int) { if isShown { show(done, "", .now) } }

  private mutating func show(_ done: Int, _ note: String, _ now: ContinuousClock.Instant) {
    hasShown = true
    let time = start.duration(to: now)
    let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    let rate = Double(done) / max(seconds, 0.001)
    var line = "\(Progress.grouped(done)) \(what)  \(Progress.grouped(Int(rate)))/s"
    if let total, total > 0 {
      let share = min(1, Double(done) / Double(total))
      let filled = Int(share * 20)
      line =
        "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: 20 - filled) + "] "
        + "\(Int(share * 100)) %  " + line
      if rate > 0, done < total { line += "  \(Size.text(.seconds(Double(total - done) / rate))) left" }
    }
    if !note.isEmpty { line += "  \(note)" }
    let columns = Int(lms_terminal_columns(Stream.errors.number))
    _ = Stream.errors.write(Array("\r\(Printable.cut(line, to: columns - 1))\u{1B}[K".utf8))
  }

  /// Removes the line.
  package mutating func end() {
    if hasShown { _ = Stream.errors.write(Array("\r\u{1B}[K".utf8)) }
    hasShown = false
  }

  /// A number with its thousands separated.
  static func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
      if index > 0, index % 3 == 0, digit != "-" { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }
}
