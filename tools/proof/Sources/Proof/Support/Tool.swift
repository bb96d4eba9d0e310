import Foundation

/// The command-line tool, as users run it.
enum Tool {
  static let path = ProcessInfo.processInfo.environment["LMDBSHARE_TOOL"]

  /// Starts it; its input is a file.
  static func start(_ arguments: [String], input: String? = nil, output: FileHandle = .nullDevice) throws -> Process {
    guard let path else { throw Problem("LMDBSHARE_TOOL names no tool; tools/crash sees to it") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = try input.map { try FileHandle(forReadingFrom: URL(fileURLWithPath: $0)) } ?? .nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Runs it to its end; returns its output, which must be JSON lines.
  static func lines<Line: Decodable>(_: Line.Type, _ arguments: [String]) throws -> [Line] {
    let pipe = Pipe()
    let process = try start(arguments + ["--format", "jsonl"], output: pipe.fileHandleForWriting)
    try? pipe.fileHandleForWriting.close()
    let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Problem("TOOL: lmdbshare \(arguments) ended with \(process.terminationStatus)")
    }
    return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Line.self, from: Data($0)) }
  }

  /// Runs it to its end, which must be successful.
  static func run(_ arguments: [String], input: String? = nil) throws {
    let process = try start(arguments, input: input)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Problem("TOOL: lmdbshare \(arguments) ended with \(process.terminationStatus)")
    }
  }
}
