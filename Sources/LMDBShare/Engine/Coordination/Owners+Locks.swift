internal import _LMDBShareSystem

/// The locks that threads and tasks of one process hold, and the lines in which they wait.
struct LockTable {
  /// The bytes of locks, and who holds each how often.
  var held: [BytePlace: (caller: UInt64, depth: Int)] = [:]
  /// Where several want the same lock or semaphore, by its identity.
  var lines: [UInt64: Line] = [:]
}

extension Owners {
  /// How an attempt to lock a byte ended: who has it else is the caller, somebody of this process, or another process.
  enum Attempt: Sendable { case locked, lockedAgain, heldByCaller, heldHere, heldElsewhere }

  /// Locks a byte, unless somebody has it, of this process or another one.
  ///
  /// - Parameters:
  ///   - caller: The thread or task that asks, or 0 when that does not matter.
  ///   - isReentrant: Whether a caller who has the byte gets it once more.
  func tryLock(
    _ place: BytePlace, for caller: UInt64 = 0, isReentrant: Bool = false
  ) throws(StoreError) -> Attempt {
    let (attempt, code) = locks.withLock { locks -> (Attempt, Int32) in
      if let holder = locks.held[place] {
        guard holder.caller == caller, caller != 0 else { return (.heldHere, 0) }
        if isReentrant { locks.held[place]?.depth += 1 }
        return (isReentrant ? .lockedAgain : .heldByCaller, 0)
      }
      guard lms_own_byte(file.number, off_t(place)) == 0 else { return (.heldElsewhere, lms_errno()) }
      locks.held[place] = (caller, 1)
      return (.locked, 0)
    }
    if code != 0, code != EAGAIN { throw StoreError(returnCode: code, "lock") }
    return attempt
  }

  /// What came of giving a byte back.
  enum Release: Sendable { case free, stillHeld, notHeld }

  /// Gives a byte back that this process has locked.
  ///
  /// - Parameters:
  ///   - caller: Who must have it; 0 for anybody of this process.
  ///   - before: Called while it still has it.
  func unlock(_ place: BytePlace, of caller: UInt64 = 0, before: () -> Void = {}) -> Release {
    locks.withLock { locks in
      guard let holder = locks.held[place], caller == 0 || caller == holder.caller else { return .notHeld }
      guard holder.depth == 1 else {
        locks.held[place]?.depth -= 1
        return .stillHeld
      }
      before()
      locks.held[place] = nil
      _ = lms_disown_byte(file.number, off_t(place))
      return .free
    }
  }

  /// Whether this process holds a byte.
  func holds(_ place: BytePlace) -> Bool { locks.withLock { $0.held[place] != nil } }

  /// Whether this caller, a thread or task of this process, holds a byte.
  func holds(_ place: BytePlace, for caller: UInt64) -> Bool {
    locks.withLock { $0.held[place]?.caller == caller }
  }

  /// Where the notes of locks begin: for each 32 bytes, the owner number and the PID of the process that has it, the lock's
  /// identity, and the number of its last acquisition.
  private static let notes = 1 << 16

  /// A note of a lock.
  struct LockNote {
    /// The process that holds the lock, or died while it held it; 0 when the lock was released.
    var owner: OwnerID
    var processID: Int
    /// The number of its last acquisition.
    var token: UInt64
  }

  /// What is noted of a lock; nil when nothing is.
  func noted(_ index: UInt64, _ identity: UInt64) -> LockNote? {
    guard let bytes = try? file.read(at: Self.notes + 32 * Int(index), count: 32), bytes.count >= 24 else { return nil }
    let words = withBytes(of: bytes + [UInt8](repeating: 0, count: 32 - bytes.count)) { span in
      (0..<4).map { span.littleEndian(at: 8 * $0, UInt64.self) ?? 0 }
    }
    guard words[2] == identity else { return nil }
    return LockNote(owner: words[0], processID: Int(truncatingIfNeeded: words[1]), token: words[3])
  }

  /// The PID in the note of a lock that is held.
  func holder(_ index: UInt64, _ identity: UInt64) -> Int? {
    noted(index, identity).flatMap { $0.owner == 0 ? nil : $0.processID }
  }

  /// Notes that this process has acquired a lock, which it holds.
  ///
  /// - Returns: The note before, and the number of the acquisition, which is greater than that of each earlier one. If the file
  ///   was replaced and the earlier number is lost, it is the time since 1970 in microseconds. That is greater, too, since a lock
  ///   is acquired less often than once a microsecond.
  func noteAcquired(_ index: UInt64, _ identity: UInt64) -> (before: LockNote?, token: UInt64) {
    let before = noted(index, identity)
    let token = max((before?.token ?? 0) &+ 1, microsecondsSince1970())
    var words = [id.littleEndian, UInt64(getpid()).littleEndian, identity.littleEndian, token.littleEndian]
    // A note that cannot be written costs the next holder a warning, not the lock.
    _ = unsafe pwrite(file.number, &words, 32, off_t(Self.notes + 32 * Int(index)))
    return (before, token)
  }

  /// Notes that a lock has no owner. The caller still holds it, and releases it next.
  func noteReleased(_ index: UInt64) {
    var noOwner: UInt64 = 0
    _ = unsafe pwrite(file.number, &noOwner, 8, off_t(Self.notes + 32 * Int(index)))
  }

  /// Gives the room of notes back that no lock has: those from an index on. The caller holds LMDB's lock, so that no lock is made.
  func trimNotes(from index: UInt64) {
    let size = Self.notes + 32 * Int(index)
    if let status = try? file.status(), status.size > size { _ = ftruncate(file.number, off_t(size)) }
  }
}
