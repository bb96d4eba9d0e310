#if DEBUG
  import Foundation
  import TestSupport
  import Testing

  @testable import LMDBShare

  /// Two objects of the same file stand for two processes.
  @Suite(.timeLimit(.minutes(5)))
  struct LineUnitTests {
    private let directory = TemporaryDirectory()
    private let one: Owners
    private let other: Owners
    private let lock: UInt64 = 0xABCDE
    private var past: ContinuousClock.Instant { .now - .seconds(1) }
    private var far: ContinuousClock.Instant { .now + .seconds(120) }

    init() throws {
      one = try #require(Owners(directory: try directory.forStore()))
      other = try #require(Owners(directory: try directory.forStore()))
    }

    // MARK: Within a process

    /// Joining and leaving in any order, against an array.
    @Test func theFirstWaiterIsTheFirstThatCame() {
      var random = SeededGenerator("LineUnitTests.theFirstWaiterIsTheFirstThatCame")
      var lines: [[Turn]] = [[], [], []]
      for _ in 0..<SeededGenerator.operations(2000) {
        let line = Int.random(in: 0..<3, using: &random)
        if Bool.random(using: &random), lines[line].count < 8 {
          lines[line].append(one.join(UInt64(line)))
        } else if let place = lines[line].indices.randomElement(using: &random) {
          let turn = lines[line].remove(at: place)
          one.leave(UInt64(line), turn, isServed: Bool.random(using: &random))
        }
        for line in lines { #expect(line.map(\.isFirst) == line.indices.map { $0 == 0 }) }
      }
    }

    @Test func aThreadWaitsUntilItIsFirst() {
      let (first, second) = (one.join(lock), one.join(lock))
      #expect(first.comes(until: past) && first.comes(until: far))
      #expect(!second.comes(until: past) && !second.comes(until: .now + .milliseconds(5)))
      let (one, lock, far) = (one, lock, far)
      let came = Counter()
      inThreads(2) { thread in
        if thread == 0 { return one.leave(lock, first, isServed: false) }
        if second.comes(until: far) { came.add(1) }
      }
      #expect(came.value == 1 && second.isFirst)
    }

    @Test func aTaskWaitsUntilItIsFirst() async throws {
      let (first, second) = (one.join(lock), one.join(lock))
      #expect(try await first.comes(until: nil))
      #expect(try await !second.comes(until: past))
      #expect(try await !second.comes(until: .now + .milliseconds(5)))
      #expect(!second.isFirst)
      let waiting = Task { try await second.comes(until: nil) }
      one.leave(lock, first, isServed: false)
      #expect(try await waiting.value && second.isFirst)
    }

    @Test func aCancelledTaskStopsWaiting() async throws {
      let (first, second) = (one.join(lock), one.join(lock))
      let waiting = Task { try await second.comes(until: nil) }
      waiting.cancel()
      await #expect(throws: CancellationError.self) { try await waiting.value }
      // It stays in the line until it leaves.
      let again = Task { try await second.comes(until: nil) }
      one.leave(lock, first, isServed: false)
      #expect(try await again.value && second.isFirst)
      one.leave(lock, second, isServed: false)
      #expect(one.join(lock).isFirst)
    }

    @Test func emptyLinesAreNotKept() {
      for structure in 0..<500 as Range<UInt64> {
        one.leave(structure, one.join(structure), isServed: true)
      }
      #expect(one.locks.withLock { $0.lines.count } <= 64)
      // Those with waiters are.
      let turns = (0..<200).map { one.join(1000 + UInt64($0)) }
      #expect(turns.allSatisfy { $0.isFirst })
      #expect((0..<200).allSatisfy { structure in one.locks.withLock { $0.lines[1000 + structure] != nil } })
    }

    // MARK: Among processes

    @Test func anEarlierArrivalOfAnotherProcessIsSeen() {
      let early = one.join(lock, at: 1000)
      let late = other.join(lock, at: 2000)
      #expect(other.arrival(before: late, lock) == 1000 && one.arrival(before: early, lock) == nil)
      // Only the first one is shown, and only for its own structure.
      let later = one.join(lock, at: 1500)
      let elsewhere = other.join(lock + 1, at: 3000)
      #expect(other.arrival(before: elsewhere, lock + 1) == nil)
      one.leave(lock, early, isServed: false)
      #expect(other.arrival(before: late, lock) == 1500)
      one.leave(lock, later, isServed: false)
      #expect(other.arrival(before: late, lock) == nil)
    }

    @Test func aProcessThatEndsLeavesItsLines() throws {
      var third = Owners(directory: try directory.forStore())
      var turn: Turn? = third?.join(lock, at: 1000)
      let late = other.join(lock, at: 2000)
      #expect(other.arrival(before: late, lock) == 1000)
      withExtendedLifetime(turn) {}
      (turn, third) = (nil, nil)
      #expect(other.arrival(before: late, lock) == nil)
    }

    /// The clock wraps around after 2^40 microseconds.
    @Test(arguments: [(0, 1), (1 << 40 - 1, 0), (1 << 40 - 5, 3), (7, 1 << 39), (5, 1 << 39)] as [(UInt64, UInt64)])
    func theEarlierOfTwoArrivalsIsLessThanHalfOfTheClockAgo(early: UInt64, late: UInt64) {
      let first = one.join(lock, at: early)
      let second = other.join(lock, at: late)
      #expect(other.arrival(before: second, lock) == early)
      #expect(one.arrival(before: first, lock) == nil)
    }

    /// Of those that arrive in the same microsecond one is first, and all have an order.
    @Test(arguments: [500, 1 << 40 - 2] as [UInt64])
    func arrivalsAtTheSameTimeHaveAnOrder(time: UInt64) throws {
      let third = try #require(Owners(directory: try directory.forStore()))
      let processes = [one, other, third]
      let turns = processes.map { $0.join(lock, at: time) }
      #expect(turns.map(\.arrival) == (0..<3).map { (time + $0) & (1 << 40 - 1) })
      #expect(one.arrival(before: turns[0], lock) == nil)
      #expect(other.arrival(before: turns[1], lock) == time)
      one.leave(lock, turns[0], isServed: false)
      #expect(third.arrival(before: turns[2], lock) == turns[1].arrival)
      #expect(other.arrival(before: turns[1], lock) == nil)
    }

    @Test func anArrivalThatIsPassedOverComesBack() {
      let early = one.join(lock, at: 1000)
      let late = other.join(lock, at: 2000)
      let start = ContinuousClock.now
      other.passOver(1000, lock)
      let seen = other.arrival(before: late, lock)
      // On a machine that stands still for that long it is back.
      #expect(seen == nil || start.duration(to: .now) >= .milliseconds(100))
      #expect(eventually { other.arrival(before: late, lock) == 1000 })
      #expect(start.duration(to: .now) >= .milliseconds(100))
      withExtendedLifetime(early) {}
    }

    /// Only those up to the arrival are passed over.
    @Test func laterArrivalsAreNotPassedOver() throws {
      let third = try #require(Owners(directory: try directory.forStore()))
      let turns = [one.join(lock, at: 1000), third.join(lock, at: 1500), other.join(lock, at: 2000)]
      other.passOver(1000, lock)
      #expect([1000, 1500].contains(other.arrival(before: turns[2], lock)))
      one.leave(lock, turns[0], isServed: false)
      #expect(other.arrival(before: turns[2], lock) == 1500)
    }

    @Test func withoutWaitersAnArrivalGoesFirst() {
      var mayOthersWait = true
      #expect(one.mayGoFirst(lock, &mayOthersWait) && !mayOthersWait)
      let waiter = other.join(lock)
      // It arrived now, at the latest a microsecond ago.
      mayOthersWait = true
      #expect(eventually { !one.mayGoFirst(lock, &mayOthersWait) })
      #expect(mayOthersWait)
      // What is not asked is not looked for.
      mayOthersWait = false
      #expect(one.mayGoFirst(lock, &mayOthersWait))
      // The process in which it waits does not overtake it.
      #expect(!other.mayGoFirst(lock, &mayOthersWait))
      other.leave(lock, waiter, isServed: false)
      mayOthersWait = true
      #expect(one.mayGoFirst(lock, &mayOthersWait) && !mayOthersWait)
    }

    @Test func theTurnOfAProcessEnds() {
      let (mine, next) = (one.join(lock), one.join(lock))
      one.leave(lock, mine, isServed: true)
      var mayOthersWait = true
      #expect(eventually { !one.mayGoFirst(lock, &mayOthersWait) })
      one.leave(lock, next, isServed: false)
    }

    @Test func durationsAsSecondsHaveBounds() {
      #expect(Duration.milliseconds(1500).seconds == 1.5 && Duration.seconds(-3).seconds == 0)
      #expect(Duration.seconds(Int64.max).seconds == Double(1 << 30))
    }
  }
#endif
