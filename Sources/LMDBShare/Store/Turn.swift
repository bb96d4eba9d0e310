internal import Synchronization

/// A task's write on its way to the store's thread: it waits, is cancelled or begins, and ends; its continuation is resumed
/// once.
final class Turn<Value: Sendable>: Sendable {
  private typealias Continuation = CheckedContinuation<Value, any Error>
  private enum State {
    case new
    case waiting(Continuation)
    case begun(Continuation)
    case over
  }
  private let state = Mutex(State.new)

  /// Takes the continuation; false, and resumed, when the task was cancelled before.
  func wait(_ continuation: CheckedContinuation<Value, any Error>) -> Bool {
    let isFirst = state.withLock { state in
      guard case .new = state else { return false }
      state = .waiting(continuation)
      return true
    }
    if !isFirst { continuation.resume(throwing: CancellationError()) }
    return isFirst
  }

  var isWaiting: Bool { state.withLock { if case .waiting = $0 { true } else { false } } }

  /// From here on a cancellation comes too late; false when it came before.
  func begin() -> Bool {
    state.withLock { state in
      guard case .waiting(let continuation) = state else { return false }
      state = .begun(continuation)
      return true
    }
  }

  /// Hands over the result, unless the task was cancelled.
  func end(_ result: sending Result<Value, any Error>) {
    let continuation = state.withLock { state -> Continuation? in
      defer { state = .over }
      switch state {
      case .waiting(let continuation), .begun(let continuation): return continuation
      case .new, .over: return nil
      }
    }
    continuation?.resume(with: result)
  }

  /// The task has been cancelled, or its time is up; too late once the write has begun.
  func cancel(_ error: any Error = CancellationError()) {
    let continuation = state.withLock { state -> Continuation? in
      switch state {
      case .new: state = .over
      case .waiting(let continuation):
        state = .over
        return continuation
      case .begun, .over: break
      }
      return nil
    }
    continuation?.resume(throwing: error)
  }
}
