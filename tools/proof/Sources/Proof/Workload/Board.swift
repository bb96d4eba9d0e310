import CProof

/// Memory in which the processes of a proof record what they do, and which outlives them: the oracle.
///
/// A record is written in steps, its state last, so that a process that dies in between leaves a correct one.
struct Board: @unchecked Sendable {
  // Why unchecked: all words are touched by atomic operations, or belong to one process at a time.

  /// The maximum number of concurrent processes, and of writes that each may have in progress.
  static let slots = 12
  static let lanesPerSlot = 4
  static let lanes = slots * lanesPerSlot
  static let recordsPerLane = 1 << 15

  private static let recordBytes = 80
  private static let slotBytes = 256
  private static let laneBytes = 64
  private static let slotsAt = 4096
  private static let lanesAt = slotsAt + slots * slotBytes
  private static let recordsAt = lanesAt + lanes * laneBytes
  private static let size = recordsAt + lanes * recordsPerLane * recordBytes

  private let base: UnsafeMutableRawPointer

  init(_ path: String) throws {
    guard let base = proof_map(path, Self.size) else { throw Problem("cannot map \(path): errno \(proof_errno())") }
    self.base = base
  }

  /// The state of a step.
  enum State: UInt64 {
    /// Its process has not reached its commit.
    case begun = 1
    /// It was about to commit, or has committed.
    case committing
    case committed
    case undone
    /// It has read.
    case read
  }
  enum Event: UInt64 { case none, leased, nothing, acknowledged, released, givenBack }

  struct Record {
    var step: UInt64 = 0
    var snapshot: UInt64 = 0
    /// The order in which the closures of all processes ran.
    var order: UInt64 = 0
    var digest: UInt64 = 0
    var event = Event.none
    var sequence: UInt64 = 0
    var attempt: UInt64 = 0
    var life: UInt64 = 0
    var state = State.begun
  }

  // MARK: The whole

  private func word(_ offset: Int) -> UInt64 { proof_load(base + offset) }
  private func set(_ offset: Int, _ value: UInt64) { proof_store(base + offset, value) }

  /// Whether the processes are to end.
  var mustEnd: Bool {
    get { word(0) != 0 }
    nonmutating set { set(0, newValue ? 1 : 0) }
  }
  func nextOrder() -> UInt64 { proof_add(base + 64, 1) }

  // MARK: Slots

  private func slot(_ slot: Int, _ offset: Int) -> Int { Self.slotsAt + slot * Self.slotBytes + offset }
  /// How many processes have had the slot.
  func lives(_ slot: Int) -> UInt64 { word(self.slot(slot, 0)) }
  func beginLife(_ slot: Int) -> UInt64 { proof_add(base + self.slot(slot, 0), 1) + 1 }
  /// What the process is doing, so that others can stop it at a certain place.
  func phase(_ slot: Int) -> UInt64 { word(self.slot(slot, 8)) }
  func setPhase(_ slot: Int, _ value: UInt64) { set(self.slot(slot, 8), value) }
  /// The longest wait for a write, in nanoseconds, and how many took more than 250 ms.
  func longestWait(_ slot: Int) -> UInt64 { word(self.slot(slot, 16)) }
  func stalls(_ slot: Int) -> UInt64 { word(self.slot(slot, 24)) }
  func noteWait(_ slot: Int, _ nanoseconds: Int64) {
    let waited = UInt64(max(nanoseconds, 0))
    if waited > longestWait(slot) { set(self.slot(slot, 16), waited) }
    if waited > 250_000_000 { _ = proof_add(base + self.slot(slot, 24), 1) }
  }
  /// The number of operations.
  func operations(_ slot: Int) -> UInt64 { word(self.slot(slot, 32)) }
  func noteOperations(_ slot: Int, _ count: Int) { _ = proof_add(base + self.slot(slot, 32), UInt64(count)) }

  // MARK: Lanes

  private func lane(_ lane: Int, _ offset: Int) -> Int { Self.lanesAt + lane * Self.laneBytes + offset }
  /// The last step that was begun.
  func lastStep(_ lane: Int) -> UInt64 { word(self.lane(lane, 0)) }
  func recordCount(_ lane: Int) -> Int { Int(word(self.lane(lane, 8))) }
  var isNearlyFull: Bool { (0..<Self.lanes).contains { recordCount($0) > Self.recordsPerLane - 64 } }

  private func record(_ lane: Int, _ index: Int) -> Int {
    Self.recordsAt + (lane * Self.recordsPerLane + index) * Self.recordBytes
  }

  /// Begins a step; nil when there is no room for more records.
  func begin(_ lane: Int) -> Int? {
    let index = recordCount(lane)
    guard index < Self.recordsPerLane else { return nil }
    let step = lastStep(lane) + 1
    write(lane, index, Record(step: step))
    set(self.lane(lane, 8), UInt64(index + 1))
    set(self.lane(lane, 0), step)
    return index
  }

  func write(_ lane: Int, _ index: Int, _ record: Record) {
    let place = self.record(lane, index)
    set(place, record.step)
    set(place + 8, record.snapshot)
    set(place + 16, record.order)
    set(place + 24, record.digest)
    set(place + 32, record.event.rawValue)
    set(place + 40, record.sequence)
    set(place + 48, record.attempt)
    set(place + 56, record.life)
    setState(lane, index, record.state)
  }

  func setState(_ lane: Int, _ index: Int, _ state: State) { set(record(lane, index) + 64, state.rawValue) }

  func read(_ lane: Int, _ index: Int) -> Record {
    let place = record(lane, index)
    return Record(
      step: word(place), snapshot: word(place + 8), order: word(place + 16), digest: word(place + 24),
      event: Event(rawValue: word(place + 32)) ?? .none, sequence: word(place + 40), attempt: word(place + 48),
      life: word(place + 56), state: State(rawValue: word(place + 64)) ?? .begun)
  }

  /// Determines whether the step that was about to commit when its process died was committed, given the lane's last step in the
  /// store.
  ///
  /// - Returns: A step that was acknowledged and is not there.
  @discardableResult
  func resolve(_ lane: Int, lastCommitted: UInt64) -> UInt64? {
    var lost: UInt64?
    for index in (0..<recordCount(lane)).reversed() {
      let record = read(lane, index)
      switch record.state {
      case .committing: setState(lane, index, record.step <= lastCommitted ? .committed : .undone)
      case .begun: setState(lane, index, .undone)
      case .committed where record.step > lastCommitted: lost = record.step
      case .committed: return lost
      case .undone, .read: break
      }
    }
    return lost
  }

  /// Removes the records, once they have been replayed.
  func clear() { for lane in 0..<Self.lanes { set(self.lane(lane, 8), 0) } }
}

/// A finding of a proof, or the reason why it cannot continue.
struct Problem: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
