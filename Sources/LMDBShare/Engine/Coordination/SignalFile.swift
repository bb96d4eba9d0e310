internal import Synchronization
internal import _LMDBShareSystem

/// Memory that the processes of a store share beside the data: the words on which waiters sleep until a commit, the channels that
/// the last commits touched, and the writer gate (`signal` beside the data file).
///
/// Only a hint: a waiter that wakes checks the store, and does so every 250 ms in any case. So a missing, short, foreign or
/// garbled file, or one that is truncated while it is mapped, only costs time; the next check initializes or creates it again.
///
/// Layout of its 8,192 bytes, in the machine's order:
///
/// | Offset | Contents |
/// |---|---|
/// | 0 | the magic, 16 bytes, and the layout's number (`u32`) |
/// | 256 | the writer gate (`WriterGate`), 64 bytes |
/// | 320 | the word on which all waiters sleep (`u32`); 4 bytes after it the channels that have waiters (`u64`) |
/// | 512 + 4 *c* | how often channel *c* was woken for reasons other than a commit (`u32`) |
/// | 768 + 4 *c* | whether a lock or semaphore of channel *c* may have a line of waiters (`u32`) |
/// | 4,096 + 32 *i* | the last commit whose number is *i* modulo 128 (`CommitLog`) |
@safe final class SignalFile: @unchecked Sendable {
  // Why unchecked: the mapped words are only accessed atomically, or belong to the writer.
  private static let size = 8192
  private static let magic = Array("LMDBSHARE-SIGNAL".utf8)
  private static let layout: UInt32 = 2
  /// The longest sleep of a waiter before it checks the store itself.
  static let recheck = Duration.milliseconds(250)

  private let directory: StoreDirectory
  private let mayCreate: Bool
  /// The address of the file's memory, or 0. It stays the same: a replacement file is mapped at the same address.
  private let base: Atomic<UInt>
  /// Which file is mapped.
  private let file: Guarded<FileIdentity?>

  init(directory: StoreDirectory, isReadOnly: Bool) {
    self.directory = directory
    mayCreate = !isReadOnly
    let first = Self.map(directory, mayCreate, over: 0)
    base = Atomic(first?.address ?? 0)
    file = Guarded(first?.file)
  }

  deinit { Self.unmap(base.load(ordering: .relaxed)) }

  private static func unmap(_ address: UInt) {
    guard let start = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return }
    unsafe lms_forget_map(start)
    unsafe munmap(start, size)
  }

  /// Maps the file that is in the directory now.
  ///
  /// - Parameter place: The address of the previous map, which the new one replaces; 0 for a new address.
  private static func map(
    _ directory: StoreDirectory, _ mayCreate: Bool, over place: UInt
  ) -> (address: UInt, file: FileIdentity)? {
    guard !directory.isFile, let file = try? directory.sideFile(StoreDirectory.signalFile, mayCreate: mayCreate),
      let status = try? file.status(), mayCreate || status.size >= size
    else { return nil }
    // Allocates blocks: writing through the map to a hole raises SIGBUS when the disk is full.
    if mayCreate {
      #if os(Linux)
        guard posix_fallocate(file.number, 0, off_t(size)) == 0 else { return nil }
      #else
        if status.size < size, ftruncate(file.number, off_t(size)) != 0 { return nil }
      #endif
    }
    let base = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0)
    guard unsafe lms_is_mapped(base), let base = unsafe base else { return nil }
    // Another process may truncate the file at any time, which must not terminate this process.
    guard unsafe lms_survive_truncation(base, size) else {
      unsafe munmap(base, size)
      return nil
    }
    let known = unsafe Array(UnsafeRawBufferPointer(start: base, count: magic.count))
    KillPoint.pass(.signalMapped)
    let itsLayout = unsafe lms_load32(base + 16)
    if known != magic || itsLayout != layout {
      unsafe memset(base, 0, size)
      unsafe lms_store32(base + 16, layout)
      unsafe UnsafeMutableRawBufferPointer(start: base, count: magic.count).copyBytes(from: magic)
    }
    let address = UInt(bitPattern: base)
    guard let old = unsafe UnsafeMutableRawPointer(bitPattern: place) else { return (address, status.identity) }
    defer { unmap(address) }
    // Other threads may read it at any time: its address stays valid, with other contents.
    unsafe lms_renew_map(old)
    let renewed = unsafe mmap(old, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file.number, 0)
    guard unsafe lms_is_mapped(renewed) else {
      // The system does not report whether it has unmapped the old one; the address has to stay mapped.
      unsafe mmap(old, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
      return nil
    }
    return (place, status.identity)
  }

  /// Maps the file that is in the directory now, if it is another one, or one that was truncated.
  func refresh() {
    let status = (try? directory.descriptor.status(of: StoreDirectory.signalFile)) ?? nil
    file.withLock { file in
      let address = base.load(ordering: .relaxed)
      if let mapped = file, mapped == status?.identity, (status?.size ?? 0) >= Self.size,
        unsafe !lms_has_lost_pages(UnsafeRawPointer(bitPattern: address))
      {
        return
      }
      guard let new = Self.map(directory, mayCreate, over: address) else {
        // Tried again at the next check.
        file = nil
        return
      }
      file = new.file
      base.store(new.address, ordering: .relaxed)
    }
  }

  /// Maps the file again if it was truncated while it was mapped.
  func refreshIfLost() {
    if unsafe lms_has_lost_pages(UnsafeRawPointer(bitPattern: base.load(ordering: .relaxed))) { refresh() }
  }

  @inline(__always)
  private func place(_ offset: Int) -> UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: base.load(ordering: .relaxed)).map { unsafe $0 + offset }
  }

  /// The writer gate's words, 64 bytes.
  var gate: UnsafeMutableRawPointer? { unsafe place(256) }
  /// The word on which all waiters sleep.
  var word: UnsafeMutableRawPointer? { unsafe place(320) }
  /// What the last commits touched.
  var log: CommitLog? { unsafe place(4096).map { unsafe CommitLog($0) } }
}

