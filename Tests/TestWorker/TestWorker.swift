// The commands that tests run as other processes: TestWorker COMMAND STORE [NUMBER].

import CTestShims
import Foundation
import LMDBShare

/// The structures that the commands work on.
struct Shared {
  let store: SharedStore
  let value: SharedValue<Int>
  let dictionary: SharedDictionary<String, Int>
  let list: SharedList<Int>
  let names: SharedList<String>
  let array: SharedArray<Int>
  let queue: SharedQueue<[UInt8]>

  init(_ path: String, _ options: StoreOptions = .durability(.processCrashOnly)) throws {
    store = try SharedStore(path: path, options: options)
    value = try store.value("value", initial: 0)
    dictionary = try store.dictionary("dictionary", of: String.self, Int.self)
    list = try store.list("list", of: Int.self)
    names = try store.list("names", of: String.self)
    array = try store.array("array", of: Int.self, count: 4)
    queue = try store.queue("queue", of: [UInt8].self)
  }
}

/// Dies as by kill -9, with a probability of one in that many; 0 for never.
func dieByChance(_ odds: Int) {
  if odds > 0, Int.random(in: 0..<odds) == 0 { kill(getpid(), SIGKILL) }
}

func say(_ text: String) {
  FileHandle.standardOutput.write(Data((text + "\n").utf8))
}

@main
struct TestWorker {
  static func main() {
    do {
      if CommandLine.arguments.dropFirst().first == "start-unaware" { return try startUnaware() }
      if let worker = Worker.current {
        return try run(worker.role, worker.storePath, Int(worker.arguments.first ?? "") ?? 0)
      }
      let arguments = CommandLine.arguments
      let number = arguments.count > 3 ? Int(arguments[3]) ?? 0 : 0
      try run(arguments[1], arguments[2], number)
    } catch let error as StoreError {
      say("error \(error.code): \(error)")
      exit(3)
    } catch {
      say("error: \(error)")
      exit(4)
    }
  }

