import ArgumentParser
import Foundation
import LMDBShare

/// Proofs that a store keeps its promises, whatever dies or fails.
@main
struct Proof: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proof", abstract: "Proofs that a store keeps its promises, whatever dies or fails.",
    subcommands: [Crash.self, PowerLoss.self, Faults.self])

  /// On this thread, which a kill interrupts.
  private static func compact(_ worker: Worker) throws { try SharedStore.compact(path: worker.arguments[0]) }

  static func main() async {
    do {
      if let worker = Worker.current {
        try await work(worker)
      } else {
        var command = try parseAsRoot()
        try command.run()
      }
    } catch let problem as Problem {
      print(problem)
      Foundation.exit(1)
    } catch let error as StoreError {
      print("STORE ERROR \(error.code): \(error)")
      Foundation.exit(1)
    } catch {
      exit(withError: error)
    }
  }

  /// The work of the processes that proofs start.
  private static func work(_ worker: Worker) async throws {
    switch worker.role {
    case "writer": try await Writer(worker).run()
    case "create":
      let assignment = Writer.Assignment(board: "", slot: 0, seed: 0)
      _ = try await Structures(SharedStore(path: worker.arguments[0], options: assignment.options))
    case "recorded": try RecordedRun.run(worker)
    case "powercheck":
      var check = try PowerCheck(worker)
      try check.run()
    case "faulty": try await FaultyRun(worker).run(worker)
    case "case": try Case.work(worker)
    case "namespace": try PathCases.workInNamespace(worker)
    case "append": try InheritedCases.append(worker)
    case "compact": try compact(worker)
    case "adopt":
      let assignment = try JSONDecoder().decode(Writer.Assignment.self, from: Data(worker.arguments[0].utf8))
      let store = try await worker.openStore(options: assignment.options)
      let value = try await store.value("value", initial: 0)
      try Board(worker.arguments[1]).setPhase(0, 1)
      while try value.get() == 0 { usleep(500) }
      try await value.set(2)
    case "reader":
      let snapshot = try await worker.openStore(options: .durability(.processCrashOnly)).snapshot()
      let board = try Board(worker.arguments[0])
      while true {
        board.setPhase(0, UInt64(snapshot.id))
        try await Task.sleep(for: .seconds(1000))
      }
    default: throw Problem("there is no work called \(worker.role)")
    }
  }
}

/// Deaths of processes.
struct Crash: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Deaths of processes.",
    subcommands: [Kills.self, Storm.self, Readers.self, ModelRuns.self, ToolKills.self])
}
