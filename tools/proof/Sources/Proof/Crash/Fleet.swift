import CProof
import Foundation
import LMDBShare

/// The processes that work on a store of a proof, and how they die.
final class Fleet {
  /// How a process dies.
  enum Death {
    /// By a signal, a number of nanoseconds after its first step; also used for the cases below if they have not happened by
    /// then.
    case signal(Int64)
    /// At the kill point, or the system call, with this number.
    case point(String)
    case call(Int)
    /// By itself, at a random time.
    case none
  }

  struct Ship {
    let process: WorkerProcess
    let slot: Int
    let life: Int64?
    let started: Int64
    /// When it is killed, once it has begun.
    var due: Int64?
  }

  let store: SharedStore
  let boardPath: String
  let board: Board
  private(set) var ships: [Int: Ship] = [:]
  private(set) var kills = 0
  private(set) var ended = 0

  init(_ store: SharedStore, board: String) throws {
    self.store = store
    boardPath = board
    self.board = try Board(board)
  }

  /// Starts a process in a slot.
  func launch(_ slot: Int, _ assignment: Writer.Assignment, _ death: Death) throws {
    var environment: [String: String] = [:]
    var life: Int64? = 50_000_000
    switch death {
    case .signal(let after): life = after
    case .point(let point):
      environment["LMDBSHARE_KILL"] = point
      environment["LMDBSHARE_KILL_NOTES"] = boardPath + "-notes"
    case .call(let number):
      environment["LD_PRELOAD"] = Interposer.path
      environment["PROOF_KILL_CALL"] = "\(number)"
    case .none: life = nil
    }
    board.setPhase(slot, 0)
    let process = try WorkerProcess(
      role: "writer", store: store, arguments: [try assignment.text], environment: environment)
    ships[slot] = Ship(process: process, slot: slot, life: life, started: proof_now())
  }

  /// Kills the processes whose time is over, and records those that have ended; throws when one ended in the wrong way.
  func look() throws {
    let now = proof_now()
    for ship in ships.values {
      if let due = ship.due {
        if now >= due { ship.process.kill() }
      } else if let life = ship.life, board.phase(ship.slot) != 0 {
        ships[ship.slot]?.due = now + life
      }
      guard let end = ship.process.termination else {
        if now - ship.started > 120_000_000_000 { throw Problem("HANGS: the process of slot \(ship.slot)") }
        continue
      }
      ships[ship.slot] = nil
      switch end {
      case .signaled(9): kills += 1
      case .exited(0): ended += 1
      default: throw Problem("CRASHED: the process of slot \(ship.slot) ended with \(end)")
      }
    }
  }

  /// Kills all that still run.
  func killAll() throws {
    for ship in ships.values { ship.process.kill() }
    for ship in ships.values {
      switch ship.process.wait() {
      case .signaled(9): kills += 1
      case .exited(0): ended += 1
      case let end: throw Problem("CRASHED: the process of slot \(ship.slot) ended with \(end)")
      }
    }
    ships.removeAll()
  }

  /// The kill points at which processes have died.
  var places: Set<String> {
    let notes = (try? String(contentsOfFile: boardPath + "-notes", encoding: .utf8)) ?? ""
    return Set(notes.split(separator: "\n").map(String.init))
  }

  /// Lets all processes end by themselves.
  func endAll() throws {
    board.mustEnd = true
    defer { board.mustEnd = false }
    let limit = proof_now() + 60_000_000_000
    while !ships.isEmpty {
      try look()
      usleep(500)
      if proof_now() > limit { throw Problem("HANGS: slots \(ships.keys.sorted()) do not end") }
    }
  }
}

/// The library that is loaded before the system's.
enum Interposer {
  static let path: String = {
    let directory = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    #if os(Linux)
      return directory.appendingPathComponent("libInterpose.so").path
    #else
      return directory.appendingPathComponent("libInterpose.dylib").path
    #endif
  }()
}
