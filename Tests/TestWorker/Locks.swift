import Foundation
import LMDBShare
import TestSupport

/// Runs the commands of the other files; returns false for any other command.
func runOther(_ command: String, _ path: String, _ number: Int) throws -> Bool {
  switch command {
  case "start-below", "exit-or-sleep", "end-slowly", "ignore-signals": try workAs(command, path)
  case "contend-for": try contendFor(path, CommandLine.arguments)
  case "event-waiters": try waitForEvent(path, threads: number, tasks: number)
  case "recreate-lock", "use-lock": try useLock(command, path, number)
  case "barrier-tasks": try waitAtBarrier(path, number)
  case "use-in-threads", "race-in-threads": try useInThreads(command, path, number)
  case "ephemeral": try useEphemeral(path, CommandLine.arguments)
  case "exit": exit(Int32(number))
  default: return false
  }
  return true
}

/// Acquires a lock or the permits of a semaphore again and again: TestWorker contend-for STORE NAME THREADS TASKS MILLISECONDS
/// MICROSECONDS. Begins when its input ends; prints how often each thread and task acquired it.
func contendFor(_ path: String, _ arguments: [String]) throws {
  let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
  let (threads, tasks) = (Int(arguments[4]) ?? 0, Int(arguments[5]) ?? 0)
  let (time, work) = (Int(arguments[6]) ?? 0, UInt32(arguments[7]) ?? 0)
  let isLock = arguments[3] == "lock"
  let (lock, semaphore) = (
    isLock ? try store.lock("lock") : nil, isLock ? nil : try store.semaphore("semaphore", permits: 2)
  )
  say("ready")
  _ = readLine()
  let counts = Guarded([Int](repeating: 0, count: threads + tasks))
  let end = ContinuousClock.now + .milliseconds(time)
  let all = DispatchGroup()
  let tally: @Sendable (Int) -> Void = { number in
    if work > 0 { usleep(work) }
    counts.withLock { $0[number] += 1 }
  }
  for number in 0..<threads {
    all.enter()
    Thread.detachNewThread {
      while ContinuousClock.now < end {
        try? lock?.withLock { _ in tally(number) }
        try? semaphore?.withPermit { tally(number) }
      }
      all.leave()
    }
  }
  for number in threads..<threads + tasks {
    all.enter()
    Task {
      while ContinuousClock.now < end {
        try? await lock?.withLock { (_) async in tally(number) }
        try? await semaphore?.withPermit { () async in tally(number) }
      }
      all.leave()
    }
  }
  all.wait()
  say(counts.withLock { $0.map(String.init).joined(separator: " ") })
}

private final class Noted: Sendable {
  let texts = Guarded<[String]>([])
}

/// That many threads and tasks wait for the event; prints how many of them continued.
func waitForEvent(_ path: String, threads: Int, tasks: Int) throws {
  let event = try SharedStore(path: path, options: .durability(.processCrashOnly)).event("event")
  let all = DispatchGroup()
  let woken = Noted()
  for _ in 0..<threads {
    all.enter()
    Thread.detachNewThread {
      if (try? event.wait(timeout: .seconds(20))) == true { woken.texts.withLock { $0.append("") } }
      all.leave()
    }
  }
  for _ in 0..<tasks {
    all.enter()
    Task {
      if (try? await event.wait(timeout: .seconds(20))) == true { woken.texts.withLock { $0.append("") } }
      all.leave()
    }
  }
  say("ready")
  all.wait()
  say("\(woken.texts.withLock { $0.count })")
}

/// One process uses a lock, of which another removes and renames what it can get; a file shows whether two are inside at the same
/// time.
func useLock(_ command: String, _ path: String, _ number: Int) throws {
  let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
  let inside = path + "-inside"
  var done = 0
  while done < number {
    do {
      if command == "recreate-lock" {
        if Bool.random() { try store.remove("lock") } else { try store.rename("lock", to: "other") }
        try store.remove("other")
        done += 1
        continue
      }
      try store.lock("lock").withLock { _ in
        let file = open(inside, O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else { return say("two at once") }
        usleep(20)
        close(file)
        unlink(inside)
      }
      done += 1
    } catch let error as StoreError
      where [.busy, .structureRemoved, .structureNotFound, .structureExists].contains(error.code)
    {}
  }
  say("done")
}

/// That many tasks wait at a barrier at which too few arrive; while their time limit passes another process writes. Prints
/// whether other tasks continue.
func waitAtBarrier(_ path: String, _ count: Int) throws {
  let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
  let barrier = try store.barrier("barrier", parties: count + 1)
  let all = DispatchGroup()
  let errors = Noted()
  for _ in 0..<count {
    all.enter()
    Task {
      do {
        try await barrier.wait(timeout: .milliseconds(1500))
      } catch let error as StoreError {
        errors.texts.withLock { $0.append("\(error.code)") }
      }
      all.leave()
    }
  }
  guard try eventually({ try barrier.waiting == count }) else { return say("not all wait") }
  say("waiting")
  _ = readLine()
  // Another process writes from now on, beyond the end of their time limit; other tasks of this process want to run meanwhile.
  let start = ContinuousClock.now
  var longest = Duration.zero
  while start.duration(to: .now) < .milliseconds(2200) {
    let (asked, ran) = (ContinuousClock.now, DispatchSemaphore(value: 0))
    Task { ran.signal() }
    ran.wait()
    longest = max(longest, asked.duration(to: .now))
    usleep(5000)
  }
  say(longest < .milliseconds(400) ? "others run" : "others waited \(longest)")
  all.wait()
  say(errors.texts.withLock { Set($0).sorted().joined(separator: " ") })
  let isBroken = try store.waitUntil(timeout: .seconds(20)) { _ in try barrier.isBroken }
  say(isBroken ? "broken" : "whole")
}
