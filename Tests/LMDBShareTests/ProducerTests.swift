import Foundation
import LMDBShare
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct ProducerTests {
  @Test func theOrderIsKeptAndNothingIsLost() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: Int.self)
    let producer = queue.producer(limit: 500)
    let before = try test.store.read { $0.snapshotID }
    for number in 0..<20_000 { try producer.push(number) }
    try producer.push(contentsOf: 20_000..<30_000)
    try producer.push(contentsOf: [])
    try producer.flush()
    #expect(try queue.pop(atMost: 40_000) == Array(0..<30_000))
    #expect(try test.store.read { $0.snapshotID } - before < 10_000)
    try producer.flush()
    #expect(try test.store.check().isEmpty)
  }

  @Test func threadsKeepTheirOwnOrder() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: [Int].self)
    let producer = queue.producer(limit: 300)
    // Some have a record of their own, some share one.
    @Sendable func item(_ thread: Int, _ number: Int) -> [Int] {
      [thread, number] + [Int](repeating: 7, count: number % 50 == 0 ? 5000 : number % 7)
    }
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      for number in stride(from: 0, to: 2000, by: 4) {
        try? producer.push(item(thread, number))
        try? producer.push(contentsOf: (1...3).map { item(thread, number + $0) })
      }
    }
    try producer.flush()
    var next = [0, 0, 0, 0]
    for taken in try queue.pop(atMost: 10_000) {
      #expect(taken == item(taken[0], next[taken[0]]))
      next[taken[0]] += 1
    }
    #expect(next == [2000, 2000, 2000, 2000])
  }

  @Test func closedQueuesAreToldAndTheirItemsKept() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: Int.self)
    let producer = queue.producer()
    try queue.close()
    try producer.push(1)
    #expect(code { try producer.flush() } == .queueClosed)
    #expect(code { try producer.push(9) } == .queueClosed)
    #expect(code { try producer.push(contentsOf: [9, 9]) } == .queueClosed)
    #expect(code { try producer.flush() } == .queueClosed)
    try queue.reopen()
    try producer.flush()
    try producer.push(2)
    try producer.flush()
    #expect(try queue.pop(atMost: 9) == [1, 2])
  }

  /// The error that one thread's flush finds does not belong to another thread.
  @Test func eachFlushTellsOfItsOwnItems() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: Int.self)
    let producer = queue.producer()
    try producer.push(1)
    try producer.flush()
    try queue.close()
    try producer.push(2)
    let told = Locked(0)
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      for _ in 0..<200 { if code({ try producer.flush() }) == .queueClosed { told.withLock { $0 += 1 } } }
    }
    #expect(told.withLock { $0 } == 800)
    #expect(producer.discard() > 0 && producer.discard() == 0)
    // Items that were added are not failures, whatever happens to other pushes.
    try queue.reopen()
    for number in 0..<200 {
      try queue.reopen()
      try producer.push(number)
      try producer.flush()
      try queue.close()
      DispatchQueue.concurrentPerform(iterations: 2) { side in
        if side == 0 {
          _ = try? producer.push(-1)
        } else if let error = code({ try producer.flush() }) {
          // Only if the other one's item was accepted before.
          #expect(error == .queueClosed)
        }
      }
      while code({ try producer.flush() }) != nil { producer.discard() }
    }
    #expect(try queue.pop(atMost: 1000).filter { $0 >= 0 }.suffix(200) == Array(0..<200)[...])
  }

  @Test func aStoreWithLittleRoomIsFilledAndGoesOn() throws {
    var options = StoreOptions.durability(.processCrashOnly)
    options.maximumSize = 2 << 20
    let test = try TestStore(options)
    let queue = try test.store.queue("queue", of: [UInt8].self)
    let producer = queue.producer(limit: 100_000)
    let items = (0..<40_000).map { number in [UInt8](repeating: UInt8(number & 255), count: 100) }
    try producer.push(contentsOf: items)
    #expect(code { try producer.flush() } == .mapFull)
    #expect(try queue.count > 10_000)
    var got: [[UInt8]] = []
    while got.count < items.count {
      let taken = try queue.pop(atMost: 5000)
      if taken.isEmpty { break }
      got += taken
      try? producer.flush()
    }
    #expect(got == items)
    // An item that never fits blocks the others until it is given up.
    try producer.push([UInt8](repeating: 1, count: 5 << 20))
    #expect(code { try producer.flush() } == .mapFull)
    #expect(code { try producer.push([1]) } == .mapFull)
    #expect(producer.discard() == 1)
    try producer.push([2])
    try producer.flush()
    #expect(try queue.pop() == [2])
  }

  /// A map that starts small grows meanwhile.
  @Test func aStoreThatStartsSmallGrows() throws {
    var options = StoreOptions.durability(.processCrashOnly)
    options.mapReservation = 1 << 20
    let test = try TestStore(options)
    let queue = try test.store.queue("queue", of: [UInt8].self)
    let producer = queue.producer(limit: 100_000)
    try producer.push(contentsOf: (0..<60_000).map { _ in [UInt8](repeating: 7, count: 100) })
    try producer.flush()
    #expect(try queue.count == 60_000)
  }

  @Test func roomIsUsedAsItComes() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: Int.self, capacity: 5)
    let producer = queue.producer(priority: .high)
    try queue.push(-1)
    try producer.push(contentsOf: 0..<20)
    #expect(try test.store.waitUntil(timeout: .seconds(20), watching: [queue]) { txn in txn[queue].count == 5 })
    #expect(try queue.pop(atMost: 2) == [0, 1])
    #expect(try test.store.waitUntil(timeout: .seconds(20), watching: [queue]) { txn in txn[queue].count == 5 })
    // Closed while it waits for room: added items stay, the rest is kept and continues where it was.
    try queue.close()
    #expect(code { try producer.flush() } == .queueClosed)
    #expect(try queue.pop(atMost: 3) == [2, 3, 4])
    try queue.reopen()
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      try? producer.flush()
      ended.signal()
    }
    var got: [Int] = []
    while got.count < 16 {
      let taken = try queue.pop(atMost: 3, timeout: .seconds(20))
      if taken.isEmpty { break }
      got += taken
    }
    #expect(got.filter { $0 >= 0 } == Array(5..<20))
    #expect(ended.wait(timeout: .now() + 20) == .success)
    #expect(try queue.isEmpty)
  }

  @Test func whatCannotBeEncodedIsNotAccepted() throws {
    struct Measure: JSONStored { var value: Double }
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: Measure.self)
    let producer = queue.producer()
    try producer.push(Measure(value: 1))
    #expect(code { try producer.push(Measure(value: .nan)) } == .unencodable)
    #expect(code { try producer.push(contentsOf: [2, .infinity, 3].map(Measure.init)) } == .unencodable)
    try producer.push(contentsOf: [4, 5].map(Measure.init))
    try producer.flush()
    #expect(try queue.pop(atMost: 9).map(\.value) == [1, 4, 5])
  }

  @Test func whatIsTooLargeIsNotAccepted() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: [UInt8].self)
    let producer = queue.producer()
    let large = [UInt8](repeating: 1, count: 1 << 30 - 7)
    #expect(code { try producer.push(large) } == .valueTooLarge)
    #expect(code { try producer.push(contentsOf: [[1], large, [2]]) } == .valueTooLarge)
    try producer.push(contentsOf: [[3], [4]])
    try producer.push([5])
    try producer.flush()
    #expect(try queue.pop(atMost: 9) == [[3], [4], [5]])
  }

  @Test func aWriteDoesNotWaitForTheProducersRoom() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: Int.self)
    let producer = queue.producer(limit: 10)
    try test.store.write { txn in
      txn[queue].push(-1)
      for number in 0..<10 { try producer.push(number) }
      // No other process could add these before the write ends.
      #expect(code { try producer.push(10) } == .nestedWrite)
      #expect(code { try producer.push(contentsOf: [10, 11]) } == .nestedWrite)
      #expect(code { try producer.flush() } == .nestedWrite)
    }
    try producer.flush()
    #expect(try queue.pop(atMost: 20) == Array(-1..<10))
  }

  @Test func tasksWaitWithoutAThreadAndCanBeCancelled() async throws {
    let test = try TestStore()
    let queue = try await test.store.queue("queue", of: Int.self, capacity: 4)
    let producer = queue.producer(limit: 2)
    let pushing = Task {
      for number in 0..<100 { try await producer.push(number) }
      try await producer.push(contentsOf: 100..<110)
      try await producer.flush()
    }
    // Without its own limit: other tests may keep the threads of tasks busy for long.
    var got: [Int] = []
    while got.count < 110 {
      let taken = try await queue.pop(atMost: 3, timeout: nil)
      got += taken
    }
    try await pushing.value
    #expect(got == Array(0..<110))
    // Four fit, two may be in progress: the seventh waits.
    try await producer.push(contentsOf: 0..<4)
    try await producer.flush()
    for number in 4..<6 { try await producer.push(number) }
    let waiting = Task.immediate { try await producer.push(6) }
    let flushing = Task.immediate { try await producer.flush() }
    waiting.cancel()
    flushing.cancel()
    // It was accepted before it waited; one that is cancelled before is not.
    try await waiting.value
    await #expect(throws: CancellationError.self) { try await flushing.value }
    let late = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await producer.push(7)
    }
    await #expect(throws: CancellationError.self) { try await late.value }
    got = []
    while got.count < 7 {
      let taken = try await queue.pop(atMost: 9, timeout: nil)
      got += taken
    }
    try await producer.flush()
    #expect(got == Array(0..<7))
  }
}
