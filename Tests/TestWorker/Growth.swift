import LMDBShare

/// The commands for tests of a file's growth.
enum Growth {
  /// Runs `command`, if it is one of these.
  static func run(_ command: String, _ path: String, _ number: Int) throws -> Bool {
    switch command {
    case "hold":
      let snapshot = try SharedStore(path: path, options: .durability(.processCrashOnly)).snapshot()
      say("holding")
      _ = readLine()
      withExtendedLifetime(snapshot) {}
    case "overwrite":
      // Overwrites 50 entries, a number of times.
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      let dictionary = try store.dictionary("dictionary", of: Int.self, [UInt8].self)
      say("ready")
      for round in 0..<number {
        try dictionary.updateValue(
          [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: 3000), forKey: round % 50)
      }
    case "back-up-small":
      // Opens with the smallest map, and makes a compacting backup beside the store; prints the contents of both.
      let store = try openSmall(path)
      try store.backup(to: path + "-backup", compacting: true)
      let copy = try SharedStore(path: path + "-backup", options: .durability(.processCrashOnly))
      for store in [store, copy] { say("\(try contents(of: store))") }
    case "open-small": say("\(try contents(of: openSmall(path)))")
    default: return false
    }
    return true
  }

  private static func openSmall(_ path: String) throws -> SharedStore {
    var options = StoreOptions.durability(.processCrashOnly)
    options.mapReservation = 1 << 16
    return try SharedStore(path: path, options: options)
  }

  private static func contents(of store: SharedStore) throws -> String {
    let queue = try store.queue("queue", of: [UInt8].self)
    return "\(try queue.count) items, \(try store.check().count) findings"
  }
}
