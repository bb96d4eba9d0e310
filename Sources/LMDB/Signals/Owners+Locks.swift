internal import CSystemShims

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The locks that threads and tasks of one process hold, and the lines in which they wait.
struct LockTable {
  /// The bytes of locks, and who holds each how often.
  var held: [BytePlace: (caller: UInt64, depth: Int)] = [:]
  /// Where several want the same lock or semaphore, by its identity.
  var lines: [UInt64: Line] = [:]
}

extension Owners {
  /// How an attempt to lock a byte ended: who has it else is the caller, somebody of this process, or another process.
  package enum Attempt: Sendable { case locked, lockedAgain, heldByCaller, heldHere, heldElsewhere }

  /// Locks a byte, unless somebody has it, of this process or another one.
  ///
  /// - Parameters:
  ///   - caller: The thread or task that asks, or 0 when that does not matter.
  ///   - isReentrant: Whether a caller who has the byte gets it once more.
  package func tryLock(
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
  package enum Release: Sendable { case free, stillHeld, notHeld }

  /// Gives a byte back that this process has locked.
  ///
  /// - Parameters:
  ///   - caller: Who must have it; 0 for anybody of this process.
  ///   - before: Called while it still has it.
  package func unlock(_ place: BytePlace, of caller: UInt64 = 0, before: () -> Void = {}) -> Release {
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
  package func holds(_ place: BytePlace) -> Bool { locks.withLock { $0.held[place] != nil } }

  /// Whether this caller, a thread or task of this process, holds a byte.
  package func holds(_ place: BytePlace, for caller: UInt64) -> Bool {
    locks.withLock { $0.held[place]?.caller == caller }
  }

  /// Where the notes of locks begin: for each 32 bytes, the owner number and the number of the process that has it, and the
  /// lock's identity.
  private static let notes = 1 << 16

  /// What is noted of a lock: its holder, or its last one if that did not give it back; nil for nobody.
  package func noted(_ index: UInt64, _ identity: UInt64) -> (owner: OwnerID, processID: Int)? {
    guard let bytes = try? file.read(at: Self.notes + 32 * Int(index), count: 24), bytes.count == 24 else { return nil }
    let (owner, process, noted) = withBytes(of: bytes) { span in
      (
        span.littleEndian(at: 0, UInt64.self) ?? 0, span.littleEndian(at: 8, UInt64.self) ?? 0,
        span.littleEndian(at: 16, UInt64.self) ?? 0
      )
    }
    return noted == identity && owner != 0 ? (owner, Int(truncatingIfNeeded: process)) : nil
  }

  /// Notes that this process has a lock, or that nobody does; the caller has it.
  package func note(_ isHeld: Bool, _ index: UInt64, _ identity: UInt64) {
    var words = [isHeld ? id.littleEndian : 0, UInt64(getpid()).littleEndian, identity.littleEndian]
    // A note that cannot be written costs the next holder a warning, not the lock.
    _ = unsafe pwrite(file.number, &words, 24, off_t(Self.notes + 32 * Int(index)))
  }

  /// Gives the room of notes back that no lock has: those from an index on. The caller holds LMDB's lock, so that no lock is made.
  package func trimNotes(from index: UInt64) {
    let size = Self.notes + 32 * Int(index)
    if let status = try? file.status(), status.size > size { _ = ftruncate(file.number, off_t(size)) }
  }
}
