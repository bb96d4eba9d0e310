#if CommandLineTools
  import ArgumentParser
  import Dispatch
  import LMDBShare
  import Synchronization

  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #else
    import Darwin
  #endif

  /// Ends the program when it waits for too long inside of LMDB, whose locks know no limit: behind a program that writes without
  /// this library and stands still, say. Nothing is lost by that, since what waits has done nothing yet.
  final class Watchdog: Sendable {
    private enum State: UInt8, AtomicRepresentable { case watching, calledOff, gone }
    private let state = Atomic<State>(.watching)

    /// How much later than the library it ends the wait: the library's own words are better.
    private static let grace = Duration.milliseconds(500)

    /// - Parameter path: The store that is waited for.
    init(_ limit: TimeLimit, _ operation: String, _ path: String) {
      guard let duration = limit.duration else { return }
      let (seconds, attoseconds) = (duration + Self.grace).components
      let time = DispatchTime.now() + Double(seconds) + Double(attoseconds) / 1e18
      DispatchQueue.global().asyncAfter(deadline: time) { [weak self] in self?.bark(operation, path) }
    }

    /// The wait is over.
    func callOff() {
      guard state.compareExchange(expected: .watching, desired: .calledOff, ordering: .relaxed).original == .gone else {
        return
      }
      // The program is about to end, and nothing must be done any more.
      while true { sleep(60) }
    }

    private func bark(_ operation: String, _ path: String) {
      guard state.compareExchange(expected: .watching, desired: .gone, ordering: .relaxed).exchanged else { return }
      let users = Processes.using(path).map { Processes.title($0) }
      let others = users.isEmpty ? "" : " (the store is open in \(users.prefix(5).joined(separator: ", ")))"
      Failure.say(
        "\(operation) \(Printable.text(path)): a process holds LMDB's own lock, a program without this library, it seems"
          + "\(others); let it go on or end it, or allow more time with --timeout")
      _exit(Failure.busy.rawValue)
    }
  }

  extension TimeLimit {
    /// Runs `body`, which may wait for other processes, and is bounded by the library where that can be.
    func watching<R>(_ operation: String, _ path: String, _ body: (Watchdog) throws -> R) rethrows -> R {
      let watchdog = Watchdog(self, operation, path)
      defer { watchdog.callOff() }
      return try body(watchdog)
    }
  }

  extension SharedStore {
    /// Changes the store as `write` does; waits for other processes no longer than the limit.
    func write<R>(within limit: TimeLimit, _ body: (inout WriteTransaction) throws -> R) throws -> R {
      try limit.watching("write to", path) { watchdog in
        func run(_ txn: inout WriteTransaction) throws -> R {
          watchdog.callOff()
          return try body(&txn)
        }
        guard let duration = limit.duration else { return try write(run) }
        return try write(timeout: duration, run)
      }
    }
  }
#endif
