import Foundation

/// Checks every few milliseconds until a condition holds; returns false when it does not within that many seconds.
public func eventually(within seconds: Double = 60, _ isSo: () throws -> Bool) rethrows -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while try !isSo() {
    guard deadline > .now else { return false }
    usleep(5000)
  }
  return true
}

/// Does the same in a task, without blocking a thread.
public nonisolated(nonsending) func eventually(
  within seconds: Double = 60, _ isSo: () throws -> Bool
) async throws -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while try !isSo() {
    guard deadline > .now else { return false }
    try await Task.sleep(for: .milliseconds(5))
  }
  return true
}
