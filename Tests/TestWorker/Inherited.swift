import Foundation
import LMDBShare

/// Programs that inherited something unusual: closed streams, another working directory, a umask.
enum Inherited {
  /// Runs `command`, if it is one of these.
  static func run(_ command: String, _ path: String, _ number: Int) throws -> Bool {
    switch command {
    case "closed-streams": try closedStreams(path, later: number)
    case "closed-streams-child": try closedStreamsChild(path)
    case "elsewhere": try elsewhere(path)
    case "open-as-worker": _ = try Worker.current?.openStore()
    case "make": try make(path, number)
    case "use-as-nobody": try useAsNobody(path, .readWrite)
    case "read-as-nobody": try useAsNobody(path, .readOnly)
    case "read-unlocked-as-nobody": try useAsNobody(path, .readOnlyUnlocked)
    default: return false
    }
    return true
  }

  /// Uses a store in every way that opens files, while it prints to its streams. Some of them are closed now, and others
  /// (`later`, one bit each) once the store is open.
  private static func closedStreams(_ path: String, later: Int) throws {
    var faults: [String] = []
    func look(_ after: String) {
      chatter()
      for number in 0..<3 {
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
        if let target, target.hasPrefix(path) { faults.append("\(after): \(number) is \(target)") }
      }
    }
    do {
      var options = StoreOptions.durability(.processCrashOnly)
      options.mapReservation = 1 << 20
      do {
        let store = try SharedStore(path: path, options: options)
        look("opening")
        for number in 0..<3 where later >> number & 1 == 1 { close(Int32(number)) }
        let list = try store.list("list", of: [UInt8].self)
        // The map grows.
        for _ in 0..<30 { try list.append(contentsOf: (0..<10).map { _ in [UInt8](repeating: 7, count: 10_000) }) }
        look("growing")
        try FileManager.default.removeItem(atPath: path + "/signal")
        try list.append([1])
        look("a new signal file")
        try store.backup(to: path + ".copy", compacting: true)
        look("backing up")
        let worker = try WorkerProcess(role: "closed-streams-child", store: store)
        let end = worker.wait()
        if end != .exited(0) { faults.append("the worker: \(end)") }
        look("a worker")
      }
      for number in 0..<3 where later >> number & 1 == 1 { close(Int32(number)) }
      try SharedStore.compact(path: path)
      look("compacting")
      options.verification = .pages
      let store = try SharedStore(path: path, options: options)
      look("opening again")
      if try store.list("list", of: [UInt8].self).count != 302 { faults.append("not all elements are there") }
      faults += try store.check().map { "\($0)" }
    } catch {
      faults.append("\(error)")
    }
    try Data(faults.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path + ".result"))
  }

  private static func closedStreamsChild(_ path: String) throws {
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    chatter()
    try store.list("list", of: [UInt8].self).append([2])
    chatter()
  }

  /// Prints to the standard streams, whatever they lead to.
  private static func chatter() {
    let text = Array("a line of a log\n".utf8)
    for number: Int32 in 0..<3 { for _ in 0..<100 { _ = write(number, text, text.count) } }
  }

  /// Opens a store by a relative path, changes the directory, and starts a worker on it.
  private static func elsewhere(_ path: String) throws {
    _ = FileManager.default.changeCurrentDirectoryPath(path)
    let store = try SharedStore(path: "store", options: .durability(.processCrashOnly))
    let value = try store.value("value", initial: 0)
    try FileManager.default.createDirectory(atPath: path + "/elsewhere", withIntermediateDirectories: true)
    _ = FileManager.default.changeCurrentDirectoryPath(path + "/elsewhere")
    let again = try SharedStore(path: store.path, options: .durability(.processCrashOnly))
    try again.value("value", initial: 0).update { $0 += 1 }
    let end = try WorkerProcess(role: "add", store: store, arguments: ["10"]).wait()
    say("\(end) \(try value.get()) \(store.path)")
  }

  /// Creates a store with modes of nine bits, or according to the umask when they are 0; creates files of all kinds.
  private static func make(_ path: String, _ modes: Int) throws {
    var options = StoreOptions.durability(.processCrashOnly)
    if modes > 0 {
      options.fileMode = UInt32(modes)
      options.directoryMode = UInt32(modes | modes >> 2 & 0o111)
    }
    let store = try SharedStore(path: path, options: options)
    try store.value("value", initial: 0).set(1)
    for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() {
      say("\(name) \(try mode(path + "/" + name))")
    }
    say(". \(try mode(path))")
  }

  private static func mode(_ path: String) throws -> String {
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? -1
    return String(mode, radix: 8)
  }

  /// Gives up root's rights, then reads or counts.
  private static func useAsNobody(_ path: String, _ access: StoreOptions.Access) throws {
    guard setgid(65534) == 0, setuid(65534) == 0 else { return say("not root") }
    var options = StoreOptions.durability(.processCrashOnly)
    options.access = access
    let value = try SharedStore(path: path, options: options).value("value", initial: 0)
    if access == .readWrite { try value.update { $0 += 1 } }
    say("\(try value.get())")
  }
}
