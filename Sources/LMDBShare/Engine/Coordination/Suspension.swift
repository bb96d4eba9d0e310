/// The suspension of one task, which ends once: with a result, with an error, or when the task is cancelled, whichever comes first. It
/// may end before it begins.
///
/// Every task of the library that waits for a thread or for another process waits in one of these.
final class Suspension<Value: Sendable>: Sendable {
  private enum State {
    case new
    case suspended(CheckedContinuation<Value, any Error>)
    case ended(Result<Value, any Error>)
  }
  private let state = Guarded(State.new)

  /// Suspends the task until the suspension ends, and stays on the caller's actor until then. Called once.
  ///
  /// - Parameter onCancel: What a cancellation does; nil for an end with `CancellationError`.
  nonisolated(nonsending) func wait(onCancel: (@Sendable () -> Void)? = nil) async throws -> Value {
    try await withCancellableContinuation { continuation in
      let result = state.withLock { state -> Result<Value, any Error>? in
        if case .ended(let result) = state { return result }
        state = .suspended(continuation)
        return nil
      }
      if let result { continuation.resume(with: result) }
    } onCancel: {
      if let onCancel { onCancel() } else { end(.failure(CancellationError())) }
    }
  }

  /// Ends the suspension, unless it has ended already.
  func end(_ result: Result<Value, any Error>) {
    let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
      switch state {
      case .ended: return nil
      case .new:
        state = .ended(result)
        return nil
      case .suspended(let continuation):
        state = .ended(result)
        return continuation
      }
    }
    continuation?.resume(with: result)
  }
}

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
