import CTestShims
import Foundation
import LMDBShare

/// What processes do that write.
let writingCommands: [String: Command] = [
  "increment": { path, number in
    let shared = try Shared(path)
    try shared.store.write { txn in if txn[shared.list].isEmpty { txn[shared.list].append(0) } }
    for _ in 0..<number {
      try shared.value.update { $0 += 1 }
      try shared.dictionary.update("count", default: 0) { $0 += 1 }
      try shared.list.update(at: 0) { $0 += 1 }
      try shared.array.update(at: 1) { $0 += 1 }
    }
  },
  "increment-later": { path, number in
    // Increments the value after a number of milliseconds.
    let value = try SharedStore(path: path, options: .durability(.processCrashOnly)).value("value", initial: 0)
    say("ready")
    usleep(UInt32(number) * 1000)
    try value.update { $0 += 1 }
  },
  "add": { path, number in
    // Adds 1 to the value a number of times.
    let value = try SharedStore(path: path, options: .durability(.processCrashOnly)).value("value", initial: 0)
    for _ in 0..<number { try value.update { $0 += 1 } }
  },
  "go-on": { path, number in
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
  },
  "rewrite": { path, number in
    let shared = try Shared(path)
    for round in 1...number {
      try shared.store.write { txn in
        for index in txn[shared.list].indices { txn[shared.list][index] = round }
        txn[shared.names] = SharedList<String>.Contents(arrayLiteral: "\(round)", "\(round)", "\(round)")
        txn[shared.value] = round
      }
    }
  },
  "fill": { path, number in
    // Grows the store by that many bytes.
    let shared = try Shared(path)
    for _ in 0..<max(1, number >> 20) {
      try shared.queue.push([UInt8](repeating: 7, count: 1 << 20))
    }
    say("filled \(try shared.queue.count)")
  },
  "fill-set": { path, number in
    try fillSet(path, number)
  },
  "contend": { path, number in
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
  },
  "write-and-stop": { path, number in
    // Stops inside a write.
    let shared = try Shared(path)
    try shared.store.write { txn in
      txn[shared.value] = 99
      say("writing")
      _ = readLine()
    }
  },
  "write-and-fork": { path, number in
    // Stops inside a write, with a child that inherits all open files.
    let shared = try Shared(path)
    try shared.store.write { txn in
      txn[shared.value] = 99
      say("\(test_fork_sleeper())")
      _ = readLine()
    }
  },
  "stop-in-write": { path, number in
    try Standing.inWrite(path)
  },
  "write-token": { path, number in
    try writeToken(path, number)
  },
  "was-committed": { path, number in
    try lookForTokens(path)
  },
]
