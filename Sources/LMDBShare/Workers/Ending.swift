internal import Dispatch

/// The end of a process or pool, for which threads and tasks can wait. It happens once.
final class Ending<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var actions: [UInt64: @Sendable (Value) -> Void] = [:]
    var nextNumber: UInt64 = 0
  }
  private let state = Guarded(State())
  private let group = DispatchGroup()

  init() { group.enter() }

  var value: Value? { state.withLock { $0.value } }

  func ifRunning(_ body: () -> Void) { state.withLock { if $0.value == nil { body() } } }

  func set(_ ask: () -> Value) {
    let (value, actions) = state.withLock { state in
      let value = ask()
      state.value = value
      defer { state.actions = [:] }
      return (value, state.actions.values)
    }
    group.leave()
    for action in actions { action(value) }
  }

  /// Calls `body` at the end, or now if that is over; returns the number by which it can be forgotten.
  @discardableResult
  func then(_ body: @escaping @Sendable (Value) -> Void) -> UInt64 {
    let (number, value) = state.withLock { state in
      state.nextNumber += 1
      if state.value == nil { state.actions[state.nextNumber] = body }
      return (state.nextNumber, state.value)
    }
    if let value { body(value) }
    return number
  }

  func wait(until end: DispatchTime) -> Value? {
    _ = group.wait(timeout: end)
    return value
  }

  func wait() async throws -> Value {
    let suspension = Suspension<Value>()
    let number = then { suspension.end(.success($0)) }
    defer { state.withLock { $0.actions[number] = nil } }
    return try await suspension.wait()
  }
}
