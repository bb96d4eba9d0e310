import Dispatch
import LMDBShare
import Synchronization
import Testing

/// Where a task continues that waits for another thread to resume it.
@Suite(.timeLimit(.minutes(20)))
struct ContinuationTests {
  @MainActor
  @Test func waitingBeginsOnTheActorOfTheCaller() async throws {
    let mark = DispatchSpecificKey<Bool>()
    DispatchQueue.main.setSpecific(key: mark, value: true)
    defer { DispatchQueue.main.setSpecific(key: mark, value: nil) }
    #expect(try await Self.beginsThere(mark))
  }

  private nonisolated(nonsending) static func beginsThere(_ mark: DispatchSpecificKey<Bool>) async throws -> Bool {
    try await withCancellableContinuation { continuation in
      continuation.resume(returning: DispatchQueue.getSpecific(key: mark) == true)
    } onCancel: {
    }
  }

  @Test func aCancellationComesThrough() async throws {
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      let handled = Atomic(false)
      let result: Bool = try await withCancellableContinuation { continuation in
        // The task was cancelled before.
        continuation.resume(returning: handled.load(ordering: .relaxed))
      } onCancel: {
        handled.store(true, ordering: .relaxed)
      }
      return result
    }
    #expect(try await task.value)
  }
}