// Sleeping and waking. A waiter reads the word, announces its channels, checks the store, and sleeps while the word is unchanged.
// A writer checks after its commit whether a channel that it touched has waiters; if so it clears these channels, changes the
// word, and wakes the waiters. So a waiter that announces itself before the commit is seen, and one that does so afterwards sees
// the commit. A waiter that was killed costs one wake, no more.
extension SignalFile {
  /// The value of the word that a waiter has read.
  @safe struct Ticket {
    let value: UInt32
    let word: UnsafeMutableRawPointer?
  }

  /// Reads the word. A waiter does this first.
  func ticket() -> Ticket {
    guard let word = unsafe word else { return unsafe Ticket(value: 0, word: nil) }
    return unsafe Ticket(value: lms_load32(word), word: word)
  }

  /// Announces that a waiter is about to check the store, and to sleep if it finds nothing.
  func announce(_ ticket: Ticket, _ channels: Channels) {
    if let word = unsafe ticket.word { unsafe _ = lms_or64(word + 8, channels.rawValue) }
  }

  /// Whether no waiter has been woken since; unknown without a signal file.
  func isCurrent(_ ticket: Ticket) -> Bool {
    guard let word = unsafe ticket.word else { return false }
    return unsafe lms_load32(word) == ticket.value
  }

  /// Sleeps until a commit touches one of the channels, one of the other bits is woken, or the pause is over. May return earlier.
  func sleep(_ ticket: Ticket, _ channels: Channels, for pause: Duration, bits: UInt32 = 0) {
    guard let word = unsafe ticket.word else {
      // Without a signal file: checks every millisecond.
      usleep(UInt32(min(pause.futexNanoseconds / 1000, 1000)))
      return
    }
    let code = unsafe lms_futex_wait(
      word, ticket.value, pause.futexNanoseconds, channels.futexBits | bits)
    if code == ETIMEDOUT { refresh() }
  }

  /// After a commit: wakes the waiters of the channels that it touched.
  @inline(__always)
  func wake(_ channels: Channels) {
    guard let word = unsafe word, unsafe lms_load64(word + 8) & channels.rawValue != 0 else { return }
    unsafe wakeSleepers(channels, word)
  }

  @inline(never)
  private func wakeSleepers(_ channels: Channels, _ word: UnsafeMutableRawPointer) {
    let waited = unsafe Channels(rawValue: lms_and64(word + 8, ~channels.rawValue)).intersection(channels)
    unsafe _ = lms_add32(word, 1)
    if !waited.isEmpty { unsafe lms_futex_wake(word, waited.futexBits) }
  }

  /// How often a channel was woken for reasons other than a commit.
  func pulse(_ channel: Channels) -> UInt32 {
    guard let word = unsafe place(512 + 4 * channel.rawValue.trailingZeroBitCount) else { return 0 }
    return unsafe lms_load32(word)
  }

  /// Counts such a wake.
  func addPulse(_ channel: Channels) {
    guard let word = unsafe place(512 + 4 * channel.rawValue.trailingZeroBitCount) else { return }
    unsafe _ = lms_add32(word, 1)
  }

  /// Whether a lock or semaphore of the channel may have a line of waiters; unknown without a signal file.
  func hasLine(_ channel: Channels) -> Bool {
    guard let word = unsafe place(768 + 4 * channel.rawValue.trailingZeroBitCount) else { return true }
    return unsafe lms_load32(word) != 0
  }

  /// Sets or clears that; waiters set it repeatedly.
  func setLine(_ channel: Channels, _ isThere: Bool) {
    guard let word = unsafe place(768 + 4 * channel.rawValue.trailingZeroBitCount) else { return }
    unsafe lms_store32(word, isThere ? 1 : 0)
  }

  /// Wakes the waiters with these bits.
  func poke(bits: UInt32) {
    guard let word = unsafe word else { return }
    unsafe _ = lms_add32(word, 1)
    unsafe lms_futex_wake(word, bits)
  }
}

extension Duration {
  /// The duration for a futex: at least one nanosecond, at most an hour.
  var futexNanoseconds: UInt64 {
    let bounded = min(max(self, .nanoseconds(1)), .seconds(3600)).components
    return UInt64(bounded.seconds) * 1_000_000_000 + UInt64(bounded.attoseconds / 1_000_000_000)
  }
}
