import Foundation
import LMDBShare
import TestSupport
import Testing

/// Waiting for the writer of another process, with a time limit.
@Suite(.timeLimit(.minutes(20)), .serialized)
struct GateTests {
  let directory = TemporaryDirectory()
  var path: String { directory.file("store") }
  let store: SharedStore
  let value: SharedValue<Int>

  init() throws {
    store = try SharedStore(path: directory.file("store"), options: .durability(.processCrashOnly))
    value = try store.value("value", initial: 1)
  }

  private func holder(_ command: String = "write-and-stop") throws -> (worker: Program, line: String?) {
    let worker = try Program("TestWorker", [command, path])
    return (worker, worker.line())
  }

  private func writeWithin(_ timeout: Duration) throws {
    try store.write(timeout: timeout) { txn in txn[value] += 1 }
  }

  /// The error of a write that is expected to find another writer.
  private func refusal(_ timeout: Duration) -> StoreError? {
    do {
      try writeWithin(timeout)
      return nil
    } catch {
      return error as? StoreError
    }
  }

  @Test(arguments: [false, true])
  func aWriterThatDoesNotEndIsNamedInTime(stopped: Bool) throws {
    let (worker, _) = try holder()
    if stopped { worker.signal(SIGSTOP) }
    let clock = ContinuousClock()
    var late: [Duration] = []
    for _ in 0..<5 {
      let start = clock.now
      let error = try #require(refusal(.milliseconds(100)))
      #expect(error.code == .writerBusy && error.processID == Int(worker.pid), "\(error)")
      late.append(start.duration(to: clock.now) - .milliseconds(100))
    }
    late.sort()
    #expect(late[0] >= .zero && late[2] <= .milliseconds(20), "\(late)")
    let start = clock.now
    #expect(try store.tryWrite { txn in txn[value] += 1 } == nil)
    #expect(start.duration(to: clock.now) < .milliseconds(100))
    // Reads are not affected.
    #expect(try value.get() == 1)
    if stopped { worker.signal(SIGCONT) }
    #expect(worker.finish().status == 0)
    #expect(try store.tryWrite { txn in txn[value] += 1 } != nil)
    #expect(try value.get() == 100)
  }

