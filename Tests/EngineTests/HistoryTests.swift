import Foundation
import Testing

/// The table of faults of other systems names existing tests, commands and rules.
struct HistoryTests {
  @Test func everyRowHasATest() throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let root = tests.deletingLastPathComponent()
    var functions: Set<Substring> = []
    let files = FileManager.default.enumerator(atPath: tests.path)
    while let file = files?.nextObject() as? String {
      guard file.hasSuffix(".swift") else { continue }
      let text = try String(contentsOf: tests.appendingPathComponent(file), encoding: .utf8)
      functions.formUnion(text.matches(of: /func (\w+)\(/).map(\.output.1))
    }
    let rules = try String(contentsOf: root.appendingPathComponent("tools/rules"), encoding: .utf8)
    let table = try String(contentsOf: tests.appendingPathComponent("HISTORY.md"), encoding: .utf8)
    var rows = 0
    for line in table.split(separator: "\n") where line.hasPrefix("| ") && !line.hasPrefix("| Fault") {
      let columns = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(columns.count == 4, "\(line)")
      rows += 1
      let named = columns[2].matches(of: /`([^`]+)`/).map(\.output.1)
      #expect(!named.isEmpty, "\(line)")
      for name in named {
        if name.hasPrefix("tools/") {
          let script = root.appendingPathComponent(String(name.prefix { $0 != " " }))
          #expect(FileManager.default.isExecutableFile(atPath: script.path), "\(name)")
        } else {
          if !functions.contains(name) { Issue.record("there is no test \(name)") }
        }
      }
      if !columns[3].isEmpty, !rules.contains("without '\(columns[3])'") {
        Issue.record("there is no rule \(columns[3])")
      }
    }
    #expect(rows > 25)
  }
}
