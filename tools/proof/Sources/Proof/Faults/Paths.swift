import ArgumentParser
import CProof
import Foundation
import LMDBShare

/// Other files in the place of a store or of its files.
struct FaultsOfPaths: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paths", abstract: "Links, devices, other users, damaged files and read-only media.")
  @Option(help: "How many damaged lock, signal and owners files.") var count = 10_000
  @OptionGroup var common: CommonOptions

  func run() throws {
    let seed = common.begin("paths")
    var runner = try CaseRunner("paths", common)
    for one in PathCases.all where !PathCases.byHand.contains(one.name) { try runner.run(one) }
    try strangers(&runner)
    try readOnlyMedium(&runner)
    try otherUser(&runner)
    try namespaces(&runner)
    let seconds = try fuzz(&runner, seed)
    try runner.finish(
      "; \(count) damaged files, \(String(format: "%.1f", seconds * 1000 / Double(max(1, count)))) ms each")
  }

  /// Each file is replaced by something else, whose target stays unchanged.
  private func strangers(_ runner: inout CaseRunner) throws {
    let victim = runner.scratch.file("victim")
    let text = Data("must stay".utf8)
    for name in ["data.mdb", "lock.mdb", "signal", "owners", "unsynced"] {
      for kind in ["link", "dangling", "directory", "fifo", "device", "socket"] {
        let path = runner.scratch.file("stranger")
        try? FileManager.default.removeItem(atPath: path)
        try text.write(to: URL(fileURLWithPath: victim))
        try FileManager.default.createDirectory(
          atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if name != "data.mdb" {
          // A store that is complete otherwise.
          _ = try SharedStore(path: path, options: .durability(.durable)).value("value", initial: 1)
          unlink(path + "/" + name)
        }
        let place = path + "/" + name
        let isMade =
          switch kind {
          case "link": symlink(victim, place) == 0
          case "dangling": symlink(runner.scratch.file("nowhere"), place) == 0
          case "directory": mkdir(place, 0o700) == 0
          case "fifo": mkfifo(place, 0o600) == 0
          case "device": mknod(place, S_IFCHR | 0o600, 1 << 8 | 3) == 0
          default: Self.bindSocket(place)
          }
        guard isMade else {
          runner.skip("\(kind) for \(name)", "it cannot be made")
          continue
        }
        try runner.run("stranger", "wrongFileKind", at: path)
        if try Data(contentsOf: URL(fileURLWithPath: victim)) != text {
          runner.note("\(kind) for \(name): its target was changed")
        }
        if FileManager.default.fileExists(atPath: runner.scratch.file("nowhere")) {
          runner.note("\(name): a target was made")
        }
      }
    }
  }

  private static func bindSocket(_ path: String) -> Bool {
    let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(file) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    return withUnsafeMutableBytes(of: &address.sun_path) { place in
      let bytes = Array(path.utf8)
      guard bytes.count < place.count else { return false }
      place.copyBytes(from: bytes)
      return true
    }
      && withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
      }
  }

  private func readOnlyMedium(_ runner: inout CaseRunner) throws {
    let path = runner.scratch.file("medium")
    guard let mount = Mount(path, ["-t", "tmpfs", "-o", "size=8m", "proof"]) else {
      return runner.skip("a read-only medium", "it needs root and mount")
    }
    _ = try SharedStore(path: path + "/store").value("value", initial: 7)
    guard Mount.call("mount", ["-o", "remount,ro", path]) else {
      return runner.skip("a read-only medium", "no remount")
    }
    try runner.run("read on a read-only medium", "7", at: path + "/store")
    try runner.run("write on a read-only medium", "permissionDenied", at: path + "/store")
    withExtendedLifetime(mount) {}
  }

  private func otherUser(_ runner: inout CaseRunner) throws {
    guard getuid() == 0 else { return runner.skip("another user", "it needs root") }
    for (directory, file, read, write) in [
      (0o700, 0o600, "permissionDenied", "permissionDenied"), (0o755, 0o644, "permissionDenied", "permissionDenied"),
      (0o777, 0o666, "7", "7"),
    ] {
      let path = "/tmp/proof-user-\(getpid())"
      try? FileManager.default.removeItem(atPath: path)
      defer { try? FileManager.default.removeItem(atPath: path) }
      var options = StoreOptions()
      options.directoryMode = UInt32(directory)
      options.fileMode = UInt32(file)
      umask(0)
      _ = try SharedStore(path: path, options: options).value("value", initial: 7)
      umask(0o022)
      try runner.run("read as another user", read, at: path)
      try runner.run("write as another user", write, at: path)
    }
  }

  /// Two processes that both have PID 1, each in its own namespace.
  private func namespaces(_ runner: inout CaseRunner) throws {
    guard Mount.call("unshare", ["-p", "-f", "true"]) else { return runner.skip("two pid namespaces", "it needs root") }
    let path = runner.scratch.file("namespaces")
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let value = try store.value("value", initial: 0)
    let board = runner.scratch.file("board")
    _ = try Board(board)
    let processes = try (0..<2).map { _ in
      try WorkerProcess(
        role: "namespace", store: store, arguments: ["-p", "-f", "--kill-child", CommandLine.arguments[0], board],
        executable: "/usr/bin/unshare")
    }
    var told: [String] = []
    for process in processes {
      guard let end = process.wait(timeout: .seconds(60)) else {
        process.kill()
        return runner.note("two pid namespaces: a process hangs")
      }
      told.append("\(end)")
    }
    // One of them works, the other one gets an error.
    let count = try value.get()
    if told.sorted() == ["exited(0)", "exited(9)"], count == 1000 {
      runner.pass()
    } else {
      runner.note("two pid namespaces: \(told), \(count)")
    }
  }

  /// Files beside the data are damaged while no process has the store open, and `signal` and `owners` also while one has.
  private func fuzz(_ runner: inout CaseRunner, _ seed: UInt64) throws -> Double {
    var random = Random(seed)
    let path = runner.scratch.file("fuzzed")
    var total = 0
    _ = try SharedStore(path: path, options: .durability(.processCrashOnly)).value("total", initial: 0)
    let start = proof_now()
    for round in 0..<count {
      let name = ["lock.mdb", "signal", "owners"][round % 3]
      let url = URL(fileURLWithPath: path + "/" + name)
      let isOpen = name != "lock.mdb" && random.happens(50)
      let options = StoreOptions.durability(.processCrashOnly)
      var open: SharedStore? = isOpen ? try SharedStore(path: path, options: options) : nil
      try Self.damage(url, &random, inPlace: isOpen)
      let begun = proof_now()
      do {
        let store = try open ?? SharedStore(path: path, options: options)
        let value = try store.value("total", initial: 0)
        try value.update { $0 += 1 }
        total += 1
        guard try value.get() == total else {
          runner.note("round \(round), \(name): \(try value.get()) instead of \(total)")
          break
        }
      } catch {
        runner.note("round \(round), \(name)\(isOpen ? ", open" : ""): \(error)")
        break
      }
      open = nil
      let waited = Double(proof_now() - begun) / 1e9
      if waited > 2.5 { runner.note("round \(round), \(name): it took \(waited) s") }
    }
    runner.pass()
    return Double(proof_now() - start) / 1e9
  }

  private static func damage(_ url: URL, _ random: inout Random, inPlace: Bool) throws {
    var bytes = (try? Data(contentsOf: url)) ?? Data()
    switch inPlace ? 2 : random.number(0..<5) {
    case 0: bytes = Data()
    case 1: bytes = bytes.prefix(random.number(0..<bytes.count + 1))
    case 2:
      for _ in 0..<random.number(1..<20) where !bytes.isEmpty {
        bytes[bytes.startIndex + random.number(0..<min(bytes.count, 9000))] = UInt8.random(in: 0...255, using: &random)
      }
    case 3: bytes = Data((0..<random.number(1..<20_000)).map { _ in UInt8.random(in: 0...255, using: &random) })
    default:
      try? FileManager.default.removeItem(at: url)
      return
    }
    if inPlace {
      let file = try FileHandle(forWritingTo: url)
      try file.write(contentsOf: bytes)
      try file.close()
    } else {
      try bytes.write(to: url)
    }
  }
}

