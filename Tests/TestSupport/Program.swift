public import Foundation

/// Another process, with a time limit.
public final class Program: @unchecked Sendable {
  // Why unchecked: used by one test at a time.
  private let process = Process()
  private let output = Pipe()
  private let input = Pipe()

  /// Where this package's executables lie: beside the test bundle.
  public static let directory: URL = {
    var url = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    // The tests may be run by a tool that lies elsewhere.
    for candidate in [url.deletingLastPathComponent()]
      + Bundle.allBundles.map({ $0.bundleURL.deletingLastPathComponent() })
    {
      if FileManager.default.fileExists(atPath: candidate.appendingPathComponent("TestWorker").path) {
        return candidate
      }
    }
    url.deleteLastPathComponent()
    return url
  }()

  /// Starts one of this package's executables.
  public convenience init(_ name: String, _ arguments: [String]) throws {
    try self.init(path: Program.directory.appendingPathComponent(name).path, arguments)
  }

  /// Starts any executable.
  public init(path: String, _ arguments: [String], environment: [String: String]? = nil) throws {
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardOutput = output
    process.standardInput = input
    if let environment { process.environment = environment }
    // The threads on which tests run have signals blocked, which the other process would inherit.
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
  }

  /// Its number.
  public var pid: Int32 { process.processIdentifier }
  /// Whether it has not ended yet.
  public var isRunning: Bool { process.isRunning }
  /// Sends it a signal.
  public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// The next line that it prints, or nil at the end.
  public func line() -> String? {
    var bytes: [UInt8] = []
    while let byte = try? output.fileHandleForReading.read(upToCount: 1)?.first {
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  /// Sends an end of input, on which waiting workers end.
  public func release() { try? input.fileHandleForWriting.close() }

  /// Waits for its end; kills it when that takes too long. Tells its status (negative for a signal) and what it printed.
  @discardableResult
  public func finish(within seconds: Double = 60) -> (status: Int32, output: String) {
    let deadline = DispatchWorkItem { [process] in kill(process.processIdentifier, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: deadline)
    release()
    let rest = (try? output.fileHandleForReading.readToEnd()) ?? nil
    try? output.fileHandleForReading.close()
    process.waitUntilExit()
    deadline.cancel()
    let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    return (status, String(decoding: rest ?? Data(), as: UTF8.self))
  }

  /// Runs one of this package's executables to its end.
  @discardableResult
  public static func run(_ name: String, _ arguments: String...) throws -> (status: Int32, output: String) {
    try Program(name, arguments).finish()
  }

  /// Runs a shell command to its end.
  @discardableResult
  public static func shell(_ command: String, within seconds: Double = 60) throws -> (status: Int32, output: String) {
    try Program(path: "/bin/sh", ["-c", command]).finish(within: seconds)
  }
}
