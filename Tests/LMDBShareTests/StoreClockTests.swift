import Foundation
import LMDBShare
import TestSupport
import Testing

/// The clock of a store: within one boot it cannot be set, across boots it follows the time of day. `InterposedTests` sets the
/// clock of other processes.
@Suite(.timeLimit(.minutes(20)))
struct StoreClockTests {
  private let test: TestStore
  private let queue: SharedQueue<Int>
  private var environment: Environment { test.store.environment }

  init() throws {
    test = try TestStore()
    queue = try test.store.queue("queue", of: Int.self)
  }

  /// The record of the clock: the offset in microseconds, and the boot's name.
  private func record() throws -> (offset: Int64, boot: String)? {
    let core = try environment.beginRead()
    defer { core.end() }
    return withUTF8(of: ".clock") { key in
      guard let bytes = core.get(environment.catalogue, key) else { return nil }
      return (bytes.littleEndian(at: 0) ?? 0, bytes.extracting(8..<bytes.byteCount).utf8String() ?? "")
    }
  }

  private func set(_ offset: Int64, _ boot: String) throws {
    let core = try environment.beginWrite()
    var bytes = ByteWriter()
    bytes.append(littleEndian: offset)
    bytes.append(contentsOf: boot.utf8)
    withUTF8(of: ".clock") { key in bytes.withBytes { _ = core.put(environment.catalogue, key, $0) } }
    try environment.commit(core)
  }

  private let hour: Int64 = 3_600_000_000
  /// The offset that a record created now would have.
  private var fresh: Int64 { Int64(microsecondsSince1970()) - Boot.time }

  @Test func theFirstWriteOfABootThatNeedsTheTimeNotesIt() throws {
    try queue.push(1)
    #expect(try record() == nil)
    _ = try queue.statistics()
    #expect(try record() == nil)
    try queue.push(2, delay: .seconds(60))
    let noted = try #require(try record())
    #expect(noted.boot == Boot.name && !noted.boot.isEmpty && abs(noted.offset - fresh) < 2_000_000)
    // Nothing else changes it.
    _ = try queue.lease(for: .seconds(60))
    #expect(try #require(try record()) == noted)
  }

  /// The settable clock has been set back by an hour since the record was created: nothing in this boot depends on it.
  @Test func withinABootTheTimeOfDayDoesNotMatter() throws {
    try set(fresh + hour, Boot.name)
    let lease = try { () throws in
      try queue.push(1)
      return try #require(try queue.lease(for: .seconds(60)))
    }()
    try queue.push(2, delay: .milliseconds(50))
    let remaining = try #require(try queue.statistics().leases.first?.remaining)
    #expect(remaining > .seconds(50) && remaining <= .seconds(60))
    let start = ContinuousClock.now
    #expect(try queue.pop(timeout: .seconds(20)) == 2)
    #expect(start.duration(to: .now) < .seconds(5))
    try queue.reject(lease, reason: "")
    #expect(try #require(try queue.deadLetters().first).age < .seconds(5))
  }

  @Test func acrossBootsItGoesByTheTimeOfDay() throws {
    // In a boot in which the clock was an hour ahead: due in 30 minutes and 90 minutes of the time of day.
    environment.clock.pretend(boot: "a")
    try set(fresh + hour, "a")
    try queue.push(1, delay: .milliseconds(1))
    #expect(try record()?.boot == "a")
    environment.clock.pretend(boot: "b")
    // A reader uses the time of day, and stores nothing.
    #expect(try queue.pop(timeout: .milliseconds(1)) == nil)
    try set(fresh - hour, "a")
    try queue.push(2, delay: .milliseconds(1))
    // This push was the first of boot b.
    let noted = try #require(try record())
    #expect(noted.boot == "b" && abs(noted.offset - fresh) < 2_000_000)
    #expect(try queue.pop(timeout: .seconds(20)) == 2)
    // What is due in an hour stays.
    #expect(try queue.statistics().delayed == 1)
    // Back in a boot whose record is gone: again by the time of day.
    environment.clock.pretend(boot: "c")
    #expect(try queue.statistics().delayed == 1)
    try queue.push(3, delay: .seconds(60))
    #expect(try record()?.boot == "c")
  }

  /// An offset is valid once it is committed.
  @Test func whatWasUndoneIsNotRemembered() throws {
    #expect(throws: Undo.self) {
      try test.store.write { txn in
        txn[queue].push(1, delay: .seconds(60))
        txn[queue].push(2, delay: .seconds(60))
        throw Undo()
      }
    }
    #expect(environment.clock.offset == nil)
    #expect(try record() == nil)
    // Another process is faster.
    let theirs = fresh - hour
    try set(theirs, Boot.name)
    try queue.push(1, delay: .seconds(60))
    #expect(environment.clock.offset == theirs)
    #expect(try record()?.offset == theirs)
  }

  /// Also in a nested transaction, which is undone by itself.
  @Test func whatAPartHasUndoneIsNotRemembered() async throws {
    let (store, queue) = (test.store, queue)
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        group.addTask {
          _ = try? await store.write { txn in
            txn[queue].push(number, delay: .seconds(60))
            if number % 2 == 0 { throw Undo() }
          }
        }
      }
    }
    let noted = try #require(try record())
    #expect(try queue.statistics().delayed == 20)
    #expect(environment.clock.offset == noted.offset)
  }

  @Test func withoutANameOfTheBootItGoesByTheTimeOfDay() throws {
    environment.clock.pretend(boot: "")
    try queue.push(1, delay: .milliseconds(20))
    #expect(try record() == nil)
    #expect(try queue.pop(timeout: .seconds(20)) == 1)
    #expect(environment.clock.offset == nil)
  }

  /// An invalid record counts as no record.
  @Test func aDamagedRecordIsReplaced() throws {
    for (offset, boot) in [(Int64.max, Boot.name), (Int64.min, Boot.name), (0, ""), (5, Boot.name + "x")] {
      try set(offset, boot)
      try queue.push(1, delay: .milliseconds(1))
      #expect(try #require(try record()).boot == Boot.name && abs(#require(try record()).offset - fresh) < 2_000_000)
      #expect(try queue.pop(timeout: .seconds(20)) == 1)
      environment.clock.pretend(boot: Boot.name)
    }
  }

  @Test func aStoreThatIsOpenForReadingGoesByTheSameClock() throws {
    try set(fresh + hour, Boot.name)
    try queue.push(1)
    _ = try queue.lease(for: .seconds(60))
    let reader = try Program("TestWorker", ["tell-remaining", test.path]).finish()
    #expect(reader.status == 0)
    let remaining = try #require(Int(reader.output.split(separator: "\n").first ?? ""))
    #expect((50...60).contains(remaining), "\(reader)")
  }
}
