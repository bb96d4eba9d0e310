import Foundation
import LMDBShare

// The commands for tests of queues.

/// Prints in how many seconds the first lease of a queue ends, as seen by a reader.
func tellRemaining(_ path: String) throws {
  var options = StoreOptions()
  options.access = .readOnly
  let queue = try SharedStore(path: path, options: options).queue("queue", of: Int.self)
  say("\(try queue.statistics().leases.first?.remaining.components.seconds ?? -1)")
}

/// Sets the clock, as `interpose.c` shows it to this process, that many seconds ahead.
private func setClock(_ seconds: Int) throws {
  guard let file = ProcessInfo.processInfo.environment["TEST_CLOCK"] else { throw NoClock() }
  try Data("\(seconds)\n".utf8).write(to: URL(fileURLWithPath: file))
}

private struct NoClock: Error {}

/// Leases an item for ten minutes; keeps it while the clock is set two hours ahead, and others look for items.
func leaseWhileTheClockIsSet(_ path: String) throws {
  let queue = try SharedStore(path: path, options: .durability(.processCrashOnly)).queue("jobs", of: Int.self)
  guard let lease = try queue.lease(for: .seconds(600)) else { return say("no item") }
  say("leased")
  _ = readLine()
  do {
    try queue.acknowledge(lease)
    say("acknowledged")
  } catch let error as StoreError {
    say("\(error.code)")
  }
}

/// Sets the clock, and prints whether there is an item to lease.
func lookForItemsAfterTheClockWasSet(_ path: String, _ seconds: Int) throws {
  let queue = try SharedStore(path: path, options: .durability(.processCrashOnly)).queue("jobs", of: Int.self)
  try setClock(seconds)
  say(try queue.lease(for: .seconds(1)) == nil ? "nothing" : "an item")
  say("\(try queue.statistics().leases.first?.remaining.components.seconds ?? -1)")
}

/// Prints the actual delay in milliseconds of an item with a delay of one second, when the clock is set meanwhile.
func delayWhileTheClockIsSet(_ path: String, _ seconds: Int) throws {
  let queue = try SharedStore(path: path, options: .durability(.processCrashOnly)).queue("jobs", of: Int.self)
  let start = ContinuousClock.now
  try queue.push(1, delay: .seconds(1))
  try setClock(seconds)
  guard try queue.pop(timeout: .seconds(20)) == 1 else { return say("nothing") }
  let taken = start.duration(to: .now).components
  say("\(taken.seconds * 1000 + taken.attoseconds / 1_000_000_000_000_000)")
}

/// Prints how many seconds ago a snapshot of this process was superseded, when the clock is set meanwhile.
func ageWhileTheClockIsSet(_ path: String, _ seconds: Int) throws {
  let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
  let value = try store.value("value", initial: 0)
  let snapshot = try store.snapshot()
  try value.set(1)
  try setClock(seconds)
  let reader = try store.statistics().readers.first { $0.snapshotID == snapshot.id }
  say("\(reader?.age?.components.seconds ?? -1)")
}

/// Prints how many milliseconds a thread waits for another thread's write with a limit of 100, when the clock is wrong.
func waitForAThreadWhileTheClockIsSet(_ path: String, _ seconds: Int) throws {
  let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
  let begun = DispatchSemaphore(value: 0)
  Thread.detachNewThread {
    try? store.write { _ in
      begun.signal()
      sleep(5)
    }
  }
  begun.wait()
  try setClock(seconds)
  let start = ContinuousClock.now
  do {
    try store.write(timeout: .milliseconds(100)) { _ in say("written") }
  } catch let error as StoreError where error.code == .writerBusy {
    say("\(start.duration(to: .now) / .milliseconds(1))")
  }
}

/// Takes jobs, although not all items are of that type, until the queue is closed; prints each.
func consumeJobs(_ path: String) throws {
  struct Job: Codable, Storable { var path: String }
  let queue = try SharedStore(path: path).queue("jobs", of: Job.self)
  say("ready")
  while let job = try queue.pop(timeout: .seconds(60)) { say("did \(job.path)") }
  say("end")
}
