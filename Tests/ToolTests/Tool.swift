import Foundation
import TestSupport

/// The tool with its own directory, in which commands are run as a user would type them.
struct Tool {
  let directory = TemporaryDirectory()
  /// `Fixtures/tool`.
  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/tool")
  static let path = Program.directory.appendingPathComponent("lmdbshare").path

  /// Runs a shell line, in which `lmdbshare` is the tool; returns its output, including errors, and the exit status.
  @discardableResult
  func run(_ line: String, within seconds: Double = 60) throws -> (status: Int32, output: String) {
    try Program.shell(
      """
      cd '\(directory.path)'; export COLUMNS=80 NO_COLOR=; unset LMDBSHARE_STORE
      lmdbshare() { '\(Tool.path)' "$@"; }
      { \(line)
      } 2>&1
      """, within: seconds)
  }

  /// The store from `Fixtures/tool/store.jsonl`, with structures of all kinds.
  func makeStore(_ name: String = "team.lmdb") throws {
    let made = try run("lmdbshare load \(name) < '\(Tool.fixtures.path)/store.jsonl'")
    guard made.status == 0 else { throw Failed(description: made.output) }
  }

  struct Failed: Error { let description: String }
}
