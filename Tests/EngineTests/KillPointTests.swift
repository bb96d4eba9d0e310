import Foundation
import LMDBShare
import Testing

/// The kill points, at which tests can have a process killed.
struct KillPointTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test func allAreDocumentedAndUsed() throws {
    let document = try text("Sources/LMDBShare/LMDBShare.docc/Crashes.md")
    let proof = try text("tools/proof/Sources/Proof/Crash/Kills.swift")
    var sources = ""
    let files = FileManager.default.enumerator(atPath: Self.root.appendingPathComponent("Sources/LMDBShare").path)
    while let file = files?.nextObject() as? String {
      if file.hasSuffix(".swift") { sources += try text("Sources/LMDBShare/\(file)") }
    }
    for point in KillPoint.allCases {
      #expect(document.contains("`\(point.rawValue)`"), "Crashes.md does not tell of \(point)")
      #expect(sources.contains("KillPoint.pass(.\(point.rawValue))"), "nothing passes \(point)")
      // Kill points of a store's creation are named where stores are created.
      #expect(proof.contains("\(point.rawValue)"), "tools/crash kills does not know \(point)")
    }
  }

  @Test func nothingDiesInOtherBuilds() {
    setenv("LMDBSHARE_KILL", "any:1", 1)
    defer { unsetenv("LMDBSHARE_KILL") }
    for point in KillPoint.allCases { KillPoint.pass(point) }
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
  }
}
