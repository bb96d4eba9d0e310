import Foundation
import LMDBShare
import TestSupport
import Testing

/// Leases of a queue's items: attempts, tokens, and what happens when their process dies or is stopped.
@Suite(.timeLimit(.minutes(20)))
struct LeaseTests {
  @Test func tooManyAttemptsMakeADeadLetter() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: String.self, maximumAttempts: 2)
    try queue.push("bad")
    try queue.release(try #require(try queue.lease(for: .seconds(60))), delay: .milliseconds(1), reason: "first")
    // This waits for the delay.
    let second = try #require(try queue.lease(for: .seconds(60), timeout: .seconds(60)))
    #expect(second.attempt == 2)
    try queue.release(second, reason: "no such file")
    #expect(code { try queue.acknowledge(second) } == .leaseLost)
    let letter = try #require(try queue.deadLetters().first)
    #expect(letter.element == "bad" && letter.reason == "no such file" && letter.attempts == 2 && letter.sequence == 1)
    #expect(try queue.lease(for: .seconds(60)) == nil && queue.statistics().dead == 1)
    #expect(try queue.retry(letter.sequence))
    #expect(try queue.lease(for: .zero)?.attempt == 1)
    // An expired lease.
    #expect(try queue.lease(for: .zero)?.attempt == 2)
    #expect(try queue.pop() == nil)
    #expect(try queue.deadLetters().first?.reason == "its lease ran out")
    #expect(try queue.remove(letter.sequence) && queue.deadLetters().isEmpty)
    try queue.checkInvariants()
  }

  /// A program that is asked to end returns what it has begun, which does not count as an attempt.
  @Test func anItemThatIsGivenBackUntriedKeepsItsAttempts() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: String.self, maximumAttempts: 1)
    try queue.push("a")
    for round in 0..<5 {
      // This waits for the delay.
      let lease = try #require(try queue.lease(for: .seconds(60), timeout: .seconds(60)))
      #expect(lease.attempt == 1)
      if round % 2 == 0 {
        try queue.release(lease, countingAttempt: false)
      } else {
        try test.store.write { txn in
          try txn[queue].release(lease, delay: .microseconds(1), reason: "stopped", countingAttempt: false)
        }
      }
      #expect(code { try queue.release(lease, countingAttempt: false) } == .leaseLost)
      try queue.checkInvariants()
    }
    #expect(try queue.deadLetters().isEmpty)
    try queue.release(try #require(try queue.lease(for: .seconds(60), timeout: .seconds(60))))
    #expect(try queue.deadLetters().map(\.attempts) == [1])
  }

  @Test func tokensFenceOffWhoIsLate() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: Int.self)
    try queue.push(1)
    let late = try #require(try queue.lease(for: .milliseconds(1)))
    #expect(eventually { late.deadline < .now })
    // No other process has it yet: the work counts.
    try queue.extend(late, for: .milliseconds(1))
    // This waits until it has expired again.
    let current = try #require(try queue.lease(for: .seconds(60), timeout: .seconds(60)))
    #expect(current.token > late.token && current.sequence == late.sequence)
    for late in [
      code { try queue.acknowledge(late) }, code { try queue.extend(late, for: .seconds(1)) },
      code { try queue.release(late) }, code { try queue.reject(late, reason: "") },
    ] {
      #expect(late == .leaseLost)
    }
    // Changes of the same transaction are undone with it.
    #expect(
      code {
        try test.store.write { txn in
          txn[queue].push(2)
          try txn[queue].acknowledge(late)
        }
      } == .leaseLost)
    try queue.acknowledge(current)
    #expect(try queue.statistics() == QueueStatistics(ready: 0, delayed: 0, dead: 0, leases: [], isClosed: false))
  }

  @Test func theItemsOfADeadProcessComeBackAtOnce() throws {
    let test = try TestStore()
    let queue = try test.store.queue("jobs", of: Int.self)
    try queue.push(contentsOf: 0..<3)
    var taken: [Duration] = []
    for _ in 0..<5 {
      let worker = try Program("TestWorker", ["lease-and-stop", test.path])
      #expect(worker.line() == "leased 3")
      #expect(try queue.statistics().leases.allSatisfy { $0.isAlive && $0.processID == Int(worker.pid) })
      #expect(try queue.lease(for: .seconds(60)) == nil)
      let killed = Locked(ContinuousClock.now)
      try test.whenAWaiterIsThere {
        killed.withLock { $0 = .now }
        worker.signal(SIGKILL)
      }
      let leases = try queue.lease(atMost: 3, for: .seconds(60), timeout: .seconds(60))
      taken.append(killed.withLock { $0 }.duration(to: .now))
      #expect(leases.map(\.element) == [0, 1, 2])
      for lease in leases { try queue.release(lease) }
      worker.finish()
    }
    // Waiters check every 20 ms whether the holders live.
    #expect(taken.sorted()[2] < .milliseconds(40), "\(taken)")
  }

  @Test func aStoppedProcessKeepsItsItemsUntilTheDeadline() throws {
    let test = try TestStore()
    let queue = try test.store.queue("jobs", of: Int.self)
    try queue.push(contentsOf: 0..<3)
    let worker = try Program("TestWorker", ["lease-and-stop", test.path, "700"])
    #expect(worker.line() == "leased 3")
    let start = ContinuousClock.now
    worker.signal(SIGSTOP)
    #expect(try queue.lease(for: .seconds(60), timeout: .milliseconds(300)) == nil)
    #expect(try queue.lease(for: .seconds(60), timeout: .seconds(20)) != nil)
    #expect(start.duration(to: .now) >= .milliseconds(600))
    worker.signal(SIGCONT)
    // It gets an error, since it was too late.
    worker.release()
    #expect(worker.line() == "leaseLost")
    worker.finish()
  }

  @Test func aConsumerThatIsKilledWhileItWaitsDoesNoHarm() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: [UInt8].self)
    for round in 0..<10 {
      let victims = try (0..<3).map { _ in try Program("TestWorker", ["pop", test.path, "60000"]) }
      let other = try Program("TestWorker", ["pop", test.path, "60000"])
      for worker in victims + [other] { #expect(worker.line() == "waiting") }
      for worker in victims + [other] { try #require(worker.reaches("S")) }
      for victim in victims { victim.signal(SIGKILL) }
      for victim in victims { victim.finish() }
      try queue.push(Array("\(round)".utf8))
      #expect(other.line() == "got \(round)")
      #expect(other.finish().status == 0)
    }
  }

  /// Runs that many workers, and another one for each that dies, until all have ended; returns how many died.
  private func untilNoneDies(_ count: Int, _ start: () throws -> Program) throws -> Int {
    var workers = try (0..<count).map { _ in try start() }
    var kills = 0
    while let worker = workers.popLast() {
      let status = worker.finish().status
      guard status == -SIGKILL else {
        #expect(status == 0)
        continue
      }
      kills += 1
      workers.insert(try start(), at: 0)
    }
    return kills
  }

  /// Workers that are killed at random points: each item is processed at least once and acknowledged once.
  @Test func leasesSurviveKillsAtAnyMoment() throws {
    let test = try TestStore()
    let items = max(1000, SeededGenerator.operations(100_000) / 50)
    let queue = try test.store.queue("jobs", of: Int.self)
    let done = try test.store.list("done", of: Int.self)
    let begun = try test.store.dictionary("begun", of: Int.self, Int.self)
    try queue.push(contentsOf: 0..<items)
    try queue.close()
    let kills = try untilNoneDies(4) { try Program("TestWorker", ["work", test.path, "100"]) }
    print("\(items) items, \(kills) kills")
    #expect(kills > items / 50)
    #expect(try done.read { $0.sorted() } == Array(0..<items))
    #expect(try begun.read { $0.count == items && $0.values.allSatisfy { $0 >= 1 } })
    #expect(try queue.statistics() == QueueStatistics(ready: 0, delayed: 0, dead: 0, leases: [], isClosed: true))
    try queue.checkInvariants()
  }

  /// Taking an item, changing something else and passing the item on are atomic: nothing is lost or doubled, whatever dies when.
  @Test func itemsMoveFromQueueToQueueExactlyOnce() throws {
    let test = try TestStore()
    let items = max(2000, SeededGenerator.operations(100_000) / 20)
    let (first, second) = (try test.store.queue("first", of: Int.self), try test.store.queue("second", of: Int.self))
    try first.push(contentsOf: 0..<items)
    try first.close()
    let kills = try untilNoneDies(3) { try Program("TestWorker", ["move", test.path, "300"]) }
    #expect(kills > items / 300)
    // Several may have moved at the same time, but each item once, and in the order of its taking.
    #expect(try second.pop(atMost: items + 1) == Array(0..<items))
    #expect(try test.store.value("moved", initial: 0).get() == items)
  }
}
