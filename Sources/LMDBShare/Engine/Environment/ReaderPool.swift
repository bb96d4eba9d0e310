internal import _LMDBShareSystem

/// Idle read transactions of this process: renewing one costs a quarter of beginning one.
///
/// A slot is taken by one compare-and-swap. `close` closes the pool while the map moves. A thread that takes a slot checks
/// `closed` afterwards, and a thread that closes the pool checks the slots afterwards, so that one of them sees the other.
@safe final class ReaderPool: @unchecked Sendable {
  // Why unchecked: only the thread that has taken a slot touches its transaction; the words are atomic.
  private static let stride = 64
  /// Threads try one of these slots first, and others only when they are taken: a slot that was used once keeps its place in
  /// LMDB's table, which all processes share, and a process may have had any number of threads.
  private static let usual = 128
  private let capacity: Int
  /// One cache line per slot, whose first word says whether it is taken.
  private let words: UnsafeMutableRawPointer
  /// The allocation that contains `words`. The system provides the memory of most slots only when they are first taken.
  private let memory: UnsafeMutableRawPointer
  /// Created when a slot is first taken; they stay until the pool is destroyed.
  private let transactions: UnsafeMutablePointer<Transaction?>
  private let closed: UnsafeMutableRawPointer

  init(capacity: Int) {
    self.capacity = capacity
    guard let zeros = unsafe calloc(capacity + 3, Self.stride) else { stop("no memory for \(capacity) readers") }
    unsafe memory = zeros
    unsafe words = zeros.alignedUp(toMultipleOf: Self.stride)
    unsafe closed = words + capacity * Self.stride
    unsafe transactions = .allocate(capacity: capacity)
    unsafe transactions.initialize(repeating: nil, count: capacity)
  }

  deinit {
    for slot in 0..<capacity { unsafe transactions[slot]?.destroy() }
    unsafe transactions.deinitialize(count: capacity)
    unsafe transactions.deallocate()
    unsafe free(memory)
  }

  @inline(__always)
  private func word(_ slot: Int) -> UnsafeMutableRawPointer { unsafe words + slot * Self.stride }

  /// Takes a slot, near the one that this thread had before.
  @inline(__always)
  func acquire() throws(StoreError) -> Int {
    let slot = Int(lms_thread_slot()) % min(capacity, Self.usual)
    if unsafe lms_swap32(word(slot), 0, 1) {
      if unsafe lms_load32(closed) == 0 { return slot }
      release(slot)
    }
    return try acquireSlowly(from: slot)
  }

  @inline(never)
  private func acquireSlowly(from start: Int) throws(StoreError) -> Int {
    while true {
      try waitUntilOpen()
      var isFull = true
      for step in 0..<capacity {
        let slot = (start + step) % capacity
        guard unsafe lms_swap32(word(slot), 0, 1) else { continue }
        if unsafe lms_load32(closed) == 0 { return slot }
        release(slot)
        isFull = false
        break
      }
      if isFull {
        throw StoreError(
          .readersFull, "begin to read", reason: "this process has \(capacity) reads and snapshots open",
          advice: "end those that are not needed, or open the store with more maximumReaders")
      }
    }
  }

  @inline(__always)
  func release(_ slot: Int) { unsafe lms_store32(word(slot), 0) }

  /// The transaction of a slot that the caller has taken.
  @inline(__always)
  func transaction(_ slot: Int, of environment: Environment) -> Transaction {
    if let known = unsafe transactions[slot] { return known }
    let transaction = Transaction(environment: environment, slot: slot)
    unsafe transactions[slot] = transaction
    return transaction
  }

  private func waitUntilOpen() throws(StoreError) {
    while true {
      switch unsafe lms_load32(closed) {
      case 0: return
      case Self.shut: throw Self.noEnvironment
      default: usleep(50)
      }
    }
  }

  /// Counts the calling thread among the readers without a slot, as soon as the map is stable.
  func enter() throws(StoreError) {
    while true {
      unsafe _ = lms_add32(word(capacity + 1), 1)
      if unsafe lms_load32(closed) == 0 { return }
      leave()
      try waitUntilOpen()
    }
  }

  func leave() { unsafe _ = lms_add32(word(capacity + 1), UInt32.max) }

  /// Closes the pool and waits until all slots are free; if that takes longer than `patience`, opens it again and returns false.
  func close(for patience: Duration) -> Bool {
    guard unsafe lms_swap32(closed, 0, 1) else { return false }
    let start = ContinuousClock.now
    while isBusy {
      if start.duration(to: .now) > patience {
        open()
        return false
      }
      usleep(50)
    }
    return true
  }

  func open() { unsafe lms_store32(closed, 0) }

  /// Keeps the closed pool closed: there is no map to read from.
  func shutDown() { unsafe lms_store32(closed, Self.shut) }

  private static let shut: UInt32 = 2

  /// The error for readers of a pool that was shut down.
  static let noEnvironment = StoreError(
    .inputOutput, "read", reason: "the store could not be opened again after the system had failed",
    advice: "try again when the cause is gone")

  private var isBusy: Bool {
    for slot in 0..<capacity where unsafe lms_load32(word(slot)) != 0 { return true }
    return unsafe lms_load32(word(capacity + 1)) != 0
  }

  /// Ends the idle transactions: they refer to the map, and their database numbers may be out of date.
  func endAll() {
    for slot in 0..<capacity { unsafe transactions[slot]?.retire() }
  }
}
