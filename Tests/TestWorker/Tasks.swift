import Foundation
import LMDBShare

/// Runs a task to its end.
func blocking<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) throws -> R {
  let result = Guarded<Result<R, any Error>?>(nil)
  let end = DispatchSemaphore(value: 0)
  Task {
    let outcome: Result<R, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    result.withLock { $0 = outcome }
    end.signal()
  }
  end.wait()
  return try result.withLock { try $0!.get() }
}

func observe(_ value: SharedValue<Int>, until last: Int) async throws -> Int {
  var states = 0
  var before = -1
  for try await state in value.observe() {
    if states == 0 { say("observing") }
    states += 1
    guard state >= before else { throw Backwards() }
    before = state
    if state == last { break }
  }
  return states
}

struct Backwards: Error {}

func waitInTasks(_ queue: SharedQueue<[UInt8]>, _ count: Int) async throws -> Int {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for _ in 0..<count { group.addTask { while try await queue.waitForChange(timeout: .seconds(3600)) != nil {} } }
    try await Task.sleep(for: .seconds(1))
    let before = clock()
    try await Task.sleep(for: .seconds(5))
    let taken = Int(clock() - before) * 1_000_000 / Int(CLOCKS_PER_SEC)
    group.cancelAll()
    while let result = await group.nextResult() {
      if case .failure(let error) = result, !(error is CancellationError) { throw error }
    }
    return taken
  }
}

func cancelWaits(_ list: SharedList<Int>) async throws -> String {
  var taken: [String] = []
  for _ in 0..<5 {
    let tasks = (0..<200).map { _ in
      Task.immediate {
        do {
          _ = try await list.waitForChange(timeout: .seconds(60))
          return false
        } catch {
          return error is CancellationError
        }
      }
    }
    let start = ContinuousClock.now
    for task in tasks { task.cancel() }
    for task in tasks where await !task.value { return "not cancelled" }
    taken.append("\(start.duration(to: .now).components.attoseconds / 1_000_000_000_000)")
  }
  return taken.joined(separator: " ")
}

func timeOuts(_ list: SharedList<Int>) async throws -> String {
  var late: [String] = []
  for timeout in [0, 5, 60, 300] {
    let start = ContinuousClock.now
    guard try await list.waitForChange(timeout: .milliseconds(timeout)) == nil else { return "a change" }
    let over = start.duration(to: .now) - .milliseconds(timeout)
    late.append("\(over.components.seconds * 1_000_000 + over.components.attoseconds / 1_000_000_000_000)")
  }
  return late.joined(separator: " ")
}
