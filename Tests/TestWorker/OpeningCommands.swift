import Foundation
import LMDBShare

/// What processes do that open, remove or damage stores.
let openingCommands: [String: Command] = [
  "open": { path, number in
    _ = try SharedStore(path: path)
    say("opened")
  },
  "identity": { path, number in
    let store = try SharedStore(path: path)
    say("ready")
    _ = readLine()
    say(try store.identity())
  },
  "open-without-limit": { path, number in
    var options = StoreOptions()
    options.openingTimeout = nil
    _ = try SharedStore(path: path, options: options)
    say("opened")
  },
  "open-network": { path, number in
    var options = StoreOptions()
    options.allowNetworkFileSystem = true
    _ = try SharedStore(path: path, options: options)
    say("opened")
  },
  "open-all": { path, number in
    _ = try Shared(path)
  },
  "trim": { path, number in
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    say("trimming")
    say("\(try store.trim())")
  },
  "truncate-many": { path, number in
    try truncateMany(path, number)
  },
  "discard": { path, number in
    var options = StoreOptions.durability(.processCrashOnly)
    options.unsyncedAfterReboot = .discard
    try SharedStore(path: path, options: options).value("value", initial: 0).update { $0 += 1 }
  },
  "recreate": { path, number in
    // Removes the structures and creates them again with other types.
    let store = try Shared(path).store
    for name in ["list", "names", "dictionary"] { try store.remove(name) }
    _ = try store.list("list", of: String.self)
    try store.list("names", of: Int.self).append(5)
    _ = try store.dictionary("dictionary", of: Int.self, Int.self)
  },
  "remove": { path, number in
    let store = try Shared(path).store
    for name in ["value", "list", "names", "dictionary", "array", "queue"] { try store.remove(name) }
  },
  "use-damaged": { path, number in
    try Damage(path).useAll(from: number)
  },
  "few-files": { path, number in
    try openWithFewFiles(path)
  },
  "stop-with-lock-file": { path, number in
    Standing.withLockFile(path)
  },
]
