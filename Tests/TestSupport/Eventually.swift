import Foundation

/// Looks every few milliseconds until something is so; false when it is not within so many seconds.
public func eventually(within seconds: Double = 60, _ isSo: () throws -> Bool) rethrows -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while try !isSo() {
    guard deadline > .now else { return false }
    usleep(5000)
  }
  return true
}

/// The same in a task, which blocks no thread meanwhile.
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
