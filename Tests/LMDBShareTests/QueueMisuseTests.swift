import Foundation
import LMDBShare
import TestSupport
import Testing

/// Queues that are misused, or whose bytes are damaged.
@Suite(.timeLimit(.minutes(20)))
struct QueueMisuseTests {
  @Test func whatFailedIsNotRemembered() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: Int.self)
    try queue.push(contentsOf: [1, 2])
    // A view for reading cannot be changed, not even through a copy, and the attempt leaves nothing behind.
    for change: (inout SharedQueue<Int>.Contents) -> Void in [
      { $0.close() }, { $0.push(3) }, { _ = $0.pop() }, { $0.removeAll() }, { _ = $0.remove(1) }, { _ = $0.retry(1) },
    ] {
      #expect(
        code {
          try test.store.read { txn in
            var copy = txn[queue]
            change(&copy)
          }
        } == .permissionDenied)
      #expect(try queue.count == 2 && !queue.isClosed && queue.peek() == 1)
    }
    // A failed read elsewhere does not make the queue look empty.
    let texts = try test.store.dictionary("texts", of: String.self, Int.self)
    #expect(throws: Undo.self) {
      try test.store.read { txn in
        _ = txn[texts].count
        throw Undo()
      }
    }
    #expect(try queue.count == 2)
    #expect(try queue.pop(atMost: 0).isEmpty && queue.pop(atMost: -1).isEmpty)
    #expect(try queue.pop(atMost: 0, timeout: .seconds(100)).isEmpty)
    #expect(try queue.lease(atMost: 0, for: .seconds(1), timeout: .seconds(100)).isEmpty)
  }

  /// Items have numbers and a history: they are moved one by one, and an assignment must not be lost silently.
  @Test func theItemsOfAnotherQueueCannotBeAssigned() throws {
    let test = try TestStore()
    let (one, two) = (try test.store.queue("one", of: Int.self), try test.store.queue("two", of: Int.self))
    try one.push(contentsOf: [1, 2])
    try two.push(3)
    #expect(code { try test.store.write { txn in txn[two] = txn[one] } } == .outOfRange)
    func assign(_ items: inout SharedQueue<Int>.Contents, _ others: SharedQueue<Int>.Contents) { items = others }
    #expect(code { try test.store.write { txn in assign(&txn[two], txn[one]) } } == .outOfRange)
    // Assigning a queue to itself changes nothing.
    try test.store.write { txn in txn[one] = txn[one] }
    #expect(try one.count == 2 && two.count == 1 && two.peek() == 3)
  }

  @Test func aCopyOfTheViewWakesToo() async throws {
    let test = try TestStore()
    let queue = try await test.store.queue("queue", of: Int.self)
    let waiting = Task.immediate { try await queue.pop(timeout: nil) }
    try await test.store.write { txn in
      var copy = txn[queue]
      copy.push(7)
    }
    #expect(try await waiting.value == 7)
  }

  /// Random bytes in the records, written by another program: errors, but no crash, and no end of items.
  @Test(.enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with py-lmdb"))
  func damagedRecordsAreErrors() throws {
    let python = try #require(ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"])
    var random = SeededGenerator("damagedRecordsAreErrors")
    let script = """
      import lmdb, random, sys
      random.seed(int(sys.argv[2]))
      environment = lmdb.open(sys.argv[1], max_dbs=16, map_size=1 << 30)
      jobs = environment.open_db(b"jobs", integerkey=True, create=False)
      with environment.begin(write=True, db=jobs) as transaction:
          entries = list(transaction.cursor())
          for key, value in random.sample(entries, random.randint(1, len(entries))):
              value = bytearray(value)
              for _ in range(random.choice([1, 1, 2, 8])):
                  at = random.randrange(len(value))
                  if random.random() < 0.3:
                      value[at:at + 8] = random.choice([b"\\xff" * 8, b"\\0" * 8, b"\\xff" * 7 + b"\\x7f"])
                  else:
                      value[at] = random.randrange(256)
              if random.random() < 0.1:
                  value = value[:random.randrange(len(value))]
              transaction.put(key, bytes(value))
      """
    var errors = 0
    for round in 0..<40 {
      let test = try TestStore()
      let queue = try test.store.queue("jobs", of: Int.self, maximumAttempts: 3)
      try queue.push(contentsOf: 0..<20)
      for number in 0..<5 { try queue.push(number, priority: .low) }
      try queue.push(7, delay: .milliseconds(1))
      try queue.push(8, delay: .seconds(100))
      for _ in 0..<3 { _ = try queue.lease(atMost: 2, for: .zero) }
      try queue.reject(try #require(try queue.lease(for: .seconds(100))), reason: "why")
      _ = try queue.lease(atMost: 2, for: .seconds(100))
      let seed = UInt32.random(in: 0...UInt32.max, using: &random)
      let damage = try Program(path: python, ["-c", script, test.path, "\(seed)"]).finish()
      try #require(damage.status == 0, "\(damage)")
      let result = try Program("TestWorker", ["use-queue", test.path]).finish(within: 20)
      #expect(result.status == 0, "round \(round), seed \(seed): \(result)")
      errors += Int(result.output.dropLast()) ?? 0
    }
    #expect(errors > 0)
  }
}
