import Foundation
import LMDBShare
import TestSupport
import Testing

/// Waiters for locks, permits, events and barriers are served in turn.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct FairnessTests {
  let test: TestStore

  init() throws { test = try TestStore() }

  /// Each process of that many threads and tasks acquires it as often as it can for two seconds; returns how often each did.
  private func contend(_ what: String, _ processes: [(threads: Int, tasks: Int)], work: Int = 0) throws -> [Int] {
    let workers = try processes.map { process in
      try Program(
        "TestWorker", ["contend-for", test.path, what, "\(process.threads)", "\(process.tasks)", "2000", "\(work)"])
    }
    for worker in workers { #expect(worker.line() == "ready") }
    for worker in workers { worker.release() }
    return workers.flatMap { $0.finish().output.split { $0 == " " || $0 == "\n" }.compactMap { Int($0) } }
  }

  /// Expects that each had at least a quarter of an equal share.
  private func isFair(_ counts: [Int], _ location: SourceLocation = #_sourceLocation) {
    let total = counts.reduce(0, +)
    #expect((counts.min() ?? 0) * counts.count * 4 >= total, "\(counts)", sourceLocation: location)
  }

  @Test func noThreadStarves() throws {
    isFair(try contend("lock", [(16, 0)]))
    isFair(try contend("lock", [(6, 0)], work: 3000))
    isFair(try contend("semaphore", [(12, 0)]))
  }

  @Test func noProcessStarves() throws {
    isFair(try contend("lock", [(1, 0), (1, 0)]))
    isFair(try contend("lock", [(1, 0), (1, 0), (1, 0)], work: 2000))
    isFair(try contend("semaphore", [(1, 0), (1, 0), (1, 0), (1, 0)]))
  }

  @Test func noneOfThreadsTasksAndProcessesStarves() throws {
    isFair(try contend("lock", [(8, 0), (1, 0)]))
    isFair(try contend("lock", [(3, 3), (0, 4), (1, 0)]))
    isFair(try contend("semaphore", [(4, 2), (1, 1)]))
  }

  @Test func aStoppedOrDeadWaiterDelaysNoOther() throws {
    let lock = try test.store.lock("lock")
    for signal in [SIGSTOP, SIGKILL] {
      let waiters = try (0..<2).map { _ in
        try Program("TestWorker", ["contend-for", test.path, "lock", "1", "1", "60000", "0"])
      }
      #expect(try lock.acquire(timeout: .seconds(10)) != nil)
      for waiter in waiters {
        #expect(waiter.line() == "ready")
        waiter.release()
        try #require(waiter.reaches("S"))
      }
      for waiter in waiters {
        waiter.signal(signal)
        // Until it has stopped, it may be about to take what is released.
        if signal == SIGSTOP { try #require(waiter.reaches("T")) }
      }
      try lock.release()
      // Each time there are earlier arrivals that never take it.
      let start = ContinuousClock.now
      for _ in 0..<20 { #expect(try lock.withLock(timeout: .seconds(5)) { _ in true }) }
      #expect(start.duration(to: .now) < .seconds(1))
      for waiter in waiters {
        waiter.signal(SIGKILL)
        waiter.finish()
      }
    }
  }

  #if os(Linux)
    @Test func anEventThatIsClearedAtOnceWakesAllWhoWaited() throws {
      let event = try test.store.event("event")
      for _ in 0..<3 {
        let waiters = try (0..<3).map { _ in try Program("TestWorker", ["event-waiters", test.path, "2"]) }
        for waiter in waiters { #expect(waiter.line() == "ready") }
        for waiter in waiters { try #require(waiter.reaches("S")) }
        try event.set()
        try event.clear()
        for waiter in waiters { #expect(waiter.finish().output == "4\n") }
        #expect(try !event.isSet)
      }
      // Also within one transaction; and a later waiter waits.
      let waiter = try Program("TestWorker", ["event-waiters", test.path, "1"])
      #expect(waiter.line() == "ready")
      try #require(waiter.reaches("S"))
      try test.store.write { txn in
        txn.set(event)
        txn.clear(event)
      }
      #expect(waiter.finish().output == "2\n")
      #expect(try !event.wait(timeout: .milliseconds(20)))
      // Nothing of it is left in another event of the same name.
      try test.store.rename("event", to: "other")
      #expect(try !test.store.event("other").wait(timeout: .zero))
      try test.store.remove("other")
      #expect(try test.store.check().isEmpty)
    }
  #endif

  @Test func tasksAtABarrierBlockNoThread() throws {
    let worker = try Program("TestWorker", ["barrier-tasks", test.path, "8"])
    #expect(worker.line() == "waiting")
    let writer = try Program("TestWorker", ["write-and-stop", test.path])
    #expect(writer.line() == "writing")
    worker.release()
    #expect(worker.line() == "others run")
    // Their time limit was over a second ago.
    #expect(worker.line() == "writerBusy")
    writer.finish()
    #expect(worker.finish().output == "broken\n")
  }

  /// Of two processes that arrive in the same microsecond one is first, and both know which.
  @Test func arrivalsAtTheSameTimeHaveAnOrder() throws {
    let directory = try StoreDirectory(path: test.path, create: false, allowNetwork: true)
    let all = try (0..<3).map { _ in
      try #require(OwnersFile(directory: directory, isReadOnly: false).owners)
    }
    let turns = all.map { $0.join(7, at: 1000) }
    #expect(Set(turns.map(\.arrival)) == [1000, 1001, 1002])
    for (owners, turn) in zip(all, turns) {
      let earlier = owners.arrival(before: turn, 7)
      #expect((earlier == nil) == (turn.arrival == 1000), "\(turn.arrival) \(earlier as Any)")
    }
    // The next one is seen when the first has gone.
    all[0].leave(7, turns[0], isServed: true)
    #expect(all[1].arrival(before: turns[1], 7) == nil && all[2].arrival(before: turns[2], 7) != nil)
  }

  /// Arrivals wrap around after 2^40 microseconds; an earlier arrival is still before a later one.
  @Test func arrivalsKeepTheirOrderWhereTheyBeginAnew() throws {
    let directory = try StoreDirectory(path: test.path, create: false, allowNetwork: true)
    let all = try (0..<4).map { _ in
      try #require(OwnersFile(directory: directory, isReadOnly: false).owners)
    }
    let arrivals: [UInt64] = [1 << 40 - 1000, 1 << 40 - 1, 0, 500]
    let turns = zip(all, arrivals).map { $0.join(8, at: $1) }
    #expect(turns.map(\.arrival) == arrivals)
    for index in turns.indices {
      let earlier = all[index].arrival(before: turns[index], 8)
      #expect(earlier == (index == 0 ? nil : arrivals[0]), "\(arrivals[index]) \(earlier as Any)")
    }
    // A waiter that is passed over, and those before it, are not waited for.
    all[3].passOver(arrivals[0], 8)
    #expect(all[3].arrival(before: turns[3], 8) == arrivals[1])
    all[3].passOver(arrivals[1], 8)
    #expect(all[3].arrival(before: turns[3], 8) == arrivals[2])
    all[3].passOver(arrivals[2], 8)
    #expect(all[3].arrival(before: turns[3], 8) == nil)
    all[2].passOver(arrivals[3], 8)
    #expect(all[2].arrival(before: turns[2], 8) == nil)
  }

  // MARK: Removal

  @Test func whatIsHeldIsNotRemoved() throws {
    let store = test.store
    let lock = try store.lock("lock")
    try lock.withLock { _ in
      let error = #expect(throws: StoreError.self) { try store.remove("lock") }
      #expect(error?.code == .busy && error?.processID == Int(getpid()))
      #expect(code { try store.rename("lock", to: "other") } == .busy)
    }
    let worker = try Program("TestWorker", ["lock-and-stop", test.path])
    #expect(worker.line() == "acquired false")
    let error = #expect(throws: StoreError.self) { try store.remove("lock") }
    #expect(error?.code == .busy && error?.processID == Int(worker.pid))
    #expect(code { try store.rename("lock", to: "other") } == .busy)
    worker.finish()
    let semaphore = try store.semaphore("semaphore", permits: 3)
    let permit = try #require(try semaphore.acquire())
    #expect(code { try store.remove("semaphore") } == .busy)
    #expect(try semaphore.available == 2)
    try semaphore.release(permit)
    #expect(try store.remove("semaphore") && semaphore.permitCount == 3)
    #expect(code { _ = try semaphore.tryAcquire() } == .structureRemoved)
    // Nothing stays locked, whether the removal is committed or not.
    #expect(throws: Undo.self) {
      try store.write { txn in
        try txn.remove("lock")
        throw Undo()
      }
    }
    #expect(try lock.withLock { _ in true })
    try store.rename("lock", to: "other")
    #expect(try store.lock("other").withLock { $0.previousOwnerDied } == false)
  }

  @Test func aRemovedLockIsNotGot() async throws {
    let store = test.store
    let lock = try await store.lock("lock")
    try await store.remove("lock")
    let again = try await store.lock("lock")
    #expect(code { _ = try lock.tryAcquire() } == .structureRemoved)
    let error = await #expect(throws: StoreError.self) { try await lock.acquire(timeout: .seconds(60)) }
    #expect(error?.code == .structureRemoved)
    // Neither has it acquired the new one.
    #expect(try again.tryAcquire()?.previousOwnerDied == false)
    #expect(code { _ = try lock.tryAcquire() } == .structureRemoved)
    try again.release()
  }

  @Test func exclusionOutlivesRemoval() throws {
    let users = try (0..<3).map { _ in try Program("TestWorker", ["use-lock", test.path, "500"]) }
    let remover = try Program("TestWorker", ["recreate-lock", test.path, "100000000"])
    for user in users { #expect(user.finish().output == "done\n") }
    remover.signal(SIGKILL)
    remover.finish()
  }

  @Test func notesOfRemovedLocksAreUsedAgain() throws {
    let store = test.store
    let size = { try FileManager.default.attributesOfItem(atPath: test.path + "/owners")[.size] as? Int ?? 0 }
    for round in 0..<1000 {
      let lock = try store.lock("lock \(round)")
      try lock.withLock { _ in #expect(lock.holder == Int(getpid())) }
      try store.remove("lock \(round)")
    }
    #expect(try size() <= 1 << 16 + 32 * 4)
    // No two locks have the same one, whichever process creates them, even when a transaction is undone.
    let locks = try (0..<40).map { number in
      if number % 3 == 0 {
        try? store.write { txn in
          _ = try txn.remove("lock \(number - 1)")
          throw Undo()
        }
        if number > 0 { try store.remove("lock \(number - 2)") }
      }
      return try store.lock("lock \(number)")
    }.filter { lock in try store.structures().contains { $0.name == lock.name } }
    for lock in locks { #expect(try lock.acquire() != nil) }
    #expect(locks.count > 20 && locks.allSatisfy { $0.holder == Int(getpid()) })
    for lock in locks { try lock.release() }
  }

  @Test func compactingGivesTheNotesOfRemovedLocksBack() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("compacted.lmdb")
    func size() throws -> Int { try FileManager.default.attributesOfItem(atPath: path + "/owners")[.size] as? Int ?? 0 }
    do {
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      for number in 0..<200 { try store.lock("lock \(number)").withLock { _ in } }
      for number in 3..<200 { try store.remove("lock \(number)") }
    }
    #expect(try size() > 1 << 16 + 32 * 150)
    try SharedStore.compact(path: path)
    #expect(try size() <= 1 << 16 + 32 * 4)
    #expect(try SharedStore(path: path).lock("lock 2").withLock { $0.previousOwnerDied } == false)
  }
}