enum PathCases {
  static let byHand: Set = [
    "stranger", "read on a read-only medium", "write on a read-only medium", "read as another user",
    "write as another user",
  ]

  private static func value(_ path: String, _ access: StoreOptions.Access = .readWrite) throws -> SharedValue<Int> {
    var options = StoreOptions()
    options.access = access
    return try SharedStore(path: path, options: options).value("value", initial: 7)
  }

  private static func dropRights() throws {
    guard setgid(65534) == 0, setuid(65534) == 0 else { throw Problem("cannot become another user") }
  }

  static let all: [Case] = [
    Case("a file", "wrongFileKind") { path in
      try Data("x".utf8).write(to: URL(fileURLWithPath: path))
      return "\(try value(path).get())"
    },
    Case("no directory above", "storeNotFound", "permissionDenied", "system") { path in
      "\(try value(path + "/a/b").get())"
    },
    Case("a path of 5,000 bytes", "system", "invalidName", "storeNotFound") { path in
      "\(try value(path + String(repeating: "a", count: 5000)).get())"
    },
    Case("a path with a NUL byte", "storeNotFound") { path in "\(try value(path + "\0a").get())" },
    Case("a directory of other files", "notAStore") { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data("x".utf8).write(to: URL(fileURLWithPath: path + "/letter.txt"))
      return "\(try value(path).get())"
    },
    Case("removed while it is open", "replaced") { path in
      let value = try value(path)
      try FileManager.default.removeItem(atPath: path)
      try value.set(8)
      return "nothing"
    },
    Case("replaced while it is open", "replaced") { path in
      let value = try value(path)
      try FileManager.default.moveItem(atPath: path + "/data.mdb", toPath: path + "/data.mdb.old")
      try FileManager.default.copyItem(atPath: path + "/data.mdb.old", toPath: path + "/data.mdb")
      try value.set(8)
      return "nothing"
    },
    Case("its lock file removed while it is open", "replaced") { path in
      let value = try value(path)
      try FileManager.default.removeItem(atPath: path + "/lock.mdb")
      try value.set(8)
      return "nothing"
    },
    Case("its signal file removed while it is open", "8") { path in
      let value = try value(path)
      try FileManager.default.removeItem(atPath: path + "/signal")
      try value.set(8)
      return "\(try value.get())"
    },
    Case("stranger", "") { path in "\(try value(path).get())" },
    Case("read on a read-only medium", "") { path in "\(try value(path, .readOnly).get())" },
    Case("write on a read-only medium", "") { path in
      try value(path).set(8)
      return "nothing"
    },
    Case("read as another user", "") { path in
      try dropRights()
      return "\(try value(path, .readOnly).get())"
    },
    Case("write as another user", "") { path in
      try dropRights()
      let value = try value(path)
      try value.update { $0 += 0 }
      return "\(try value.get())"
    },
  ]

  /// The work of a process with PID 1 in its own namespace, beside another one.
  static func workInNamespace(_ worker: Worker) throws {
    let board = try Board(worker.arguments[worker.arguments.count - 1])
    guard getpid() == 1 else { throw Problem("this is process \(getpid())") }
    do {
      let store = try worker.openStore(options: .durability(.processCrashOnly))
      let value = try store.value("value", initial: 0)
      for _ in 0..<1000 {
        try value.update { $0 += 1 }
        _ = try value.get()
      }
      // Until the other one has tried.
      let limit = proof_now() + 20_000_000_000
      while !board.mustEnd, proof_now() < limit { usleep(1000) }
    } catch let error as StoreError where error.code == .processNumberTaken {
      board.mustEnd = true
      exit(9)
    }
  }
}
