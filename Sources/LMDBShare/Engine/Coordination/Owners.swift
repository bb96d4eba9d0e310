internal import Synchronization
internal import _LMDBShareSystem

/// The offset of a byte in the `owners` file on which locks are taken.
struct BytePlace: Hashable, Sendable {
  let offset: UInt64
  init(_ offset: UInt64) { self.offset = offset }
}

/// The number of one process while it has a store open. It is never reused.
package struct OwnerID: Hashable, Sendable {
  let number: UInt64
  init(_ number: UInt64) { self.number = number }

  /// No process.
  static let none = OwnerID(0)

  /// The byte that the process keeps locked while it lives.
  var place: BytePlace { BytePlace(1 << 61 | number & (1 << 61 - 1)) }
}

/// The processes that have a store open, and which of them live (`owners` beside the data file).
///
/// Each holds a lock on one byte, which the kernel drops when the process dies, however it dies: there is no PID that another
/// process can reuse, no timer, no heartbeat. The lock belongs to the open file (an open file description lock, fcntl(2)), so
/// that no other code of the process can lose it by closing a file.
///
/// A slot is reused by later processes. In addition a process has a number that is never reused (``OwnerID``), by which leases
/// and locks name their owner.
///
/// Layout: for slot n the process's number in four bytes, least significant first, at 16 n; the lock on the byte 2^32 + n. A
/// process with the number i also holds a lock on the byte 2^61 + i. Processes that only read share a lock on 2^33 + 2.
@safe package final class Owners: Sendable {
  private static let slots = 4096
  private static let firstLock = 1 << 32
  /// The byte that a process locks while it discards a store.
  static let discardLock: off_t = 1 << 33
  /// The byte on which all processes that only read hold a shared lock.
  static let readersLock: off_t = 1 << 33 + 2
  let file: FileDescriptor
  /// The locks that threads and tasks of this process hold and wait for: the kernel distinguishes processes, not threads.
  let locks = Guarded(LockTable())
  /// Identifies the file: processes that use different files do not see each other.
  let identity: FileIdentity
  /// This process's slot.
  let slot: Int
  /// This process's number.
  let id: OwnerID

  /// Takes a slot; nil where the system has no such locks, or the file cannot be written.
  init?(directory: StoreDirectory) {
    guard let file = try? directory.sideFile(StoreDirectory.ownersFile), let status = try? file.status() else {
      return nil
    }
    identity = status.identity
    // A forked child would share the open file, and with it the locks, which would then outlive this process.
    lms_close_after_fork(file.number)
    var isKept = false
    defer { if !isKept { lms_keep_after_fork(file.number) } }
    let first = Int(getpid()) % Self.slots
    var found: Int?
    for step in 0..<Self.slots {
      let slot = (first + step) % Self.slots
      let result = lms_own_byte(file.number, off_t(Self.firstLock + slot))
      if result == 0 { found = slot }
      if result == 0 || lms_errno() != EAGAIN { break }
    }
    let id = OwnerID(.random(in: 1..<1 << 61))
    guard let found, lms_own_byte(file.number, off_t(id.place.offset)) == 0 else { return nil }
    KillPoint.pass(.ownersLocked)
    slot = found
    self.id = id
    self.file = file
    var pid = UInt32(getpid()).littleEndian
    _ = unsafe pwrite(file.number, &pid, 4, off_t(16 * found))
    isKept = true
  }

  deinit { lms_keep_after_fork(file.number) }

  /// Shows other processes that this one no longer has the store open.
  func leave() {
    _ = lms_disown_byte(file.number, off_t(id.place.offset))
    _ = lms_disown_byte(file.number, off_t(Self.firstLock + slot))
  }

  /// Whether the process of a slot lives. False for a slot that does not exist.
  package func isAlive(_ slot: Int) -> Bool {
    if slot == self.slot { return true }
    guard slot >= 0, slot < Self.slots else { return false }
    return lms_byte_is_owned(file.number, off_t(Self.firstLock + slot))
  }

  /// Whether another process has the store open.
  var hasOthers: Bool { lms_bytes_are_owned(file.number, off_t(Self.firstLock), off_t(Self.slots)) }

  /// Whether the process with this number lives.
  package func isAlive(_ id: OwnerID) -> Bool { id == self.id || isLockedElsewhere(id.place) }

  /// Whether another process has locked a byte.
  func isLockedElsewhere(_ place: BytePlace) -> Bool { lms_byte_is_owned(file.number, off_t(place.offset)) }

  /// Whether any process has the store open, including those that only read; false where that cannot be determined.
  static func isAnyAlive(in directory: StoreDirectory) -> Bool {
    guard let file = try? directory.descriptor.file(StoreDirectory.ownersFile) else { return false }
    return lms_bytes_are_owned(file.number, off_t(firstLock), off_t(slots))
      || lms_byte_is_owned(file.number, readersLock)
  }

  /// A process other than this one that has the store open: its PID, or 0 where that is not known; nil when there is no such
  /// process.
  static func another(in directory: StoreDirectory) -> Int? {
    guard let file = try? directory.descriptor.file(StoreDirectory.ownersFile) else { return nil }
    // The system returns any of the locked bytes.
    var ranges = [0..<slots]
    while let range = ranges.popLast() {
      let found = lms_first_owned(file.number, off_t(firstLock + range.lowerBound), off_t(range.count))
      guard found >= 0 else { continue }
      let slot = min(max(Int(found) - firstLock, range.lowerBound), range.upperBound - 1)
      let bytes = (try? file.read(at: 16 * slot, count: 4)) ?? []
      let process = bytes.enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
      // This process may be about to close the store.
      if process != Int(getpid()) { return process }
      ranges += [range.lowerBound..<slot, slot + 1..<range.upperBound].filter { !$0.isEmpty }
    }
    return lms_byte_is_owned(file.number, readersLock) ? 0 : nil
  }

  /// The PID of the process that took a slot last.
  func processID(_ slot: Int) -> Int? {
    guard slot >= 0, slot < Self.slots, let bytes = try? file.read(at: 16 * slot, count: 4), bytes.count == 4 else {
      return nil
    }
    return Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16 | Int(bytes[3]) << 24
  }
}

