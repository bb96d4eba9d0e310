import Foundation
import LMDBShare
import TestSupport
import Testing

/// Items whose bytes are not of the queue's type: of a newer version of it, or of another program.
@Suite(.timeLimit(.minutes(20)))
struct UndecodableItemTests {
  struct Job: JSONStored, Equatable { var number: Int }

  /// Pushes items as a program does that does not know the types, such as the tool: text that is not a number becomes JSON that
  /// is not a job.
  private static func push(
    _ items: [Int?], _ queue: SharedQueue<Job>, _ store: SharedStore, priority: QueuePriority = .normal,
    delay: Duration = .zero
  ) throws {
    let raw = try store.untypedQueue(queue.name)
    for item in items {
      let text = item.map { #"{"number":\#($0)}"# } ?? #"{"wrong":1}"#
      try raw.push(StoredBytes(Array(text.utf8)), priority: priority, delay: delay)
    }
  }

  typealias Taking = @Sendable (SharedQueue<Job>, SharedStore) async throws -> [Int]

  /// The waiting forms for threads, which are not visible in a task.
  private static func popSync(_ queue: SharedQueue<Job>) throws -> [Job] {
    var jobs: [Job] = []
    while let job = try queue.pop(timeout: .seconds(20)) { jobs.append(job) }
    return jobs
  }
  private static func popManySync(_ queue: SharedQueue<Job>) throws -> [Job] {
    var jobs: [Job] = []
    while true {
      let more = try queue.pop(atMost: 2, timeout: .seconds(20))
      if more.isEmpty { return jobs }
      jobs += more
    }
  }
  private static func popFromSync(_ queue: SharedQueue<Job>) throws -> [Job] {
    var jobs: [Job] = []
    while let found = try SharedQueue.pop(from: [queue], timeout: .seconds(20)) { jobs.append(found.element) }
    return jobs
  }
  private static func leaseSync(_ queue: SharedQueue<Job>) throws -> [Job] {
    var jobs: [Job] = []
    while let lease = try queue.lease(for: .seconds(60), timeout: .seconds(20)) {
      jobs.append(lease.element)
      try queue.acknowledge(lease)
    }
    return jobs
  }
  private static func leaseManySync(_ queue: SharedQueue<Job>) throws -> [Job] {
    var jobs: [Job] = []
    while true {
      let leases = try queue.lease(atMost: 2, for: .seconds(60), timeout: .seconds(20))
      if leases.isEmpty { return jobs }
      for lease in leases { try queue.acknowledge(lease) }
      jobs += leases.map(\.element)
    }
  }

  /// Every way to take all items of a closed queue.
  static let pops: [(name: String, take: Taking)] = [
    (
      "pop",
      { queue, _ in
        var jobs: [Job] = []
        while let job = try queue.pop() { jobs.append(job) }
        return jobs.map(\.number)
      }
    ),
    ("pop at most", { queue, _ in try queue.pop(atMost: 10).map(\.number) }),
    ("pop, a thread waits", { queue, _ in try popSync(queue).map(\.number) }),
    ("pop at most, a thread waits", { queue, _ in try popManySync(queue).map(\.number) }),
    ("pop from several, a thread waits", { queue, _ in try popFromSync(queue).map(\.number) }),
    (
      "pop, a task waits",
      { queue, _ in
        var jobs: [Job] = []
        while let job = try await queue.pop(timeout: nil) { jobs.append(job) }
        return jobs.map(\.number)
      }
    ),
    ("pop at most, a task waits", { queue, _ in try await queue.pop(atMost: 10, timeout: nil).map(\.number) }),
    (
      "pop from several, a task waits",
      { queue, _ in
        var jobs: [Job] = []
        while let found = try await SharedQueue.pop(from: [queue], timeout: nil) { jobs.append(found.element) }
        return jobs.map(\.number)
      }
    ),
    (
      "for try await",
      { queue, _ in
        var jobs: [Job] = []
        for try await job in queue { jobs.append(job) }
        return jobs.map(\.number)
      }
    ),
    (
      "within a write",
      { queue, store in
        try await store.write { txn in
          var jobs: [Int] = []
          while let job = txn[queue].pop() { jobs.append(job.number) }
          return jobs
        }
      }
    ),
    (
      "several within a write",
      { queue, store in try await store.write { txn in txn[queue].pop(atMost: 10).map(\.number) } }
    ),
  ]

  static let leases: [(name: String, take: Taking)] = [
    (
      "lease",
      { queue, _ in
        var jobs: [Int] = []
        while let lease = try queue.lease(for: .seconds(60)) {
          jobs.append(lease.element.number)
          try queue.acknowledge(lease)
        }
        return jobs
      }
    ),
    (
      "lease at most",
      { queue, _ in
        let leases = try queue.lease(atMost: 10, for: .seconds(60))
        for lease in leases { try queue.acknowledge(lease) }
        return leases.map(\.element.number)
      }
    ),
    ("lease, a thread waits", { queue, _ in try leaseSync(queue).map(\.number) }),
    ("lease at most, a thread waits", { queue, _ in try leaseManySync(queue).map(\.number) }),
    (
      "leases",
      { queue, _ in
        var jobs: [Int] = []
        for try await lease in queue.leases(for: .seconds(60)) {
          jobs.append(lease.element.number)
          try await queue.acknowledge(lease)
        }
        return jobs
      }
    ),
    (
      "lease at most, a task waits",
      { queue, _ in
        let leases = try await queue.lease(atMost: 10, for: .seconds(60), timeout: nil)
        for lease in leases { try await queue.acknowledge(lease) }
        return leases.map(\.element.number)
      }
    ),
    (
      "within a write",
      { queue, store in
        try await store.write { txn in
          let leases = try txn[queue].lease(atMost: 10, for: .seconds(60))
          for lease in leases { try txn[queue].acknowledge(lease) }
          return leases.map(\.element.number)
        }
      }
    ),
  ]

  /// The same items in every place in which an item can be: new in one record or in several, on several levels, returned before,
  /// and delayed before.
  private static func fill(_ queue: SharedQueue<Job>, _ store: SharedStore) throws -> (good: [Int], bad: Set<UInt64>) {
    try push([1, nil, 2, nil, nil, 3], queue, store)
    try push([nil, 0], queue, store, priority: .urgent)
    let raw = try store.untypedQueue(queue.name)
    // Those of the higher level, and the first two: they return with a history.
    for lease in try raw.lease(atMost: 4, for: .seconds(60)) { try raw.release(lease) }
    // In one record.
    try raw.push(contentsOf: [#"{"number":4}"#, "", #"{"number":5}"#].map { StoredBytes(Array($0.utf8)) })
    try push([nil, 6], queue, store, priority: .low, delay: .microseconds(1))
    // The delay.
    usleep(1000)
    return ([0, 1, 2, 3, 4, 5, 6], [2, 4, 5, 7, 10, 12])
  }

  @Test(arguments: pops.indices) func anUndecodableItemBlocksNoConsumer(form: Int) async throws {
    let test = try TestStore()
    let queue = try await test.store.queue("jobs", of: Job.self)
    let (good, bad) = try Self.fill(queue, test.store)
    try await queue.close()
    let taken = try await Self.pops[form].take(queue, test.store)
    #expect(taken == good, "\(Self.pops[form].name)")
    let letters = try queue.deadLetters()
    #expect(Set(letters.map(\.sequence)) == bad)
    for letter in letters {
      #expect(letter.element == nil && letter.reason.contains("item \(letter.sequence) cannot be decoded"), "\(letter)")
      #expect(String(decoding: letter.bytes, as: UTF8.self) == (letter.sequence == 10 ? "" : #"{"wrong":1}"#))
      #expect(letter.attempts == ([2, 7].contains(letter.sequence) ? 1 : 0))
    }
    #expect(try queue.statistics().dead == bad.count && queue.isEmpty)
    try queue.checkInvariants()
  }

  @Test(arguments: leases.indices) func anUndecodableItemThatIsLeasedBlocksNoConsumer(form: Int) async throws {
    let test = try TestStore()
    let queue = try await test.store.queue("jobs", of: Job.self)
    let (good, bad) = try Self.fill(queue, test.store)
    try await queue.close()
    let taken = try await Self.leases[form].take(queue, test.store)
    #expect(taken == good, "\(Self.leases[form].name)")
    let letters = try queue.deadLetters()
    #expect(Set(letters.map(\.sequence)) == bad)
    // The attempt counts.
    #expect(letters.allSatisfy { $0.attempts == ([2, 7].contains($0.sequence) ? 2 : 1) }, "\(letters)")
    #expect(letters.allSatisfy { $0.reason.contains("item \($0.sequence) cannot be decoded") })
    try queue.checkInvariants()
  }

  /// It returns after a pause until its attempts are used up: a program that understands it may take it first.
  @Test func anAttemptCountsForAnUndecodableItem() throws {
    let test = try TestStore()
    let queue = try test.store.queue("jobs", of: Job.self, maximumAttempts: 2)
    try Self.push([nil, 1], queue, test.store)
    #expect(try queue.lease(for: .seconds(60))?.element.number == 1)
    #expect(try queue.statistics().delayed == 1 && queue.deadLetters().isEmpty)
    try queue.checkInvariants()
    // A program that understands it.
    let raw = try test.store.untypedQueue("jobs")
    let start = ContinuousClock.now
    let lease = try #require(try raw.lease(for: .seconds(60), timeout: .seconds(20)))
    #expect(lease.sequence == 1 && lease.attempt == 2 && start.duration(to: .now) > .milliseconds(500))
    try raw.release(lease, countingAttempt: false)
    // The last attempt.
    #expect(try queue.lease(for: .seconds(60)) == nil)
    let letter = try #require(try queue.deadLetters().first)
    #expect(letter.sequence == 1 && letter.attempts == 2)
    try queue.checkInvariants()
  }

  /// A program with an older type, or another one, moves items that it does not understand out of the way; none is lost.
  @Test func whatOneProgramCannotDecodeAnotherOneCan() throws {
    let test = try TestStore()
    let queue = try test.store.queue("jobs", of: Job.self)
    let raw = try test.store.untypedQueue("jobs")
    let items = (0..<2500).map { StoredBytes(Array(#"{"name":"\#($0)"}"#.utf8)) }
    try raw.push(contentsOf: items)
    let before = try test.store.read { $0.snapshotID }
    #expect(try queue.pop() == nil)
    // No transaction blocks other writers for long.
    #expect(try test.store.read { $0.snapshotID } >= before + 3)
    #expect(try queue.statistics().dead == items.count && queue.deadLetters().map(\.bytes) == items.map(\.bytes))
    #expect(try queue.retryAll() == items.count && queue.retryAll() == 0)
    try queue.checkInvariants()
    #expect(try raw.pop(atMost: 5000) == items)
  }

  @Test func oneUndecodableItemHidesNoOther() throws {
    let test = try TestStore()
    let queue = try test.store.queue("jobs", of: Job.self)
    try Self.push([nil, 1, nil, 2], queue, test.store)
    // The visible items are those that would be taken.
    #expect(try queue.peek()?.number == 1)
    try test.store.read { txn in
      #expect(txn[queue].items.map(\.element.number) == [1, 2] && txn[queue].items.map(\.sequence) == [2, 4])
      let stored = Array(txn[queue].storedItems)
      #expect(stored.map(\.sequence) == [1, 2, 3, 4] && stored[0].bytes == Array(#"{"wrong":1}"#.utf8))
      let job = try stored[1].decoded()
      #expect(job.number == 1)
      #expect(throws: DecodingFailure.self) { try stored[2].decoded() }
    }
    let lease = try #require(try queue.lease(for: .seconds(60)))
    try queue.reject(lease, reason: "no")
    #expect(try queue.pop()?.number == 2)
    #expect(try queue.deadLetters().map(\.element?.number) == [nil, 1, nil])
  }

  /// The error belongs to the item, and never to the transaction.
  @Test func aTransactionThatMeetsAnUndecodableItemIsCommitted() throws {
    let test = try TestStore()
    let queue = try test.store.queue("jobs", of: Job.self)
    let log = try test.store.list("log", of: Int.self)
    try Self.push([nil, 7], queue, test.store)
    try test.store.write { txn in
      txn[log].append(1)
      if let job = txn[queue].pop() { txn[log].append(job.number) }
      #expect(txn[queue].peek() == nil && txn[queue].pop() == nil)
    }
    #expect(try Array(log.read { Array($0) }) == [1, 7])
    // All moved items are back when the transaction is undone.
    try Self.push([nil], queue, test.store)
    #expect(throws: Undo.self) {
      try test.store.write { txn in
        #expect(txn[queue].pop() == nil)
        throw Undo()
      }
    }
    #expect(try queue.count == 1 && queue.deadLetters().count == 1)
  }

  /// The last number follows from the newest new item; an item that was moved and put back is no longer new.
  @Test func anUndecodableItemThatIsPutBackAtOnceIsCounted() throws {
    let test = try TestStore()
    let queue = try test.store.queue("jobs", of: Job.self)
    try test.store.write { txn in
      let raw = txn.untypedQueue(try txn.untyped("jobs"))
      txn[raw].push(StoredBytes([1]))
      #expect(txn[queue].pop() == nil && txn[queue].retryAll() == 1)
    }
    #expect(try queue.count == 1)
    try queue.checkInvariants()
    #expect(try queue.push(Job(number: 1)) == 2)
    try queue.checkInvariants()
  }

  /// An undecodable item only ends decoding ahead.
  @Test func itemsBehindAnUndecodableOneAreTaken() async throws {
    let test = try TestStore()
    let queue = try await test.store.queue("jobs", of: Job.self)
    try Self.push(Array(0..<50) + [nil] + Array(50..<100), queue, test.store)
    let seen = try test.store.read { txn in txn[queue].prefetch(atMost: 100) }
    #expect(seen.elements.count == 50)
    let taken = try await test.store.write { txn in txn[queue].pop(atMost: 100, seen) }
    #expect(taken.map(\.number) == Array(0..<100))
    #expect(try queue.isEmpty)
    #expect(try queue.statistics().dead == 1)
  }
}
