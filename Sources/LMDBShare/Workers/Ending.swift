internal import Dispatch

/// The end of a process or pool, for which threads and tasks can wait. It happens once.
final class Ending<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var actions: [UInt64: @Sendable (Value) -> Void] = [:]
    var waits: [UInt64: CheckedContinuation<Value, any Error>] = [:]
    var cancelled: Set<UInt64> = []
    var nextNumber: UInt64 = 0
  }
  private let state = Guarded(State())
  private let group = DispatchGroup()

  init() { group.enter() }

  var value: Value? { state.withLock { $0.value } }

  func ifRunning(_ body: () -> Void) { state.withLock { if $0.value == nil { body() } } }

  func set(_ ask: () -> Value) {
    let (value, actions, waits) = state.withLock { state in
      let value = ask()
      state.value = value
      defer { (state.actions, state.waits) = ([:], [:]) }
      return (value, Array(state.actions.values), Array(state.waits.values))
    }
    group.leave()
    for wait in waits { wait.resume(returning: value) }
    for action in actions { action(value) }
  }

  func then(_ body: @escaping @Sendable (Value) -> Void) {
    let value = state.withLock { state in
      state.nextNumber += 1
      if state.value == nil { state.actions[state.nextNumber] = body }
      return state.value
    }
    if let value { body(value) }
  }

  func wait(until end: DispatchTime) -> Value? {
    _ = group.wait(timeout: end)
    return value
  }

  func wait() async throws -> Value {
    let number = state.withLock { state in
      state.nextNumber += 1
      return state.nextNumber
    }
    defer { state.withLock { _ = $0.cancelled.remove(number) } }
    return try await withCancellableContinuation { continuation in
      let result = state.withLock { state -> Result<Value, any Error>? in
        if let value = state.value { return .success(value) }
        if state.cancelled.contains(number) { return .failure(CancellationError()) }
        state.waits[number] = continuation
        return nil
      }
      if let result { continuation.resume(with: result) }
    } onCancel: {
      let wait = state.withLock { state in
        let wait = state.waits.removeValue(forKey: number)
        if wait == nil { state.cancelled.insert(number) }
        return wait
      }
      wait?.resume(throwing: CancellationError())
    }
  }
}
