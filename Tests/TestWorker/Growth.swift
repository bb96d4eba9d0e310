import LMDBShare

/// What processes do in tests of a file's growth.
enum Growth {
  /// Does what `command` says, if that is of this kind.
  static func run(_ command: String, _ path: String, _ number: Int) throws -> Bool {
    switch command {
    case "hold":
      let snapshot = try SharedStore(path: path, options: .durability(.processCrashOnly)).snapshot()
      say("holding")
      _ = readLine()
      withExtendedLifetime(snapshot) {}
    case "overwrite":
      // Overwrites 50 entries, so many times.
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      let dictionary = try store.dictionary("dictionary", of: Int.self, [UInt8].self)
      say("ready")
      for round in 0..<number {
        try dictionary.updateValue(
          [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: 3000), forKey: round % 50)
      }
    default: return false
    }
    return true
  }
}
