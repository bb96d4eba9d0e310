import Foundation
import LMDBShare
import TestSupport
import Testing

/// Worker processes and pools of them.
@Suite(.timeLimit(.minutes(20)))
struct WorkerTests {
  let test: TestStore
  let executable = Program.directory.appendingPathComponent("TestWorker").path

  init() throws { test = try TestStore() }

  private func worker(_ role: String, _ arguments: String...) throws -> WorkerProcess {
    try WorkerProcess(role: role, store: test.store, arguments: arguments, executable: executable)
  }

  @Test func aWorkerTellsHowItEnded() async throws {
    #expect(try await worker("exit", "0").wait() == .exited(0))
    #expect(try await worker("exit", "7").wait() == .exited(7))
    let sleeper = try worker("sleep")
    #expect(sleeper.isRunning && sleeper.termination == nil)
    sleeper.kill()
    #expect(try await sleeper.wait() == .signaled(9))
    // No other process is affected.
    sleeper.kill()
    let waiting = Task.immediate { try await worker("sleep").wait() }
    waiting.cancel()
    guard case .failure(let error) = await waiting.result else {
      Issue.record("a sleeper that ended")
      return
    }
    #expect(error is CancellationError)
    #expect(throws: StoreError.self) {
      try WorkerProcess(role: "", store: test.store, executable: "/nowhere/at/all")
    }
    #expect(throws: StoreError.self) { try worker("exit", "a\0b") }
  }

  @Test func itWorksOnTheSameStore() throws {
    _ = try test.store.value("value", initial: 0)
    let workers = try (0..<3).map { _ in try worker("add", "500") }
    for worker in workers { #expect(worker.wait().isSuccess) }
    #expect(try test.store.value("value", initial: 0).get() == 1500)
    let sleeper = try worker("sleep")
    #expect(sleeper.wait(timeout: .milliseconds(50)) == nil)
    sleeper.signal()
    #expect(sleeper.wait(timeout: .seconds(20)) == .signaled(Int(SIGTERM)))
  }

  #if os(Linux)
    @Test func aWorkerHasNoneOfTheStartersFiles() throws {
      let leaks = try test.store.value("leaks", initial: -1)
      // Not closed on exec.
      let file = open(test.directory.file("leak"), O_RDWR | O_CREAT, 0o600)
      defer { close(file) }
      #expect(file > 2)
      #expect(try worker("look-for-file").wait().isSuccess)
      #expect(try leaks.get() == 0)
    }

    @Test func aWorkerHasOneThread() throws {
      let threads = try test.store.value("threads", initial: -1)
      #expect(try worker("count-threads").wait().isSuccess)
      #expect(try threads.get() == 1)
    }
  #endif

  @Test func aWorkerEndsAlsoWhenItsStarterWasFaster() throws {
    #expect(try worker("end-after-its-starter").wait(timeout: .seconds(20)) == .signaled(Int(SIGTERM)))
  }

  @Test func aWorkerEndsWithItsStarter() throws {
    let starter = try Program("TestWorker", ["start-sleeper", test.path])
    let sleeper = try #require(starter.line().flatMap { pid_t($0) })
    #expect(kill(sleeper, 0) == 0)
    starter.signal(SIGKILL)
    starter.finish()
    let isGone = eventually {
      // Or a zombie that has not been waited for.
      let status = (try? String(contentsOfFile: "/proc/\(sleeper)/stat", encoding: .utf8)) ?? ""
      return kill(sleeper, 0) != 0 || status.contains(") Z ")
    }
    #expect(isGone)
  }

  @Test func aPoolReplacesTheDead() throws {
    let queue = try test.store.queue("jobs", of: Int.self)
    let done = try test.store.list("done", of: Int.self)
    try queue.push(contentsOf: 0..<500)
    // Each worker dies from time to time.
    let pool = try WorkerPool(
      3, role: "work", store: test.store, arguments: ["400"], executable: executable, maximumEarlyDeaths: nil)
    try queue.close()
    try pool.wait()
    #expect(try done.read { $0.sorted() } == Array(0..<500))
    #expect(pool.restarts > 0 && pool.failures.allSatisfy { $0 == .signaled(9) } && pool.workers.isEmpty)
  }

  @Test func aPoolGivesUpWhenToldTo() throws {
    let pool = try WorkerPool(
      2, role: "exit", store: test.store, arguments: ["3"], executable: executable, maximumRestarts: 3)
    #expect(code { try pool.wait() } == .workersDied)
    #expect(pool.restarts == 3 && pool.failures.count == 5)
    let sleepers = try WorkerPool(2, role: "sleep", store: test.store, executable: executable)
    #expect(sleepers.workers.count == 2)
    sleepers.stop()
    try sleepers.wait()
    #expect(sleepers.restarts == 0)
  }

  @Test func aPoolWhoseWorkersDieAtOnceGivesUpAndSaysWhy() async throws {
    let pool = try WorkerPool(2, role: "exit", store: test.store, arguments: ["3"], executable: executable)
    let error = await #expect(throws: StoreError.self) { try await pool.wait() }
    #expect(error?.code == .workersDied && error?.reason.contains("exited(3)") == true, "\(error as Any)")
    #expect(pool.error == error && pool.workers.isEmpty && 5...10 ~= pool.failures.count)
    // The live ones do not keep it open.
    let mixed = try WorkerPool(
      2, role: "exit-or-sleep", store: test.store, executable: executable, maximumEarlyDeaths: 2)
    await #expect(throws: StoreError.self) { try await mixed.wait() }
    #expect(mixed.workers.isEmpty)
  }

  @Test func aProgramThatNeverLooksDoesNotStartItselfWithoutEnd() throws {
    let program = try Program("TestWorker", ["start-unaware", test.path])
    // Its worker is the same program, which tries the same.
    #expect(program.line() == "worker: workerRecursion")
    #expect(program.finish().output == "exited(9)\n")
  }

  @Test func workersOfWorkersStartNoMore() throws {
    let levels = try test.store.list("levels", of: String.self)
    #expect(try worker("start-below").wait(timeout: .seconds(60)) == .exited(0))
    #expect(try levels.read { $0.sorted() } == ["started", "workerRecursion"])
  }

  @Test func stoppingLeavesTimeToEnd() async throws {
    let ended = try await test.store.list("ended", of: Int.self)
    let pool = try WorkerPool(2, role: "end-slowly", store: test.store, executable: executable)
    #expect(try await test.store.waitUntil(timeout: .seconds(60), watching: [ended]) { $0[ended].count == 2 })
    // It takes them longer than a second.
    pool.stop()
    try await pool.wait()
    #expect(try ended.count == 4 && pool.failures.isEmpty)
    let stubborn = try WorkerPool(1, role: "ignore-signals", store: test.store, executable: executable)
    #expect(try await test.store.waitUntil(timeout: .seconds(60), watching: [ended]) { $0[ended].count == 5 })
    stubborn.stop(grace: .milliseconds(100))
    try await stubborn.wait()
    #expect(stubborn.failures == [.signaled(9)])
  }

  @Test func drainedWorkersEndByThemselves() async throws {
    let queue = try await test.store.queue("jobs", of: Int.self)
    let done = try await test.store.list("done", of: Int.self)
    try await queue.push(contentsOf: 0..<50)
    let pool = try WorkerPool(2, role: "work", store: test.store, arguments: ["0"], executable: executable)
    try await queue.close()
    #expect(try await pool.drain(timeout: .seconds(60)))
    #expect(try done.read { $0.sorted() } == Array(0..<50) && pool.failures.isEmpty)
    let sleepers = try WorkerPool(2, role: "sleep", store: test.store, executable: executable)
    #expect(try await !sleepers.drain(timeout: .milliseconds(50)))
    #expect(sleepers.failures == [.signaled(Int(SIGTERM)), .signaled(Int(SIGTERM))])
  }

  /// Its work may be unfinished.
  @Test func aDrainTellsOfWorkersThatDie() async throws {
    let pool = try WorkerPool(2, role: "sleep", store: test.store, executable: executable)
    async let isDrained = pool.drain(timeout: .seconds(20))
    #expect(try await eventually { pool.isEnding })
    for worker in pool.workers { worker.kill() }
    #expect(try await !isDrained)
    #expect(pool.failures == [.signaled(9), .signaled(9)] && pool.restarts == 0)
  }

  @Test func aWorkerThatCannotBeStartedIsTriedAgain() async throws {
    let link = test.directory.file("program")
    let target = executable
    func show() throws { try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target) }
    try show()
    let pool = try WorkerPool(
      1, role: "sleep", store: test.store, executable: link, maximumEarlyDeaths: nil, earlyDeath: .zero)
    unlink(link)
    pool.workers.first?.kill()
    _ = try await eventually { !pool.startErrors.isEmpty }
    #expect(pool.startErrors.first?.code == .storeNotFound && pool.error == nil, "\(pool.startErrors)")
    try show()
    _ = try await eventually { !pool.workers.isEmpty }
    #expect(pool.workers.count == 1)
    pool.stop(grace: .zero)
    try await pool.wait()
    // Not endlessly, unless requested.
    let other = try WorkerPool(
      2, role: "sleep", store: test.store, executable: link, maximumEarlyDeaths: 3, earlyDeath: .zero)
    unlink(link)
    other.workers.first?.kill()
    let error = await #expect(throws: StoreError.self) { try await other.wait() }
    #expect(error == other.startErrors.last && other.startErrors.count == 3 && other.workers.isEmpty)
  }
}
