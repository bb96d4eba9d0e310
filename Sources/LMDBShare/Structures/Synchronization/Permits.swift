/// Bytes of the `owners` file that stand for permits: a lock has one, a semaphore several. Who has locked a byte has the
/// permit. The kernel gives it back when the process dies, however it dies.
///
/// Nothing is written to the store, so that these cost a few system calls and no waiting for the disk. Those who wait are
/// served in the order in which they came (`Line`).
struct Permits: Sendable {
  let store: SharedStore
  let reference: StructureReference
  let count: Int
  let isReentrant: Bool

  init(_ link: StructureLink, count: Int, isReentrant: Bool) {
    store = link.store
    reference = link.reference
    self.count = count
    self.isReentrant = isReentrant
  }

  /// More could not be looked at in good time.
  static let most = 256

  var environment: Environment { store.environment }

  func place(_ index: Int) -> BytePlace { Self.place(reference.description.identity, index) }

  /// The byte of a permit of the structure with this identity.
  static func place(_ identity: UInt64, _ index: Int) -> BytePlace {
    BytePlace(1 << 62 | (identity &* 1024 &+ UInt64(index)) & (1 << 62 - 1))
  }

  /// The file whose bytes are locked, to take one.
  func owners() throws(StoreError) -> Owners {
    let owners = try heldOwners()
    try environment.checkOwners()
    return owners
  }

  /// The same to give one back, which must succeed also when somebody has put another file in its place.
  func heldOwners() throws(StoreError) -> Owners {
    try environment.checkFork()
    if let owners = environment.owners { return owners }
    throw environment.ownersFailure("acquire", reference.name)
  }

  /// Makes sure that the structure is still the one that was opened.
  func check() throws {
    try store.read { txn in _ = txn.core.use(reference) }
  }

  /// What a try to take a permit gave.
  struct Try {
    var index: Int?
    /// Whether the caller has it for one more time.
    var isAgain = false
    /// Bytes of other processes that are in the way.
    var watched: [BytePlace] = []
  }

  /// Takes a permit if one is free, whoever waits.
  ///
  /// - Parameter caller: Who asks, where it matters whether he has it already; else 0.
  /// - Throws: ``StoreError/Code/structureRemoved``, and then nothing is taken. Who removes a structure holds all permits of it
  ///   until that is committed, so that one who has taken a permit and finds the structure there keeps it.
  func tryTake(for caller: UInt64) throws -> Try { try tryTake(for: caller, try owners()) }

  func tryTake(for caller: UInt64, _ owners: Owners) throws -> Try {
    var result = Try()
    // Not all from the same one on.
    let start = count == 1 ? 0 : Int.random(in: 0..<count)
    for step in 0..<count {
      let index = (start + step) % count
      switch try owners.tryLock(place(index), for: caller, isReentrant: isReentrant) {
      case .locked:
        do {
          try check()
        } catch {
          if owners.unlock(place(index), of: caller) == .free { environment.pulsate(reference.channel) }
          throw error
        }
        return Try(index: index)
      case .lockedAgain: return Try(index: index, isAgain: true)
      case .heldByCaller:
        throw StoreError(
          .deadlock, "lock", structure: reference.name, reason: "the caller has it already, and would wait for itself",
          advice: "open it as lock(…, reentrant: true), or do not ask twice")
      case .heldHere: break
      case .heldElsewhere: result.watched.append(place(index))
      }
    }
    return result
  }

  /// Gives a permit back and wakes those who wait for one.
  ///
  /// - Parameters:
  ///   - caller: Who must have it; 0 for anybody of this process.
  ///   - before: What to do while it is still this process's.
  /// - Throws: ``StoreError/Code/notHeld``.
  func giveBack(_ index: Int, of caller: UInt64 = 0, before: () -> Void = {}) throws {
    switch try heldOwners().unlock(place(index), of: caller, before: before) {
    case .free: environment.pulsate(reference.channel)
    case .stillHeld: break
    case .notHeld:
      throw StoreError(
        .notHeld, "release", structure: reference.name, reason: "this process does not have it",
        advice: "release once for each time that it was acquired")
    }
  }
}

extension StoreError {
  static func timedOut(_ operation: String, _ structure: String, _ holder: Int? = nil) -> StoreError {
    StoreError(
      .timedOut, operation, structure: structure,
      reason: "it was not free in time\(holder.map { " (pid \($0) has it)" } ?? "")",
      advice: "allow more time, or look what its holder does", processID: holder)
  }
}
