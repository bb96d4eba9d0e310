import CProof
import Foundation
import LMDBShare

/// A fleet at work for a while: processes die, stop and return, and after each leg everything that they did is replayed.
struct Voyage {
  var processes = 8
  /// How many processes are killed, and how many stopped briefly, per second.
  var killsPerSecond = 30
  var stopsPerSecond = 30
  /// How many percent open the store, take some steps, and close it.
  var shortLived = 25
  /// A leg ends after this number of seconds, or when the board is full.
  var leg = 10.0

  private static let longestStop = 60_000_000

  /// Sails until `isOver` returns true; its arguments are what was replayed so far and what is in progress.
  func sail(
    _ fleet: Fleet, _ assignment: Writer.Assignment, _ replay: inout Replay, _ random: inout Random,
    progress: (Replay) -> Void = { _ in }, isOver: (Replay, _ underWay: Int) -> Bool
  ) throws {
    var over = false
    while !over {
      let end = proof_now() + Int64(leg * 1e9)
      let before = operations(fleet)
      var stopped: [(slot: Int, until: Int64)] = []
      var lookedAt = proof_now()
      while proof_now() < end, !fleet.board.isNearlyFull {
        for slot in 0..<processes where fleet.ships[slot] == nil {
          var mine = assignment
          mine.slot = slot
          if random.happens(shortLived) { mine.rounds = random.number(1..<6) }
          try fleet.launch(slot, mine, .none)
        }
        let now = proof_now()
        let passed = Double(now - lookedAt) / 1e9
        lookedAt = now
        for (index, stop) in stopped.enumerated().reversed() where now >= stop.until {
          fleet.ships[stop.slot]?.process.signal(SIGCONT)
          stopped.remove(at: index)
        }
        if Double.random(in: 0..<1, using: &random) < Double(killsPerSecond) * passed {
          fleet.ships[random.number(0..<processes)]?.process.kill()
        }
        if Double.random(in: 0..<1, using: &random) < Double(stopsPerSecond) * passed {
          let slot = random.number(0..<processes)
          fleet.ships[slot]?.process.signal(SIGSTOP)
          stopped.append((slot, now + Int64(random.number(0..<Self.longestStop))))
        }
        try fleet.look()
        if isOver(replay, Int(operations(fleet) - before)) {
          over = true
          break
        }
        usleep(500)
      }
      for stop in stopped { fleet.ships[stop.slot]?.process.signal(SIGCONT) }
      // Some end by themselves, others are killed.
      if random.happens(50) { try fleet.endAll() } else { try fleet.killAll() }
      try replay.take(fleet.board, fleet.store)
      try replay.compare(fleet.store)
      progress(replay)
    }
  }

  private func operations(_ fleet: Fleet) -> UInt64 { (0..<Board.slots).reduce(0) { $0 + fleet.board.operations($1) } }
}
