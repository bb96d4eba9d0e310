internal import CSystemShims

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A number that one process has, for as long as it has a store open, and no other one ever gets.
package typealias OwnerID = UInt64

/// The processes that have a store open, and which of them live (`owners` beside the data file).
///
/// Each holds a lock on a byte of its own, which the kernel drops when the process dies, however it dies: there is no
/// pid to be taken by another process, no timer, no heartbeat. The lock belongs to the open file (an open file description
/// lock, fcntl(2)), so that no other code of the process can lose it by closing a file.
///
/// Beside its slot, which others take after it, a process has a number of its own that nobody ever gets again (``OwnerID``),
/// by which leases and locks name their owner.
///
/// Layout: for slot n the process's number in four bytes, least significant first, at 16 n; the lock on the byte 2^32 + n.
/// A process with the number i also holds a lock on the byte 2^61 + i.
@safe package final class Owners: Sendable {
  private static let slots = 4096
  private static let firstLock = 1 << 32
  private let file: FileDescriptor
  /// This process's slot.
  package let slot: Int
  /// This process's number.
  package let id: OwnerID

  /// Takes a slot; nil where the system has no such locks, or the file cannot be written.
  init?(directory: StoreDirectory, mode: UInt32) {
    guard let file = Self.open(directory, mode) else { return nil }
    guard let status = try? file.status(), status.isRegular else { return nil }
    let first = Int(getpid()) % Self.slots
    var found: Int?
    for step in 0..<Self.slots {
      let slot = (first + step) % Self.slots
      let result = lms_own_byte(file.number, off_t(Self.firstLock + slot))
      if result == 0 { found = slot }
      if result == 0 || lms_errno() != EAGAIN { break }
    }
    let number = OwnerID.random(in: 1..<1 << 61)
    guard let found, lms_own_byte(file.number, Self.place(of: number)) == 0 else { return nil }
    slot = found
    id = number
    self.file = file
    var pid = UInt32(getpid()).littleEndian
    _ = unsafe pwrite(file.number, &pid, 4, off_t(16 * found))
    // A forked child shares the open file, and with it the lock, which would outlive this process.
    lms_close_after_fork(file.number)
  }

  deinit { lms_keep_after_fork(file.number) }

  /// Whether the process of a slot lives. Nobody has a slot that does not exist.
  package func isAlive(_ slot: Int) -> Bool {
    if slot == self.slot { return true }
    guard slot >= 0, slot < Self.slots else { return false }
    return lms_byte_is_owned(file.number, off_t(Self.firstLock + slot))
  }

  private static func place(of id: OwnerID) -> off_t { off_t(1 << 61 | id & (1 << 61 - 1)) }

  /// Whether the process with this number lives.
  package func isAlive(_ id: OwnerID) -> Bool { id == self.id || lms_byte_is_owned(file.number, Self.place(of: id)) }

  /// Opens the file once more; its locks are those of the new open file alone.
  static func open(_ directory: StoreDirectory, _ mode: UInt32) -> FileDescriptor? {
    let number = unsafe openat(
      directory.descriptor.number, StoreDirectory.ownersFile,
      O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode_t(mode))
    return number < 0 ? nil : FileDescriptor(number)
  }

  /// The number of the process that took a slot last.
  package func processID(_ slot: Int) -> Int? {
    guard slot >= 0, slot < Self.slots, let bytes = try? file.read(at: 16 * slot, count: 4), bytes.count == 4 else {
      return nil
    }
    return Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16 | Int(bytes[3]) << 24
  }
}
