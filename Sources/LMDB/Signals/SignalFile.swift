internal import CSystemShims

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Words that processes bump after a commit and sleep on (`signal` beside the data file).
///
/// Only a hint: whoever wakes looks at the store itself, and looks again every 250 ms in any case. So a missing,
/// foreign or garbled file costs time at worst, and is used as it is.
///
/// Layout: 8,192 bytes; the first page starts with the magic, has the writer gate's words at byte 256 (`WriterGate`), and
/// holds from byte 1,024 on the times of the last 128
/// commits (transaction and nanoseconds since 1970, 8 bytes each, at the transaction's number modulo 128), from which
/// the age of snapshots is told; the second holds 64 words of 64 bytes each, the first
/// four bytes a counter, the next four how many wait on it.
@safe package final class SignalFile: @unchecked Sendable {
  // Why unchecked: the mapped words are only touched by atomic operations.
  private static let size = 8192
  private static let magic = Array("LMDBSHARE-SIGNAL".utf8)
  /// How long a waiter sleeps at most before it looks for itself.
  package static let recheck = Duration.milliseconds(250)
  private let base: UnsafeMutableRawPointer?

  init(directory: StoreDirectory, mode: UInt32, isReadOnly: Bool) {
    unsafe base = isReadOnly ? nil : SignalFile.map(directory, mode)
  }

  deinit {
    if let base = unsafe base { unsafe munmap(base, Self.size) }
  }

  private static func map(_ directory: StoreDirectory, _ mode: UInt32) -> UnsafeMutableRawPointer? {
    let file = unsafe openat(
      directory.descriptor.number, StoreDirectory.signalFile,
      O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode_t(mode))
    guard file >= 0 else { return nil }
    defer { _ = close(file) }
    var info = stat()
    guard unsafe fstat(file, &info) == 0, UInt32(info.st_mode) & UInt32(S_IFMT) == UInt32(S_IFREG) else { return nil }
    // Real blocks: a hole that finds the disk full when it is written through the map is a SIGBUS.
    #if os(Linux)
      guard posix_fallocate(file, 0, off_t(size)) == 0 else { return nil }
    #else
      if info.st_size < size, ftruncate(file, off_t(size)) != 0 { return nil }
    #endif
    let base = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    guard unsafe base != MAP_FAILED, let base = unsafe base else { return nil }
    unsafe UnsafeMutableRawBufferPointer(start: base, count: magic.count).copyBytes(from: magic)
    return unsafe base
  }

  private func word(_ index: Int) -> UnsafeMutableRawPointer? {
    unsafe base.map { unsafe $0 + 4096 + (index & 63) * 64 }
  }

  /// The writer gate's words, 64 bytes.
  var gate: UnsafeMutableRawPointer? { unsafe base.map { unsafe $0 + 256 } }

  private static let timesOffset = 1024
  private static let timesCount = 128

  /// Notes when a transaction was committed.
  func noteCommit(_ transaction: Int) {
    guard let base = unsafe base else { return }
    let entry = unsafe base + Self.timesOffset + transaction % Self.timesCount * 16
    unsafe entry.storeBytes(of: UInt64(transaction), as: UInt64.self)
    unsafe entry.storeBytes(of: lms_time_of_day(), toByteOffset: 8, as: Int64.self)
  }

  /// How long ago a transaction was committed, if that is still known.
  package func age(of transaction: Int) -> Duration? {
    guard transaction >= 0, let base = unsafe base else { return nil }
    let entry = unsafe base + Self.timesOffset + transaction % Self.timesCount * 16
    guard unsafe entry.load(as: UInt64.self) == UInt64(transaction) else { return nil }
    let committed = unsafe entry.load(fromByteOffset: 8, as: UInt64.self)
    let now = lms_time_of_day()
    guard let past = Int64(exactly: committed), past <= now else { return .zero }
    return .nanoseconds(now - past)
  }

  /// After a commit: bumps the words whose bits are set and wakes those who wait on them.
  func bump(_ words: UInt64) {
    var rest = words
    while rest != 0 {
      let index = rest.trailingZeroBitCount
      rest &= rest &- 1
      guard let word = unsafe word(index) else { return }
      unsafe _ = lms_add32(word, 1)
      if unsafe lms_load32(word + 4) != 0 { unsafe lms_futex_wake(word) }
    }
  }

  /// Sleeps until `isReady` says so or the deadline passes; tells which. `isReady` is asked first, after every commit
  /// that touches one of `words`, and every 250 ms.
  package func wait<E: Error>(
    on index: Int, until deadline: ContinuousClock.Instant?, _ isReady: () throws(E) -> Bool
  ) throws(E) -> Bool {
    guard let word = unsafe word(index) else { return try poll(until: deadline, isReady) }
    unsafe _ = lms_add32(word + 4, 1)
    defer { unsafe _ = lms_add32(word + 4, UInt32.max) }
    while true {
      // Read before looking: a commit in between changes the word, and the sleep ends at once.
      let seen = unsafe lms_load32(word)
      if try isReady() { return true }
      var pause = Self.recheck
      if let deadline {
        let left = ContinuousClock.now.duration(to: deadline)
        if left <= .zero { return false }
        pause = min(pause, left)
      }
      let (seconds, attoseconds) = pause.components
      let nanoseconds = UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
      unsafe _ = lms_futex_wait(word, seen, max(nanoseconds, 1))
    }
  }

  /// Without a signal file: looks every millisecond.
  private func poll<E: Error>(
    until deadline: ContinuousClock.Instant?, _ isReady: () throws(E) -> Bool
  ) throws(E) -> Bool {
    while true {
      if try isReady() { return true }
      if let deadline, ContinuousClock.now >= deadline { return false }
      usleep(1000)
    }
  }
}
