import ArgumentParser
import CProof
import Foundation
import LMDBShare

/// All structures, eight processes, kills, stops, short lifetimes.
struct Storm: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Eight processes that die, stop, start and end; no other process may wait for long.")

  @Option(help: "How long it lasts.") var seconds = 600.0
  @OptionGroup var common: CommonOptions

  func run() throws {
    let seed = common.begin("storm")
    let scratch = try Scratch("storm", in: common.directory)
    let assignment = Writer.Assignment(
      board: scratch.file("board"), slot: 0, seed: seed, durability: .durable)
    let store = try SharedStore(path: scratch.file("store"), options: assignment.options)
    _ = try Structures(store)
    let fleet = try Fleet(store, board: assignment.board)
    var (replay, random) = (Replay(seed: seed), Random(seed))
    let end = proof_now() + Int64(seconds * 1e9)
    var voyage = Voyage()
    voyage.leg = min(10, max(1, seconds / 3))
    try voyage.sail(
      fleet, assignment, &replay, &random,
      progress: { common.progress("\($0.commits) commits, \(fleet.kills) killed") },
      isOver: { _, _ in proof_now() >= end })
    _ = try replay.compareFromOutside(store.path)
    let longest = (0..<Board.slots).map { fleet.board.longestWait($0) }.max() ?? 0
    let stalls = (0..<Board.slots).reduce(0) { $0 + fleet.board.stalls($1) }
    print(
      "storm \(Int(seconds)) s seed \(seed): 0 errors, \(stalls) stalls, model equal; \(replay.commits) commits, "
        + "\(replay.operations) operations, \(fleet.kills) killed, \(fleet.ended) ended by themselves; "
        + String(format: "longest wait %.0f ms", Double(longest) / 1e6))
    guard stalls == 0 else { throw Problem("STALLS: \(stalls) waits of more than 250 ms, the longest \(longest) ns") }
    scratch.remove()
  }
}

/// Random operations over all structures from several processes with kills, against a model.
struct ModelRuns: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Random operations of several processes, replayed in commit order on a model.")

  @Option(help: "How many runs, each with its own seed.") var seeds = 100
  @Option(help: "How many operations per run.") var operations = 1_000_000
  @OptionGroup var common: CommonOptions

  func run() throws {
    let first = common.begin("model")
    var (commits, reads, all, kills, outside) = (0, 0, 0, 0, 0)
    for index in 0..<seeds {
      let seed = first &+ UInt64(index)
      let scratch = try Scratch("model-\(seed)", in: common.directory)
      let assignment = Writer.Assignment(board: scratch.file("board"), slot: 0, seed: seed)
      let store = try SharedStore(path: scratch.file("store"), options: assignment.options)
      _ = try Structures(store)
      let fleet = try Fleet(store, board: assignment.board)
      var (replay, random) = (Replay(seed: seed), Random(seed))
      let voyage = Voyage(processes: 4, killsPerSecond: 20, stopsPerSecond: 0, shortLived: 10, leg: 60)
      do {
        try voyage.sail(fleet, assignment, &replay, &random) { $0.operations + $1 >= operations }
      } catch let problem as Problem {
        throw Problem("\(problem) (--seed \(seed); the store is in \(scratch.path))")
      }
      if try replay.compareFromOutside(store.path) { outside += 1 }
      commits += replay.commits
      reads += replay.reads
      all += replay.operations
      kills += fleet.kills
      common.progress("seed \(seed): \(replay.operations) operations")
      scratch.remove()
    }
    print(
      "model \(seeds) seeds from \(first): 0 divergences in \(all) operations; \(commits) commits, \(reads) reads, "
        + "\(kills) killed, \(outside) looks by py-lmdb")
  }
}
