import ArgumentParser
import Foundation
import LMDBShare

/// The state that a process inherits from the one that started it.
struct FaultsOfInheritance: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inherited",
    abstract: "Closed streams, another working directory, umasks, ignored and blocked signals, limits.")
  @OptionGroup var common: CommonOptions

  func run() throws {
    var runner = try CaseRunner("inherited", common)
    for one in InheritedCases.all { try runner.run(one) }
    try runner.finish()
  }
}

enum InheritedCases {
  static let all = streams + umasks + signals + limits + [directory]

  /// Opens files of a store in every way: creation, opening, growth, new files beside the data, a worker, a backup, compaction,
  /// opening again with all pages checked. Returns "sound", or what is wrong.
  ///
  /// - Parameter between: Called after each step, with its name; returns what is wrong. The worker prints then, too.
  private static func everyOpening(_ path: String, _ between: ((String) -> String?)? = nil) throws -> String {
    let worker = between == nil ? [] : ["and print"]
    let between = between ?? { _ in nil }
    var options = StoreOptions.durability(.processCrashOnly)
    options.mapReservation = 1 << 20
    // Left by the previous case.
    try? FileManager.default.removeItem(atPath: path + ".copy")
    do {
      let store = try SharedStore(path: path, options: options)
      if let fault = between("creation") { return fault }
      let list = try store.list("list", of: [UInt8].self)
      for _ in 0..<10 { try list.append(contentsOf: (0..<10).map { _ in [UInt8](repeating: 7, count: 30_000) }) }
      if let fault = between("growth") { return fault }
      unlink(path + "/signal")
      try list.append([1])
      if let fault = between("a new signal file") { return fault }
      let end = try WorkerProcess(role: "append", store: store, arguments: worker).wait(timeout: .seconds(30))
      guard let end, end == .exited(0) || end == .unknown else { return "a worker: \(end.map { "\($0)" } ?? "hangs")" }
      if let fault = between("a worker") { return fault }
      try store.backup(to: path + ".copy", compacting: true)
      if let fault = between("a backup") { return fault }
    }
    try SharedStore.compact(path: path)
    if let fault = between("compacting") { return fault }
    options.verification = .pages
    let store = try SharedStore(path: path, options: options)
    if let fault = between("another opening") { return fault }
    let count = try store.list("list", of: [UInt8].self).count
    guard count == 102, try store.check().isEmpty else { return "damaged: \(count) elements" }
    return "sound"
  }

  /// The work of the worker.
  static func append(_ worker: Worker) throws {
    let list = try worker.openStore(options: .durability(.processCrashOnly)).list("list", of: [UInt8].self)
    if worker.arguments == ["and print"] { chatter() }
    try list.append([2])
  }

  /// Prints to the standard streams, whatever they lead to.
  private static func chatter() {
    let text = Array("a line of a log\n".utf8)
    for number: Int32 in 0..<3 { for _ in 0..<20 { _ = write(number, text, text.count) } }
  }

  /// Every combination of streams that are closed at the start and of those that are closed once the store is open.
  private static let streams = (0..<8).flatMap { first in
    (0..<8).map { later in
      Case("streams \(bits(first)) closed, and \(bits(later)) later", "sound") { path in
        func close(_ which: Int) {
          for number in 0..<3 where which >> number & 1 == 1 { Foundation.close(Int32(number)) }
        }
        // The remaining output must not fill the terminal.
        for number: Int32 in 0..<3 { dup2(open("/dev/null", O_RDWR), number) }
        close(first)
        return try everyOpening(path) { step in
          chatter()
          for number in 0..<3 {
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
            if let target, target.hasPrefix(path) { return "after \(step) stream \(number) is \(target)" }
          }
          if step == "creation" || step == "a backup" { close(later) }
          return nil
        }
      }
    }
  }

  private static func bits(_ number: Int) -> String { String(number, radix: 2) }

  private static let umasks = [0o000, 0o022, 0o077, 0o777].flatMap { mask in
    [0, 0o600, 0o660, 0o666].map { mode in
      Case("umask \(String(mask, radix: 8)), mode \(String(mode, radix: 8))", "sound") { path in
        // Without its own mode a store uses the umask, which may leave rights only to root.
        if mask == 0o777, mode == 0, getuid() != 0 { return "sound" }
        umask(mode_t(mask))
        var options = StoreOptions.durability(.processCrashOnly)
        options.allowForeignOwner = true
        if mode > 0 { (options.fileMode, options.directoryMode) = (UInt32(mode), UInt32(mode | mode >> 2 & 0o111)) }
        _ = try SharedStore(path: path, options: options).value("value", initial: 1)
        let expected = mode > 0 ? mode : 0o600 & ~mask
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
          let found = try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.posixPermissions] as? Int
          guard found == expected else { return "\(name) has \(String(found ?? 0, radix: 8))" }
        }
        return "sound"
      }
    }
  }

  private static let signals = [
    Case("all signals are blocked", "sound") { path in
      var all = sigset_t()
      sigfillset(&all)
      pthread_sigmask(SIG_BLOCK, &all, nil)
      return try everyOpening(path)
    },
    Case("all signals are ignored", "sound") { path in
      for number: Int32 in 1..<32 where number != SIGKILL && number != SIGSTOP { signal(number, SIG_IGN) }
      return try everyOpening(path)
    },
  ]

  /// The minimum that a program needs.
  private static let limits = [
    Case("20 files, 64 kB of stack and no core", "sound") { path in
      for (resource, value) in [(RLIMIT_NOFILE, 20), (RLIMIT_STACK, 1 << 16), (RLIMIT_CORE, 0)] {
        var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
        setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
      }
      return try everyOpening(path)
    }
  ]

  /// A relative path means the directory to which it led at the opening.
  private static let directory = Case("the working directory changes, and goes", "sound") { path in
    let here = URL(fileURLWithPath: path)
    for name in ["one", "two"] {
      try FileManager.default.createDirectory(atPath: "\(path).\(name)", withIntermediateDirectories: true)
    }
    chdir("\(path).one")
    let store = try SharedStore(path: "../\(here.lastPathComponent)", options: .durability(.processCrashOnly))
    let list = try store.list("list", of: [UInt8].self)
    chdir("\(path).two")
    rmdir("\(path).one")
    let first = try WorkerProcess(role: "append", store: store).wait()
    guard first == .exited(0) else { return "a worker: \(first)" }
    let again = try SharedStore(path: store.path, options: .durability(.processCrashOnly))
    try again.list("list", of: [UInt8].self).append([3])
    rmdir("\(path).two")
    // Now there is no working directory at all.
    try list.append([4])
    let second = try WorkerProcess(role: "append", store: store).wait()
    guard second == .exited(0) else { return "a worker without a directory: \(second)" }
    let code = try Case.code { _ = try SharedStore(path: "relative") }
    return try list.count == 4 && code == "storeNotFound" ? "sound" : "\(try list.count) elements, \(code)"
  }
}
