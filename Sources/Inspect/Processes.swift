#if CommandLineTools
  import LMDBShare

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  /// What the system tells of processes, where it does.
  enum Processes {
    /// The number of this one.
    static var this: Int { Int(ProcessInfo.processInfo.processIdentifier) }

    static func isAlive(_ number: Int) -> Bool { ChildProcess.isAlive(Int32(truncatingIfNeeded: number)) }

    /// The name of the program that a process runs; nil where the system does not tell.
    static func command(_ number: Int) -> String? {
      guard let data = FileManager.default.contents(atPath: "/proc/\(number)/comm") else { return nil }
      return String(decoding: data, as: UTF8.self).split(separator: "\n").first.map(String.init)
    }
  }
#endif
