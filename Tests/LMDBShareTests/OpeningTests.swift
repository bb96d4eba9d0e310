import Foundation
import LMDBShare
import TestSupport
import Testing

/// Opening behind stopped processes: it has a time limit.
@Suite(.timeLimit(.minutes(20)))
struct OpeningTests {
  let directory = TemporaryDirectory()
  var path: String { directory.file("store") }

  private func options(_ timeout: Duration?) -> StoreOptions {
    var options = StoreOptions()
    options.openingTimeout = timeout
    return options
  }

  private func code(_ body: () throws -> Void) -> StoreError? {
    do {
      try body()
      return nil
    } catch {
      return error as? StoreError
    }
  }

  private func standing(_ role: String, _ word: String) throws -> Program {
    let program = try Program("TestWorker", [role, path])
    #expect(program.line() == word)
    return program
  }

  @Test func aNewStructureIsNotWaitedForWithoutLimit() throws {
    let store = try SharedStore(path: path, options: options(.milliseconds(200)))
    let there = try store.list("there", of: Int.self)
    try there.append(1)
    let writer = try standing("stop-in-write", "writing")
    defer { writer.signal(SIGKILL) }
    let start = ContinuousClock.now
    let attempts: [() throws -> Void] = [
      { _ = try store.list("a", of: Int.self) }, { _ = try store.dictionary("b", of: Int.self, Int.self) },
      { _ = try store.value("c", initial: 0) }, { _ = try store.array("d", of: Int.self, count: 1) },
      { _ = try store.queue("e", of: Int.self) }, { _ = try store.lock("f") },
      { _ = try store.semaphore("g", permits: 1) }, { _ = try store.event("h") },
      { _ = try store.barrier("i", parties: 2) },
      { try store.rename("there", to: "else", timeout: .milliseconds(200)) },
      { try store.remove("there", timeout: .milliseconds(200)) },
    ]
    for attempt in attempts {
      let error = try #require(code(attempt))
      #expect(error.code == .writerBusy && error.processID == Int(writer.pid), "\(error)")
    }
    #expect(start.duration(to: .now) < .seconds(20))
    // Existing structures can be opened, read and copied nevertheless.
    #expect(try store.list("there", of: Int.self).count == 1)
    try store.backup(to: directory.file("copy"))
    #expect(try SharedStore(path: directory.file("copy")).check() == [])
    writer.signal(SIGCONT)
    writer.finish()
    for attempt in attempts { #expect(code(attempt) == nil) }
  }

  /// A thread of this process waits behind the writer without a limit; others must not have to wait as long.
  @Test func opensBesideAThreadThatWaits() throws {
    do {
      let store = try SharedStore(path: path)
      for number in 0..<200 { _ = try store.list("list \(number)", of: Int.self) }
    }
    let store = try SharedStore(path: path, options: options(.milliseconds(300)))
    let writer = try standing("stop-in-write", "writing")
    defer { writer.signal(SIGKILL) }
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      try? store.write { _ in }
      ended.signal()
    }
    // Existing structures are opened by reading, before and while the thread waits.
    for number in 0..<200 {
      #expect(code { _ = try store.list("list \(number)", of: Int.self) } == nil)
      // So that the openings are spread over the time in which the thread begins to wait.
      usleep(1000)
    }
    let found = try #require(code { _ = try store.list("another", of: Int.self) })
    #expect(found.code == .writerBusy && found.processID == Int(writer.pid), "\(found)")
    writer.signal(SIGCONT)
    writer.finish()
    ended.wait()
    _ = try store.list("list 199", of: Int.self)
  }

  @Test func theStoreIsNotWaitedForWithoutLimit() throws {
    _ = try SharedStore(path: path)
    let holder = try standing("stop-with-lock-file", "locked")
    defer { holder.signal(SIGKILL) }
    let start = ContinuousClock.now
    let error = try #require(code { _ = try SharedStore(path: path, options: options(.milliseconds(200))) })
    #expect(error.code == .busy && error.processID == Int(holder.pid), "\(error)")
    #expect(start.duration(to: .now) < .seconds(5))
    let waiting = try Program("TestWorker", ["open", path])
    #expect(waiting.opens(path + "/lock.mdb") && waiting.reaches("S"))
    holder.signal(SIGCONT)
    #expect(waiting.finish().output == "opened\n")
  }

  @Test func anOverwrittenLockFileIsNamed() throws {
    let user = try Program("TestWorker", ["hold-snapshot", path])
    #expect(user.line()?.hasPrefix("reading") == true)
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path + "/lock.mdb"))
    try file.write(contentsOf: Data(repeating: 0x58, count: 8))
    let error = try #require(code { _ = try SharedStore(path: path) })
    #expect(error.code == .damaged && "\(error)".contains("lock.mdb was overwritten"), "\(error)")
    #expect(!"\(error)".contains("not an LMDB file"), "\(error)")
    user.signal(SIGKILL)
    user.finish()
    // Without users it is created again.
    _ = try SharedStore(path: path)
  }

  /// No files are added to an LMDB environment of another program, even when it is opened for changes.
  @Test func whatIsNoStoreIsLeftAlone() throws {
    let made = try Program.shell(
      "mkdir '\(path)' && printf 'VERSION=3\\nformat=print\\ntype=btree\\nHEADER=END\\n a\\n b\\nDATA=END\\n' | mdb_load '\(path)'"
    )
    try #require(made.status == 0, "\(made.output)")
    #expect(code { _ = try SharedStore(path: path) }?.code == .notAStore)
    #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["data.mdb", "lock.mdb"])
  }
}
