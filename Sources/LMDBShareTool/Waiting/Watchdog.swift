#if CommandLineTools
  import ArgumentParser
  import Dispatch
  import LMDBShare
  import LMDBShareOperations
  import Synchronization
  import _LMDBShareSystem

  /// Ends the program when it waits too long inside LMDB, whose locks have no time limit: for a stopped writer without this
  /// library, say. Also ends it when a caught signal asks for it, which such a wait does not notice.
  final class Watchdog: Sendable {
    private enum State: UInt8, AtomicRepresentable { case watching, calledOff, gone }
    private let state = Atomic<State>(.watching)

    /// How much later than the library the watchdog ends the wait: the library's own error is better.
    private static let grace = Duration.milliseconds(500)
    private static let pause = Duration.milliseconds(200)

    /// The operation that is watched, and the consequence of ending it.
    struct Subject: Sendable {
      var operation: String
      var path: String
      /// What ending it means; nil if the operation has not done anything yet.
      var consequence: String?
      /// How long it may continue after a signal was caught.
      var afterSignal = Duration.milliseconds(500)
      /// Whether it is long work, of which only waits for LMDB's locks are limited.
      var isWork = false
    }

    private struct Seen {
      var signal: ContinuousClock.Instant?
      /// Since when each check has found it waiting for a lock of LMDB.
      var lock: ContinuousClock.Instant?
    }

    private let limit: Duration?
    private let subject: Subject
    private let start = ContinuousClock.now
    private let checksBefore = PageChecks.time
    private let seen = Guarded(Seen())

    init(_ limit: TimeLimit, _ subject: Subject) {
      self.limit = limit.duration.map { $0 + Self.grace }
      self.subject = subject
      lookLater()
    }

    /// The wait is over.
    func callOff() {
      guard state.compareExchange(expected: .watching, desired: .calledOff, ordering: .relaxed).original == .gone else {
        return
      }
      // The program is about to end, and must not do anything more.
      while true { sleep(60) }
    }

    private func lookLater() {
      var pause = Self.pause
      if let limit { pause = min(pause, max(.milliseconds(1), limit - waited)) }
      let (seconds, attoseconds) = pause.components
      DispatchQueue.global().asyncAfter(deadline: .now() + Double(seconds) + Double(attoseconds) / 1e18) {
        [weak self] in
        self?.look()
      }
    }

    /// The time that it has taken, without page checks, which are work.
    private var waited: Duration { start.duration(to: .now) - (PageChecks.time - checksBefore) }

    private func look() {
      guard state.load(ordering: .relaxed) == .watching else { return }
      if let signal = ChildProcess.caughtSignal {
        let since = seen.withLock { seen in
          let since = seen.signal ?? .now
          seen.signal = since
          return since
        }
        if since.duration(to: .now) >= subject.afterSignal {
          return end(Failure.interrupted(by: signal), "interrupted while it waited for other processes")
        }
      }
      if let limit, subject.isWork ? timeBehindLock >= limit : waited >= limit { return bark(limit) }
      lookLater()
    }

    /// For how long it has been waiting for a lock of LMDB without interruption.
    private var timeBehindLock: Duration {
      let isWaiting = Processes.waitsForLMDB
      return seen.withLock { seen in
        let since = isWaiting ? seen.lock ?? .now : nil
        seen.lock = since
        return since?.duration(to: .now) ?? .zero
      }
    }

    private func bark(_ limit: Duration) {
      let users = Processes.using(subject.path).map { Processes.title($0) }
      let others = users.isEmpty ? "" : " (the store is open in \(users.prefix(5).joined(separator: ", ")))"
      let reason =
        Processes.waitsForLMDB
        ? "a process holds LMDB's own lock, a program without this library, it seems\(others); let it continue or end it, or "
          + "allow more time with --timeout"
        : "it takes longer than allowed, and the cause is not known\(others): a slow disk, or a program without this library "
          + "that holds LMDB's own lock; allow more time with --timeout"
      end(Failure.busy, reason)
    }

    /// Ends the program, unless the wait has just ended.
    private func end(_ code: ExitCode, _ reason: String) {
      guard state.compareExchange(expected: .watching, desired: .gone, ordering: .relaxed).exchanged else { return }
      let consequence = subject.consequence.map { "; \($0)" } ?? ""
      Failure.say("\(subject.operation) \(Printable.text(subject.path)): \(reason)\(consequence)")
      _exit(code.rawValue)
    }
  }

  extension TimeLimit {
    /// Runs `body`, which may wait for other processes; where possible, the library limits the wait.
    func watching<R>(_ operation: String, _ path: String, _ body: (Watchdog) throws -> R) rethrows -> R {
      try watching(.init(operation: operation, path: path), body)
    }

    /// Does the same for an operation that has partly been done, or that takes long.
    func watching<R>(_ subject: Watchdog.Subject, _ body: (Watchdog) throws -> R) rethrows -> R {
      let watchdog = Watchdog(self, subject)
      defer { watchdog.callOff() }
      return try body(watchdog)
    }
  }

  extension SharedStore {
    /// Changes the store as `write` does; waits for other processes no longer than the limit.
    func write<R>(within limit: TimeLimit, _ body: (inout WriteTransaction) throws -> R) throws -> R {
      try limit.watching("write to", path) { try write(timeout: limit.duration, $0, body) }
    }

    /// Changes the store as `write` does; stops the watchdog when the wait is over.
    ///
    /// - Parameter timeout: How long to wait for other processes that use this library; nil for no limit.
    func write<R>(
      timeout: Duration?, _ watchdog: Watchdog, _ body: (inout WriteTransaction) throws -> R
    ) throws -> R {
      func run(_ txn: inout WriteTransaction) throws -> R {
        watchdog.callOff()
        return try body(&txn)
      }
      guard let timeout else { return try write(run) }
      return try write(timeout: timeout, run)
    }
  }
#endif