  static func run(_ command: String, _ path: String, _ number: Int) throws {
    switch command {
    case "exercise": exerciseFiles()
    case "open":
      _ = try SharedStore(path: path)
      say("opened")
    case "identity":
      let store = try SharedStore(path: path)
      say("ready")
      _ = readLine()
      say(try store.identity())
    case "open-without-limit":
      var options = StoreOptions()
      options.openingTimeout = nil
      _ = try SharedStore(path: path, options: options)
      say("opened")
    case "trim":
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      say("trimming")
      say("\(try store.trim())")
    case "truncate-many": try truncateMany(path, number)
    case "stop-in-write": try Standing.inWrite(path)
    case "stop-with-lock-file": Standing.withLockFile(path)
    case "open-all":
      _ = try Shared(path)
    case "increment-later":
      // Increments the value after a number of milliseconds.
      let value = try SharedStore(path: path, options: .durability(.processCrashOnly)).value("value", initial: 0)
      say("ready")
      usleep(UInt32(number) * 1000)
      try value.update { $0 += 1 }
    case "add":
      // Adds 1 to the value a number of times.
      let value = try SharedStore(path: path, options: .durability(.processCrashOnly)).value("value", initial: 0)
      for _ in 0..<number { try value.update { $0 += 1 } }
    case "observe":
      // Observes the value until it is that large; prints how many states it has seen.
      let value = try SharedStore(path: path, options: .durability(.processCrashOnly)).value("value", initial: 0)
      say("\(try blocking { try await observe(value, until: number) })")
    case "wait-in-tasks":
      // That many tasks wait for a queue; prints the processor time that they took, in microseconds, in five seconds.
      let queue = try Shared(path).queue
      say("\(try blocking { try await waitInTasks(queue, number) })")
    case "cancel-waits":
      // Prints how many microseconds the cancellation of 200 waiting tasks takes.
      let list = try Shared(path).list
      say(try blocking { try await cancelWaits(list) })
    case "wait-in-vain":
      // Prints how many microseconds it waits in vain, with a limit of 200 ms.
      let shared = try Shared(path)
      let start = ContinuousClock.now
      _ = try blocking {
        try await shared.store.waitUntil(timeout: .milliseconds(200)) { txn in txn[shared.list].isEmpty }
      }
      say("\(start.duration(to: .now).components.attoseconds / 1_000_000_000_000)")
    case "time-outs":
      // Prints by how many microseconds waits in vain end too late.
      let list = try Shared(path).list
      say(try blocking { try await timeOuts(list) })
    case "open-network":
      var options = StoreOptions()
      options.allowNetworkFileSystem = true
      _ = try SharedStore(path: path, options: options)
      say("opened")
    case "increment":
      let shared = try Shared(path)
      try shared.store.write { txn in if txn[shared.list].isEmpty { txn[shared.list].append(0) } }
      for _ in 0..<number {
        try shared.value.update { $0 += 1 }
        try shared.dictionary.update("count", default: 0) { $0 += 1 }
        try shared.list.update(at: 0) { $0 += 1 }
        try shared.array.update(at: 1) { $0 += 1 }
      }
    case "fill-set": try fillSet(path, number)
    case "go-on":
      // Increments and prints each outcome; the list gets the same numbers.
      let shared = try Shared(path, StoreOptions())
      for round in 0..<number {
        do {
          try shared.store.write { txn in
            txn[shared.value] += 1
            txn[shared.list].append(round)
          }
          say("stored")
        } catch let error as StoreError {
          say("\(error.code)")
        }
      }
      try shared.store.read { txn in say("\(txn[shared.value]) \(txn[shared.list].count)") }
    case "read-and-die":
      // Dies while it reads, as by kill -9.
      let shared = try Shared(path)
      try shared.store.read { txn in
        if txn[shared.list].count >= 0 { kill(getpid(), SIGKILL) }
      }
    case "hold-snapshot":
      let snapshot = try Shared(path).store.snapshot()
      say("reading \(snapshot.id)")
      _ = readLine()
      withExtendedLifetime(snapshot) {}
    case "rewrite":
      let shared = try Shared(path)
      for round in 1...number {
        try shared.store.write { txn in
          for index in txn[shared.list].indices { txn[shared.list][index] = round }
          txn[shared.names] = SharedList<String>.Contents(arrayLiteral: "\(round)", "\(round)", "\(round)")
          txn[shared.value] = round
        }
      }
    case "fill":
      // Grows the store by that many bytes.
      let shared = try Shared(path)
      for _ in 0..<max(1, number >> 20) {
        try shared.queue.push([UInt8](repeating: 7, count: 1 << 20))
      }
      say("filled \(try shared.queue.count)")
    case "pop":
      let shared = try Shared(path)
      say("waiting")
      let item = try shared.queue.pop(timeout: .milliseconds(number))
      say("got \(item.map { String(decoding: $0, as: UTF8.self) } ?? "nothing")")
    case "lease-and-stop":
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
    case "work":
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
    case "move":
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
    case "lock-and-stop":
      let lock = try SharedStore(path: path, options: .durability(.processCrashOnly)).lock("lock")
      let acquired = try lock.acquire()
      say("acquired \(acquired?.previousOwnerDied == true)\n\(acquired?.token ?? 0)")
      _ = readLine()
      try lock.release()
    case "lock-and-count":
      // Adds 1 to the number in a file a number of times, which only the lock makes safe.
      let lock = try SharedStore(path: path, options: .durability(.processCrashOnly)).lock("lock")
      let file = URL(fileURLWithPath: path + "-count")
      for _ in 0..<number {
        try lock.withLock { _ in
          let count = Int(try String(contentsOf: file, encoding: .utf8)) ?? 0
          try "\(count + 1)".write(to: file, atomically: false, encoding: .utf8)
        }
      }
    case "permits":
      // Acquires a permit a number of times; prints the maximum that were held at the same time.
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      let semaphore = try store.semaphore("semaphore", permits: 3)
      let (out, most) = (try store.value("out", initial: 0), try store.value("most", initial: 0))
      for _ in 0..<number {
        try semaphore.withPermit {
          try store.write { txn in
            txn[out] += 1
            txn[most] = max(txn[most], txn[out])
          }
          usleep(200)
          try out.update { $0 -= 1 }
        }
      }
    case "permit-and-stop":
      let semaphore = try SharedStore(path: path).semaphore("semaphore", permits: 3)
      say("\(try semaphore.acquire() != nil)")
      _ = readLine()
    case "barrier":
      // Passes a barrier of four a number of times; at each the value must be a multiple of 4.
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      let (barrier, value) = (try store.barrier("barrier", parties: 4), try store.value("value", initial: 0))
      say("ready")
      do {
        for round in 1...max(1, number) {
          try value.update { $0 += 1 }
          try barrier.wait(timeout: .seconds(60))
          guard try value.get() == 4 * round else { return say("too early") }
          try barrier.wait(timeout: .seconds(60))
        }
        say("passed")
      } catch let error as StoreError {
        say("\(error.code)")
      }
    case "set-event":
      try SharedStore(path: path).event("event").set()
    case "look-for-file":
      // Stores in the value how many open files of the starter, named `leak`, it has.
      let names = (0..<256).compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
      }
      try SharedStore(path: path, options: .durability(.processCrashOnly)).value("leaks", initial: -1)
        .set(names.count { $0.hasSuffix("/leak") })
    case "count-threads":
      let store = try SharedStore(path: path)
      try store.value("threads", initial: -1).set(
        FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count)
    case "end-with-nobody":
      // The other end is closed from the beginning.
      let pipe = try ChildProcess.pipe()
      close(pipe.writing.number)
      ChildProcess.end(with: pipe.reading.number)
      sleep(60)
    case "start-sleeper":
      // Starts a worker that waits, and prints its PID.
      let store = try SharedStore(path: path)
      let worker = try WorkerProcess(role: "sleep", store: store)
      say("\(worker.processID)")
      _ = readLine()
    case "tell-remaining": try tellRemaining(path)
    case "lease-and-clock": try leaseWhileTheClockIsSet(path)
    case "look-and-clock": try lookForItemsAfterTheClockWasSet(path, number)
    case "delay-and-clock": try delayWhileTheClockIsSet(path, number)
    case "age-and-clock": try ageWhileTheClockIsSet(path, number)
    case "wait-and-clock": try waitForAThreadWhileTheClockIsSet(path, number)
    case "consume-jobs": try consumeJobs(path)
    case "sleep":
      while true { sleep(60) }
    case "use-queue":
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
    case "recreate":
      // Removes the structures and creates them again with other types.
      let store = try Shared(path).store
      for name in ["list", "names", "dictionary"] { try store.remove(name) }
      _ = try store.list("list", of: String.self)
      try store.list("names", of: Int.self).append(5)
      _ = try store.dictionary("dictionary", of: Int.self, Int.self)
    case "remove":
      let store = try Shared(path).store
      for name in ["value", "list", "names", "dictionary", "array", "queue"] { try store.remove(name) }
    case "write-and-stop":
      // Stops inside a write.
      let shared = try Shared(path)
      try shared.store.write { txn in
        txn[shared.value] = 99
        say("writing")
        _ = readLine()
      }
    case "read-numbers":
      // Each commit stores its own number: reads that many snapshots, and reports those that have another one.
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      let (value, list) = (try store.value("value", initial: 0), try store.list("list", of: String.self))
      say("ready")
      var seen = 0
      var last = 0
      while seen < number {
        try store.read { txn in
          if txn.snapshotID != last { (seen, last) = (seen + 1, txn.snapshotID) }
          let (number, count) = (txn[value], txn[list].count)
          if number != txn.snapshotID || count != number % 7 || txn[list].contains(where: { $0 != "\(number)" }) {
            say("snapshot \(txn.snapshotID) has \(number), \(Array(txn[list]))")
          }
        }
        // Others commit meanwhile.
        usleep(1000)
      }
      say("\(seen) snapshots")
    case "discard":
      var options = StoreOptions.durability(.processCrashOnly)
      options.unsyncedAfterReboot = .discard
      try SharedStore(path: path, options: options).value("value", initial: 0).update { $0 += 1 }
    case "write-token": try writeToken(path, number)
    case "was-committed": try lookForTokens(path)
    case "write-and-fork":
      // Stops inside a write, with a child that inherits all open files.
      let shared = try Shared(path)
      try shared.store.write { txn in
        txn[shared.value] = 99
        say("\(test_fork_sleeper())")
        _ = readLine()
      }
    case "contend":
      // Writes as often as it can for a number of milliseconds, once its input says so.
      let shared = try Shared(path)
      say("ready")
      _ = readLine()
      let end = ContinuousClock.now + .milliseconds(number)
      var writes = 0
      while ContinuousClock.now < end {
        try shared.value.update { $0 += 1 }
        writes += 1
      }
      say("\(writes)")
    case _ where try Inherited.run(command, path, number) || Growth.run(command, path, number): break
    case _ where try runOther(command, path, number): break
    case "use-damaged": try Damage(path).useAll(from: number)
    case "few-files": try openWithFewFiles(path)
    default:
      say("unknown command \(command)")
      exit(64)
    }
  }
}
