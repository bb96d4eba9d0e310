import Foundation
import LMDBShare

/// What processes do with queues.
let queueCommands: [String: Command] = [
  "pop": { path, number in
    let shared = try Shared(path)
    say("waiting")
    let item = try shared.queue.pop(timeout: .milliseconds(number))
    say("got \(item.map { String(decoding: $0, as: UTF8.self) } ?? "nothing")")
  },
  "lease-and-stop": { path, number in
    // Leases three items for a number of milliseconds, or a minute, and stops.
    let queue = try SharedStore(path: path, options: .durability(.processCrashOnly)).queue("jobs", of: Int.self)
    let leases = try queue.lease(atMost: 3, for: .milliseconds(number == 0 ? 60_000 : number))
    say("leased \(leases.count)")
    _ = readLine()
    do {
      for lease in leases { try queue.acknowledge(lease) }
    } catch let error as StoreError {
      say("\(error.code)")
    }
  },
  "work": { path, number in
    // Leases items until there are none left; records each that it begins, and each that it ends. At each step it dies with a
    // probability of one in that many.
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let queue = try store.queue("jobs", of: Int.self)
    let (done, begun) = (try store.list("done", of: Int.self), try store.dictionary("begun", of: Int.self, Int.self))
    while let lease = try queue.lease(for: .seconds(60), timeout: .seconds(60)) {
      dieByChance(number)
      try begun.update(lease.element, default: 0) { $0 += 1 }
      dieByChance(number)
      try store.write { txn in
        try txn[queue].acknowledge(lease)
        dieByChance(number)
        txn[done].append(lease.element)
        dieByChance(number)
      }
      dieByChance(number)
    }
  },
  "move": { path, number in
    // Moves items from one queue to another until the first one is closed and empty.
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let (first, second) = (try store.queue("first", of: Int.self), try store.queue("second", of: Int.self))
    let moved = try store.value("moved", initial: 0)
    while try first.waitForItem(timeout: .seconds(60)) {
      try store.write { txn in
        guard let item = txn[first].pop() else { return }
        dieByChance(number)
        txn[second].push(item)
        dieByChance(number)
        txn[moved] += 1
      }
      dieByChance(number)
    }
  },
  "tell-remaining": { path, number in
    try tellRemaining(path)
  },
  "consume-jobs": { path, number in
    try consumeJobs(path)
  },
  "use-queue": { path, number in
    // Performs all operations of a queue whose bytes are damaged; errors are expected, and printed.
    let queue = try SharedStore(path: path, options: .durability(.processCrashOnly)).queue("jobs", of: Int.self)
    var errors = 0
    func attempt(_ body: () throws -> Void) { do { try body() } catch { errors += 1 } }
    attempt { _ = try queue.statistics() }
    attempt { _ = try queue.deadLetters() }
    attempt { try queue.push(1) }
    attempt { try queue.push(contentsOf: [1, 2, 3], priority: .high) }
    attempt { try queue.push(1, delay: .seconds(1)) }
    attempt { _ = try queue.peek() }
    for sequence in 0..<40 as Range<UInt64> { attempt { try queue.retry(sequence) } }
    attempt { for lease in try queue.lease(atMost: 3, for: .zero) { try queue.extend(lease, for: .zero) } }
    for _ in 0..<20 { attempt { _ = try queue.lease(for: .seconds(1)).map { try queue.release($0) } } }
    attempt { _ = try queue.lease(for: .seconds(1)).map { try queue.reject($0, reason: "") } }
    attempt { _ = try queue.lease(for: .seconds(1)).map { try queue.acknowledge($0) } }
    for sequence in 0..<40 as Range<UInt64> { attempt { try queue.remove(sequence) } }
    for _ in 0..<60 { attempt { _ = try queue.pop() } }
    attempt { _ = try queue.pop(atMost: 1000) }
    say("\(errors)")
  },
  "lease-and-clock": { path, number in
    try leaseWhileTheClockIsSet(path)
  },
  "look-and-clock": { path, number in
    try lookForItemsAfterTheClockWasSet(path, number)
  },
  "delay-and-clock": { path, number in
    try delayWhileTheClockIsSet(path, number)
  },
]
