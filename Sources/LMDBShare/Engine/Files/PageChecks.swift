/// The time that this process has spent on page checks: it is work, not waiting for other processes.
package enum PageChecks {
  private struct State: Sendable {
    var running = 0
    var since = ContinuousClock.now
    var total = Duration.zero
  }

  private static let state = Guarded(State())

  /// The time of all checks up to now, including running ones; overlapping checks count once.
  package static var time: Duration {
    state.withLock { $0.total + ($0.running > 0 ? $0.since.duration(to: .now) : .zero) }
  }

  static func begin() {
    state.withLock {
      if $0.running == 0 { $0.since = .now }
      $0.running += 1
    }
  }

  static func end() {
    state.withLock {
      $0.running -= 1
      if $0.running == 0 { $0.total += $0.since.duration(to: .now) }
    }
  }
}
