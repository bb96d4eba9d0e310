import Foundation

/// A progress bar on standard error, if that is a terminal.
struct Progress {
  private let isTerminal = isatty(STDERR_FILENO) == 1

  func show(_ done: Int, of total: Int) {
    guard isTerminal, total > 0 else { return }
    let filled = 40 * done / total
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 40 - filled)
    FileHandle.standardError.write(Data("\r[\(bar)] \(done)/\(total)".utf8))
  }

  func end() {
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}