/// The `owners` file of an environment: opened once, and again at the next use while that fails.
package final class OwnersFile: Sendable {
  private let directory: StoreDirectory
  private let isReadOnly: Bool
  private let opened = Guarded<Owners?>(nil)
  /// Holds the lock of a process that only reads.
  private let reading = Guarded<FileDescriptor?>(nil)
  /// The errno of the last failed attempt to use it.
  private let lastFailure = Atomic<Int32>(0)

  package init(directory: StoreDirectory, isReadOnly: Bool) {
    self.directory = directory
    self.isReadOnly = isReadOnly
  }

  deinit {
    if let file = reading.withLock({ $0 }) { lms_keep_after_fork(file.number) }
  }

  /// Nil while the file cannot be used.
  package var owners: Owners? {
    opened.withLock { opened in
      if opened == nil, !isReadOnly {
        opened = Owners(directory: directory)
        if opened == nil { lastFailure.store(lms_errno(), ordering: .relaxed) }
      }
      return opened
    }
  }

  /// Shows other processes that this one has the store open, as far as that is possible.
  func enter() {
    guard isReadOnly else { return _ = owners }
    reading.withLock { reading in
      guard reading == nil, let file = try? directory.descriptor.file(StoreDirectory.ownersFile),
        lms_share_byte(file.number, Owners.readersLock) == 0
      else { return }
      lms_close_after_fork(file.number)
      reading = file
    }
  }

  /// Releases the locks by which other processes see that this one has the store open.
  func leave() {
    opened.withLock { $0?.leave() }
    reading.withLock { reading in
      if let file = reading { lms_keep_after_fork(file.number) }
      reading = nil
    }
  }

  /// The reason why the file cannot be used, after ``owners`` was nil.
  func failure(_ operation: String, _ structure: String) -> StoreError {
    let reason = "this process cannot use the store's file 'owners', by which others know that it lives"
    let cause = StoreError(returnCode: lastFailure.load(ordering: .relaxed), operation)
    if !isReadOnly, [.resourceLimit, .diskFull, .inputOutput].contains(cause.code) {
      return StoreError(
        cause.code, operation, structure: structure, reason: "\(reason): \(cause.reason)", advice: cause.advice,
        underlying: cause.underlying)
    }
    return StoreError(
      .permissionDenied, operation, structure: structure, reason: reason,
      advice: "open the store for writing; check owner and mode of its directory")
  }
}

extension Environment {
  /// The reason why ``owners`` was nil.
  func ownersFailure(_ operation: String, _ structure: String) -> StoreError {
    ownersFile.failure(operation, structure)
  }
}
