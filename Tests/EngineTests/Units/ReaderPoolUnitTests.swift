#if DEBUG
  import Foundation
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct ReaderPoolUnitTests {
    @Test(arguments: [1, 2, 5, 127, 128, 129, 300])
    func eachSlotIsTakenOnce(capacity: Int) throws {
      let pool = ReaderPool(capacity: capacity)
      var slots = try (0..<capacity).map { _ in try pool.acquire() }
      #expect(slots.sorted() == Array(0..<capacity))
      #expect(errorCode { _ = try pool.acquire() } == .readersFull)
      // The one that is given back is taken next, wherever it is.
      for _ in 0..<10 {
        let slot = slots.remove(at: slots.count / 2)
        pool.release(slot)
        #expect(try pool.acquire() == slot)
        slots.append(slot)
      }
      #expect(errorCode { _ = try pool.acquire() } == .readersFull)
    }

    @Test func aThreadGetsTheSlotThatItHadBefore() throws {
      let pool = ReaderPool(capacity: 1000)
      let slot = try pool.acquire()
      pool.release(slot)
      for _ in 0..<100 {
        #expect(try pool.acquire() == slot)
        pool.release(slot)
      }
      // The table of all processes keeps only some places for a process with many threads.
      let high = Counter()
      for _ in 0..<300 {
        inThreads(1) { _ in
          guard let slot = try? pool.acquire() else { return }
          if slot >= 128 { high.add(1) }
          pool.release(slot)
        }
      }
      #expect(high.value == 0)
    }

    @Test func aPoolInUseCannotBeClosed() throws {
      let pool = ReaderPool(capacity: 3)
      let slot = try pool.acquire()
      #expect(!pool.close(for: .milliseconds(2)))
      // It is open again.
      pool.release(try pool.acquire())
      pool.release(slot)
      try pool.enter()
      #expect(!pool.close(for: .milliseconds(2)))
      pool.leave()
      #expect(pool.close(for: .zero))
      // By one thread at a time.
      #expect(!pool.close(for: .seconds(60)))
      pool.open()
      #expect(pool.close(for: .zero))
    }

    @Test func closingWaitsForTheLastReader() throws {
      let pool = ReaderPool(capacity: 3)
      let slot = try pool.acquire()
      try pool.enter()
      let (isFree, closedEarly) = (Counter(), Counter())
      inThreads(2) { thread in
        if thread == 0 {
          if !pool.close(for: .seconds(120)) || isFree.value == 0 { closedEarly.add(1) }
          return
        }
        pool.release(slot)
        isFree.add(1)
        pool.leave()
      }
      #expect(closedEarly.value == 0)
    }

    @Test func readersWaitWhileThePoolIsClosed() throws {
      let pool = ReaderPool(capacity: 3)
      #expect(pool.close(for: .zero))
      let (isOpen, early, got) = (Counter(), Counter(), Counter())
      inThreads(3) { thread in
        switch thread {
        case 0:
          isOpen.add(1)
          pool.open()
        case 1:
          guard let slot = try? pool.acquire() else { return }
          got.add(1)
          if isOpen.value == 0 { early.add(1) }
          pool.release(slot)
        default:
          guard (try? pool.enter()) != nil else { return }
          got.add(1)
          if isOpen.value == 0 { early.add(1) }
          pool.leave()
        }
      }
      #expect(early.value == 0 && got.value == 2 && pool.close(for: .zero))
    }

    @Test func aPoolThatWasShutDownHasNoReaders() throws {
      let pool = ReaderPool(capacity: 3)
      #expect(pool.close(for: .zero))
      pool.shutDown()
      #expect(throws: ReaderPool.noEnvironment) { try pool.acquire() }
      #expect(throws: ReaderPool.noEnvironment) { try pool.enter() }
      pool.open()
      pool.release(try pool.acquire())
      // Those that were refused left nothing behind.
      #expect(pool.close(for: .zero))
    }

    /// Each slot has one holder, and none while the pool is closed.
    @Test func readersAndMovesExcludeEachOther() {
      let pool = ReaderPool(capacity: 64)
      let holders = (0..<64).map { _ in Counter() }
      let (reading, faults, closings, left) = (Counter(), Counter(), Counter(), Counter())
      left.add(4)
      inThreads(5) { thread in
        if thread == 4 {
          while left.value > 0 {
            guard pool.close(for: .seconds(60)) else {
              faults.add(1)
              return
            }
            closings.add(1)
            if reading.value != 0 { faults.add(1) }
            pool.open()
            sched_yield()
          }
          return
        }
        var round = 0
        // Until the pool was closed often enough.
        while round < 3000 || closings.value < 20 && faults.value == 0 {
          round += 1
          if round % 10 == 0 {
            if (try? pool.enter()) == nil { faults.add(1) }
            reading.add(1)
            reading.add(-1)
            pool.leave()
            continue
          }
          guard let slot = try? pool.acquire() else {
            faults.add(1)
            continue
          }
          reading.add(1)
          if holders[slot].add(1) != 1 { faults.add(1) }
          holders[slot].add(-1)
          reading.add(-1)
          pool.release(slot)
        }
        left.add(-1)
      }
      #expect(faults.value == 0 && closings.value >= 20)
    }
  }
#endif
