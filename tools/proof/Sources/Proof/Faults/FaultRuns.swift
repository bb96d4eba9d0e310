import ArgumentParser
import CProof
import Foundation
import LMDBShare

/// Injected failures of the system, one after the other.
struct Faults: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Failures of the system: each is reported, and none loses data.",
    subcommands: [
      FaultsOfFiles.self, FaultsOfMemory.self, FaultsOfLimits.self, FaultsOfPaths.self, FaultsOfInheritance.self,
      FaultsOfMisuse.self,
    ])
}

/// The n-th call that changes or reads a file fails, for every n.
struct FaultsOfFiles: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "io", abstract: "The n-th call for a file fails, for every n, once and from then on.")
  @OptionGroup var runs: FaultRuns

  func run() throws {
    let errors: [(String, Int32)] = [
      ("ENOSPC", ENOSPC), ("EIO", EIO), ("EINTR", EINTR), ("short", 0),
    ]
    try runs.run("io", "PROOF_FAULT", errors.map { (name, code) in (name, ":\(code)") })
  }
}

/// The n-th memory allocation of LMDB fails, for every n.
///
/// Swift itself ends a program whose allocation fails, so only LMDB's allocations, and maps, fail.
struct FaultsOfMemory: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory", abstract: "The n-th request of LMDB for memory fails, for every n, once and from then on.")
  @OptionGroup var runs: FaultRuns

  func run() throws { try runs.run("memory", "PROOF_MEMORY", [("ENOMEM", "")]) }
}

/// Runs of a program in which one call fails, or many.
struct FaultRuns: ParsableArguments {
  @Option(help: "Only every n-th call fails, beginning at a random one.") var every = 1
  @Option(help: "How many steps the program takes.") var steps = 20
  @OptionGroup var common: CommonOptions

  /// The report of a run at its end.
  struct Outcome: Codable {
    /// The number of calls.
    var calls = 0
    /// The errors that it got, by code.
    var errors: [String: Int] = [:]
    var commits = 0
  }

  func run(_ name: String, _ variable: String, _ kinds: [(name: String, text: String)]) throws {
    let seed = common.begin(name)
    let scratch = try Scratch("faults-\(name)", in: common.directory)
    let other = try SharedStore(path: scratch.file("other"))
    var random = Random(seed)
    var runs = 0
    var commits = 0
    var errors: [String: Int] = [:]
    for mode in [Writer.Assignment.Durability.durable, .processCrashOnly] {
      for kind in kinds {
        for isForGood in [false, true] {
          var number = random.number(0..<every) + 1
          while true {
            // No call is interrupted forever; an interrupted call is repeated.
            let fault = "\(number)\(kind.text):\(!isForGood ? 0 : kind.name == "EINTR" ? 2 : 1)"
            let outcome = try run(scratch, other, seed, mode, [variable: fault]) { end in
              Problem("FOUND: \(mode), \(variable)=\(fault): \(end) (--seed \(seed); \(scratch.path))")
            }
            runs += 1
            commits += outcome.commits
            errors.merge(outcome.errors) { $0 + $1 }
            if outcome.calls < number { break }
            number += every
          }
          common.progress("\(mode), \(kind.name)\(isForGood ? " for good" : ""): \(number) calls")
        }
      }
    }
    let told = errors.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    print(
      "faults \(name) \(runs) runs seed \(seed): 0 crashes, 0 hangs, 0 lost, 0 unreported; \(commits) commits; told: \(told)"
    )
    scratch.remove()
  }

  private func run(
    _ scratch: Scratch, _ other: SharedStore, _ seed: UInt64, _ mode: Writer.Assignment.Durability,
    _ fault: [String: String], _ problem: (String) -> Problem
  ) throws -> Outcome {
    for name in ["store", "board", "outcome", "backup"] {
      try? FileManager.default.removeItem(atPath: scratch.file(name))
    }
    var assignment = Writer.Assignment(
      board: scratch.file("board"), slot: 0, seed: seed, durability: mode, store: scratch.file("store"))
    assignment.rounds = steps
    assignment.backups = scratch.file("backup")
    let victim = try WorkerProcess(
      role: "faulty", store: other, arguments: [try assignment.text, scratch.file("outcome")],
      environment: fault.merging(["LD_PRELOAD": Interposer.path]) { $1 })
    guard let end = victim.wait(timeout: .seconds(30)) else {
      victim.kill()
      throw problem("it hangs")
    }
    guard end.isSuccess else { throw problem("it ended with \(end)") }
    return try JSONDecoder().decode(Outcome.self, from: Data(contentsOf: URL(fileURLWithPath: scratch.file("outcome"))))
  }
}

