import Foundation
import LMDBShare
import TestSupport
import Testing

/// Other files in the place of a store's files are reported, and left unchanged.
@Suite(.timeLimit(.minutes(20)))
struct FileTests {
  let directory = TemporaryDirectory()

  private func open(_ configure: (inout StoreOptions) -> Void = { _ in }) -> StoreError? {
    var options = StoreOptions.durability(.processCrashOnly)
    configure(&options)
    do {
      _ = try SharedStore(path: directory.path, options: options)
      return nil
    } catch {
      return error as? StoreError
    }
  }

  /// A meta page as LMDB writes it, with a given version.
  private func meta(version: UInt32, lastPage: UInt64 = 1) -> [UInt8] {
    var page = [UInt8](repeating: 0, count: 4096)
    func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
      withUnsafeBytes(of: value.littleEndian) { bytes in
        page.replaceSubrange(offset..<offset + bytes.count, with: bytes)
      }
    }
    put(0x08 as UInt16, at: 10)
    put(0xBEEF_C0DE as UInt32, at: 16)
    put(version, at: 20)
    put(1 << 20 as UInt64, at: 32)
    put(4096 as UInt32, at: 40)
    put(UInt64.max, at: 80)
    put(UInt64.max, at: 128)
    put(lastPage, at: 136)
    return page
  }

  @Test(arguments: [
    ("an empty file", [], StoreError.Code.emptyFile),
    ("text", Array("Dear diary, this is not a database.\n".utf8), .notAStore),
    ("another format", Array("SQLite format 3\0".utf8) + [UInt8](repeating: 0, count: 9000), .notAStore),
    ("zeros", [UInt8](repeating: 0, count: 8192), .notAStore),
    ("noise", (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 3) }, .notAStore),
  ])
  func foreignFiles(_ what: String, _ bytes: [UInt8], _ expected: StoreError.Code) throws {
    try directory.write(bytes, to: "data.mdb")
    let error = try #require(open())
    #expect(error.code == expected, "\(what): \(error)")
    #expect(try directory.read("data.mdb") == bytes)
    #expect(!directory.exists("lock.mdb"))
  }

  @Test func otherVersionsOfLMDB() throws {
    try directory.write(meta(version: 2) + meta(version: 2), to: "data.mdb")
    #expect(open()?.code == .newerFormat)
    try directory.write(meta(version: 999) + meta(version: 999), to: "data.mdb")
    #expect(open()?.code == .foreignFormat)
  }

  @Test func truncatedFiles() throws {
    do {
      let store = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
      try store.list("numbers", of: Int.self).append(contentsOf: 0..<100_000)
    }
    let whole = try directory.read("data.mdb")
    for size in [1, 100, 4095, 4096, 5000, 8191, 8192, 12288, whole.count / 2, whole.count - 4096] {
      try directory.write(Array(whole[..<size]), to: "data.mdb")
      let code = open()?.code
      #expect(
        code == .truncated || code == .notAStore && size < 152, "\(size) of \(whole.count): \(String(describing: code))"
      )
    }
    try directory.write(whole, to: "data.mdb")
    #expect(open() == nil)
  }

  @Test func aFileThatEndsInFreePagesIsSound() throws {
    // Pages that were allocated and freed in one transaction are never written.
    let path = directory.path
    do {
      let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
      let list = try store.list("blobs", of: [UInt8].self)
      try list.append([1])
      for round in 1...20 {
        try store.write { txn in
          for _ in 0..<round { txn[list].append([UInt8](repeating: 1, count: 50_000)) }
          txn[list].removeSubrange(1...)
        }
      }
    }
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let statistics = try store.statistics()
    #expect(try store.list("blobs", of: [UInt8].self).count == 1)
    // Otherwise this shows nothing.
    #expect(statistics.fileBytes < statistics.pages * statistics.pageSize)
  }

  @Test(arguments: ["data.mdb", "lock.mdb", "signal", "owners"])
  func otherThingsThanFiles(_ name: String) throws {
    if name != "data.mdb" { #expect(open() == nil) }
    let target = directory.file(name)
    let victim = TemporaryDirectory()
    try victim.write([1, 2, 3], to: "victim")
    let kinds: [(String, () -> Int32)] = [
      ("a directory", { mkdir(target, 0o700) }), ("a FIFO", { mkfifo(target, 0o600) }),
      ("a symbolic link", { symlink(victim.file("victim"), target) }),
      ("a symbolic link", { symlink("/nowhere", target) }),
      ("a device", { mknod(target, S_IFCHR | 0o600, 0x0103) }),
      ("a socket", { mknod(target, S_IFSOCK | 0o600, 0) }),
    ]
    for (kind, make) in kinds {
      try? FileManager.default.removeItem(atPath: target)
      guard make() == 0 else {
        #expect(kind == "a device" && getuid() != 0)
        continue
      }
      let error = try #require(open())
      #expect(error.code == .wrongFileKind, "\(kind): \(error)")
      #expect(error.reason.contains(kind), "\(error)")
    }
    #expect(try victim.read("victim") == [1, 2, 3])
  }

  @Test func pathsThatAreNoDirectory() throws {
    try directory.write([1], to: "file")
    mkfifo(directory.file("fifo"), 0o600)
    for (name, expected) in [
      ("file", StoreError.Code.wrongFileKind), ("fifo", .wrongFileKind), ("file/below", .wrongFileKind),
      ("missing/below", .storeNotFound),
    ] {
      do {
        _ = try SharedStore(path: directory.file(name))
        Issue.record("\(name) was opened")
      } catch let error as StoreError {
        #expect(error.code == expected, "\(name): \(error)")
      }
    }
    #expect(throws: StoreError.self) { _ = try SharedStore(path: "") }
    #expect(throws: StoreError.self) { _ = try SharedStore(path: "/tmp/a\0b") }
  }

  @Test func aDirectoryOfOtherFilesIsNotFilled() throws {
    try directory.write([1], to: "letter.txt")
    #expect(open()?.code == .notAStore)
    #expect(!directory.exists("data.mdb") && !directory.exists("lock.mdb"))
  }

  @Test func missingStores() {
    #expect(open { $0.createIfMissing = false }?.code == .storeNotFound)
    #expect(open { $0.access = .readOnly }?.code == .storeNotFound)
    #expect(!directory.exists("data.mdb"))
  }

  @Test func modes() throws {
    let path = directory.file("store")
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    try store.list("a", of: Int.self).append(1)
    func mode(_ path: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    #expect(try mode(path) == 0o700)
    for name in ["data.mdb", "lock.mdb", "signal", "owners"] {
      #expect(try mode("\(path)/\(name)") == 0o600, "\(name)")
    }
    var options = StoreOptions.durability(.processCrashOnly)
    options.directoryMode = 0o750
    options.fileMode = 0o640
    let other = directory.file("other")
    _ = try SharedStore(path: other, options: options)
    #expect(try mode(other) == 0o750)
    #expect(try mode("\(other)/data.mdb") == 0o640)
  }

  @Test func descriptorsAreClosedOnExec() throws {
    let store = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
    try store.list("a", of: Int.self).append(1)
    var checked = 0
    for number in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
      guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)"),
        target.hasPrefix(directory.path), let descriptor = Int32(number)
      else { continue }
      #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0, "\(target)")
      checked += 1
    }
    // The directory, the data file twice, and the lock file.
    #expect(checked >= 4)
    withExtendedLifetime(store) {}
  }

  @Test(.enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with py-lmdb"))
  func aForeignEnvironmentIsNamedAndLeftAlone() throws {
    let script =
      "import lmdb; e = lmdb.open('\(directory.path)'); t = e.begin(write=True); t.put(b'a', b'b'); t.commit()"
    let python = try #require(ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"])
    #expect(try Program(path: python, ["-c", script]).finish().status == 0)
    // Each attempt closes what it opened, once.
    for _ in 0..<3 { #expect(open()?.code == .notAStore) }
    let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter { number in
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)"))?.hasPrefix(directory.path)
        == true
    }
    #expect(open.isEmpty)
  }

  @Test func readOnly() throws {
    do {
      let store = try SharedStore(path: directory.path)
      try store.list("a", of: Int.self).append(5)
    }
    var options = StoreOptions()
    options.access = .readOnly
    let store = try SharedStore(path: directory.path, options: options)
    let list = try store.list("a", of: Int.self)
    #expect(try list[0] == 5)
    #expect(throws: StoreError.self) { try list.append(6) }
    #expect(throws: StoreError.self) { _ = try store.list("b", of: Int.self) }
  }
}
