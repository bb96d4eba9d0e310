import Foundation
import LMDBShare

/// What processes do with locks, permits, barriers and events, and with other processes.
let coordinationCommands: [String: Command] = [
  "lock-and-stop": { path, number in
    let lock = try SharedStore(path: path, options: .durability(.processCrashOnly)).lock("lock")
    let acquired = try lock.acquire()
    say("acquired \(acquired?.previousOwnerDied == true)\n\(acquired?.token ?? 0)")
    _ = readLine()
    try lock.release()
  },
  "lock-and-count": { path, number in
    // Adds 1 to the number in a file a number of times, which only the lock makes safe.
    let lock = try SharedStore(path: path, options: .durability(.processCrashOnly)).lock("lock")
    let file = URL(fileURLWithPath: path + "-count")
    for _ in 0..<number {
      try lock.withLock { _ in
        let count = Int(try String(contentsOf: file, encoding: .utf8)) ?? 0
        try "\(count + 1)".write(to: file, atomically: false, encoding: .utf8)
      }
    }
  },
  "permits": { path, number in
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
  },
  "permit-and-stop": { path, number in
    let semaphore = try SharedStore(path: path).semaphore("semaphore", permits: 3)
    say("\(try semaphore.acquire() != nil)")
    _ = readLine()
  },
  "barrier": { path, number in
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
  },
  "set-event": { path, number in
    try SharedStore(path: path).event("event").set()
  },
  "exercise": { path, number in
    exerciseFiles()
  },
  "look-for-file": { path, number in
    // Stores in the value how many open files of the starter, named `leak`, it has.
    let names = (0..<256).compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
    }
    try SharedStore(path: path, options: .durability(.processCrashOnly)).value("leaks", initial: -1)
      .set(names.count { $0.hasSuffix("/leak") })
  },
  "count-threads": { path, number in
    let store = try SharedStore(path: path)
    try store.value("threads", initial: -1).set(
      FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count)
  },
  "end-after-its-starter": { path, number in
    // The other end is closed from the beginning.
    let pipe = try ChildProcess.pipe()
    close(pipe.writing.number)
    ChildProcess.end(with: pipe.reading.number)
    sleep(60)
  },
  "start-sleeper": { path, number in
    // Starts a worker that waits, and prints its PID.
    let store = try SharedStore(path: path)
    let worker = try WorkerProcess(role: "sleep", store: store)
    say("\(worker.processID)")
    _ = readLine()
  },
  "sleep": { path, number in
    while true { sleep(60) }
  },
]
