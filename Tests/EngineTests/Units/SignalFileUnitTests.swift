#if DEBUG
  import Foundation
  import Synchronization
  import TestSupport
  import Testing

  @testable import LMDBShare

  /// Two objects of the same file stand for two processes: they share memory and nothing else.
  @Suite(.timeLimit(.minutes(5)))
  struct SignalFileUnitTests {
    private let directory = TemporaryDirectory()
    private let long = Duration.seconds(120)
    /// Shorter than a whole sleep, and longer than any delay of a loaded machine.
    private let soon = Duration.seconds(60)

    private func open(readOnly: Bool = false) throws -> SignalFile {
      SignalFile(directory: try directory.forStore(), isReadOnly: readOnly)
    }

    /// What the file begins with, from its description.
    private var header: [UInt8] { Array("LMDBSHARE-SIGNAL".utf8) + [2, 0, 0, 0] }

    // MARK: The file

    @Test func aNewFileIsEmptyBehindItsHeader() throws {
      let signals = try open()
      let bytes = try directory.read("signal")
      #expect(bytes == header + [UInt8](repeating: 0, count: 8192 - header.count))
      #expect(signals.word != nil && signals.gate != nil && signals.log != nil)
    }

    @Test func thePlacesAreThoseOfTheDescription() throws {
      let signals = try open()
      signals.gate?.storeBytes(of: 1, as: UInt8.self)
      signals.word?.storeBytes(of: 2, as: UInt8.self)
      signals.log?.note(3, [])
      signals.addPulse(.of(5))
      signals.setLine(.of(6), true)
      let bytes = try directory.read("signal")
      #expect(
        [bytes[256], bytes[320], bytes[4096 + 32 * 3], bytes[512 + 4 * 5], bytes[768 + 4 * 6]] == [1, 2, 3, 1, 1])
    }

    @Test func twoProcessesShareIt() throws {
      let (one, other) = (try open(), try open())
      one.addPulse(.of(9))
      other.addPulse(.of(9))
      one.setLine(.of(9), true)
      #expect(one.pulse(.of(9)) == 2 && other.pulse(.of(9)) == 2 && other.hasLine(.of(9)))
    }

    @Test func anotherHeaderMakesItNew() throws {
      var random = SeededGenerator("SignalFileUnitTests.anotherHeaderMakesItNew")
      let rest = [UInt8].random(8192 - header.count, &random)
      // Another magic, and another layout.
      for place in [0, 15, 16, 19] {
        var bytes = header + rest
        bytes[place] ^= 1
        try directory.write(bytes, to: "signal")
        let signals = try open()
        #expect(signals.pulse(.of(1)) == 0 && !signals.hasLine(.of(1)))
        #expect(try directory.read("signal") == header + [UInt8](repeating: 0, count: rest.count), "\(place)")
      }
    }

    /// Garbage behind a correct header stays, and is survived.
    @Test func garbageIsSurvived() throws {
      var random = SeededGenerator("SignalFileUnitTests.garbageIsSurvived")
      for _ in 0..<20 {
        let rest = [UInt8].random(8192 - header.count, &random)
        try directory.write(header + rest, to: "signal")
        let signals = try open()
        #expect(try directory.read("signal") == header + rest)
        for bit in 0..<64 as Range<UInt64> {
          let channel = Channels(rawValue: 1 << bit)
          let before = signals.pulse(channel)
          signals.addPulse(channel)
          #expect(signals.pulse(channel) == before &+ 1)
          signals.setLine(channel, false)
          #expect(!signals.hasLine(channel))
        }
        let ticket = signals.ticket()
        signals.announce(ticket, .of(1))
        signals.wake(.of(1))
        #expect(!signals.isCurrent(ticket))
      }
    }

    @Test func aFileOfAnotherSizeIsExtended() throws {
      for size in [0, 1, 19, 8191] {
        try directory.write([UInt8]((header + [UInt8](repeating: 0, count: 8192)).prefix(size)), to: "signal")
        let signals = try open()
        signals.addPulse(.of(62))
        #expect(signals.pulse(.of(62)) == 1)
        #expect(try directory.read("signal").count == 8192 && directory.read("signal").starts(with: header))
      }
    }

    @Test func aReaderCreatesNothing() throws {
      for size in [nil, 0, 8191] as [Int?] {
        if let size { try directory.write([UInt8](repeating: 0, count: size), to: "signal") }
        let signals = try open(readOnly: true)
        #expect(signals.word == nil && signals.gate == nil && signals.log == nil)
        let ticket = signals.ticket()
        // What is not known is taken for what costs only time.
        #expect(!signals.isCurrent(ticket) && signals.hasLine(.of(1)) && signals.pulse(.of(1)) == 0)
        signals.announce(ticket, .all)
        signals.addPulse(.of(1))
        signals.setLine(.of(1), false)
        signals.wake(.all)
        signals.poke(bits: .max)
        #expect(signals.pulse(.of(1)) == 0)
        let start = ContinuousClock.now
        signals.sleep(ticket, .all, for: long)
        #expect(start.duration(to: .now) < soon)
        #expect(directory.exists("signal") == (size != nil) && (try? directory.read("signal").count) == size)
      }
    }

    @Test func anotherFileTakesThePlaceOfARemovedOne() throws {
      let signals = try open()
      signals.addPulse(.of(1))
      let (word, ticket) = (signals.word, signals.ticket())
      try FileManager.default.removeItem(atPath: directory.file("signal"))
      let other = try open()
      other.addPulse(.of(2))
      #expect(signals.pulse(.of(2)) == 0)
      // A sleep without a wake looks after the file.
      signals.sleep(ticket, .of(1), for: .milliseconds(1))
      #expect(signals.word == word && signals.pulse(.of(1)) == 0 && signals.pulse(.of(2)) == 1)
      signals.addPulse(.of(2))
      #expect(other.pulse(.of(2)) == 2)
    }

    @Test func aRemovedFileIsCreatedAgain() throws {
      let signals = try open()
      try FileManager.default.removeItem(atPath: directory.file("signal"))
      signals.refresh()
      signals.addPulse(.of(4))
      #expect(try directory.read("signal")[512 + 4 * 4] == 1)
    }

    @Test func aTruncatedFileIsExtendedAgain() throws {
      let signals = try open()
      signals.addPulse(.of(1))
      signals.refreshIfLost()
      #expect(signals.pulse(.of(1)) == 1)
      truncate(directory.file("signal"), 0)
      #expect(signals.pulse(.of(1)) == 0)
      signals.refreshIfLost()
      signals.addPulse(.of(1))
      #expect(try directory.read("signal").starts(with: header) && directory.read("signal")[512 + 4] == 1)
    }

    // MARK: Pulses and lines

    @Test func eachChannelHasItsOwnPulseAndLine() throws {
      let signals = try open()
      func channel(_ bit: Int) -> Channels { Channels(rawValue: 1 << UInt64(bit)) }
      for bit in 0..<64 { for _ in 0...bit { signals.addPulse(channel(bit)) } }
      for bit in stride(from: 0, to: 64, by: 3) { signals.setLine(channel(bit), true) }
      for bit in 0..<64 {
        #expect(signals.pulse(channel(bit)) == UInt32(bit + 1) && signals.hasLine(channel(bit)) == (bit % 3 == 0))
      }
      #expect(try Set(directory.read("signal")[20..<512]) == [0] && Set(directory.read("signal")[1024...]) == [0])
    }

    @Test func noPulseIsLost() throws {
      let (one, other) = (try open(), try open())
      inThreads(4) { thread in
        for _ in 0..<2000 { (thread % 2 == 0 ? one : other).addPulse(.of(3)) }
      }
      #expect(one.pulse(.of(3)) == 8000 && one.pulse(.of(2)) == 0 && one.pulse(.of(4)) == 0)
    }

    // MARK: Sleeping and waking

    @Test func onlyAnnouncedChannelsAreWoken() throws {
      let (waiter, writer) = (try open(), try open())
      let ticket = waiter.ticket()
      writer.wake(.all)
      #expect(waiter.isCurrent(ticket))
      waiter.announce(ticket, [.of(1), .of(2)])
      writer.wake(.of(3))
      #expect(waiter.isCurrent(ticket))
      writer.wake([.of(2), .of(3)])
      #expect(!waiter.isCurrent(ticket))
      // Once: a woken waiter announces itself again. The other channel still has its waiter.
      let next = waiter.ticket()
      writer.wake(.of(2))
      #expect(waiter.isCurrent(next))
      writer.wake(.of(1))
      #expect(!waiter.isCurrent(next))
    }

    @Test func aWakeBeforeTheSleepIsNotLost() throws {
      let (waiter, writer) = (try open(), try open())
      for poke in [true, false] {
        let ticket = waiter.ticket()
        waiter.announce(ticket, .of(1))
        if poke { writer.poke(bits: 1 << 30) } else { writer.wake(.of(1)) }
        let start = ContinuousClock.now
        waiter.sleep(ticket, .of(1), for: long)
        #expect(start.duration(to: .now) < soon)
      }
    }

    /// Threads that sleep are woken by their own channel, or by their own bit.
    @Test func aSleeperIsWokenByItsChannelOnly() throws {
      let (signals, writer) = (try open(), try open())
      let woken = (0..<3).map { _ in Counter() }
      let threads = (0..<3).map { _ in Counter() }
      let (long, done) = (long, DispatchGroup())
      // Not two channels with the same bit of the futex.
      let channels: [Channels] = [.of(1), .of(2), []]
      for number in 0..<3 {
        done.enter()
        Thread.detachNewThread {
          let ticket = signals.ticket()
          signals.announce(ticket, channels[number])
          let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
          threads[number].add(path?.split(separator: "/").last.flatMap { Int($0) } ?? 0)
          signals.sleep(ticket, channels[number], for: long, bits: number == 2 ? 1 << 30 : 0)
          woken[number].add(1)
          done.leave()
        }
      }
      var quiet = 0
      #expect(
        eventually {
          let asleep = threads.allSatisfy { thread in
            let stat = try? String(contentsOfFile: "/proc/self/task/\(thread.value)/stat", encoding: .utf8)
            return stat?.contains(") S ") ?? false
          }
          quiet = asleep ? quiet + 1 : 0
          return quiet == 5
        })
      let start = ContinuousClock.now
      writer.wake(.of(2))
      #expect(eventually { woken[1].value == 1 })
      #expect(woken.map(\.value) == [0, 1, 0])
      writer.poke(bits: 1 << 30)
      #expect(eventually { woken[2].value == 1 })
      #expect(woken.map(\.value) == [0, 1, 1])
      writer.wake(.of(1))
      done.wait()
      #expect(start.duration(to: .now) < soon)
    }

    /// Waiters in the way that the library waits: none of them sleeps through a change.
    @Test func noWaiterSleepsThroughAChange() throws {
      let (signals, writer) = (try open(), try open())
      let (version, long, rounds) = (Counter(), long, 1000)
      let seen = (0..<3).map { _ in Counter() }
      let start = ContinuousClock.now
      inThreads(4) { thread in
        if thread == 3 {
          for round in 1...rounds {
            version.add(1)
            writer.wake([.everyCommit, .of(UInt64(round % 3))])
            // The next change comes when all have seen this one: then each of them has to be woken.
            while seen.contains(where: { $0.value < round }) { sched_yield() }
          }
          return
        }
        while seen[thread].value < rounds {
          let ticket = signals.ticket()
          signals.announce(ticket, .everyCommit)
          let now = version.value
          if now > seen[thread].value {
            seen[thread].add(now - seen[thread].value)
          } else {
            signals.sleep(ticket, .everyCommit, for: long)
          }
        }
      }
      #expect(start.duration(to: .now) < soon)
    }

    @Test func thePauseOfAFutexHasBounds() {
      #expect(Duration.zero.futexNanoseconds == 1 && Duration.seconds(-5).futexNanoseconds == 1)
      #expect(Duration.nanoseconds(7).futexNanoseconds == 7)
      #expect(Duration.milliseconds(1500).futexNanoseconds == 1_500_000_000)
      #expect(Duration.seconds(Int64.max).futexNanoseconds == 3_600_000_000_000)
    }
  }
#endif
