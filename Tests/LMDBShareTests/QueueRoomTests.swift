import Foundation
import LMDBShare
import TestSupport
import Testing

/// Capacity, delays, and closed queues; waiting for them, and its cancellation.
@Suite(.timeLimit(.minutes(20)))
struct QueueRoomTests {
  @Test func aFullQueueRefusesOrWaits() async throws {
    let test = try TestStore()
    let (store, queue) = (test.store, try await test.store.queue("queue", of: Int.self, capacity: 3))
    #expect(queue.capacity == 3)
    #expect(code { _ = try store.queue("queue", of: Int.self, capacity: 4) } == .typeMismatch)
    #expect(code { _ = try store.queue("none", of: Int.self, capacity: 0) } == .outOfRange)
    try await queue.push(contentsOf: [1, 2])
    try await queue.push(3, delay: .seconds(100_000))
    #expect(code { try queue.push(4) } == .queueFull)
    #expect(code { try queue.push(contentsOf: [4]) } == .queueFull)
    #expect(try queue.count == 2)
    let start = ContinuousClock.now
    await #expect(throws: StoreError.self) { try await queue.push(4, timeout: .milliseconds(50)) }
    #expect(start.duration(to: .now) >= .milliseconds(50))
    // What can never fit is an error immediately.
    await #expect(throws: StoreError.self) { try await queue.push(contentsOf: [4, 5, 6, 7], timeout: .seconds(100)) }
    let waiting = Task.immediate { try await queue.push(4, timeout: .seconds(60)) }
    #expect(try await queue.pop() == 1)
    #expect(try await waiting.value == 4)
    // Leased items make room, and are returned although there is none.
    let lease = try await #require(try queue.lease(for: .seconds(60)))
    try await queue.push(5)
    try await queue.release(lease)
    #expect(try await queue.pop(atMost: 9) == [2, 4, 5])
    try queue.checkInvariants()
  }

  @Test func delayedItemsComeInTime() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: String.self)
    try queue.push("late", delay: .milliseconds(300))
    try queue.push("soon", delay: .milliseconds(100))
    #expect(try queue.pop() == nil && queue.isEmpty)
    let start = ContinuousClock.now
    #expect(try queue.pop(timeout: .seconds(20)) == "soon")
    #expect(start.duration(to: .now) >= .milliseconds(90))
    #expect(try queue.pop(timeout: .milliseconds(1)) == nil)
    #expect(try queue.pop(timeout: .seconds(20)) == "late")
    #expect(start.duration(to: .now) >= .milliseconds(290))
    // In the order of their numbers, when they are due.
    try queue.push("a", delay: .milliseconds(1))
    try queue.push("b")
    // The delay.
    usleep(5000)
    #expect(try queue.pop(atMost: 5) == ["a", "b"])
    try queue.checkInvariants()
  }

  /// The last number is found although returned items are after all others.
  @Test(arguments: 0..<8) func numbersAreNeverGivenTwice(level: Int) throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: String.self)
    let priority = try #require(QueuePriority(level: level))
    #expect(try queue.push("late", priority: priority, delay: .microseconds(1)) == 1)
    #expect(try queue.push("n1") == 2)
    // The delay.
    usleep(100)
    // Makes the late one ready, whichever comes first.
    let first = try #require(try queue.lease(for: .seconds(100)))
    try queue.checkInvariants()
    #expect(try queue.push("n2") == 3)
    #expect(try queue.push("n3") == 4)
    try queue.checkInvariants()
    try queue.release(first)
    #expect(try queue.push("n4") == 5)
    #expect(try queue.push("n5", priority: .low) == 6)
    #expect(try queue.push("n6") == 7)
    try queue.checkInvariants()
    #expect(try Set(queue.pop(atMost: 99)) == ["late", "n1", "n2", "n3", "n4", "n5", "n6"])
    #expect(try queue.push("n7") == 8 && queue.count == 1)
    try queue.checkInvariants()
  }

  @Test func aClosedQueueIsDrained() async throws {
    let test = try TestStore()
    let queue = try await test.store.queue("queue", of: Int.self)
    try await queue.push(contentsOf: 0..<5)
    let consumers = (0..<3).map { _ in
      Task.immediate {
        var got: [Int] = []
        for try await item in queue { got.append(item) }
        return got
      }
    }
    // Then they wait.
    #expect(try await eventually { try queue.isEmpty })
    try await queue.push(5)
    try await queue.close()
    #expect(code { try queue.push(6) } == .queueClosed)
    var all: [Int] = []
    for consumer in consumers { all += try await consumer.value }
    #expect(all.sorted() == Array(0...5))
    // Nothing waits for what cannot come.
    #expect(try await queue.pop(timeout: .seconds(100)) == nil)
    #expect(try queue.isClosed)
    try await queue.reopen()
    try await queue.push(7)
    #expect(try await queue.pop(timeout: nil) == 7)
    // While an item is leased, it may return.
    try await queue.push(8)
    let lease = try await #require(try queue.lease(for: .seconds(60)))
    try await queue.close()
    let waiting = Task.immediate { try await queue.lease(for: .seconds(60), timeout: .seconds(60)) }
    try await queue.release(lease)
    let again = try #require(try await waiting.value)
    #expect(again.attempt == 2 && again.element == 8)
    try await queue.acknowledge(again)
    #expect(try await queue.lease(for: .seconds(60), timeout: .seconds(60)) == nil)
  }

  @Test func severalQueuesAreWaitedForAtOnce() async throws {
    let test = try TestStore()
    let queues = try (0..<3).map { try test.store.queue("queue \($0)", of: Int.self) }
    #expect(try await SharedQueue.pop(from: queues, timeout: .milliseconds(10)) == nil)
    let waiting = Task.immediate {
      try await SharedQueue.pop(from: queues, timeout: .seconds(60)).map { ($0.queue.name, $0.element) }
    }
    try await queues[2].push(7)
    #expect(try await waiting.value.map { "\($0)" } == "(\"queue 2\", 7)")
    try await queues[1].push(1)
    try await queues[2].push(2)
    #expect(try await SharedQueue.pop(from: queues, timeout: nil)?.element == 1)
    for queue in queues { try await queue.close() }
    #expect(try await SharedQueue.pop(from: queues, timeout: nil)?.element == 2)
    #expect(try await SharedQueue.pop(from: queues, timeout: nil) == nil)
  }

  @Test func cancelledConsumersTakeNothing() async throws {
    let test = try TestStore()
    let queue = try await test.store.queue("queue", of: Int.self)
    for round in 0..<20 {
      // Before they begin to wait, or while they do.
      let consumers = (0..<10).map { _ in
        round % 2 == 0
          ? Task.immediate { try await queue.pop(timeout: nil) } : Task { try await queue.pop(timeout: nil) }
      }
      for consumer in consumers { consumer.cancel() }
      try await queue.push(contentsOf: 0..<10)
      var got = 0
      for consumer in consumers { if case .success = await consumer.result { got += 1 } }
      #expect(try queue.count == 10 - got)
      try await queue.removeAll()
    }
  }
}
