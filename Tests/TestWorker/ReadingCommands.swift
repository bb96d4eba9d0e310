import Foundation
import LMDBShare

/// What processes do that read and wait.
let readingCommands: [String: Command] = [
  "read-and-die": { path, number in
    // Dies while it reads, as by kill -9.
    let shared = try Shared(path)
    try shared.store.read { txn in
      if txn[shared.list].count >= 0 { kill(getpid(), SIGKILL) }
    }
  },
  "hold-snapshot": { path, number in
    let snapshot = try Shared(path).store.snapshot()
    say("reading \(snapshot.id)")
    _ = readLine()
    withExtendedLifetime(snapshot) {}
  },
  "read-numbers": { path, number in
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
  },
  "observe": { path, number in
    // Observes the value until it is that large; prints how many states it has seen.
    let value = try SharedStore(path: path, options: .durability(.processCrashOnly)).value("value", initial: 0)
    say("\(try blocking { try await observe(value, until: number) })")
  },
  "wait-in-tasks": { path, number in
    // That many tasks wait for a queue; prints the processor time that they took, in microseconds, in five seconds.
    let queue = try Shared(path).queue
    say("\(try blocking { try await waitInTasks(queue, number) })")
  },
  "cancel-waits": { path, number in
    // Prints how many microseconds the cancellation of 200 waiting tasks takes.
    let list = try Shared(path).list
    say(try blocking { try await cancelWaits(list) })
  },
  "wait-in-vain": { path, number in
    // Prints how many microseconds it waits in vain, with a limit of 200 ms.
    let shared = try Shared(path)
    let start = ContinuousClock.now
    _ = try blocking {
      try await shared.store.waitUntil(timeout: .milliseconds(200)) { txn in txn[shared.list].isEmpty }
    }
    say("\(start.duration(to: .now).components.attoseconds / 1_000_000_000_000)")
  },
  "time-outs": { path, number in
    // Prints by how many microseconds waits in vain end too late.
    let list = try Shared(path).list
    say(try blocking { try await timeOuts(list) })
  },
  "age-and-clock": { path, number in
    try ageWhileTheClockIsSet(path, number)
  },
  "wait-and-clock": { path, number in
    try waitForAThreadWhileTheClockIsSet(path, number)
  },
]
