import CProof
import Foundation
import LMDBShare

/// One of the processes that work on a store: it takes steps, one lane after the other or several at the same time, until it has
/// to end or dies.
final class Writer {
  /// How a process works.
  struct Assignment: Codable {
    var board: String
    var slot: Int
    var seed: UInt64
    var durability = Durability.processCrashOnly
    /// The store's path, if it differs from that of its starter.
    var store: String?
    /// The number of rounds after which it ends by itself; nil for no limit.
    var rounds: Int?
    /// The directory of its backups, if it makes any.
    var backups: String?
    /// Whether it stops within a write, until it is killed.
    var holds = false

    enum Durability: String, Codable, CaseIterable { case durable, relaxed, processCrashOnly }
    var options: StoreOptions {
      var options = StoreOptions.durability(
        durability == .durable ? .durable : durability == .relaxed ? .relaxed : .processCrashOnly)
      // Small, so that the map grows meanwhile.
      options.mapReservation = 1 << 18
      return options
    }
    var text: String {
      get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
    }
  }

  private let assignment: Assignment
  let store: SharedStore
  private let structures: Structures
  private let board: Board
  private let life: UInt64
  private var random: Random
  private var leases: [SharedQueue<Int>.Lease] = []
  private var ended: [SharedQueue<Int>.Lease] = []
  private var tokens: [(token: CommitToken, isCommitted: Bool)] = []

  convenience init(_ worker: Worker) throws {
    let assignment = try JSONDecoder().decode(Assignment.self, from: Data((worker.arguments.first ?? "").utf8))
    try self.init(assignment, store: worker.storePath, try Board(assignment.board))
  }

  init(_ assignment: Assignment, store path: String, _ board: Board) throws {
    self.assignment = assignment
    self.board = board
    life = board.beginLife(assignment.slot)
    random = Random(assignment.seed, UInt64(assignment.slot), life)
    store = try SharedStore(path: assignment.store ?? path, options: assignment.options)
    structures = try Structures(store)
    // The results of the previous process's last steps.
    let steps = try structures.lastSteps()
    for lane in lanes {
      let last = UInt64(steps[lane])
      if let lost = board.resolve(lane, lastCommitted: last) {
        throw Problem("LOST: lane \(lane), step \(lost), after which the store has \(last)")
      }
    }
  }

  private var lanes: Range<Int> {
    assignment.slot * Board.lanesPerSlot..<(assignment.slot + 1) * Board.lanesPerSlot
  }

  func run() async throws {
    if assignment.holds { try hold() }
    board.setPhase(assignment.slot, 2)
    var round = 0
    while !board.mustEnd, assignment.rounds.map({ round < $0 }) ?? true {
      round += 1
      if let backups = assignment.backups, random.happens(2) { try backUp(backups) }
      if random.happens(10) {
        try await stepTogether()
      } else if random.happens(60) {
        guard try step(lanes.lowerBound) else { return }
      } else {
        guard try await stepInTask(lanes.lowerBound) else { return }
      }
      if !tokens.isEmpty, random.happens(20) { try checkTokens() }
    }
  }

  /// Takes the steps of one lane, and records each commit.
  func runAlone(_ committed: (_ step: Int, Structures) throws -> Void) throws {
    let lane = lanes.lowerBound
    for _ in 0..<(assignment.rounds ?? 1) {
      guard try step(lane) else { return }
      let last = try structures.steps[lane]
      if UInt64(last) == board.lastStep(lane) { try committed(last, structures) }
    }
  }

  private func hold() throws {
    try store.write { txn in
      txn[structures.total] += 1
      board.setPhase(assignment.slot, 1)
      while true { sleep(1000) }
    }
  }

  // MARK: Steps

  /// A step with the synchronous methods; returns false when there is no room for its record.
  func step(_ lane: Int) throws -> Bool {
    guard let index = board.begin(lane) else { return false }
    let step = board.lastStep(lane)
    let script = Script(seed: assignment.seed, lane: lane, step: step)
    defer { board.noteOperations(assignment.slot, script.operations.count) }
    if script.ending == .read {
      board.write(lane, index, try structures.read(script, step))
      return true
    }
    let begun = proof_now()
    let token = script.hasToken ? try store.commitToken() : nil
    do {
      let work = LeaseWork(script.lease, leases, ended)
      let body = { [self] (txn: inout WriteTransaction) throws -> LeaseWork in
        board.noteWait(assignment.slot, proof_now() - begun)
        return try perform(script, lane, index, step, work, &txn)
      }
      let done = try token.map { try store.write(token: $0, body) } ?? store.write(body)
      board.setState(lane, index, .committed)
      finish(done)
      if let token { tokens.append((token, true)) }
    } catch is Undo {
      board.setState(lane, index, .undone)
      if let token { tokens.append((token, false)) }
    } catch {
      Self.note(error, lane, index, board)
      throw error
    }
    return true
  }

  /// Checks a failure: nothing of the step is there, unless the error says that the outcome is unknown.
  private static func note(_ error: any Error, _ lane: Int, _ index: Int, _ board: Board) {
    if (error as? StoreError)?.code != .outcomeUnknown { board.setState(lane, index, .undone) }
  }

  /// Checks steps whose outcome was unknown.
  func resolve() throws {
    let steps = try structures.lastSteps()
    for lane in lanes { board.resolve(lane, lastCommitted: UInt64(steps[lane])) }
  }

