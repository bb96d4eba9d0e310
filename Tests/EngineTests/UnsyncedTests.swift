import Foundation
import LMDBShare
import TestSupport
import Testing

/// Commits that are not synced leave a mark, which identifies the store after a power cut.
@Suite(.timeLimit(.minutes(20)))
struct UnsyncedTests {
  let directory = TemporaryDirectory()
  var path: String { directory.path }
  var isMarked: Bool { directory.exists("unsynced") }

  private func open(_ unsynced: StoreOptions.Unsynced = .refuse, _ access: StoreOptions.Access = .readWrite) throws
    -> SharedStore
  {
    var options = StoreOptions.durability(.processCrashOnly)
    options.unsyncedAfterReboot = unsynced
    options.access = access
    return try SharedStore(path: path, options: options)
  }

  private func fill() throws {
    let store = try open()
    try store.dictionary("d", of: Int.self, Int.self).merge((0..<5000).map { ($0, $0) }) { $1 }
  }

  /// As if the machine had gone down after that.
  private func reboot() throws {
    try directory.write(Array("another boot\n".utf8), to: "unsynced")
  }

  @Test func theMarkIsThereWhileAProcessMayWrite() throws {
    do {
      let store = try open()
      #expect(!isMarked)
      let value = try store.value("value", initial: 0)
      #expect(isMarked)
      #expect(try String(decoding: directory.read("unsynced"), as: UTF8.self) == Boot.current() + "\n")
      try value.set(1)
    }
    #expect(!isMarked)
    do {
      // Reading needs none.
      let store = try open()
      #expect(try store.structures().count == 1)
      #expect(!isMarked)
    }
    do {
      let store = try SharedStore(path: path)
      try store.value("value", initial: 0).set(2)
      #expect(!isMarked)
    }
  }

  @Test func theMarkStaysWhileAnotherProcessIsThere() throws {
    let worker = try Program("TestWorker", ["write-token", path, "1", "1-1"])
    #expect(worker.line() == "there")
    do {
      let store = try open()
      try store.value("value", initial: 0).set(1)
    }
    #expect(isMarked)
    // It exits, and closes nothing.
    worker.release()
    worker.finish()
    #expect(!isMarked)
  }

  @Test func theMarkOfTheDeadGoesWithTheNextOne() throws {
    let worker = try Program("TestWorker", ["write-token", path, "1", "1-1"])
    #expect(worker.line() == "there")
    worker.signal(SIGKILL)
    worker.finish()
    #expect(isMarked)
    do { #expect(try open().value("value", initial: 0).get() == 1) }
    #expect(!isMarked)
  }

  /// Otherwise a power cut would make a store suspect although all its commits are on the disk.
  @Test func aDurableWriterTakesTheMarkOfTheDeadAway() throws {
    let store = try SharedStore(path: path)
    let value = try store.value("value", initial: 0)
    for isThereBefore in [false, true] {
      let worker = try Program("TestWorker", ["write-token", path, "1", isThereBefore ? "1-1" : "1-2"])
      #expect(worker.line() == "there")
      try value.update { $0 += 1 }
      #expect(isMarked)
      worker.signal(SIGKILL)
      worker.finish()
      try value.update { $0 += 1 }
      #expect(!isMarked)
    }
    // The worker's are among them.
    #expect(try value.get() >= 4)
  }

  @Test func aSuspectStoreIsRefused() throws {
    try fill()
    try reboot()
    for options in [StoreOptions(), .durability(.processCrashOnly)] {
      do {
        _ = try SharedStore(path: path, options: options)
        Issue.record("it was opened")
      } catch let error as StoreError {
        #expect(error.code == .unsynced)
      }
    }
    #expect(isMarked)
  }

  @Test func aSuspectStoreIsCheckedAndTrusted() throws {
    try fill()
    try reboot()
    do {
      let reader = try open(.check, .readOnly)
      #expect(try reader.structures().count == 1)
      #expect(isMarked)
    }
    do {
      let store = try open(.check)
      #expect(!isMarked)
      #expect(try store.dictionary("d", of: Int.self, Int.self).count == 5000)
    }
    #expect(try open().structures().count == 1)
    // The pages of the dictionary: leaves full of keys.
    var damaged = try directory.read("data.mdb")
    for page in 2..<damaged.count / 4096
    where damaged[page * 4096 + 10] == 2
      && Int(damaged[page * 4096 + 12]) + 256 * Int(damaged[page * 4096 + 13]) > 100
    {
      damaged.replaceSubrange(page * 4096 + 16..<page * 4096 + 64, with: [UInt8](repeating: 0xFF, count: 48))
    }
    try directory.write(damaged, to: "data.mdb")
    try reboot()
    do {
      _ = try open(.check)
      Issue.record("a damaged store was opened after a reboot")
    } catch {
      #expect((error as? StoreError)?.code == .damaged)
    }
    #expect(isMarked)
  }

  @Test func aSuspectStoreIsDiscarded() throws {
    try fill()
    try reboot()
    do {
      let store = try open(.discard)
      #expect(try store.structures().isEmpty)
      try store.value("value", initial: 0).set(1)
    }
    #expect(!isMarked)
    #expect(try open().structures().count == 1)
    #expect(!isMarked)
  }

  @Test func severalProcessesDiscardItOnce() throws {
    for _ in 0..<10 {
      try fill()
      try reboot()
      let workers = try (0..<4).map { _ in try Program("TestWorker", ["discard", path]) }
      for worker in workers {
        let result = worker.finish()
        #expect(result.status == 0, "\(result)")
      }
      // Each has found the others' entries, and none the old ones.
      #expect(try open().value("value", initial: 0).get() == 4)
      #expect(try open().structures().count == 1)
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
  }
}
