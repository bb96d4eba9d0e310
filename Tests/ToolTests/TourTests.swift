import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct TourTests {
  /// The README's tour of the tool, as written there.
  @Test func theTourIsTrue() throws {
    let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("README.md")
    let text = try String(contentsOf: readme, encoding: .utf8)
    let block = try #require(text.firstMatch(of: /```console\n([^`]*)```/)).1
    let commands = block.split(separator: "\n").filter { $0.hasPrefix("$ ") }
    #expect(commands.count > 10)
    let script = commands.map { line in
      "printf '%s\\n' '\(line.replacing("'", with: "'\\''"))'\n\(line.dropFirst(2))"
    }
    let tool = Tool()
    let result = try tool.run(script.joined(separator: "\n"))
    #expect(result.output == block)
  }

  /// A dump and its loading, compared with `mdb_dump | mdb_load` on the same disk.
  @Test func dumpAndLoadKeepPace() throws {
    let entries = Int(ProcessInfo.processInfo.environment["LMDBSHARE_OPERATIONS"] ?? "") ?? 1_000_000
    let tool = Tool()
    let disk = TemporaryDirectory(inMemory: false)
    let dump = """
      {
        echo '{"dump":"lmdbshare","version":1}'
        echo '{"structure":"words","kind":"dictionary","key":"string","element":"i64"}'
        seq -f '{"key":"key%09.0f","value":%.0f}' 1 \(entries) | sed 's/%.0f/7/'
        echo '{"end":"words","entries":\(entries)}'
        echo '{"end":null,"structures":1}'
      }
      """
    let filled = try tool.run(
      "\(dump.replacing(",\"value\":%.0f", with: ",\"value\":7")) | lmdbshare load store", within: 100)
    try #require(filled.status == 0, "\(filled)")
    var ours: [Duration] = []
    var theirs: [Duration] = []
    for round in 0..<3 {
      let clock = ContinuousClock()
      ours.append(
        try clock.measure {
          let result = try tool.run("lmdbshare dump store | lmdbshare load '\(disk.file("ours\(round)"))'", within: 100)
          #expect(result.output.contains("\(entries) entries"), "\(result)")
        })
      theirs.append(
        try clock.measure {
          let result = try tool.run(
            "mkdir '\(disk.file("theirs\(round)"))' && mdb_dump -s words store | mdb_load '\(disk.file("theirs\(round)"))' 2>&1 | grep -v db_pagesize",
            within: 100)
          #expect(result.status == 1 && result.output.isEmpty, "\(result)")
        })
    }
    let (mine, other) = (ours.sorted()[1], theirs.sorted()[1])
    print("dump | load of \(entries) entries: \(mine); mdb_dump | mdb_load: \(other)")
    // With few entries this measures the start of the programs.
    if entries >= 500_000 { #expect(mine < other * 2) }
  }
}