  /// A step with the asynchronous methods; returns false when there is no room for its record.
  private func stepInTask(_ lane: Int) async throws -> Bool {
    guard let index = board.begin(lane) else { return false }
    try await Self.stepInTask(
      lane, index, seed: assignment.seed, store: store, board: board, life: life, structures: structures)
    return true
  }

  /// Steps of several lanes, which may share a commit.
  func stepTogether() async throws {
    let (board, life, structures, store, seed) = (board, life, structures, store, assignment.seed)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for lane in lanes.dropFirst() {
        guard let index = board.begin(lane) else { continue }
        group.addTask {
          try await Self.stepInTask(
            lane, index, seed: seed, store: store, board: board, life: life, structures: structures)
        }
      }
      try await group.waitForAll()
    }
  }

  private static func stepInTask(
    _ lane: Int, _ index: Int, seed: UInt64, store: SharedStore, board: Board, life: UInt64, structures: Structures
  ) async throws {
    let step = board.lastStep(lane)
    let script = Script(seed: seed, lane: lane, step: step)
    defer { board.noteOperations(lane / Board.lanesPerSlot, script.operations.count) }
    if script.ending == .read {
      board.write(lane, index, try structures.read(script, step))
      return
    }
    do {
      try await store.write { txn in
        _ = try perform(
          script, lane, index, step, LeaseWork(), &txn, board: board, life: life, structures: structures)
      }
      board.setState(lane, index, .committed)
    } catch is Undo {
      board.setState(lane, index, .undone)
    } catch {
      note(error, lane, index, board)
      throw error
    }
  }

  /// What a step does with leases, and the results.
  struct LeaseWork: Sendable {
    var work = Script.LeaseWork.none
    var lease: SharedQueue<Int>.Lease?
    var event = Board.Event.none

    init() {}
    init(_ work: Script.LeaseWork, _ leases: [SharedQueue<Int>.Lease], _ ended: [SharedQueue<Int>.Lease]) {
      self.work = work
      switch work {
      case .none: break
      case .lease: if leases.count > 5 { self.work = .none }
      case .acknowledge, .release, .giveBack: lease = leases.last
      case .stale: lease = ended.last
      }
    }
  }

  private func finish(_ done: LeaseWork) {
    guard let lease = done.lease else { return }
    switch done.event {
    case .leased: leases.append(lease)
    case .acknowledged, .released, .givenBack:
      leases.removeLast()
      ended.append(lease)
    case .none, .nothing: break
    }
  }

  private func perform(
    _ script: Script, _ lane: Int, _ index: Int, _ step: UInt64, _ work: LeaseWork, _ txn: inout WriteTransaction
  ) throws -> LeaseWork {
    try Self.perform(script, lane, index, step, work, &txn, board: board, life: life, structures: structures)
  }

  private static func perform(
    _ script: Script, _ lane: Int, _ index: Int, _ step: UInt64, _ leaseWork: LeaseWork,
    _ txn: inout WriteTransaction, board: Board, life: UInt64, structures: Structures
  ) throws -> LeaseWork {
    var (digest, work) = (Digest(), leaseWork)
    var record = Board.Record(step: step, order: board.nextOrder(), life: life)
    for operation in script.operations { structures.perform(operation, &txn, &digest) }
    switch work.work {
    case .none: break
    case .lease:
      work.lease = try txn[structures.offers].lease(for: .seconds(100_000))
      work.event = work.lease == nil ? .nothing : .leased
    case .acknowledge:
      guard let lease = work.lease else { break }
      try txn[structures.offers].acknowledge(lease)
      work.event = .acknowledged
    case .release:
      guard let lease = work.lease else { break }
      try txn[structures.offers].release(lease, reason: "the proof wants it")
      work.event = .released
    case .giveBack:
      guard let lease = work.lease else { break }
      try txn[structures.offers].release(lease, countingAttempt: false)
      work.event = .givenBack
    case .stale:
      guard let lease = work.lease else { break }
      do {
        try txn[structures.offers].acknowledge(lease)
        throw Problem("a lease that had ended was acknowledged")
      } catch let error as StoreError where error.code == .leaseLost {}
    }
    txn[structures.steps][lane] = Int(step)
    record.snapshot = UInt64(txn.snapshotID)
    record.digest = digest.value
    record.event = work.event
    record.sequence = work.lease?.sequence ?? 0
    record.attempt = UInt64(work.lease?.attempt ?? 0)
    record.state = .committing
    if script.ending == .undo { record.state = .begun }
    board.write(lane, index, record)
    if script.ending == .undo { throw Undo() }
    return work
  }

  // MARK: Beside the steps

  private func checkTokens() throws {
    for (token, isCommitted) in tokens {
      guard try store.wasCommitted(token) == isCommitted else {
        throw Problem("a commit token returns \(!isCommitted) for a transaction that was \(isCommitted)")
      }
    }
    tokens.removeAll()
  }

  func backUp(_ path: String) throws {
    try? FileManager.default.removeItem(atPath: path)
    try store.backup(to: path, compacting: random.happens(50))
  }
}

extension Structures {
  /// Runs a script that only reads.
  fileprivate func read(_ script: Script, _ step: UInt64) throws -> Board.Record {
    try store.read { txn in
      var digest = Digest()
      for operation in script.operations { read(operation, &txn, &digest) }
      return Board.Record(step: step, snapshot: UInt64(txn.snapshotID), digest: digest.value, state: .read)
    }
  }
}

/// An error that undoes a transaction.
struct Undo: Error {}
