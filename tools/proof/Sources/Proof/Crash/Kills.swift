import ArgumentParser
import CProof
import Foundation
import LMDBShare

/// Kills writers at random and at chosen places, and replays the acknowledged commits.
struct Kills: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "SIGKILLs writers at random and at chosen places; nothing that was acknowledged may be lost.")

  @Option(help: "How many processes to kill.") var count = 10_000
  @OptionGroup var common: CommonOptions

  private static let points = [
    "ownersLocked", "signalMapped", "gateEntered", "writeBegun", "beforeCommit", "afterCommit", "gateLeft", "noted",
    "woken", "partBegun", "partEnded", "beforeGrowth", "afterGrowth", "beforeAdoption", "afterAdoption", "readBegun",
    "backupCopied", "backupNamed", "leased", "acknowledged", "released", "reclaimed",
  ]
  private static let compactionPoints = ["compacted", "compactedNamed"]
  private static let killsPerRound = 88
  private static let writers = 4

  func run() throws {
    let seed = common.begin("kills")
    var waits = Times()
    var killed = 0
    var (commits, operations, outside, backups, creations, killedCreators, killedOthers) = (0, 0, 0, 0, 0, 0, 0)
    var places: Set<String> = []
    let modes = Writer.Assignment.Durability.allCases
    for (index, mode) in modes.enumerated() {
      let scratch = try Scratch("kills-\(mode)", in: common.directory)
      let goal = count * (index + 1) / modes.count
      let assignment = Writer.Assignment(
        board: scratch.file("board"), slot: 0, seed: seed &+ UInt64(index), durability: mode)
      let store = try SharedStore(path: scratch.file("store"), options: assignment.options)
      _ = try Structures(store)
      let fleet = try Fleet(store, board: assignment.board)
      var replay = Replay(seed: assignment.seed)
      var random = Random(seed, UInt64(index))
      while killed + fleet.kills < goal {
        let before = fleet.kills
        while fleet.kills - before < Self.killsPerRound, killed + fleet.kills < goal, !fleet.board.isNearlyFull {
          for slot in 0..<Self.writers where fleet.ships[slot] == nil {
            try fleet.launch(slot, work(assignment, slot, scratch), death(&random))
          }
          try fleet.look()
          usleep(200)
        }
        try fleet.killAll()
        for _ in 0..<8 { waits.add(try holder(fleet, assignment)) }
        for _ in 0..<4 {
          creations += 1
          if try creation(scratch, assignment, creations, &random) { killedCreators += 1 }
        }
        for point in ["beforeAdoption", "afterAdoption"] {
          try adoption(scratch, assignment, "\(point):1", notes: assignment.board + "-notes")
          killedOthers += 1
        }
        for point in Self.compactionPoints {
          try compaction(scratch, assignment, "\(point):1", notes: assignment.board + "-notes")
          killedOthers += 1
        }
        try replay.take(fleet.board, store)
        try replay.compare(store)
        try replay.compareWithTool(store.path)
        backups += try checkBackups(scratch, assignment)
        if try replay.compareFromOutside(store.path) { outside += 1 }
        common.progress("\(mode): \(killed + fleet.kills) of \(count) killed, \(replay.commits) commits")
      }
      killed += fleet.kills
      places.formUnion(fleet.places)
      commits += replay.commits
      operations += replay.operations
      scratch.remove()
    }
    print(
      "kills \(killed) seed \(seed): 0 lost, 0 partial, 0 findings; \(commits) commits, \(operations) operations; "
        + "\(killedCreators) of \(creations) creators and \(killedOthers) that grow or compact killed, \(places.count) of \((Self.points + Self.compactionPoints).count) places, \(backups) backups, \(outside) looks by py-lmdb; the next writer goes on: \(waits.text)"
    )
    let missing = (Self.points + Self.compactionPoints).filter { !places.contains($0) }
    if killed > 3000, !missing.isEmpty {
      throw Problem("NOT SHOWN: no process died at \(missing.joined(separator: ", "))")
    }
    // A median of few measurements is random.
    if waits.worst > 50 || waits.median > 1 && waits.values.count >= 80 {
      throw Problem("SLOW: the next writer goes on after \(waits.text)")
    }
  }

  private func work(_ assignment: Writer.Assignment, _ slot: Int, _ scratch: Scratch) -> Writer.Assignment {
    var mine = assignment
    mine.slot = slot
    mine.backups = scratch.file("backup-\(slot)")
    return mine
  }

  private func death(_ random: inout Random) -> Fleet.Death {
    switch random.number(0..<10) {
    case 0..<3:
      let point = Self.points[random.number(0..<Self.points.count)]
      // Some places are rarely reached.
      return .point("\(point):\(random.happens(60) ? random.number(1..<4) : random.number(1..<60))")
    case 3: return .point("any:\(random.number(1..<2000))")
    case 4, 5: return .call(random.number(1..<600))
    default: return .signal(Int64(random.number(0..<15_000_000)))
    }
  }

  /// How long the next writer waits after the death of a writer, in nanoseconds.
  private func holder(_ fleet: Fleet, _ assignment: Writer.Assignment) throws -> Int64 {
    var mine = assignment
    mine.slot = Self.writers
    mine.holds = true
    try fleet.launch(mine.slot, mine, .none)
    while fleet.board.phase(mine.slot) == 0 {
      usleep(200)
      if fleet.ships[mine.slot]?.process.termination != nil { try fleet.look() }
    }
    let begun = Moment()
    let thread = Thread { [store = fleet.store] in try? store.write { _ in begun.set() } }
    thread.start()
    usleep(20_000)
    let killed = proof_now()
    fleet.ships[mine.slot]?.process.kill()
    while begun.value == 0 { usleep(20) }
    try fleet.killAll()
    return begun.value - killed
  }

  /// Kills a process that creates a store; then there is none, or a complete one. Returns whether it died before it was done.
  private func creation(
    _ scratch: Scratch, _ assignment: Writer.Assignment, _ number: Int, _ random: inout Random
  ) throws -> Bool {
    let path = scratch.file("new-\(number)")
    let environment =
      switch random.number(0..<4) {
      case 0: ["LMDBSHARE_KILL": "beforeNaming:1"]
      case 1: ["LMDBSHARE_KILL": "afterNaming:1"]
      case 2: ["LMDBSHARE_KILL": "any:\(random.number(1..<12))"]
      default: ["LD_PRELOAD": Interposer.path, "PROOF_KILL_CALL": "\(random.number(1..<40))"]
      }
    let other = try SharedStore(path: scratch.file("other"), options: assignment.options)
    let process = try WorkerProcess(role: "create", store: other, arguments: [path], environment: environment)
    let end = process.wait()
    guard end == .signaled(9) || end == .exited(0) else { throw Problem("CRASHED: a creator ended with \(end)") }
    var options = assignment.options
    options.verification = .pages
    let store = try SharedStore(path: path, options: options)
    let findings = try store.check()
    guard findings.isEmpty else { throw Problem("DAMAGED: a new store: \(findings)") }
    let structures = try Structures(store)
    try structures.names.append("it works")
    guard try structures.names.count == 1 else { throw Problem("DIVERGED: a new store is not empty") }
    try FileManager.default.removeItem(atPath: path)
    return end == .signaled(9)
  }

  /// Kills a process whose map adopts the size that another process has given the file.
  private func adoption(
    _ scratch: Scratch, _ assignment: Writer.Assignment, _ point: String, notes: String
  ) throws {
    let path = scratch.file("growing")
    defer { try? FileManager.default.removeItem(atPath: path) }
    // With its own large map.
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let value = try store.value("value", initial: 0)
    let board = try Board(scratch.file("board-growing"))
    board.setPhase(0, 0)
    let process = try WorkerProcess(
      role: "adopt", store: store, arguments: [try assignment.text, scratch.file("board-growing")],
      environment: ["LMDBSHARE_KILL": point, "LMDBSHARE_KILL_NOTES": notes])
    while board.phase(0) == 0, process.termination == nil { usleep(200) }
    let bytes = try store.list("bytes", of: [UInt8].self)
    try store.write { txn in
      txn[bytes].append([UInt8](repeating: 1, count: 8 << 20))
      txn[value] = 1
    }
    let end = process.wait()
    guard end == .signaled(9) else { throw Problem("CRASHED: an adopter ended with \(end)") }
    let findings = try store.check()
    guard findings.isEmpty else { throw Problem("DAMAGED: a store that has grown: \(findings)") }
    guard try value.get() == 1 else { throw Problem("DIVERGED: a store that has grown") }
  }

  /// Kills a process that compacts a store; then it is the old or the new one, with the same contents.
  private func compaction(
    _ scratch: Scratch, _ assignment: Writer.Assignment, _ point: String, notes: String
  ) throws {
    let path = scratch.file("compacting")
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      let store = try SharedStore(path: path, options: assignment.options)
      let list = try store.list("list", of: Int.self)
      try store.write { txn in txn[list].append(contentsOf: 0..<20_000) }
      try store.write { txn in txn[list].removeFirst(10_000) }
    }
    let other = try SharedStore(path: scratch.file("other"), options: assignment.options)
    let process = try WorkerProcess(
      role: "compact", store: other, arguments: [path],
      environment: ["LMDBSHARE_KILL": point, "LMDBSHARE_KILL_NOTES": notes])
    let end = process.wait()
    guard end == .signaled(9) else { throw Problem("CRASHED: a compactor ended with \(end)") }
    let store = try SharedStore(path: path, options: assignment.options)
    let findings = try store.check()
    guard findings.isEmpty else { throw Problem("DAMAGED: a store that was being compacted: \(findings)") }
    let list = try store.list("list", of: Int.self)
    try list.append(20_000)
    guard try store.read({ txn in Array(txn[list]) }) == Array(10_000...20_000) else {
      throw Problem("DIVERGED: a store that was being compacted")
    }
  }

  /// Existing backups are complete.
  private func checkBackups(_ scratch: Scratch, _ assignment: Writer.Assignment) throws -> Int {
    var found = 0
    for slot in 0..<Self.writers {
      let path = scratch.file("backup-\(slot)")
      guard FileManager.default.fileExists(atPath: path + "/data.mdb") else { continue }
      var options = assignment.options
      options.verification = .pages
      options.createIfMissing = false
      let backup = try SharedStore(path: path, options: options)
      let findings = try backup.check()
      guard findings.isEmpty else { throw Problem("DAMAGED: a backup: \(findings)") }
      found += 1
    }
    return found
  }
}

/// A point in time that one thread records and another one awaits.
final class Moment: @unchecked Sendable {
  // Why unchecked: one word, by atomic operations.
  private let word = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  init() { word.initialize(to: 0) }
  deinit { word.deallocate() }
  func set() { proof_store(word, UInt64(proof_now())) }
  var value: Int64 { Int64(proof_load(word)) }
}
