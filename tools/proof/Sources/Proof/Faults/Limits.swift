import ArgumentParser
import Foundation
import LMDBShare

/// Resources that a program exhausts.
struct FaultsOfLimits: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits", abstract: "Disks, address space, descriptors, readers and other resources run out.")
  @OptionGroup var common: CommonOptions

  func run() throws {
    var runner = try CaseRunner("limits", common)
    for one in LimitCases.all where one.name != LimitCases.fullDisk.name { try runner.run(one) }
    let image = runner.scratch.file("image")
    let disks: [(String, [String], Bool)] = [
      ("tmpfs", ["-t", "tmpfs", "-o", "size=16m", "proof"], true),
      (
        "ext4", ["-o", "loop", image],
        Mount.call("truncate", ["-s", "24M", image]) && Mount.call("mkfs.ext4", ["-q", image])
      ),
    ]
    for (name, arguments, isMade) in disks {
      guard isMade, let mount = Mount(runner.scratch.file("disk-\(name)"), arguments) else {
        runner.skip("a full \(name)", "it needs root, mount and mkfs")
        continue
      }
      try runner.run(LimitCases.fullDisk, at: mount.path)
      withExtendedLifetime(mount) {}
    }
    try runner.finish()
  }
}

/// Each reports how it went when something was exhausted, and then continues with enough of it.
enum LimitCases {
  /// Appends until that fails; returns the code, after checking that everything that was acknowledged is there.
  private static func fill(_ list: SharedList<[UInt8]>, _ size: Int = 10_000) throws -> String {
    let before = try list.count
    for number in before..<1_000_000 {
      let code = try Case.code { try list.append([UInt8](repeating: 1, count: size)) }
      if code != "nothing" { return try list.count == number ? code : "lost" }
    }
    return "nothing"
  }

  private static func goesOn(_ list: SharedList<[UInt8]>, _ code: String) throws -> String {
    let before = try list.count
    try list.append([2])
    return try list.count == before + 1 ? code : "lost"
  }

