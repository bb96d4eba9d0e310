internal import Synchronization

/// How long this process has checked pages: work, and no wait for other processes.
package enum PageChecks {
  private struct State: Sendable {
    var running = 0
    var since = ContinuousClock.now
    var total = Duration.zero
  }

  private static let state = Mutex(State())

  /// The time of all checks up to now, of the ones that are running, too; those that overlap count once.
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
