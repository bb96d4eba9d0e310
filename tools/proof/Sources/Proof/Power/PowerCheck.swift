import CProof
import Foundation
import LMDBShare

/// Opens states of a disk, one after the other, as a program would after a power cut, and checks the contents.
struct PowerCheck {
  struct Task: Codable {
    let assignment: Writer.Assignment
    let recording: String
    let digests: String
    /// The part of the states that this process checks.
    let share: Int
    let shares: Int
    let states: Int
    let directory: String
    let result: String
  }

  private let task: Task
  private let recording: Recording
  /// The contents of the store after each committed step, by step.
  private let digests: [Int: UInt64]
  private let steps: [Int]
  private let board: Board
  private var tally = PowerTally()
  private var mode: Writer.Assignment.Durability { task.assignment.durability }

  init(_ worker: Worker) throws {
    task = try JSONDecoder().decode(Task.self, from: Data(worker.arguments[0].utf8))
    recording = try Recording(task.recording)
    digests = try JSONDecoder().decode([Int: UInt64].self, from: Data(contentsOf: URL(fileURLWithPath: task.digests)))
    steps = digests.keys.sorted()
    board = try Board(task.assignment.board)
  }

  mutating func run() throws {
    var disk = Disk()
    let perEvent = max(2, task.states / max(1, recording.events.count) + 1)
    tally.events = recording.events.count
    for (index, event) in recording.events.enumerated() {
      disk.begin(event)
      if index % task.shares == task.share {
        var random = Random(task.assignment.seed, UInt64(index))
        for variant in 0..<perEvent {
          let cuts = Disk.Cut.allCases
          let cut = variant < cuts.count ? cuts[variant] : cuts[2 + random.number(0..<cuts.count - 2)]
          let number = index * 10_000 + variant
          board.setPhase(task.share, UInt64(number))
          do {
            try look(disk.files(cut, &random), disk.acknowledged, &random)
          } catch {
            throw Problem("\(mode), state \(number) (call \(index), \(cut)): \(error)")
          }
          tally.states += 1
        }
      }
      disk.end(event)
    }
    try JSONEncoder().encode(tally).write(to: URL(fileURLWithPath: task.result))
  }

  private mutating func look(_ files: [String: Data], _ acknowledged: Int, _ random: inout Random) throws {
    try? FileManager.default.removeItem(atPath: task.directory)
    try FileManager.default.createDirectory(
      atPath: task.directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let url = URL(fileURLWithPath: task.directory)
    for (name, bytes) in files { try bytes.write(to: url.appendingPathComponent(name)) }
    if files["data.mdb"] != nil, random.happens(10) {
      // The files beside it, which are created once its name is on the disk, are not synced: they may contain anything.
      for name in ["lock.mdb", "signal", "owners"] where random.happens(50) {
        let bytes = Data((0..<random.number(0..<9000)).map { _ in UInt8.random(in: 0...255, using: &random) })
        try bytes.write(to: url.appendingPathComponent(name))
      }
    }
    if mode == .processCrashOnly, random.happens(50) { return try lookAnyway(&random) }
    let store: SharedStore
    do {
      store = try SharedStore(path: task.directory, options: task.assignment.options)
    } catch {
      guard (error as? StoreError)?.code == .unsynced, mode == .processCrashOnly else {
        throw Problem("UNOPENABLE: \(error)")
      }
      tally.refused += 1
      return
    }
    let findings = try store.check()
    guard findings.isEmpty else { throw Problem("DAMAGED: \(findings)") }
    let structures = try Structures(store)
    let step = try structures.steps[0]
    guard try step == 0 || digests[step] == structures.digest() else {
      throw Problem("DAMAGED: the contents after step \(step) are not what they were")
    }
    try judge(step, acknowledged, files["data.mdb"] == nil)
    if random.happens(10) {
      try structures.names.append("it works")
      guard try structures.names.last == "it works" else { throw Problem("UNUSABLE: it cannot be changed") }
    }
  }

  /// As a user who ignores the refusal: whatever is there, the process does not crash.
  private mutating func lookAnyway(_ random: inout Random) throws {
    var options = task.assignment.options
    options.unsyncedAfterReboot = random.happens(80) ? .check : .discard
    do {
      let store = try SharedStore(path: task.directory, options: options)
      let findings = try store.check()
      let step = try Structures(store).steps[0]
      let isRight = try findings.isEmpty && (step == 0 || digests[step] == Structures(store).digest())
      if isRight { tally.rightAnyway += 1 } else { tally.wrongAnyway += 1 }
    } catch let error as StoreError {
      if options.unsyncedAfterReboot == .discard { throw Problem("UNOPENABLE: after a discard: \(error)") }
      tally.refusedAnyway += 1
    }
  }

  private mutating func judge(_ step: Int, _ acknowledged: Int, _ isEmpty: Bool) throws {
    let before = steps.last { $0 < acknowledged } ?? 0
    let next = steps.first { $0 > acknowledged } ?? .max
    switch step {
    case acknowledged: if isEmpty { tally.empty += 1 } else { tally.newest += 1 }
    case next: tally.ahead += 1
    case before where mode == .relaxed: tally.behind += 1
    case 0..<next where mode == .processCrashOnly: tally.behind += 1
    default: throw Problem("LOST: step \(acknowledged) was acknowledged, \(step) is there")
    }
  }
}

extension Structures {
  /// A hash of the store's contents.
  func digest() throws -> UInt64 {
    try store.read { txn in
      var digest = Digest()
      for name in txn[names] { digest.add(name) }
      for number in txn[numbers] { digest.add(Int(number)) }
      for (key, value) in txn[words] {
        digest.add(key)
        digest.add(value)
      }
      for cell in txn[cells] { digest.add(cell) }
      for step in txn[steps] { digest.add(step) }
      digest.add(txn[total])
      for queue in [first, second, offers] {
        for item in txn[queue].items {
          digest.add(Int(item.sequence))
          digest.add(item.element)
        }
      }
      for mark in txn[marks].storedItems { digest.add(Int(mark.sequence)) }
      for letter in txn[marks].deadLetters { digest.add(Int(letter.sequence)) }
      for lease in txn[offers].statistics.leases { digest.add(Int(lease.sequence) << 8 | lease.attempt) }
      for letter in txn[offers].deadLetters { digest.add(Int(letter.sequence)) }
      return digest.value
    }
  }
}

/// The run whose calls are recorded.
struct RecordedRun {
  static func run(_ worker: Worker) throws {
    let writer = try Writer(worker)
    var digests: [Int: UInt64] = [:]
    try writer.runAlone { step, structures in
      // The recorder treats it as a mark, since there is no such file.
      var nothing: UInt8 = 0
      _ = pwrite(-77, &nothing, 1, off_t(step))
      digests[step] = try structures.digest()
    }
    try JSONEncoder().encode(digests).write(to: URL(fileURLWithPath: worker.arguments[1]))
  }
}
