/// Suspends a task until its continuation is resumed, and stays on the caller's actor until then.
///
/// Before Swift 6.4, `withTaskCancellationHandler` by itself leaves the actor of a `nonisolated(nonsending)` caller
/// (swiftlang/swift #85518): that takes two hops, and tasks of one actor overtake each other on the way.
///
/// - Parameters:
///   - start: Runs immediately, on the caller's actor; the continuation must be resumed once.
///   - onCancel: Runs when the task is cancelled, which may be before or while `start` runs.
package func withCancellableContinuation<R: Sendable>(
  isolation: isolated (any Actor)? = #isolation, _ start: (CheckedContinuation<R, any Error>) -> Void,
  onCancel: @Sendable () -> Void
) async throws -> R {
  try await withTaskCancellationHandler {
    // A closure has the isolation of what it captures.
    _ = isolation
    return try await withCheckedThrowingContinuation { start($0) }
  } onCancel: {
    onCancel()
  }
}
