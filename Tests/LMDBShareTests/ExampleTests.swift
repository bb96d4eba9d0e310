import Foundation
import LMDBShare
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct ExampleTests {
  @Test func sharedState() throws {
    let result = try Program.run("shared-state")
    #expect(result.status == 0)
    #expect(
      result.output == """
        shared list: [42, 2, 3]
        shared dictionary: ["key": "value"]
        shared value: 100
        message: list [42, 2, 3], dictionary ["key": "value"]

        """)
  }

  @Test func wordCountIsRightWhileWorkersAreKilled() throws {
    let directory = TemporaryDirectory()
    for file in 0..<60 {
      let words = (0..<400).map { "word\(($0 * file) % 7)x Über-\($0 % 3) Don't" }
      try directory.write(Array(words.joined(separator: " ").utf8), to: "\(file).txt")
    }
    try directory.write([0, 1, 2], to: "binary")
    try directory.write([0xFF, 0xFE, 0x41], to: "latin")
    let result = try Program(
      "wordcount", [directory.path, "--workers", "3", "--kill-workers", "5", "--verify"]
    ).finish(within: 120)
    #expect(result.status == 0)
    let last = try #require(result.output.split(separator: "\n").last)
    let pattern = #"^files 60, words \d+, distinct \d+, workers 3, killed 5, seconds \d+\.\d\d, verified$"#
    #expect(last.range(of: pattern, options: .regularExpression) != nil, "\(last)")
  }

  @Test func wrongUseOfWordCountIsTold() throws {
    #expect(try Program.run("wordcount").status == 64)
    #expect(try Program.run("wordcount", "Sources", "--workers", "0").status == 64)
    #expect(try Program.run("wordcount", "/nowhere/at/all").status != 0)
  }
}
