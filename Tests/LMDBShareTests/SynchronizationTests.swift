import Foundation
import LMDBShare
import TestSupport
import Testing

/// Locks, semaphores, events and barriers, with processes that die.
@Suite(.timeLimit(.minutes(20)))
struct SynchronizationTests {
  // MARK: Locks

  @Test func aLockIsHeldByOneProcessAtATime() throws {
    let test = try TestStore()
    let file = URL(fileURLWithPath: test.path + "-count")
    try "0".write(to: file, atomically: true, encoding: .utf8)
    let workers = try (0..<4).map { _ in try Program("TestWorker", ["lock-and-count", test.path, "500"]) }
    for worker in workers { #expect(worker.finish().status == 0) }
    #expect(try String(contentsOf: file, encoding: .utf8) == "2000")
  }

  /// Each acquisition has a greater number than all earlier ones, whichever process makes it, and whatever happens to the
  /// processes and to the file in which it is recorded.
  @Test func tokensOfLocksOnlyGrow() throws {
    let test = try TestStore()
    let lock = try test.store.lock("lock", reentrant: true)
    var last: UInt64 = 0
    func check(_ token: UInt64?) throws {
      let token = try #require(token)
      #expect(token > last)
      last = token
    }
    for _ in 0..<100 { try check(lock.withLock { $0.token }) }
    try lock.withLock { outer in
      try check(outer.token)
      #expect(try lock.withLock { $0.token } == outer.token)
    }
    for isKilled in [false, true, false] {
      let worker = try Program("TestWorker", ["lock-and-stop", test.path])
      #expect(worker.line() == "acquired false")
      try check(worker.line().flatMap { UInt64($0) })
      if isKilled { worker.signal(SIGKILL) } else { worker.release() }
      worker.finish()
      let acquired = try lock.acquire(timeout: .seconds(20))
      #expect(acquired?.previousOwnerDied == isKilled)
      try check(acquired?.token)
      try lock.release()
    }
    // Another file of owners: a copy of the store has none.
    try test.store.backup(to: test.directory.file("copy"))
    let copy = try SharedStore(path: test.directory.file("copy"))
    try check(copy.lock("lock").withLock { $0.token })
    #expect(try copy.lock("other").withLock { $0.token } > 0)
  }

  @Test func theLockOfADeadProcessPassesOnAtOnce() throws {
    let test = try TestStore()
    let lock = try test.store.lock("lock")
    var taken: [Duration] = []
    for _ in 0..<5 {
      let worker = try Program("TestWorker", ["lock-and-stop", test.path])
      #expect(worker.line() == "acquired false")
      #expect(lock.holder == Int(worker.pid))
      #expect(try lock.tryAcquire() == nil && lock.acquire(timeout: .milliseconds(10)) == nil)
      let error = #expect(throws: StoreError.self) { try lock.withLock(timeout: .zero) { _ in } }
      #expect(error?.code == .timedOut && error?.processID == Int(worker.pid))
      // A stopped process keeps it.
      worker.signal(SIGSTOP)
      #expect(try lock.acquire(timeout: .milliseconds(50)) == nil)
      let killed = Locked(ContinuousClock.now)
      try test.whenAWaiterIsThere {
        killed.withLock { $0 = .now }
        worker.signal(SIGKILL)
      }
      #expect(try lock.acquire(timeout: .seconds(20))?.previousOwnerDied == true)
      taken.append(killed.withLock { $0 }.duration(to: .now))
      try lock.release()
      worker.finish()
      #expect(try lock.withLock { $0.previousOwnerDied } == false)
    }
    #expect(taken.sorted()[2] < .milliseconds(40), "\(taken)")
    // A process that releases it leaves no trace.
    let worker = try Program("TestWorker", ["lock-and-stop", test.path])
    #expect(worker.line() == "acquired false")
    #expect(lock.holder == Int(worker.pid))
    worker.release()
    #expect(try lock.acquire(timeout: .seconds(20))?.previousOwnerDied == false)
    #expect(worker.finish().status == 0)
    try lock.release()
    #expect(lock.holder == nil)
  }

  @Test func tasksOfOneProcessExcludeEachOther() async throws {
    let test = try TestStore()
    let lock = try await test.store.lock("lock")
    nonisolated(unsafe) var counter = 0
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask {
          for _ in 0..<5 {
            try await lock.withLock { _ in
              let before = counter
              await Task.yield()
              counter = before + 1
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(counter == 500)
    // A task that waits can be cancelled.
    try await lock.withLock { _ in
      let waiting = Task.immediate { try await lock.acquire() }
      waiting.cancel()
      guard case .failure(let error) = await waiting.result else {
        Issue.record("a lock that was not free")
        return
      }
      #expect(error is CancellationError)
    }
    #expect(try lock.tryAcquire() != nil)
    try lock.release()
  }

  @Test func misuseOfALockIsTold() throws {
    let test = try TestStore()
    let lock = try test.store.lock("lock")
    #expect(code { try lock.release() } == .notHeld)
    #expect(code { try lock.withLock { _ in try lock.withLock { _ in } } } == .deadlock)
    #expect(code { try lock.withLock { _ in _ = try lock.tryAcquire() } } == .deadlock)
    #expect(throws: Undo.self) { try lock.withLock { _ in throw Undo() } }
    let reentrant = try test.store.lock("lock", reentrant: true)
    try reentrant.withLock { _ in
      try reentrant.withLock { _ in #expect(reentrant.holder == Int(getpid())) }
      // It is still held.
      let end = DispatchSemaphore(value: 0)
      Thread.detachNewThread {
        #expect((try? reentrant.tryAcquire()) == .some(nil))
        end.signal()
      }
      end.wait()
    }
    #expect(code { try reentrant.release() } == .notHeld)
    #expect(code { _ = try test.store.event("lock") } == .typeMismatch)
    try test.store.remove("lock")
    #expect(code { _ = try lock.tryAcquire() } == .structureRemoved)
  }

  @Test func theOwnersFileMustStayWhereItIs() throws {
    let test = try TestStore()
    let (lock, value) = (try test.store.lock("lock"), try test.store.value("value", initial: 0))
    // The holder of the lock can still release it.
    try lock.withLock { _ in try FileManager.default.removeItem(atPath: test.path + "/owners") }
    #expect(code { try lock.release() } == .notHeld)
    #expect(code { _ = try lock.tryAcquire() } == .replaced)
    #expect(code { try value.set(1) } == .replaced)
  }

  // MARK: Semaphores

  @Test func permitsAreNeverMoreThanThereAre() throws {
    let test = try TestStore()
    let workers = try (0..<6).map { _ in try Program("TestWorker", ["permits", test.path, "60"]) }
    for worker in workers { #expect(worker.finish().status == 0) }
    #expect(try test.store.value("most", initial: 0).get() <= 3)
    #expect(try test.store.value("most", initial: 0).get() > 1)
    #expect(try test.store.semaphore("semaphore", permits: 3).available == 3)
    #expect(code { _ = try test.store.semaphore("semaphore", permits: 4) } == .typeMismatch)
    #expect(code { _ = try test.store.semaphore("none", permits: 0) } == .outOfRange)
  }

  @Test func thePermitsOfADeadProcessComeBack() throws {
    let test = try TestStore()
    let semaphore = try test.store.semaphore("semaphore", permits: 3)
    let worker = try Program("TestWorker", ["permit-and-stop", test.path])
    #expect(worker.line() == "true")
    let permits = try [semaphore.acquire(), semaphore.acquire()].compactMap { $0 }
    #expect(try permits.count == 2 && semaphore.available == 0 && semaphore.tryAcquire() == nil)
    #expect(try semaphore.acquire(timeout: .milliseconds(30)) == nil)
    worker.signal(SIGKILL)
    #expect(try semaphore.acquire(timeout: .seconds(20)) != nil)
    try semaphore.release(permits[0])
    #expect(try semaphore.available == 1)
    #expect(code { try semaphore.release(permits[0]) } == .notHeld)
    // Nor does it release what another process has acquired in its place.
    let others = try (0..<1).compactMap { _ in try semaphore.acquire() }
    #expect(try others.count == 1 && semaphore.available == 0)
    #expect(code { try semaphore.release(permits[0]) } == .notHeld)
    #expect(try semaphore.available == 0)
    worker.finish()
  }

  @Test func tasksShareTheProcessesPermits() async throws {
    let test = try TestStore()
    let semaphore = try await test.store.semaphore("semaphore", permits: 2)
    let out = Gauge()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<50 {
        group.addTask {
          try await semaphore.withPermit {
            out.change(1)
            await Task.yield()
            out.change(-1)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(out.counts.withLock { $0[0] == 0 && $0[1] <= 2 })
  }

  /// The present number, and the maximum so far.
  private final class Gauge: Sendable {
    let counts = Locked([0, 0])
    func change(_ by: Int) { counts.withLock { $0 = [$0[0] + by, max($0[1], $0[0] + by)] } }
  }

  // MARK: Events

  @Test func anEventIsSetByAnotherProcess() async throws {
    let test = try TestStore(StoreOptions())
    let event = try await test.store.event("event")
    #expect(try await event.wait(timeout: .milliseconds(10)) == false)
    let waiting = Task { try await event.wait(timeout: .seconds(60)) }
    #expect(try Program.run("TestWorker", "set-event", test.path).status == 0)
    #expect(try await waiting.value && event.isSet)
    try await event.clear()
    try await test.store.write { txn in txn.set(event) }
    #expect(try test.store.read { $0.isSet(event) })
  }

  // MARK: Barriers

  @Test func aBarrierHoldsUntilAllHaveCome() throws {
    let test = try TestStore()
    let workers = try (0..<4).map { _ in try Program("TestWorker", ["barrier", test.path, "50"]) }
    for worker in workers {
      let result = worker.finish()
      #expect(result.status == 0 && result.output.hasSuffix("passed\n"), "\(result)")
    }
  }

  @Test func aDeadPartyBreaksTheBarrier() throws {
    let test = try TestStore()
    let barrier = try test.store.barrier("barrier", parties: 4)
    let workers = try (0..<3).map { _ in try Program("TestWorker", ["barrier", test.path]) }
    for worker in workers { #expect(worker.line() == "ready") }
    #expect(try test.store.waitUntil(timeout: .seconds(20)) { _ in try barrier.waiting == 3 })
    let killed = ContinuousClock.now
    workers[0].signal(SIGKILL)
    for worker in workers.dropFirst() { #expect(worker.line() == "barrierBroken") }
    // Long before their own time limit.
    #expect(killed.duration(to: .now) < .seconds(30))
    for worker in workers { worker.finish() }
    #expect(try barrier.isBroken)
    #expect(code { try barrier.wait(timeout: .seconds(60)) } == .barrierBroken)
    try barrier.reset()
    #expect(try !barrier.isBroken && barrier.waiting == 0)
  }

  @Test func whoGivesUpBreaksTheBarrier() async throws {
    let test = try TestStore()
    let barrier = try await test.store.barrier("barrier", parties: 2)
    let error = await #expect(throws: StoreError.self) { try await barrier.wait(timeout: .milliseconds(10)) }
    #expect(error?.code == .barrierBroken)
    try await barrier.reset()
    let waiting = Task { try await barrier.wait(timeout: .seconds(60)) }
    #expect(try await eventually { try barrier.waiting > 0 })
    waiting.cancel()
    guard case .failure(let cancelled) = await waiting.result else {
      Issue.record("half a barrier has opened")
      return
    }
    #expect(try cancelled is CancellationError && barrier.isBroken)
    try await barrier.reset()
    let first = Task { try await barrier.wait(timeout: .seconds(60)) }
    let second = Task { try await barrier.wait(timeout: .seconds(60)) }
    #expect(try await [first.value, second.value].sorted() == [0, 1])
    // Waiters get an error when it is reset, even if it is reset again before they check.
    let third = Task { try await barrier.wait(timeout: .seconds(60)) }
    #expect(try await eventually { try barrier.waiting > 0 })
    try await barrier.reset()
    try await barrier.reset()
    await #expect(throws: StoreError.self) { try await third.value }
  }
}
