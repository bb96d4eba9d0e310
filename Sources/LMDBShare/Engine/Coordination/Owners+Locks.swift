internal import _LMDBShareSystem

/// The locks that threads and tasks of one process hold, and the lines in which they wait.
struct LockTable {
  /// The bytes of held locks, with the holder of each and the number of times it holds it.
  var held: [BytePlace: (caller: UInt64, depth: Int)] = [:]
  /// The lines of locks and semaphores with several waiters, by identity.
  var lines: [UInt64: Line] = [:]
}

extension Owners {
  /// The result of an attempt to lock a byte. If it is not locked, its holder is the caller, another thread or task of this
  /// process, or another process.
  enum Attempt: Sendable { case locked, lockedAgain, heldByCaller, heldHere, heldElsewhere }

  /// Locks a byte, unless this or another process holds it.
  ///
  /// - Parameters:
  ///   - caller: The thread or task that asks, or 0 when that does not matter.
  ///   - isReentrant: Whether a caller that holds the byte can lock it again.
  func tryLock(
    _ place: BytePlace, for caller: UInt64 = 0, isReentrant: Bool = false
  ) throws(StoreError) -> Attempt {
    let (attempt, code) = locks.withLock { locks -> (Attempt, Int32) in
      if let holder = locks.held[place] {
        guard holder.caller == caller, caller != 0 else { return (.heldHere, 0) }
        if isReentrant { locks.held[place]?.depth += 1 }
        return (isReentrant ? .lockedAgain : .heldByCaller, 0)
      }
      guard lms_own_byte(file.number, off_t(place.offset)) == 0 else { return (.heldElsewhere, lms_errno()) }
      locks.held[place] = (caller, 1)
      return (.locked, 0)
    }
    if code != 0, code != EAGAIN { throw StoreError(returnCode: code, "lock") }
    return attempt
  }

  /// The result of releasing a byte.
  enum Release: Sendable { case free, stillHeld, notHeld }

  /// Releases a byte that this process has locked.
  ///
  /// - Parameters:
  ///   - caller: The expected holder; 0 for any thread or task of this process.
  ///   - before: Called while the byte is still locked.
  func unlock(_ place: BytePlace, of caller: UInt64 = 0, before: () -> Void = {}) -> Release {
    locks.withLock { locks in
      guard let holder = locks.held[place], caller == 0 || caller == holder.caller else { return .notHeld }
      guard holder.depth == 1 else {
        locks.held[place]?.depth -= 1
        return .stillHeld
      }
      before()
      locks.held[place] = nil
      _ = lms_disown_byte(file.number, off_t(place.offset))
      return .free
    }
  }

  /// Whether this process holds a byte.
  func holds(_ place: BytePlace) -> Bool { locks.withLock { $0.held[place] != nil } }

  /// Whether this caller, a thread or task of this process, holds a byte.
  func holds(_ place: BytePlace, for caller: UInt64) -> Bool {
    locks.withLock { $0.held[place]?.caller == caller }
  }

  /// Where the records of locks begin. Each has 32 bytes: the owner number and the PID of the holder, the lock's identity, and
  /// the number of its last acquisition.
  private static let notes = 1 << 16

  /// The record of a lock.
  struct LockNote {
    /// The process that holds the lock, or died while it held it; none when the lock was released.
    var owner: OwnerID
    var processID: Int
    /// The number of its last acquisition.
    var token: UInt64
  }

  /// The record of a lock; nil when there is none.
  func noted(_ index: UInt64, _ identity: UInt64) -> LockNote? {
    guard let bytes = try? file.read(at: Self.notes + 32 * Int(index), count: 32), bytes.count >= 24 else { return nil }
    let words = withBytes(of: bytes + [UInt8](repeating: 0, count: 32 - bytes.count)) { span in
      (0..<4).map { span.littleEndian(at: 8 * $0, UInt64.self) ?? 0 }
    }
    guard words[2] == identity else { return nil }
    return LockNote(owner: OwnerID(words[0]), processID: Int(truncatingIfNeeded: words[1]), token: words[3])
  }

  /// The PID in the record of a held lock.
  func holder(_ index: UInt64, _ identity: UInt64) -> Int? {
    noted(index, identity).flatMap { $0.owner == .none ? nil : $0.processID }
  }

  /// Records that this process has acquired a lock, which it holds.
  ///
  /// - Returns: The previous record, and the number of the acquisition, which is greater than that of each earlier one. If the
  ///   file was replaced and the earlier number is lost, it is the time since 1970 in microseconds. That is greater, too, since a
  ///   lock is acquired less often than once per microsecond.
  func noteAcquired(_ index: UInt64, _ identity: UInt64) -> (before: LockNote?, token: UInt64) {
    let before = noted(index, identity)
    let token = max((before?.token ?? 0) &+ 1, microsecondsSince1970())
    var words = [id.number.littleEndian, UInt64(getpid()).littleEndian, identity.littleEndian, token.littleEndian]
    // If the record cannot be written, the next holder gets no warning about a dead one, but it still gets the lock.
    _ = unsafe pwrite(file.number, &words, 32, off_t(Self.notes + 32 * Int(index)))
    return (before, token)
  }

  /// Records that a lock has no owner. The caller still holds it, and releases it next.
  func noteReleased(_ index: UInt64) {
    var noOwner: UInt64 = 0
    _ = unsafe pwrite(file.number, &noOwner, 8, off_t(Self.notes + 32 * Int(index)))
  }

  /// Frees the space of records from an index on, which no lock uses. The caller holds LMDB's lock, so that no lock is created
  /// meanwhile.
  func trimNotes(from index: UInt64) {
    let size = Self.notes + 32 * Int(index)
    if let status = try? file.status(), status.size > size { _ = ftruncate(file.number, off_t(size)) }
  }
}
