/// Bytes of the `owners` file that represent permits: a lock has one, a semaphore several. The process that has locked a byte
/// holds the permit. The kernel releases it when the process dies, however it dies.
///
/// Nothing is written to the store, so acquiring and releasing a permit take a few system calls and never wait for the disk.
/// Waiters are served in the order of their arrival (`Line`).
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

  /// More permits could not be checked in reasonable time.
  static let most = 256

  var environment: Environment { store.environment }

  func place(_ index: Int) -> BytePlace { Self.place(reference.description.identity, index) }

  /// Returns the byte of a permit of the structure with this identity.
  static func place(_ identity: UInt64, _ index: Int) -> BytePlace {
    BytePlace(1 << 62 | (identity &* 1024 &+ UInt64(index)) & (1 << 62 - 1))
  }

  /// Returns the file whose bytes are locked, for acquiring a permit.
  func owners() throws(StoreError) -> Owners {
    let owners = try heldOwners()
    try environment.checkOwners()
    return owners
  }

  /// Returns the same file for releasing a permit, which must succeed even if the file has been replaced.
  func heldOwners() throws(StoreError) -> Owners {
    try environment.checkFork()
    if let owners = environment.owners { return owners }
    throw environment.ownersFailure("acquire", reference.name)
  }

  /// Checks that the structure is still the one that was opened.
  func check() throws {
    try store.read { txn in _ = txn.core.use(reference) }
  }

  /// The result of trying to take a permit.
  struct Try {
    var index: Int?
    /// Whether the caller held it already, and has now acquired it once more.
    var isAgain = false
    /// The bytes that other processes hold.
    var watched: [BytePlace] = []
  }

  /// Takes a permit if one is free, even if others wait.
  ///
  /// - Parameter caller: The caller's number if it matters whether it holds the permit already; otherwise 0.
  /// - Throws: ``StoreError/Code/structureRemoved``; nothing is taken then. A process that removes a structure holds all of its
  ///   permits until the removal is committed. So a caller that has taken a permit and still finds the structure can keep it.
  func tryTake(for caller: UInt64) throws -> Try { try tryTake(for: caller, try owners()) }

  func tryTake(for caller: UInt64, _ owners: Owners) throws -> Try {
    var result = Try()
    // Callers start at different permits.
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

  /// Releases a permit and wakes waiters.
  ///
  /// - Parameters:
  ///   - caller: The caller that must hold it; 0 for any caller of this process.
  ///   - before: Runs while this process still holds the permit.
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
