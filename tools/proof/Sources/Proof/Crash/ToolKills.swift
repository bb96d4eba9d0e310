import ArgumentParser
import Foundation
import LMDBShare

/// Kills the tool while it loads, applies, compacts and backs up: each command takes effect completely, or not at all.
struct ToolKills: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tool",
    abstract: "SIGKILLs the tool while it changes or copies a store; each command is all or nothing.")

  @Option(help: "How many to kill.") var count = 200
  @OptionGroup var common: CommonOptions

  private static let entries = 30_000
  private enum Work: CaseIterable { case load, apply, compact, backup }

  func run() throws {
    let seed = common.begin("tool")
    var random = Random(seed)
    let scratch = try Scratch("tool", in: common.directory)
    let store = scratch.file("store")
    try make(scratch)
    var state = try self.state(store)
    var killed: [Work: Int] = [:]
    var (runs, finished) = (0, 0)
    var takes: [Work: Double] = [:]
    while killed.values.reduce(0, +) < count {
      let work = Work.allCases[runs % 4]
      runs += 1
      let version = Int(runs)
      let expected: State
      var input: String?
      let arguments: [String]
      switch work {
      case .load:
        input = scratch.file("dump-\(runs / 4 % 2)")
        arguments = ["load", store, "--replace"]
        expected = State(version: runs / 4 % 2, sum: Self.entries * (runs / 4 % 2), count: Self.entries)
      case .apply:
        input = try changes(scratch, version)
        arguments = ["apply", store]
        expected = State(version: version, sum: state.sum + 5000, count: state.count)
      case .compact:
        arguments = ["compact", store]
        expected = state
      case .backup:
        try? FileManager.default.removeItem(atPath: scratch.file("backup"))
        arguments = ["backup", store, scratch.file("backup"), "--compact"]
        expected = state
      }
      let begin = Date()
      let process = try Tool.start(arguments, input: input)
      if let whole = takes[work] {
        Thread.sleep(forTimeInterval: whole * Double(random.number(0..<1100)) / 1000)
        kill(process.processIdentifier, SIGKILL)
      }
      process.waitUntilExit()
      if process.terminationReason == .uncaughtSignal {
        killed[work, default: 0] += 1
      } else {
        finished += 1
        takes[work] = min(takes[work] ?? 10, Date().timeIntervalSince(begin))
        guard process.terminationStatus == 0 else {
          throw Problem("TOOL: lmdbshare \(arguments) ended with \(process.terminationStatus) (\(scratch.path))")
        }
      }
      let found = try self.state(store)
      guard found == state && process.terminationReason == .uncaughtSignal || found == expected else {
        throw Problem("HALF DONE: \(arguments) led from \(state) to \(found), not \(expected) (\(scratch.path))")
      }
      state = found
      if work == .backup, FileManager.default.fileExists(atPath: scratch.file("backup/data.mdb")) {
        let copied = try self.state(scratch.file("backup"))
        guard copied == state else { throw Problem("HALF DONE: a backup with \(copied) of \(state)") }
      }
      common.progress("\(work): \(found)")
    }
    let all = Work.allCases.map { "\($0) \(killed[$0] ?? 0)" }.joined(separator: ", ")
    print(
      "tool \(killed.values.reduce(0, +)) killed seed \(seed): 0 half done, 0 findings; \(all); \(finished) came to their end"
    )
    scratch.remove()
  }

  /// The contents of a store, all of which one transaction changes.
  private struct State: Equatable { var version: Int, sum: Int, count: Int }

  private func state(_ path: String) throws -> State {
    var options = StoreOptions()
    options.createIfMissing = false
    options.verification = .pages
    let store = try SharedStore(path: path, options: options)
    let findings = try store.check()
    guard findings.isEmpty else { throw Problem("DAMAGED: \(findings)") }
    let version = try store.value("version", initial: -1)
    let words = try store.dictionary("words", of: String.self, Int.self)
    let list = try store.list("list", of: String.self)
    let jobs = try store.queue("jobs", of: Int.self)
    return try store.read { txn in
      let (values, count) = (txn[words].values.reduce(0, +), txn[words].count)
      guard txn[list].last == "version \(txn[version])", txn[jobs].peek() == txn[version] else {
        throw Problem("HALF DONE: structures of different transactions")
      }
      return State(version: txn[version], sum: values, count: count)
    }
  }

  /// Two dumps, of stores in which every structure is different, and a store with the first of them.
  private func make(_ scratch: Scratch) throws {
    for version in [1, 0] {
      let path = scratch.file("store-\(version)")
      do {
        let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
        try store.write { txn in
          _ = try txn.value("version", initial: version)
          let words = try txn.dictionary("words", of: String.self, Int.self)
          for number in 0..<Self.entries { txn[words]["word \(number)"] = version }
          let list = try txn.list("list", of: String.self)
          txn[list].append("version \(version)")
          let jobs = try txn.queue("jobs", of: Int.self)
          txn[jobs].push(version)
        }
      }
      let output = scratch.file("dump-\(version)")
      try Data().write(to: URL(fileURLWithPath: output))
      let process = try Tool.start(["dump", path], output: FileHandle(forWritingTo: URL(fileURLWithPath: output)))
      process.waitUntilExit()
      guard process.terminationStatus == 0 else { throw Problem("TOOL: dump ended with \(process.terminationStatus)") }
    }
    try FileManager.default.moveItem(atPath: scratch.file("store-0"), toPath: scratch.file("store"))
  }

  private func changes(_ scratch: Scratch, _ version: Int) throws -> String {
    var lines = [
      "{\"op\":\"set\",\"name\":\"version\",\"value\":\(version)}",
      "{\"op\":\"append\",\"name\":\"list\",\"value\":\"version \(version)\"}",
      "{\"op\":\"clear\",\"name\":\"jobs\"}", "{\"op\":\"push\",\"name\":\"jobs\",\"value\":\(version)}",
    ]
    for number in 0..<5000 { lines.append("{\"op\":\"increment\",\"name\":\"words\",\"key\":\"word \(number)\"}") }
    let path = scratch.file("changes")
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    return path
  }
}
