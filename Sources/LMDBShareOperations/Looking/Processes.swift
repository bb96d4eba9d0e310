package import LMDBShare

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Information from the system about processes, where available.
package enum Processes {
  /// The PID of this process.
  static var this: Int { Int(ProcessInfo.processInfo.processIdentifier) }

  package static func isAlive(_ number: Int) -> Bool { ChildProcess.isAlive(Int32(truncatingIfNeeded: number)) }

  /// The name of the program that a process runs; nil where the system does not provide it.
  package static func command(_ number: Int) -> String? {
    guard let data = FileManager.default.contents(atPath: "/proc/\(number)/comm") else { return nil }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").first.map(String.init)
  }

  /// Whether a process was stopped, by a signal or a debugger.
  static func isStopped(_ number: Int) -> Bool {
    guard let data = FileManager.default.contents(atPath: "/proc/\(number)/stat") else { return false }
    // The name of the program is in parentheses, and may contain parentheses itself.
    let state = String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ").first
    return state == "T" || state == "t"
  }

  /// A process in messages: its PID, its program, and whether it was stopped, if that is known.
  package static func title(_ number: Int) -> String {
    let words = [command(number).map { Printable.text($0) }, isStopped(number) ? "stopped" : nil].compactMap { $0 }
    return words.isEmpty ? "\(number)" : "\(number) (\(words.joined(separator: ", ")))"
  }

  /// The other processes that have a store open, as far as this user may see. This process must have the store open, too, or the
  /// path must be absolute.
  package static func using(_ path: String) -> [Int] {
    let mine = files(of: "self").filter { $0.hasSuffix("/" + StoreDirectory.dataFile) }
    let wanted = Set(mine + [path + "/" + StoreDirectory.dataFile])
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.compactMap { Int($0) }.filter { $0 != this && files(of: "\($0)").contains { wanted.contains($0) } }
      .sorted()
  }

  /// Whether a thread of this process waits for one of the locks in LMDB's lock file; false also where the system does not report
  /// it.
  package static var waitsForLMDB: Bool {
    func lines(_ name: String, in directory: String) -> [Substring] {
      // The system returns such a file in pieces.
      guard let file = try? FileDescriptor.directory(directory).file(name) else { return [] }
      var bytes: [UInt8] = []
      while let more = try? file.read(at: bytes.count, count: 1 << 16), !more.isEmpty { bytes += more }
      return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
    let locks = lines("maps", in: "/proc/self").compactMap { line -> Range<UInt64>? in
      // Addresses, permissions, offset, device, inode, path.
      let fields = line.split(separator: " ", maxSplits: 5)
      guard fields.count == 6, fields[5].hasSuffix("/" + StoreDirectory.lockFile) || fields[5].hasSuffix("-lock")
      else {
        return nil
      }
      let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
    }
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return tasks.contains { task in
      // The number of the system call, then its arguments: for a futex wait, the first one is the address.
      let fields = lines("syscall", in: "/proc/self/task/\(task)").first?.split(separator: " ") ?? []
      guard fields.count > 1, let address = UInt64(fields[1].dropFirst(2), radix: 16) else { return false }
      return locks.contains { $0.contains(address) }
    }
  }

  /// The paths of a process's open files.
  private static func files(of process: String) -> [String] {
    let directory = "/proc/\(process)/fd"
    return ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: directory + "/" + $0)
    }
  }
}

extension StoreStatistics {
  /// The readers other than this process.
  package var others: [Reader] { readers.filter { $0.processID != Processes.this } }
}
