import Foundation
import LMDBShare

/// The commands for tests of stores in shared memory, run as other processes: TestWorker ephemeral NAME ACTION [NUMBER].
func useEphemeral(_ name: String, _ arguments: [String]) throws {
  let number = arguments.count > 4 ? Int(arguments[4]) ?? 0 : 0
  switch arguments[3] {
  case "hold", "hold-exclusive":
    // Opens it, waits, and writes once more.
    let store = try SharedStore.ephemeral(named: name, exclusive: arguments[3] == "hold-exclusive")
    let value = try store.value("value", initial: 0)
    try value.set(1)
    say("open")
    _ = readLine()
    do {
      try value.set(2)
      say("written")
    } catch let error as StoreError {
      say("\(error.code)")
    }
  case "anonymous":
    // Creates one without a name, prints its path, and waits; it is closed, or kept to the end of the process.
    let store = try SharedStore.ephemeral()
    try store.value("value", initial: 0).set(1)
    say(store.path)
    _ = readLine()
    if number == 1 { kept = store }
  case "fleeting":
    // Opens and closes stores without a name, while others do the same; says how many were there after that.
    var left = 0
    for _ in 0..<number {
      let path = try SharedStore.ephemeral().path
      if FileManager.default.fileExists(atPath: path) { left += 1 }
    }
    say("\(left)")
  case "join":
    // Joins one by its path, to read or to write, and keeps it to the end of the process or closes it before. With 4, its end
    // takes a while after the library's part.
    if number & 4 != 0 {
      // The last one that is registered runs first.
      atexit {
        say("left")
        usleep(300_000)
      }
    }
    var options = StoreOptions()
    options.access = number & 2 == 0 ? .readWrite : .readOnly
    let store = try SharedStore(path: name, options: options)
    say("open")
    _ = readLine()
    if number & 1 == 1 { kept = store }
  case "churn":
    // Creates, uses and removes it, while others do the same.
    for _ in 0..<number {
      do {
        let list = try SharedStore.ephemeral(named: name).list("list", of: Int.self)
        for round in 0..<3 { try list.append(round) }
        try SharedStore.removeEphemeral(named: name)
      } catch let error as StoreError where error.code == .replaced {
        // Another process has removed it meanwhile.
      }
    }
    say("done")
  case "as-user":
    // A program with the rights of one user, started by another.
    guard setreuid(uid_t(number), 0) == 0 else { return say("no") }
    _ = try SharedStore.ephemeral(named: name)
    say("open")
    try SharedStore.removeEphemeral(named: name)
    guard setreuid(uid_t(number), uid_t(number)) == 0 else { return say("no") }
    _ = try SharedStore.ephemeral(named: name)
    try SharedStore.removeEphemeral(named: name)
    say("open")
  default: say("unknown action")
  }
}

nonisolated(unsafe) private var kept: SharedStore?
