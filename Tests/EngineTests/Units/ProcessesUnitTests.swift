#if DEBUG
  import CTestShims
  import Foundation
  import Synchronization
  import TestSupport
  import Testing
  import _LMDBShareSystem

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct GuardedUnitTests {
    private final class Shared: Sendable {
      let numbers = Guarded<[Int]>([])
    }

    private struct Failure: Error, Equatable {}

    @Test func oneThreadAtATimeHasTheValue() {
      let (shared, inside, faults) = (Shared(), Counter(), Counter())
      inThreads(4) { thread in
        for round in 0..<1000 {
          shared.numbers.withLock { numbers in
            if inside.add(1) != 1 { faults.add(1) }
            numbers.append(thread * 1000 + round)
            inside.add(-1)
          }
        }
      }
      #expect(faults.value == 0)
      let numbers = shared.numbers.withLock { $0 }
      #expect(numbers.sorted() == Array(0..<4000))
      // Each thread's in its order.
      for thread in 0..<4 {
        #expect(numbers.filter { $0 / 1000 == thread } == Array(thread * 1000..<(thread + 1) * 1000))
      }
    }

    @Test func anErrorIsPassedOnAndReleasesTheLock() {
      let shared = Shared()
      #expect(throws: Failure()) {
        try shared.numbers.withLock { numbers throws(Failure) in
          numbers.append(1)
          throw Failure()
        }
      }
      #expect(shared.numbers.withLock { $0 } == [1])
    }
  }

  @Suite(.timeLimit(.minutes(5)))
  struct NativeThreadUnitTests {
    private final class Token: Sendable {}

    @Test func runsOnAnotherThreadUntilItIsJoined() throws {
      let (ran, here) = (Counter(), lms_thread_id())
      for _ in 0..<20 {
        let thread = try #require(
          NativeThread.start {
            sched_yield()
            if lms_thread_id() != here { ran.add(1) }
          })
        #expect(thread != here)
        lms_thread_join(thread)
      }
      #expect(ran.value == 20)
    }

    /// Signals are for the program's own threads.
    @Test func itsThreadBlocksSignals() throws {
      let blocked = Counter()
      let thread = try #require(
        NativeThread.start {
          var mask = sigset_t()
          pthread_sigmask(SIG_BLOCK, nil, &mask)
          for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD] { blocked.add(Int(sigismember(&mask, signal))) }
        })
      lms_thread_join(thread)
      #expect(blocked.value == 5)
    }

    @Test func whatTheBodyHoldsIsReleased() throws {
      weak var token: Token?
      do {
        let strong = Token()
        token = strong
        let thread = try #require(NativeThread.start { withExtendedLifetime(strong) {} })
        lms_thread_join(thread)
      }
      #expect(token == nil)
    }

    @Test func aDetachedThreadRunsToo() throws {
      let ran = DispatchSemaphore(value: 0)
      for _ in 0..<5 { try NativeThread.detached("test") { ran.signal() } }
      for _ in 0..<5 { #expect(ran.wait(timeout: .now() + 60) == .success) }
      let error = NativeThread.noMore("wait")
      #expect(error.code == .resourceLimit && error.operation == "wait" && !error.advice.isEmpty)
    }
  }
#endif
