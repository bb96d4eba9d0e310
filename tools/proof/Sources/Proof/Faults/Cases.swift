import Foundation
import LMDBShare

/// A situation for a program in a separate process, and its expected result.
struct Case: Sendable {
  let name: String
  /// The expected results, one of which the process must report: error codes or words; `stops` for a stop with a message.
  let expected: Set<String>
  let body: @Sendable (_ path: String) throws -> String

  init(_ name: String, _ expected: String..., body: @escaping @Sendable (_ path: String) throws -> String) {
    self.name = name
    self.expected = Set(expected)
    self.body = body
  }

  /// The same case with another expected result under the circumstances.
  func expecting(_ expected: String...) -> Case { Case(name: name, expected: Set(expected), body: body) }

  private init(name: String, expected: Set<String>, body: @escaping @Sendable (_ path: String) throws -> String) {
    self.name = name
    self.expected = expected
    self.body = body
  }

  /// All cases, by group.
  static let groups: [String: [Case]] = [
    "limits": LimitCases.all, "paths": PathCases.all, "misuse": MisuseCases.all, "inherited": InheritedCases.all,
  ]

  /// Runs the body, in the process that was started for it.
  static func work(_ worker: Worker) throws {
    let (group, name, path, result) = (
      worker.arguments[0], worker.arguments[1], worker.arguments[2], worker.arguments[3]
    )
    guard let found = groups[group]?.first(where: { $0.name == name }) else { throw Problem("no case \(name)") }
    try outcome { try found.body(path) }.write(toFile: result, atomically: false, encoding: .utf8)
  }

  /// The code of the error that `body` throws, or what it returns.
  static func outcome(_ body: () throws -> String) throws -> String {
    do {
      return try body()
    } catch let error as StoreError {
      guard !error.reason.isEmpty, !error.advice.isEmpty else { throw Problem("an error without advice: \(error)") }
      return error.code.rawValue
    }
  }

  /// The same for a synchronous body.
  static func code(_ body: () throws -> Void) throws -> String {
    do {
      try body()
      return "nothing"
    } catch let error as StoreError {
      return error.code.rawValue
    }
  }
}

/// Starts a process for each case, and checks the result.
struct CaseRunner {
  let group: String
  let scratch: Scratch
  let other: SharedStore
  private(set) var passed = 0
  private(set) var skipped: [String] = []
  private(set) var problems: [String] = []

  init(_ group: String, _ common: CommonOptions) throws {
    self.group = group
    scratch = try Scratch("faults-\(group)", in: common.directory)
    other = try SharedStore(path: scratch.file("other"))
  }

  mutating func run(_ one: Case, at path: String? = nil) throws {
    let place = path ?? scratch.file("case")
    if path == nil { try? FileManager.default.removeItem(atPath: place) }
    let result = scratch.file("result")
    // The writer may be another user.
    try? FileManager.default.removeItem(atPath: result)
    _ = FileManager.default.createFile(atPath: result, contents: nil, attributes: [.posixPermissions: 0o666])
    let process = try WorkerProcess(
      role: "case", store: other, arguments: [group, one.name, place, result],
      environment: ["SWIFT_BACKTRACE": "enable=no"])
    let end = process.wait(timeout: .seconds(60))
    if end == nil { process.kill() }
    let told = (try? String(contentsOfFile: result, encoding: .utf8)) ?? ""
    let outcome =
      switch end {
      case nil: "hangs"
      case .exited(0): told
      case .signaled(4), .signaled(5): "stops"
      case .some(let end): "\(end)"
      }
    if one.expected.contains(outcome) {
      passed += 1
    } else {
      problems.append("\(one.name): \(outcome) instead of \(one.expected.sorted().joined(separator: " or "))")
    }
  }

  /// Runs the case with that name with another expected result.
  mutating func run(_ name: String, _ expected: String, at path: String) throws {
    guard let one = Case.groups[group]?.first(where: { $0.name == name }) else { throw Problem("no case \(name)") }
    try run(one.expecting(expected), at: path)
  }

  mutating func skip(_ name: String, _ reason: String) {
    skipped.append(name)
    print("skipped: \(name): \(reason)")
  }

  mutating func note(_ problem: String) { problems.append(problem) }
  mutating func pass() { passed += 1 }

  func finish(_ more: String = "") throws {
    for problem in problems { print("FOUND: \(problem)") }
    print(
      "faults \(group) \(passed) cases: \(problems.count) not as they must be, 0 crashes, 0 hangs"
        + (skipped.isEmpty ? "" : ", \(skipped.count) skipped") + more)
    guard problems.isEmpty else { throw Problem("\(problems.count) problems (\(scratch.path))") }
    scratch.remove()
  }
}

/// A separate file system for a proof; nil if it is not available.
final class Mount {
  let path: String

  /// - Parameter arguments: The arguments of mount(8) before the directory.
  init?(_ path: String, _ arguments: [String]) {
    self.path = path
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard Mount.call("mount", arguments + [path]) else { return nil }
  }

  deinit { _ = Mount.call("umount", [path]) }

  @discardableResult
  static func call(_ command: String, _ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [command] + arguments
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