  private static func limit(_ what: __rlimit_resource, _ soft: Int?) {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(what.rawValue), &limit)
    limit.rlim_cur = soft.map { rlim_t($0) } ?? limit.rlim_max
    setrlimit(__rlimit_resource_t(what.rawValue), &limit)
  }

  /// On a small disk, where a file takes half of the space until it is removed.
  static let fullDisk = Case("a full disk", "diskFull") { path in
    let ballast = path + "/ballast"
    try Data(count: 8 << 20).write(to: URL(fileURLWithPath: ballast))
    let store = try SharedStore(path: path + "/store")
    let list = try store.list("list", of: [UInt8].self)
    let code = try fill(list)
    // A large transaction, too, and one of several structures.
    let again = try Case.code {
      try store.write { txn in
        for _ in 0..<300 { txn[list].append([UInt8](repeating: 2, count: 100_000)) }
      }
    }
    guard again == code else { return again }
    try FileManager.default.removeItem(atPath: ballast)
    return try goesOn(list, code)
  }

  static let all: [Case] = [
    fullDisk,
    Case("the size of files", "mapFull") { path in
      limit(RLIMIT_FSIZE, 8 << 20)
      var code = ""
      do {
        let store = try SharedStore(path: path)
        code = try fill(try store.list("list", of: [UInt8].self))
      }
      limit(RLIMIT_FSIZE, nil)
      return try goesOn(try SharedStore(path: path).list("list", of: [UInt8].self), code)
    },
    Case("the size of files, too small to begin", "resourceLimit") { path in
      limit(RLIMIT_FSIZE, 4096)
      let code = try Case.code { _ = try SharedStore(path: path) }
      limit(RLIMIT_FSIZE, nil)
      return try goesOn(try SharedStore(path: path).list("list", of: [UInt8].self), code)
    },
    Case("address space", "nothing") { path in
      limit(RLIMIT_AS, 3 << 30)
      let list = try SharedStore(path: path).list("list", of: [UInt8].self)
      try list.append(contentsOf: (0..<1000).map { _ in [UInt8](repeating: 1, count: 10_000) })
      return try goesOn(list, "nothing")
    },
    Case("descriptors", "resourceLimit") { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      limit(RLIMIT_NOFILE, 100)
      var taken: [Int32] = []
      while let next = Optional(dup(0)), next >= 0 { taken.append(next) }
      // With few, opening fails at some point.
      for _ in 0..<8 {
        let code = try Case.code { _ = try SharedStore(path: path + "/store") }
        if code == "nothing" { break }
        guard code == "resourceLimit" else { return code }
        close(taken.removeLast())
      }
      for file in taken { close(file) }
      let store = try SharedStore(path: path + "/store")
      let list = try store.list("list", of: [UInt8].self)
      taken = []
      while let next = Optional(dup(0)), next >= 0 { taken.append(next) }
      // What is open continues to work.
      _ = try goesOn(list, "")
      let code = try Case.code { try store.backup(to: path + "/backup") }
      for file in taken { close(file) }
      try store.backup(to: path + "/backup")
      return try goesOn(list, code)
    },
    Case("the map", "mapFull") { path in
      var options = StoreOptions()
      options.maximumSize = 4 << 20
      var code = ""
      do {
        let list = try SharedStore(path: path, options: options).list("list", of: [UInt8].self)
        code = try fill(list)
        _ = try fill(list, 100)
      }
      options.maximumSize = 8 << 20
      return try goesOn(try SharedStore(path: path, options: options).list("list", of: [UInt8].self), code)
    },
    Case("readers", "readersFull") { path in
      var options = StoreOptions()
      options.maximumReaders = 4
      let store = try SharedStore(path: path, options: options)
      let list = try store.list("list", of: [UInt8].self)
      var snapshots = try (0..<4).map { _ in try store.snapshot() }
      let code = try Case.code { _ = try store.snapshot() }
      guard try Case.code({ _ = try list.count }) == code else { return "different" }
      snapshots.removeLast()
      guard snapshots[0].id > 0 else { return "gone" }
      return try goesOn(list, code)
    },
    Case("structures", "structuresFull") { path in
      var options = StoreOptions()
      options.maximumStructures = 4
      let store = try SharedStore(path: path, options: options)
      let list = try store.list("list", of: [UInt8].self)
      // Any number may be used one after the other, but not in one transaction.
      let lists = try (0..<200).map { try store.list("list \($0)", of: Int.self) }
      for list in lists { try list.append(1) }
      let code = try Case.code {
        try store.write { txn in for list in lists { txn[list].append(2) } }
      }
      guard try lists.allSatisfy({ try $0.count == 1 }) else { return "half" }
      return try goesOn(list, code)
    },
    Case("a value of more than 1 GiB", "valueTooLarge") { path in
      let list = try SharedStore(path: path, options: .durability(.processCrashOnly)).list("list", of: [UInt8].self)
      let code = try Case.code { try list.append([UInt8](repeating: 1, count: 1 << 30 + 1)) }
      try list.append([UInt8](repeating: 1, count: 1 << 20))
      return try goesOn(list, code)
    },
    // LMDB spills the first of them before the commit.
    Case("a transaction of more pages than LMDB keeps in memory", "all", "transactionTooLarge") { path in
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      let list = try store.list("list", of: [UInt8].self)
      let code = try Case.code {
        try store.write { txn in
          let page = [UInt8](repeating: 1, count: 3000)
          for _ in 0..<200_000 { txn[list].append(page) }
        }
      }
      guard try list.count == (code == "nothing" ? 200_000 : 0), try store.check().isEmpty else { return "lost" }
      return try goesOn(list, code == "nothing" ? "all" : code)
    },
    Case("a name that is too long", "invalidName") { path in
      let store = try SharedStore(path: path)
      return try Case.code { _ = try store.list(String(repeating: "n", count: 256), of: Int.self) }
    },
  ]
}
