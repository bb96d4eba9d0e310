internal import _LMDBShareSystem

/// Where the writers of all processes wait for each other before they take LMDB's lock, on which they could only wait without a
/// limit.
///
/// A word of the `signal` file holds the slot, plus one, of the process that writes, or 0. The gate is for waiting, never for
/// safety: LMDB's lock decides who writes, and a wrong word causes at most a wait of bounded length. A holder that died is passed
/// over, since its slot in `owners` is free.
@safe final class WriterGate: @unchecked Sendable {
  // Why unchecked: the words are atomic; the rest belongs to the thread that holds this process's write lock.

  /// The bounds of a waiter's sleep between checks whether the holder lives. It sleeps for a hundredth of the time that it has
  /// waited: the death of a holder adds little to the wait, and the checks take little processor time.
  private static let recheck = (least: Duration.microseconds(200), most: Duration.milliseconds(20))
  /// How long the word may stay unchanged before a waiter without a time limit waits for LMDB's lock, which is reliable.
  private static let doubt = Duration.milliseconds(250)
  /// For how long a process goes first while others wait.
  private static let turn = Duration.milliseconds(1)
  /// How often a waiter checks the word before it sleeps: for about as long as a short write takes.
  private static let looks = 100

  /// Keeps the words mapped.
  private let signals: SignalFile
  private let owners: Owners
  /// The word. After it follow a flag for sleeping waiters, and the number of times that the gate was passed.
  private var word: UnsafeMutableRawPointer
  private var sleepers: UnsafeMutableRawPointer { unsafe word + 4 }
  private var passes: UnsafeMutableRawPointer { unsafe word + 8 }
  private let mine: UInt32
  /// The value of the word when this process went past it out of turn.
  private var doubted: UInt32 = 0
  /// Since when this process has gone first while others sleep.
  private var contendedSince: ContinuousClock.Instant?

  /// Nil if one of the two files cannot be used: then only LMDB's lock is left.
  init?(_ signals: SignalFile, _ owners: Owners?) {
    guard let owners, let word = unsafe signals.gate else { return nil }
    self.signals = signals
    self.owners = owners
    unsafe self.word = word
    mine = UInt32(owners.slot + 1)
    // The previous process with this slot died while it wrote.
    if unsafe lms_swap32(word, mine, 0) {
      unsafe lms_store32(sleepers, 1)
      unsafe _ = lms_futex_wake_one(word)
    }
  }

  /// Passes the gate; the caller holds the process's own write lock.
  ///
  /// - Parameter deadline: Nil to wait without a limit.
  /// - Throws: `.writerBusy` when another process is still writing at the deadline.
  @inline(__always)
  func enter(until deadline: ContinuousClock.Instant?) throws(StoreError) {
    // The file may have been replaced since.
    if let current = unsafe signals.gate, unsafe current != word { unsafe word = current }
    if contendedSince == nil, unsafe lms_swap32(word, 0, mine) { return passed() }
    try enterSlowly(until: deadline)
  }

  @inline(__always)
  private func passed() { unsafe _ = lms_add32(passes, 1) }

  @inline(never)
  private func enterSlowly(until deadline: ContinuousClock.Instant?) throws(StoreError) {
    if let since = contendedSince {
      // A writer with little time left does not yield.
      if since.duration(to: .now) > Self.turn, deadline.map({ $0 > .now + Self.turn }) ?? true { letOthersGoFirst() }
      if unsafe lms_swap32(word, 0, mine) { return passed() }
    }
    for _ in 0..<Self.looks {
      lms_relax()
      if unsafe lms_load32(word) == 0, unsafe lms_swap32(word, 0, mine) { return passed() }
    }
    let since = ContinuousClock.now
    var quietSince = since
    var last = unsafe (lms_load32(word), lms_load32(passes))
    while true {
      let holder = unsafe lms_load32(word)
      // No other thread of this process can be at the gate, so the word is stale.
      if holder == 0 || holder == mine || !owners.isAlive(Int(holder) - 1) {
        guard unsafe lms_swap32(word, holder, mine) else { continue }
        // There may be more waiters, which a dead holder has not woken.
        if holder != 0 { unsafe lms_store32(sleepers, 1) }
        return passed()
      }
      let now = ContinuousClock.now
      let state = unsafe (holder, lms_load32(passes))
      if state != last { (last, quietSince) = (state, now) }
      var pause = min(max(since.duration(to: now) / 100, Self.recheck.least), Self.recheck.most)
      if let deadline {
        let left = now.duration(to: deadline)
        guard left > .zero else { throw WriterGate.busy(owners.processID(Int(holder) - 1)) }
        pause = min(pause, left)
      } else if quietSince.duration(to: now) > Self.doubt {
        // The holder is slow, or the word was overwritten. LMDB's lock decides. The word stays: waiters with a deadline must not
        // take this process for the one that writes, nor its death for that of the holder.
        doubted = holder
        return
      }
      unsafe lms_store32(sleepers, 1)
      unsafe _ = lms_futex_wait(word, holder, pause.futexNanoseconds, .max)
    }
  }

  /// Waits until another process has passed, or does not seem to want to (the waiter may be dead).
  private func letOthersGoFirst() {
    contendedSince = nil
    let before = unsafe lms_load32(passes)
    // A process that was woken takes some microseconds to get here.
    for _ in 0..<50 where unsafe lms_load32(passes) == before { sched_yield() }
    for _ in 0..<10 where unsafe lms_load32(passes) == before { usleep(50) }
  }

  /// Called with LMDB's lock held, after passing the gate or going past it.
  @inline(__always)
  func entered() {
    let holder = unsafe lms_load32(word)
    if holder != mine { correct(holder) }
  }

  /// The doubted holder does not write: this process does. If that holder lives, it waits for LMDB's lock, and writes next.
  @inline(never)
  private func correct(_ holder: UInt32) {
    if holder == 0 || holder == doubted || !owners.isAlive(Int(holder) - 1) {
      unsafe _ = lms_swap32(word, holder, mine)
    }
    doubted = 0
  }

  /// Lets the next writer pass.
  @inline(__always)
  func leave() {
    guard unsafe lms_swap32(word, mine, 0) else { return }
    if unsafe lms_load32(sleepers) != 0 { wakeNext() }
  }

  @inline(never)
  private func wakeNext() {
    unsafe lms_store32(sleepers, 0)
    guard unsafe lms_futex_wake_one(word) else {
      contendedSince = nil
      return
    }
    // There may be more waiters.
    unsafe lms_store32(sleepers, 1)
    if contendedSince == nil { contendedSince = .now }
  }

  /// The process that writes, according to the gate.
  static func holder(_ signals: SignalFile, _ owners: Owners?) -> Int? {
    guard let owners, let word = unsafe signals.gate else { return nil }
    let holder = unsafe lms_load32(word)
    return holder == 0 ? nil : owners.processID(Int(holder) - 1)
  }

  static func busy(_ holder: Int?) -> StoreError {
    StoreError(
      .writerBusy, "write",
      reason:
        "another \(holder == Int(getpid()) ? "thread" : "process") is writing\(holder.map { " (pid \($0))" } ?? "")",
      advice: "try again, allow more time, or find out why it takes so long", processID: holder)
  }
}
