#if DEBUG
  import Foundation
  import Synchronization
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct CommitLogUnitTests {
    /// The memory of a log, and its words.
    private final class Memory: @unchecked Sendable {
      // Why unchecked: threads share the log as processes do.
      let start = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 64)
      var log: CommitLog { CommitLog(start) }

      init() { start.initializeMemory(as: UInt8.self, repeating: 0, count: 4096) }
      deinit { start.deallocate() }

      /// A word of the entry of a transaction: its number, time, channels or stamp.
      subscript(_ transaction: Int, _ word: Int) -> UInt64 {
        get { start.load(fromByteOffset: transaction % 128 * 32 + 8 * word, as: UInt64.self) }
        set { start.storeBytes(of: newValue, toByteOffset: transaction % 128 * 32 + 8 * word, as: UInt64.self) }
      }
    }

    private let memory = Memory()
    private var log: CommitLog { memory.log }
    private var now: UInt64 { microsecondsSince1970() * 1000 }

    // MARK: Channels

    /// Any commits, some of which are missing, against a dictionary.
    @Test func knowsWhatTheLastCommitsTouched() {
      var random = SeededGenerator("CommitLogUnitTests.knowsWhatTheLastCommitsTouched")
      for start in [1, 127, 128, 5000, Int.max - 700] {
        let memory = Memory()
        var model: [Int: (number: Int, channels: Channels)] = [:]
        for number in start..<start + 600 {
          // Another program has made the rest.
          guard Int.random(in: 0..<200, using: &random) > 0 else { continue }
          let channels = Channels(rawValue: 1 << UInt64.random(in: 0..<63, using: &random))
          memory.log.note(number, channels)
          model[number % 128] = (number, channels)
          let last = number + Int.random(in: -3...1, using: &random)
          let first = max(0, last - Int.random(in: -1...140, using: &random))
          var expected: Channels = last > first ? .everyCommit : []
          for between in first..<max(first, last) {
            let entry = model[(between + 1) % 128]
            expected.formUnion(entry?.number == between + 1 ? entry!.channels : .all)
          }
          #expect(memory.log.touched(after: first, upTo: last) == expected, "\(first) to \(last) of \(number)")
        }
      }
    }

    @Test func aRangeOf128CommitsIsTheLongestThatIsKnown() {
      for number in 1...300 { log.note(number, .of(7)) }
      #expect(log.touched(after: 172, upTo: 300) == [.everyCommit, .of(7)])
      #expect(log.touched(after: 171, upTo: 300) == .all)
      // The entry of 172 was overwritten by that of 300.
      #expect(log.touched(after: 171, upTo: 172) == .all)
    }

    @Test func rangesWithoutCommitsTouchNothing() {
      for number in 1...10 { log.note(number, .of(1)) }
      #expect(log.touched(after: 5, upTo: 5) == [] && log.touched(after: 6, upTo: 5) == [])
      #expect(log.touched(after: -1, upTo: 5) == [] && log.touched(after: .min, upTo: .max) == [])
    }

    /// The numbers of transactions come from a file that can be damaged.
    @Test func anyNumberIsTaken() {
      for number in [Int.min, -129, -128, -1, Int.max] {
        log.note(number, .of(3))
        #expect((log.age(of: number) == nil) == (number < 0))
      }
      #expect(log.touched(after: .max - 1, upTo: .max) == [.everyCommit, .of(3)])
      #expect(log.touched(after: 0, upTo: .max) == .all)
      #expect(log.touched(after: .min, upTo: -1) == [])
    }

    @Test func garbageCountsAsUnknown() {
      var random = SeededGenerator("CommitLogUnitTests.garbageCountsAsUnknown")
      for offset in 0..<4096 {
        memory.start.storeBytes(of: UInt8.random(in: 0...255, using: &random), toByteOffset: offset, as: UInt8.self)
      }
      for number in 1...300 {
        // That random bytes are this number does not happen.
        #expect(log.touched(after: number - 1, upTo: number) == .all)
        #expect(log.age(of: number) == nil)
      }
    }

    /// While commits are made, a reader gets no less than what they touched.
    @Test func readersMissNothingWhileCommitsAreMade() {
      let (memory, made, misses) = (memory, Counter(), Counter())
      inThreads(3) { thread in
        if thread == 0 {
          for number in 1...20_000 {
            // Readers learn of a commit before its entry is there.
            made.add(1)
            memory.log.note(number, .of(UInt64(number)))
          }
          return
        }
        var known = 0
        while known < 20_000 {
          let last = made.value
          guard last > known else { continue }
          let touched = memory.log.touched(after: known, upTo: last)
          for number in known + 1...last where !touched.isSuperset(of: [.everyCommit, .of(UInt64(number))]) {
            misses.add(1)
          }
          known = last
        }
      }
      #expect(misses.value == 0)
    }

    // MARK: Ages

    @Test func theAgeOfACommitGrows() throws {
      log.note(5, [])
      let first = try #require(log.age(of: 5))
      #expect(first >= .zero && first < .seconds(60))
      #expect(eventually { (log.age(of: 5) ?? .zero) >= first + .milliseconds(20) })
    }

    @Test func theAgeOfAnUnknownCommitIsNotKnown() {
      log.note(5, [])
      for number in [0, 4, 6, 133, -123, .max, .min] { #expect(log.age(of: number) == nil, "\(number)") }
      log.note(133, [])
      #expect(log.age(of: 5) == nil && log.age(of: 133) != nil)
    }

    /// Within a boot the time of day does not matter.
    @Test(arguments: [0, 1, 1 << 62, UInt64.max])
    func aClockThatIsSetChangesNoAge(time: UInt64) throws {
      log.note(5, [])
      memory[5, 1] = time
      #expect(try #require(log.age(of: 5)) < .seconds(60))
    }

    /// A stamp that does not belong to the commit leaves the time of day: one of another boot, one of an earlier commit with the
    /// same entry, one of the future, and none.
    @Test(arguments: 0..<4)
    func withoutAStampTheTimeOfDayCounts(kind: Int) throws {
      log.note(133, [])
      memory[133, 1] = now - 3600 * 1_000_000_000
      let stamp = memory[133, 3]
      memory[133, 3] = [stamp ^ 1 << 50, stamp - 1 << 40, stamp + 1_000_000, 0][kind]
      let age = try #require(log.age(of: 133))
      #expect(age >= .seconds(3600) && age < .seconds(3660))
    }

    /// A damaged time, or one of the future, is no age.
    @Test func aTimeThatCannotBeIsNoAge() {
      log.note(133, [])
      memory[133, 3] = 0
      for time in [0, now + 3600 * 1_000_000_000, UInt64(Int64.max), 1 << 63, .max] {
        memory[133, 1] = time
        #expect(log.age(of: 133) == nil, "\(time)")
      }
    }
  }
#endif
