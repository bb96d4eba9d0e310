/// Suspends a task until its continuation is resumed, on the actor of the caller up to there.
///
/// `withTaskCancellationHandler` alone leaves the actor of a `nonisolated(nonsending)` caller before Swift 6.4
/// (swiftlang/swift #85518): it costs two hops, and tasks of one actor overtake each other on the way.
///
/// - Parameters:
///   - start: Runs at once, on the caller's actor; the continuation must be resumed once.
///   - onCancel: Runs when the task is cancelled, also before or while `start` does.
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