  /// Whether it waits for a lock in LMDB's lock file.
  private func waitsForLMDB(_ program: Program) -> Bool {
    func lines(_ name: String) -> [Substring] {
      // To the end: Foundation only reads the first 4 KiB of such a file by its path.
      let file = try? FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(program.pid)/\(name)"))
      return String(decoding: (try? file?.readToEnd()) ?? Data(), as: UTF8.self).split(separator: "\n")
    }
    // The number of the system call, then its arguments: for a futex wait, the address is the first one.
    let call = lines("syscall").first?.split(separator: " ") ?? []
    guard call.count > 1, let address = UInt64(call[1].dropFirst(2), radix: 16) else { return false }
    return lines("maps").filter { $0.hasSuffix("/lock.mdb") }.contains { line in
      let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt64($0, radix: 16) }
      return ends.count == 2 && ends[0] <= address && address < ends[1]
    }
  }

  /// After a while, a writer without a limit waits for LMDB's lock itself. Others must not take it for the writer, nor pass the
  /// gate when it dies.
  @Test func whoWaitsWithoutALimitIsNotTakenForTheWriter() throws {
    let (writer, _) = try holder()
    writer.signal(SIGSTOP)
    let waiter = try Program("TestWorker", ["add", path, "1"])
    #expect(eventually { waitsForLMDB(waiter) } && waiter.isRunning)
    for isThere in [true, false] {
      if !isThere {
        waiter.signal(SIGKILL)
        waiter.finish()
      }
      let start = ContinuousClock.now
      let error = try #require(refusal(.milliseconds(100)))
      #expect(error.code == .writerBusy && error.processID == Int(writer.pid), "\(error)")
      #expect(try store.tryWrite { txn in txn[value] += 1 } == nil)
      #expect(start.duration(to: .now) < .milliseconds(500))
    }
    writer.signal(SIGCONT)
    #expect(writer.finish().status == 0)
    try writeWithin(.seconds(10))
    #expect(try value.get() == 100)
  }

  @Test(arguments: ["write-and-stop", "write-and-fork"])
  func aKilledWriterIsPassedOver(command: String) throws {
    var taken: [Duration] = []
    for _ in 0..<5 {
      let (worker, line) = try holder(command)
      let child = line.flatMap { pid_t($0) }
      let clock = ContinuousClock()
      nonisolated(unsafe) var killed = clock.now
      let killer = Thread {
        // So that the writer waits by then; otherwise the test passes as well.
        usleep(60_000)
        killed = clock.now
        worker.signal(SIGKILL)
      }
      killer.start()
      try writeWithin(.seconds(30))
      taken.append(killed.duration(to: clock.now))
      if let child { kill(child, SIGKILL) }
      worker.finish()
    }
    #expect(try value.get() == 6)
    #expect(taken.sorted()[2] <= .milliseconds(50), "\(taken)")
  }

  @Test func threadsOfOneProcessWaitForEachOther() throws {
    let began = DispatchSemaphore(value: 0)
    let end = DispatchSemaphore(value: 0)
    let (store, value) = (store, value)
    let thread = Thread {
      try? store.write { txn in
        txn[value] = 50
        began.signal()
        end.wait()
      }
      began.signal()
    }
    thread.start()
    began.wait()
    let error = try #require(refusal(.milliseconds(50)))
    #expect(error.code == .writerBusy && error.processID == Int(getpid()), "\(error)")
    #expect(try store.tryWrite { txn in txn[value] += 1 } == nil)
    end.signal()
    began.wait()
    try writeWithin(.seconds(10))
    #expect(try value.get() == 51)
  }

  @Test func aDamagedGateCostsTimeAtMost() throws {
    // The slot of a process that lives and does not write.
    let idle = try Program("TestWorker", ["hold-snapshot", path])
    _ = idle.line()
    let signal = try FileHandle(forUpdating: URL(fileURLWithPath: path + "/signal"))
    var random = SeededGenerator("aDamagedGateCostsTimeAtMost")
    var words = [UInt32.max, 1, 4096, 4097, UInt32(idle.pid % 4096) + 1]
    words += (0..<20).map { _ in UInt32.random(in: 0...5000, using: &random) }
    for (round, word) in words.enumerated() {
      try signal.seek(toOffset: 256)
      let bytes = [word, UInt32.random(in: 0...3, using: &random), 0].flatMap { word in
        withUnsafeBytes(of: word.littleEndian) { Array($0) }
      }
      try signal.write(contentsOf: Data(bytes))
      let start = ContinuousClock.now
      try store.write { txn in txn[value] = round }
      #expect(start.duration(to: .now) < .seconds(2), "\(word)")
      #expect(try value.get() == round)
      // The word is correct again.
      try writeWithin(.milliseconds(200))
    }
    idle.finish()
  }

  @Test func everybodyGetsAShare() throws {
    let workers = try (0..<8).map { _ in try Program("TestWorker", ["contend", path, "5000"]) }
    for worker in workers { _ = worker.line() }
    for worker in workers { worker.release() }
    var writes: [Int] = []
    for worker in workers {
      let result = worker.finish()
      writes.append(Int(result.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1)
    }
    let share = writes.reduce(0, +) / writes.count
    #expect(try value.get() == 1 + share * 8 + writes.reduce(0, +) % 8)
    #expect(writes.min() ?? 0 >= share / 4, "\(writes)")
  }

  @Test func waitingTasksCanBeCancelled() async throws {
    let (worker, _) = try holder()
    let (store, value) = (store, value)
    let tasks = (0..<20).map { _ in Task.immediate { try await store.write { txn in txn[value] = -1 } } }
    for task in tasks { task.cancel() }
    for task in tasks {
      guard case .failure(let error) = await task.result else {
        Issue.record("a cancelled write was carried out")
        continue
      }
      #expect(error is CancellationError)
    }
    // The other process still writes: they have ended without it. A limit holds for tasks, too.
    do {
      try await store.write(timeout: .milliseconds(50)) { txn in txn[value] = -2 }
      Issue.record("a write while another process writes")
    } catch let error as StoreError {
      #expect(error.code == .writerBusy && error.processID == Int(worker.pid))
    }
    finish(worker)
    try await store.write { txn in txn[value] += 1 }
    #expect(try value.get() == 100)
    // Cancelled before it began.
    let early = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await store.write { txn in txn[value] = -3 }
    }
    guard case .failure(let error) = await early.result else {
      Issue.record("a write of a cancelled task")
      return
    }
    #expect(error is CancellationError)
    #expect(try value.get() == 100)
  }

  private func finish(_ worker: Program) { worker.finish() }
}
