internal import CTestShims
public import Foundation
internal import Synchronization

/// Another process, with a time limit.
///
/// Not started with Foundation's `Process`: that lets a child inherit files of other children that are started at the same time,
/// and waits until all of them have closed them.
public final class Program: @unchecked Sendable {
  // Why unchecked: used by only one test at a time, except for `ended`.
  /// Its PID.
  public let pid: Int32
  private let output: FileHandle
  private var input: FileHandle?
  /// The way in which it ended, once it has.
  private let ended = Ended()

  private final class Ended: Sendable {
    let status = Locked<Int32?>(nil)
    let group = DispatchGroup()
  }

  /// The directory of this package's executables: beside the test bundle.
  public static let directory: URL = {
    var url = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    // The tests may be run by a tool in another directory.
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
    let variables = environment ?? ProcessInfo.processInfo.environment
    let (input, output) = (Pipe(), Pipe())
    var number: pid_t = 0
    let code = Program.withCStrings([path] + arguments) { arguments in
      Program.withCStrings(variables.map { "\($0)=\($1)" }) { variables in
        test_spawn(
          &number, path, arguments, variables, input.fileHandleForReading.fileDescriptor,
          output.fileHandleForWriting.fileDescriptor)
      }
    }
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
    pid = number
    // Immediately, whatever waits: tests of this process's end wait for any child, and would see the same dead one again and
    // again.
    ended.group.enter()
    Thread.detachNewThread { [ended, number] in
      test_wait_for_end(number)
      ended.status.withLock { $0 = test_reap(number) }
      ended.group.leave()
    }
    try input.fileHandleForReading.close()
    try output.fileHandleForWriting.close()
    self.input = input.fileHandleForWriting
    self.output = output.fileHandleForReading
  }

  private static func withCStrings<R>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    var pointers = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
  }

  /// Whether it is still running.
  public var isRunning: Bool { ended.status.withLock { $0 == nil } }
  /// Sends it a signal.
  public func signal(_ number: Int32) { ended.status.withLock { if $0 == nil { kill(pid, number) } } }

  /// Waits until /proc shows all of its threads in that state at three successive checks: `S` when they sleep, `T` when it is
  /// stopped. Returns false when it ends before, or that takes too long.
  public func reaches(_ state: Character) -> Bool {
    let tasks = "/proc/\(pid)/task"
    var quiet = 0
    _ = eventually {
      let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
      let isSo = threads.allSatisfy { thread in
        ((try? String(contentsOfFile: "\(tasks)/\(thread)/stat", encoding: .utf8)) ?? "").contains(") \(state) ")
      }
      quiet = isSo && !threads.isEmpty ? quiet + 1 : 0
      return quiet == 3 || !isRunning
    }
    return quiet == 3
  }

  /// Waits until /proc shows that it has this file open; returns false when that takes too long.
  public func opens(_ path: String) -> Bool {
    let files = "/proc/\(pid)/fd"
    let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    return eventually {
      ((try? FileManager.default.contentsOfDirectory(atPath: files)) ?? []).contains { file in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(files)/\(file)")) == place
      }
    }
  }

  /// Waits until it has no child any more; returns false when that takes too long.
  public func losesItsChildren() -> Bool {
    // The children of its first thread.
    eventually { (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) == "" }
  }

  /// The next line that it prints, or nil at the end.
  public func line() -> String? {
    var bytes: [UInt8] = []
    while let byte = try? output.read(upToCount: 1)?.first {
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  /// Sends it a line; returns false when it has ended.
  public func send(_ line: String) -> Bool {
    let bytes = Array((line + "\n").utf8)
    guard let descriptor = input?.fileDescriptor else { return false }
    return bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == bytes.count
  }

  /// Closes its input, which makes waiting workers end.
  public func release() {
    try? input?.close()
    input = nil
  }

  /// Waits for its end; kills it when that takes too long. Returns its status (negative for a signal) and its output.
  @discardableResult
  public func finish(within seconds: Double = 60) -> (status: Int32, output: String) {
    let deadline = DispatchWorkItem { [weak self] in self?.signal(SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: deadline)
    release()
    let rest = (try? output.readToEnd()) ?? nil
    try? output.close()
    ended.group.wait()
    deadline.cancel()
    let status = ended.status.withLock { $0 } ?? -1
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
