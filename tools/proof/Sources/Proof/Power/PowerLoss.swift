import ArgumentParser
import Foundation
import LMDBShare

/// Power cuts, simulated from the recording of a real run.
struct PowerLoss: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "powerloss", abstract: "Power cuts at every call of a real run, in many variants.")

  @Option(help: "How many transactions the run takes.") var transactions = 600
  @Option(help: "How many states of the disk are opened, in the durable mode; in the others, a fifth.")
  var states = 250_000
  @Flag(help: "Cut real file systems instead: ext4 and xfs on loop devices. Needs root.") var real = false
  @Option(help: "How many cuts of each, with --real.") var cuts = 100
  @Option(help: "How many processes check them.") var processes = 2
  @OptionGroup var common: CommonOptions

  func run() throws {
    let seed = common.begin("powerloss")
    if real { return try cutReal(seed) }
    var texts: [String] = []
    for mode in Writer.Assignment.Durability.allCases {
      let tally = try cut(mode, seed, mode == .durable ? states : states / 5)
      let text = "\(mode): \(tally.text(mode))"
      common.progress(text)
      texts.append(text)
    }
    print("powerloss \(transactions) transactions seed \(seed): " + texts.joined(separator: "; "))
  }

  private func cutReal(_ seed: UInt64) throws {
    let scratch = try Scratch("powerloss-real", in: common.directory ?? NSTemporaryDirectory())
    var real = RealCuts(scratch, seed: seed)
    let systems = try real.run(cuts, common.progress)
    print(
      "powerloss --real \(real.cuts) cuts of \(systems.isEmpty ? "nothing" : systems.joined(separator: " and ")) seed \(seed): "
        + "0 lost, 0 damaged, 0 unopenable; \(real.commits) commits")
    scratch.remove()
  }

  private func cut(_ mode: Writer.Assignment.Durability, _ seed: UInt64, _ states: Int) throws -> PowerTally {
    let scratch = try Scratch("powerloss-\(mode)", in: common.directory)
    let other = try SharedStore(path: scratch.file("other"))
    var assignment = Writer.Assignment(
      board: scratch.file("board"), slot: 0, seed: seed, durability: mode, store: scratch.file("store"))
    assignment.rounds = transactions
    let recorder = try WorkerProcess(
      role: "recorded", store: other, arguments: [try assignment.text, scratch.file("digests")],
      environment: ["LD_PRELOAD": Interposer.path, "PROOF_RECORD": scratch.file("recording")])
    guard recorder.wait().isSuccess else { throw Problem("CRASHED: the recorded run: \(recorder.wait())") }
    let board = try Board(assignment.board)
    var tally = PowerTally()
    var checkers: [WorkerProcess] = []
    for share in 0..<processes {
      let task = PowerCheck.Task(
        assignment: assignment, recording: scratch.file("recording"), digests: scratch.file("digests"), share: share,
        shares: processes, states: states, directory: scratch.file("state-\(share)"),
        result: scratch.file("result-\(share)"))
      var environment: [String: String] = [:]
      if mode == .processCrashOnly { environment = ["LD_PRELOAD": Interposer.path, "PROOF_BOOT": "1"] }
      let text = String(decoding: try JSONEncoder().encode(task), as: UTF8.self)
      checkers.append(
        try WorkerProcess(role: "powercheck", store: other, arguments: [text], environment: environment))
    }
    for (share, checker) in checkers.enumerated() {
      let end = checker.wait()
      guard end.isSuccess else {
        throw Problem(
          "FOUND: \(mode), the check of state \(board.phase(share)) ended with \(end) (--seed \(seed); \(scratch.path))"
        )
      }
      let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.file("result-\(share)")))
      tally.add(try JSONDecoder().decode(PowerTally.self, from: bytes))
    }
    scratch.remove()
    return tally
  }
}

/// The results for the states of a disk.
struct PowerTally: Codable {
  var events = 0
  var states = 0
  /// There was no store yet.
  var empty = 0
  /// The newest acknowledged transaction was there; or the one after it, or the one before.
  var newest = 0
  var ahead = 0
  var behind = 0
  /// The store was refused, with the reason.
  var refused = 0
  /// The results of those that were opened with `.check` or `.discard` nevertheless.
  var rightAnyway = 0
  var wrongAnyway = 0
  var refusedAnyway = 0

  mutating func add(_ other: PowerTally) {
    events = max(events, other.events)
    states += other.states
    empty += other.empty
    newest += other.newest
    ahead += other.ahead
    behind += other.behind
    refused += other.refused
    rightAnyway += other.rightAnyway
    wrongAnyway += other.wrongAnyway
    refusedAnyway += other.refusedAnyway
  }

  func text(_ mode: Writer.Assignment.Durability) -> String {
    let all = "\(states) states at \(events) calls"
    switch mode {
    case .durable: return "\(all), 0 lost, 0 damaged, 0 unopenable"
    case .relaxed: return "\(all), \(behind) times the last transaction lost, never more, 0 damaged"
    case .processCrashOnly:
      return
        "\(all), 0 crashes, 0 silent damage; \(refused) refused, \(newest + ahead + behind + empty) sound; opened all "
        + "the same: \(rightAnyway) right, \(refusedAnyway) damaged and told, \(wrongAnyway) mixed"
    }
  }
}
