#if DEBUG
  import Foundation
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct FileDescriptorUnitTests {
    private let directory = TemporaryDirectory()

    private func open() throws -> FileDescriptor { try FileDescriptor.directory(directory.path) }

    @Test func aFileIsClosedWithItsLastReference() throws {
      try directory.write([1], to: "a")
      var file: FileDescriptor? = try open().file("a")
      let number = try #require(file).number
      #expect(number > 2 && fcntl(number, F_GETFD) == FD_CLOEXEC)
      // Other tests open files at the same time, which may get the number.
      let inode = try #require(file).status().inode
      file = nil
      #expect(FileStatus(of: number)?.inode != inode)
    }

    @Test func onlyADirectoryIsOpenedAsOne() throws {
      try directory.write([1], to: "a")
      #expect(errorCode { _ = try FileDescriptor.directory(directory.file("a")) } == .wrongFileKind)
      #expect(errorCode { _ = try FileDescriptor.directory(directory.file("none")) } == .storeNotFound)
      #expect(errorCode { _ = try FileDescriptor.directory(directory.file("a/b")) } == .wrongFileKind)
    }

    @Test func filesAreReadInParts() throws {
      var random = SeededGenerator("FileDescriptorUnitTests.filesAreReadInParts")
      let bytes = [UInt8].random(10_000, &random)
      try directory.write(bytes, to: "a")
      let file = try open().file("a")
      var buffer: [UInt8] = []
      for (offset, count) in [
        (0, 10_000), (0, 0), (5, 1), (9_999, 1), (9_990, 100), (10_000, 5), (20_000, 5), (3, 7000),
      ] {
        let expected = Array(bytes.dropFirst(offset).prefix(count))
        #expect(try file.read(at: offset, count: count) == expected, "\(offset) \(count)")
        #expect(try file.read(at: offset, count: count, into: &buffer) == expected.count)
        #expect(buffer.count == count && Array(buffer.prefix(expected.count)) == expected)
      }
      #expect(errorCode { _ = try file.read(at: -1, count: 5) } == .system)
      #expect(errorCode { _ = try file.read(at: -1, count: 5, into: &buffer) } == .system)
      // A directory cannot be read.
      #expect(throws: StoreError.self) { try open().read(at: 0, count: 5) }
    }

    /// What is not a plain file is neither followed nor waited for.
    @Test func linksAndFIFOsAreNotFollowed() throws {
      try directory.write([1], to: "a")
      symlink(directory.file("a"), directory.file("link"))
      mkfifo(directory.file("fifo"), 0o600)
      let place = try open()
      #expect(errorCode { _ = try place.file("link") } == .wrongFileKind)
      #expect(try place.file("fifo").status().kind == "a FIFO")
      #expect(errorCode { _ = try place.file("none") } == .storeNotFound)
    }

    @Test func kindsAreNamed() throws {
      try directory.write([1, 2, 3], to: "a")
      mkdir(directory.file("d"), 0o700)
      symlink("nowhere", directory.file("link"))
      mkfifo(directory.file("fifo"), 0o600)
      let place = try open()
      let kinds = try ["a", "d", "link", "fifo"].map { try #require(try place.status(of: $0)).kind }
      #expect(kinds == ["a regular file", "a directory", "a symbolic link", "a FIFO"])
      #expect(FileStatus(at: "/dev/null")?.kind == "a device")
      #expect(try place.status(of: "none") == nil && place.status().isDirectory)
      // Only when it is asked for.
      symlink("a", directory.file("other"))
      #expect(FileStatus(at: directory.file("other"))?.isRegular == false)
      #expect(FileStatus(at: directory.file("other"), followingLinks: true)?.size == 3)
      #expect(FileStatus(at: directory.file("link"), followingLinks: true) == nil && FileStatus(of: -1) == nil)
    }

    @Test func aFileIsKnownByItsIdentity() throws {
      try directory.write([1], to: "a")
      try directory.write([1], to: "b")
      link(directory.file("a"), directory.file("c"))
      let place = try open()
      let (a, b, c) = try (place.file("a").status(), place.file("b").status(), place.status(of: "c"))
      #expect(a.identity == c?.identity && a.identity != b.identity && a.links == 2 && b.links == 1)
      rename(directory.file("a"), directory.file("moved"))
      #expect(try place.status(of: "moved")?.identity == a.identity)
      #expect(a.owner == geteuid() && a.size == 1)
    }

    @Test func namesOfADirectoryCanBeListedAgain() throws {
      let names = Set((0..<300).map { "file \($0)" } + ["\u{E9}", "..x"])
      for name in names { try directory.write([], to: name) }
      let place = try open()
      for _ in 0..<2 {
        let found = try place.names()
        #expect(Set(found) == names && found.count == names.count)
      }
      #expect(throws: StoreError.self) { try place.file("file 1").names() }
    }

    @Test func removingWhatIsNotThereSucceeds() throws {
      try directory.write([1], to: "a")
      mkdir(directory.file("d"), 0o700)
      let place = try open()
      try place.remove("a")
      try place.remove("a")
      #expect(!directory.exists("a"))
      #expect(throws: StoreError.self) { try place.remove("d") }
    }

    @Test func anUnnamedFileGetsAName() throws {
      let place = try open()
      guard let file = try place.unnamed(mode: 0o600) else { return }
      #expect(try place.names() == [] && file.status().links == 0)
      try directory.write([1], to: "taken")
      #expect(try !file.link(into: place, as: "taken") && directory.read("taken") == [1])
      #expect(try file.link(into: place, as: "new"))
      #expect(try place.status(of: "new")?.identity == file.status().identity)
      #expect(errorCode { _ = try file.link(into: place, as: "none/new") } == .storeNotFound)
    }

    @Test func aModeIsSetWhateverTheUmask() throws {
      let place = try open()
      let file = try place.open("a", O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
      for mode in [0o666, 0o640, 0o600] as [UInt32] {
        try file.setMode(mode)
        #expect(try place.status(of: "a")?.mode == mode)
      }
      try file.sync()
      try place.sync()
      #expect(errorCode { _ = try place.open("a", O_RDWR | O_CREAT | O_EXCL, mode: 0o600) } == .system)
    }

    /// A store that is a file has other names.
    @Test func aliasesStandForNames() throws {
      try directory.write([1], to: "my.mdb")
      let place = try FileDescriptor.directory(directory.path, aliases: ["data.mdb": "my.mdb"])
      #expect(try place.status(of: "data.mdb")?.size == 1 && place.file("data.mdb").read(at: 0, count: 9) == [1])
      #expect(try place.status(of: "my.mdb")?.size == 1 && place.status(of: "lock.mdb") == nil)
    }
  }

  @Suite(.timeLimit(.minutes(5)))
  struct UnsyncedMarkUnitTests {
    private let directory = TemporaryDirectory()
    private let store: StoreDirectory
    private let boot: [UInt8]

    init() throws {
      store = try directory.forStore()
      boot = Array("\(try Boot.current())\n".utf8)
    }

    @Test func aMarkOfThisBootIsNotSuspect() throws {
      #expect(try !store.isSuspect())
      for _ in 0..<2 {
        try store.noteUnsynced()
        #expect(try directory.read("unsynced") == boot && !store.isSuspect())
      }
      for _ in 0..<2 {
        try store.noteSynced()
        #expect(try !directory.exists("unsynced") && !store.isSuspect())
      }
    }

    /// Another boot, an empty name, a longer name, and a text without an end.
    @Test func aMarkOfAnotherBootIsSuspect() throws {
      for text in ["another\n", "\n", "x\(String(decoding: boot, as: UTF8.self))", String(repeating: "x", count: 64)] {
        try directory.write(Array(text.utf8), to: "unsynced")
        #expect(try store.isSuspect(), "\(text)")
      }
      try directory.write([UInt8](repeating: 0xFF, count: 10) + [10], to: "unsynced")
      #expect(try store.isSuspect())
      #expect(store.suspect.code == .unsynced)
    }

    /// Its writer died before it made a commit.
    @Test func anIncompleteMarkIsNotSuspect() throws {
      for size in [0, 1, boot.count - 1] {
        try directory.write(Array(boot.prefix(size)), to: "unsynced")
        #expect(try !store.isSuspect(), "\(size)")
        try store.noteUnsynced()
        #expect(try directory.read("unsynced") == boot)
      }
    }

    @Test func somethingElseInItsPlaceIsSuspect() throws {
      mkdir(directory.file("unsynced"), 0o700)
      #expect(try store.isSuspect())
      #expect(errorCode { try store.noteUnsynced() } != nil)
    }

    @Test func aMarkIsReplacedAsAWhole() throws {
      try directory.write([UInt8](repeating: 0x78, count: 200) + [10], to: "unsynced")
      try store.noteUnsynced()
      #expect(try directory.read("unsynced") == boot)
    }

    @Test func aStoreThatIsTrustedHasNoMark() throws {
      try directory.write(Array("another\n".utf8), to: "unsynced")
      try store.trustSuspect()
      #expect(try !directory.exists("unsynced") && !store.isSuspect())
      // A mark of this boot stays: its commits are not synced yet.
      try store.noteUnsynced()
      try store.trustSuspect()
      #expect(try directory.read("unsynced") == boot)
    }
  }

  @Suite(.timeLimit(.minutes(5)))
  struct BootUnitTests {
    @Test func aBootHasTheNameThatTheKernelGivesIt() throws {
      let text = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
      #expect(try Boot.current() + "\n" == text && Boot.name == Boot.current())
    }

    @Test func theTimeSinceTheStartIsThatOfTheKernel() throws {
      let before = Boot.time
      let text = try String(contentsOfFile: "/proc/uptime", encoding: .utf8)
      let after = Boot.time
      let uptime = try #require(text.split(separator: " ").first.flatMap { Double($0) })
      // The kernel prints hundredths of a second.
      #expect(Double(before) / 1e6 - 0.02 < uptime && uptime < Double(after) / 1e6 + 0.02 && before <= after)
    }
  }
#endif
