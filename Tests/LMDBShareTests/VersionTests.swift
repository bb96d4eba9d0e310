import Foundation
import LMDBShare
import TestSupport
import Testing

/// The version is in one place of the sources; all other places that name it agree.
struct VersionTests {
  private func text(_ name: String) throws -> String {
    try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent(name), encoding: .utf8)
  }

  @Test func allNameTheSameVersion() throws {
    let version = SharedStore.libraryVersion
    let first = try text("CHANGELOG.md").split(separator: "\n").first { $0.hasPrefix("## ") }
    #expect(first == "## \(version)")
    let tool = Program.directory.appendingPathComponent("lmdbshare").path
    #expect(try Program.shell("'\(tool)' --version").output == "\(version)\n")
  }
}