/// The program in which calls fail: it continues after each failure, as a user's program would, and compares at the end.
final class FaultyRun {
  private let assignment: Writer.Assignment
  private let board: Board
  private var writer: Writer?
  private var mustResolve = false
  private var outcome = FaultRuns.Outcome()
  private var failures = 0

  init(_ worker: Worker) throws {
    assignment = try JSONDecoder().decode(Writer.Assignment.self, from: Data(worker.arguments[0].utf8))
    board = try Board(assignment.board)
  }

  /// Tells the interposed library whether to fail.
  @discardableResult
  private static func tell(_ what: Int) -> Int {
    var nothing: UInt8 = 0
    return pwrite(-78, &nothing, 0, off_t(what))
  }

  func run(_ worker: Worker) async throws {
    Self.tell(1)
    for step in 0..<(assignment.rounds ?? 1) { try await attempt(step) { try await self.work(step) } }
    Self.tell(0)
    outcome.calls = Self.tell(2)
    // The cause is gone: everything works, with the same objects.
    for step in 0..<10 {
      do {
        try await work(step)
      } catch let error as StoreError {
        throw Problem("UNUSABLE: step \(step) fails, though nothing is wrong any more: \(error)")
      }
    }
    writer = nil
    let store = try await SharedStore(path: assignment.store ?? "", options: assignment.options)
    var replay = Replay(seed: assignment.seed)
    try replay.take(board, store)
    try replay.compare(store)
    outcome.commits = replay.commits
    try JSONEncoder().encode(outcome).write(to: URL(fileURLWithPath: worker.arguments[1]))
  }

  /// Performs an operation that may fail, in which case it must report the failure.
  private func attempt(_ step: Int, _ body: () async throws -> Void) async throws {
    let failedSyncs = Self.tell(3)
    do {
      try await body()
      // Closing reports no error: the mark for unsynced commits stays instead.
      if step % 10 != 8, Self.tell(3) > failedSyncs {
        throw Problem("UNREPORTED: step \(step) did not tell of a failed sync")
      }
    } catch let error as StoreError {
      outcome.errors[error.code.rawValue, default: 0] += 1
      if error.code == .outcomeUnknown { mustResolve = true }
      if error.reason.isEmpty || error.advice.isEmpty { throw Problem("UNREPORTED: \(error)") }
      failures += 1
      // A permanent cause is gone after a while.
      if failures == 6 { Self.tell(0) }
    }
  }

  // Each on this thread: an asynchronous function would wait on another one.

  private func change(_ store: SharedStore, _ step: Int) throws {
    // What a failure may have left.
    for name in ["passing", "passed"] { try store.remove(name) }
    _ = try store.value("passing", initial: step)
    try store.rename("passing", to: "passed")
    try store.remove("passed")
  }

  private func check(_ store: SharedStore) throws {
    guard try store.check().isEmpty else { throw Problem("DAMAGED: \(try store.check())") }
    try store.sync()
    _ = try store.statistics()
  }

  private func work(_ step: Int) async throws {
    let writer: Writer
    if let known = self.writer {
      writer = known
    } else {
      writer = try Writer(assignment, store: assignment.store ?? "", board)
      self.writer = writer
    }
    if mustResolve {
      try writer.resolve()
      mustResolve = false
    }
    let store = writer.store
    switch step % 10 {
    case 3: try await writer.stepTogether()
    case 5: if let backups = assignment.backups { try writer.backUp(backups) }
    case 6: try change(store, step)
    case 7: try check(store)
    case 8:
      // Closed, and opened again at the next step.
      self.writer = nil
    default:
      guard try writer.step(0) else { throw Problem("the board is full") }
    }
  }
}
