import Foundation
import LMDBShare

// Uses a store with several threads, for ThreadSanitizer (tools/sanitize).

/// Runs each of the jobs a number of times, all concurrently: the even ones in threads, the odd ones in tasks. Prints how many
/// there were. `race-in-threads` has a data race, which ThreadSanitizer has to report.
func useInThreads(_ command: String, _ path: String, _ rounds: Int) throws {
  let shared = try Shared(path)
  let jobs = try command == "race-in-threads" ? racing() : jobs(shared)
  let all = DispatchGroup()
  let failures = Guarded<[String]>([])
  let noted: @Sendable (any Error) -> Void = { error in
    // Short limits are exceeded when that many write.
    if (error as? StoreError)?.code != .writerBusy { failures.withLock { $0.append("\(error)") } }
  }
  for job in jobs {
    all.enter()
    switch job {
    case .thread(let body):
      Thread.detachNewThread {
        for round in 0..<rounds {
          do { try body(round) } catch { noted(error) }
        }
        all.leave()
      }
    case .task(let body):
      Task {
        for round in 0..<rounds {
          do { try await body(round) } catch { noted(error) }
        }
        all.leave()
      }
    }
  }
  all.wait()
  guard failures.withLock({ $0.isEmpty }) else {
    say("error: \(failures.withLock { $0.joined(separator: "; ") })")
    exit(4)
  }
  say("done \(jobs.count)")
}

private enum Job {
  case thread(@Sendable (Int) throws -> Void)
  case task(@Sendable (Int) async throws -> Void)
}

private struct WrongResult: Error {}

private func jobs(_ shared: Shared) throws -> [Job] {
  let (store, array, value) = (shared.store, shared.array, shared.value)
  let (list, names, dictionary, queue) = (shared.list, shared.names, shared.dictionary, shared.queue)
  let lock = try store.lock("lock")
  let semaphore = try store.semaphore("semaphore", permits: 2)
  let event = try store.event("event")
  let barrier = try store.barrier("barrier", parties: 2)
  // Guarded by the lock, like data in the program's own memory.
  let counted = Counted()
  let producer = queue.producer()
  return [
    .thread { round in try dictionary.update("\(round % 5)", default: 0) { $0 += 1 } },
    .thread { round in
      _ = try dictionary["\(round % 5)"]
      try store.read { txn in for entry in txn[dictionary] where entry.value < 0 { throw WrongResult() } }
    },
    .thread { _ in try array.update(at: 1) { $0 += 1 } },
    .thread { round in
      try list.append(round)
      try names.append("\(round)")
      if round % 8 == 7 { try store.write { txn in txn[list].removeAll() } }
    },
    .thread { _ in
      let snapshot = try store.snapshot()
      let numbers = try snapshot[list]
      guard numbers.count == Array(numbers).count else { throw WrongResult() }
    },
    .thread { round in
      // A structure that is created and removed: databases are opened and closed.
      _ = try store.value("passing-\(round % 3)", initial: round)
      try store.remove("passing-\(round % 3)")
    },
    .thread { _ in try queue.push([1, 2, 3]) },
    .thread { _ in try producer.push([4, 5]) },
    .thread { _ in _ = try queue.pop(timeout: .milliseconds(20)) },
    .thread { _ in
      for lease in try queue.lease(atMost: 2, for: .seconds(60)) { try queue.acknowledge(lease) }
      _ = try queue.statistics()
    },
    .thread { _ in try lock.withLock { _ in counted.number += 1 } },
    .thread { _ in try semaphore.withPermit {} },
    .thread { _ in try barrier.wait(timeout: .seconds(60)) },
    .thread { round in if round % 2 == 0 { try event.set() } else { try event.clear() } },
    .task { _ in try await lock.withLock { (_) async in counted.number += 1 } },
    .task { _ in try await semaphore.withPermit { () async in } },
    .task { _ in try await barrier.wait(timeout: .seconds(60)) },
    .task { _ in _ = try await event.wait(timeout: .milliseconds(5)) },
    .task { _ in try await store.write { txn in txn[value] += 1 } },
    .task { _ in try await store.write { txn in txn[value] -= 1 } },
    .task { _ in _ = try await value.waitForChange(timeout: .milliseconds(5)) },
    .task { _ in _ = try await store.waitUntil(timeout: .milliseconds(5)) { txn in txn[value] > 2 } },
    .task { _ in for try await _ in value.observe() { break } },
    .task { _ in _ = try await queue.pop(timeout: .milliseconds(5)) },
    .task { _ in
      let task = Task { try await list.waitForChange(timeout: .seconds(60)) }
      await Task.yield()
      task.cancel()
      _ = try? await task.value
    },
  ]
}

private func racing() -> [Job] {
  let counted = Counted()
  let race: @Sendable (Int) -> Void = { _ in
    counted.number += 1
    // So that no thread ends before the other one begins.
    usleep(1000)
  }
  return [.thread(race), .thread(race)]
}

private final class Counted: @unchecked Sendable {
  var number = 0
}
