import Foundation
import TestSupport
import Testing

/// Compiles the code in the documentation: every block of README.md, of the guides and of the comments of the library's
/// declarations, as code of a client.
@Suite(.timeLimit(.minutes(20)))
struct DocumentationTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  struct Block {
    let file: String
    let line: Int
    let code: [String]
  }

  @Test func everyBlockOfTheDocumentationCompiles() throws {
    let blocks = try Self.blocks()
    // The minimum number of blocks, which shows that they are still found.
    try #require(blocks.count > 35, "\(blocks.count)")
    let errors = try Self.errors(of: blocks)
    #expect(errors == [])
  }

  /// The check itself detects code that does not compile, and names its place.
  @Test func aBlockThatDoesNotCompileIsNamed() throws {
    let good = Block(file: "good.md", line: 1, code: ["try names.append(\"Ada\")"])
    let bad = Block(file: "bad.md", line: 7, code: ["let one = 1", "try names.append(one)"])
    let errors = try Self.errors(of: [good, bad])
    #expect(errors.contains { $0.contains("bad.md:8:") } && !errors.contains { $0.contains("good.md") }, "\(errors)")
  }

  // MARK: Finding the blocks

  static func blocks() throws -> [Block] {
    let library = root.appendingPathComponent("Sources/LMDBShare")
    var blocks = try fenced("README.md")
    let paths = FileManager.default.enumerator(atPath: library.path)?.compactMap { $0 as? String } ?? []
    for path in paths.sorted() {
      if path.hasSuffix(".md") { blocks += try fenced("Sources/LMDBShare/\(path)") }
      if path.hasSuffix(".swift") { blocks += try indented("Sources/LMDBShare/\(path)") }
    }
    return blocks
  }

  private static func lines(_ path: String) throws -> [String] {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8).components(separatedBy: "\n")
  }

  /// The blocks between ```swift and ```.
  private static func fenced(_ path: String) throws -> [Block] {
    var blocks: [Block] = []
    var code: [String]?
    for (index, line) in try lines(path).enumerated() {
      if let found = code, line.hasPrefix("```") {
        blocks.append(Block(file: path, line: index - found.count + 1, code: found))
        code = nil
      } else if code != nil {
        code?.append(line)
      } else if line.hasPrefix("```swift") {
        code = []
      }
    }
    return blocks
  }

  /// The blocks of comments: indented by four, after an empty line.
  private static func indented(_ path: String) throws -> [Block] {
    var blocks: [Block] = []
    var code: [String] = []
    var isBehindEmpty = false
    for (index, line) in (try lines(path) + [""]).enumerated() {
      let text = line.drop { $0 == " " }
      let isEmpty = text == "///"
      if text.hasPrefix("///     "), isBehindEmpty || !code.isEmpty {
        code.append(String(text.dropFirst(8)))
      } else if isEmpty, !code.isEmpty {
        code.append("")
      } else if !code.isEmpty {
        blocks.append(Block(file: path, line: index - code.count + 1, code: code))
        code = []
      }
      isBehindEmpty = isEmpty
    }
    return blocks
  }

  // MARK: Compiling the blocks

  /// Declarations that the blocks rely on.
  private static let preamble = """
    import Foundation
    import LMDBShare

    func assumed<T>() -> T { assumed() }
    func elided() {}
    struct Job: Codable, Sendable, Storable { var path = "" }
    struct Order: Codable, Sendable, Storable { var article = "", count = 0 }
    struct Point { var x = 0, y = 0 }
    struct Journal { func note(_ order: Order, _ token: CommitToken) throws {} }
    var store: SharedStore { assumed() }
    var names: SharedList<String> { assumed() }
    var scores: SharedDictionary<String, Int> { assumed() }
    var total: SharedValue<Int> { assumed() }
    var jobs: SharedQueue<Job> { assumed() }
    var samples: SharedArray<Int32> { assumed() }
    var orders: SharedQueue<Order> { assumed() }
    var log: SharedList<Order> { assumed() }
    var shipments: SharedQueue<Order> { assumed() }
    var stock: SharedDictionary<String, Int> { assumed() }
    var journal: Journal { assumed() }
    var order: Order { assumed() }
    var more: [Job] { assumed() }
    var many: [Job] { assumed() }
    var others: [Job] { assumed() }
    func work(_ job: Job) throws {}
    func work(_ store: SharedStore, _ arguments: [String]) throws {}
    func printPage() async {}
    func resetPrinter() {}

    """

  /// The compiler's errors for the blocks, each as the body of a function.
  private static func errors(of blocks: [Block]) throws -> [String] {
    var source = preamble
    for (number, block) in blocks.enumerated() {
      let code = block.code.map { $0.replacing("…", with: "elided()") }
      let isAsync = code.contains { $0.contains("await ") }
      source += "func block\(number)()\(isAsync ? " async" : "") throws {\n"
      source += "#sourceLocation(file: \"\(block.file)\", line: \(block.line))\n"
      // Code that is only allowed at the top of a file.
      source += code.map { $0.hasPrefix("import ") ? "" : $0 }.joined(separator: "\n")
      source += "\n#sourceLocation()\n}\n"
    }
    let directory = TemporaryDirectory()
    let file = directory.file("Documentation.swift")
    try source.write(toFile: file, atomically: true, encoding: .utf8)
    let modules = Program.directory.appendingPathComponent("Modules").path
    let result = try Program.shell(
      """
      cd '\(directory.path)' && swiftc -typecheck -parse-as-library -swift-version 6 -module-cache-path modules -I '\(modules)' \
        -I '\(root.path)/Sources/_LMDBShareLMDB' -I '\(root.path)/Sources/_LMDBShareSystem/include' '\(file)' 2>&1
      """,
      within: 240)
    let errors = result.output.split(separator: "\n").filter { $0.contains(": error: ") }.map(String.init)
    return result.status == 0 || !errors.isEmpty ? errors : [result.output]
  }
}
