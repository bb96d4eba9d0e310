import Foundation
import LMDBShare
import TestSupport
import Testing

/// A queue behind a process that was stopped inside a write: waiters get the error that the store is busy, not that the queue is
/// empty or full.
@Suite(.timeLimit(.minutes(20)))
struct StoppedWriterTests {
  private let test: TestStore
  private let queue: SharedQueue<[UInt8]>
  private let empty: SharedQueue<[UInt8]>
  private let full: SharedQueue<[UInt8]>
  private let short = Duration.milliseconds(100)

  init() throws {
    test = try TestStore()
    queue = try test.store.queue("queue", of: [UInt8].self)
    empty = try test.store.queue("empty", of: [UInt8].self)
    full = try test.store.queue("full", of: [UInt8].self, capacity: 1)
    try queue.push(contentsOf: [[1], [2]])
    try full.push([3])
  }

  private func whileAWriterIsStopped(_ body: (Int) async throws -> Void) async throws {
    let worker = try Program("TestWorker", ["write-and-stop", test.path])
    #expect(worker.line() == "writing")
    worker.signal(SIGSTOP)
    try await body(Int(worker.pid))
    worker.signal(SIGCONT)
    worker.finish()
    // Nothing was taken or added by those that gave up.
    #expect(try await queue.pop(atMost: 9) == [[1], [2]] && full.count == 1 && empty.isEmpty)
  }

  private func busy(_ writer: Int, _ what: String, _ body: () throws -> Any?) {
    do {
      let result = try body()
      Issue.record("\(what): \(result as Any)")
    } catch {
      let error = error as? StoreError
      #expect(error?.code == .writerBusy && error?.processID == writer, "\(what): \(error as Any)")
    }
  }

  private func busy(_ writer: Int, _ what: String, _ body: () async throws -> Any?) async {
    let result: Result<Any?, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    busy(writer, what) { try result.get() }
  }

  private func threads(_ writer: Int) throws {
    let start = ContinuousClock.now
    busy(writer, "pop") { try queue.pop(timeout: short) }
    busy(writer, "pop at most") { try queue.pop(atMost: 2, timeout: short) }
    busy(writer, "lease") { try queue.lease(for: .seconds(60), timeout: short) }
    busy(writer, "lease at most") { try queue.lease(atMost: 2, for: .seconds(60), timeout: short) }
    busy(writer, "pop from several") { try SharedQueue.pop(from: [empty, queue], timeout: short) }
    busy(writer, "push") { try queue.push([4], timeout: short) }
    busy(writer, "push several") { try queue.push(contentsOf: [[4], [5]], timeout: short) }
    busy(writer, "pop at once") { try queue.pop(timeout: .zero) }
    #expect(start.duration(to: .now) < .seconds(5))
    #expect(try empty.pop(timeout: short) == nil)
    #expect(try empty.pop(atMost: 2, timeout: short).isEmpty)
    #expect(try empty.lease(for: .seconds(60), timeout: short) == nil)
    #expect(try SharedQueue.pop(from: [empty], timeout: short) == nil)
    #expect(code { try full.push([4], timeout: short) } == .queueFull)
    #expect(try queue.waitForItem(timeout: short))
  }

  @Test func busyIsNeitherEmptyNorFullForThreads() async throws { try await whileAWriterIsStopped { try threads($0) } }

  @Test func busyIsNeitherEmptyNorFullForTasks() async throws {
    try await whileAWriterIsStopped { writer in
      await busy(writer, "pop") { try await queue.pop(timeout: short) }
      await busy(writer, "pop at most") { try await queue.pop(atMost: 2, timeout: short) }
      await busy(writer, "lease") { try await queue.lease(for: .seconds(60), timeout: short) }
      await busy(writer, "lease at most") { try await queue.lease(atMost: 2, for: .seconds(60), timeout: short) }
      await busy(writer, "pop from several") { try await SharedQueue.pop(from: [empty, queue], timeout: short) }
      await busy(writer, "push") { try await queue.push([4], timeout: short) }
      await busy(writer, "push several") { try await queue.push(contentsOf: [[4], [5]], timeout: short) }
      #expect(try await empty.pop(timeout: short) == nil)
      #expect(try await empty.lease(for: .seconds(60), timeout: short) == nil)
      #expect(try await SharedQueue.pop(from: [empty], timeout: short) == nil)
      do {
        try await full.push([4], timeout: short)
        Issue.record("pushed")
      } catch let error as StoreError {
        #expect(error.code == .queueFull)
      }
    }
  }

  /// A structure that is missing is created in a write: a task that opens it waits for the writer without a thread of the pool.
  @Test func openingInATaskBlocksNoThread() async throws {
    let store = test.store
    try await whileAWriterIsStopped { writer in
      let opened = (0..<32).map { number in
        Task { try await store.list("new \(number)", of: Int.self).name }
      }
      // With a blocked pool none of these would run before the writer continues.
      let turns = await withTaskGroup(of: Int.self) { group in
        for number in 0..<32 { group.addTask { number } }
        return await group.reduce(0) { $0 + $1 }
      }
      #expect(turns == 31 * 16)
      #expect(try store.structures().allSatisfy { !$0.name.hasPrefix("new") })
      kill(pid_t(writer), SIGCONT)
      kill(pid_t(writer), SIGKILL)
      var names: Set<String> = []
      for task in opened { names.insert(try await task.value) }
      #expect(names.count == 32)
    }
  }
}
