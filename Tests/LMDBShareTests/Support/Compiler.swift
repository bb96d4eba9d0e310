import Foundation
import TestSupport

/// Compiles programs with the library that is being tested.
enum Compiler {
  /// Compiles a file up to and including the optimizer; returns the compiler's output.
  ///
  /// - Parameters:
  ///   - name: The file's name; statements at the top are only allowed in `main.swift`.
  ///   - options: Options of the compiler, for example the language mode.
  static func compile(
    _ source: String, as name: String = "case.swift", _ options: String = "-swift-version 6"
  ) throws -> (status: Int32, output: String) {
    let directory = TemporaryDirectory()
    try directory.write(Array(source.utf8), to: name)
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")
    let paths = [
      Program.directory.appendingPathComponent("Modules").path, sources.appendingPathComponent("_LMDBShareLMDB").path,
      sources.appendingPathComponent("_LMDBShareSystem/include").path,
    ].map { "-I '\($0)'" }.joined(separator: " ")
    let form = name == "main.swift" ? "" : "-parse-as-library"
    return try Program.shell(
      "swiftc -emit-sil -o /dev/null \(form) \(options) \(paths) '\(directory.file(name))' 2>&1", within: 300)
  }
}
