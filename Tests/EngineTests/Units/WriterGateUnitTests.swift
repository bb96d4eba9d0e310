#if DEBUG
  import Foundation
  import TestSupport
  import Testing

  @testable import LMDBShare

  /// Two gates with an open file each stand for two processes; `GateTests` has real ones.
  @Suite(.timeLimit(.minutes(5)))
  struct WriterGateUnitTests {
    private let directory = TemporaryDirectory()
    private let signals: SignalFile
    private let owners: [Owners]
    private let one: WriterGate
    private let other: WriterGate

    init() throws {
      let store = try directory.forStore()
      signals = SignalFile(directory: store, isReadOnly: false)
      owners = try (0..<2).map { _ in try #require(Owners(directory: store)) }
      one = try #require(WriterGate(signals, owners[0]))
      other = try #require(WriterGate(SignalFile(directory: store, isReadOnly: false), owners[1]))
    }

    private var word: UInt32? {
      get { signals.gate?.load(as: UInt32.self) }
      nonmutating set { signals.gate?.storeBytes(of: newValue ?? 0, as: UInt32.self) }
    }

    @Test func theWordNamesTheWriter() throws {
      #expect(word == 0 && WriterGate.holder(signals, owners[0]) == nil)
      try one.enter(until: nil)
      one.entered()
      #expect(word == UInt32(owners[0].slot + 1) && WriterGate.holder(signals, owners[1]) == Int(getpid()))
      one.leave()
      #expect(word == 0 && WriterGate.holder(signals, owners[0]) == nil)
      #expect(WriterGate.holder(signals, nil) == nil && WriterGate(signals, nil) == nil)
    }

    @Test func aSecondWriterIsRefusedAtItsTimeLimit() throws {
      try one.enter(until: nil)
      for deadline in [ContinuousClock.now - .seconds(1), .now + .milliseconds(10)] {
        do {
          try other.enter(until: deadline)
          Issue.record("it passed")
        } catch {
          #expect(error.code == .writerBusy && error.processID == Int(getpid()) && .now >= deadline)
        }
      }
      one.leave()
      try other.enter(until: .now)
      other.leave()
    }

    @Test func aWaiterPassesWhenTheWriterLeaves() throws {
      try one.enter(until: nil)
      let (one, other, passed, busy) = (one, other, Counter(), Counter())
      inThreads(2) { thread in
        if thread == 1 {
          if (try? other.enter(until: .now + .seconds(120))) != nil { passed.add(1) }
          return
        }
        // Sleeping waiters set the flag after the word.
        _ = eventually { signals.gate?.load(fromByteOffset: 4, as: UInt32.self) == 1 }
        busy.add(passed.value)
        one.leave()
      }
      #expect(passed.value == 1 && busy.value == 0 && word == UInt32(owners[1].slot + 1))
      other.leave()
    }

    /// A dead process, a slot that was never taken, and numbers that are no slot.
    @Test func aHolderThatDoesNotLiveIsPassedOver() throws {
      var third = Owners(directory: try directory.forStore())
      let dead = UInt32(try #require(third).slot + 1)
      word = dead
      #expect(errorCode { try one.enter(until: .now) } == .writerBusy)
      third = nil
      for holder in [dead, 4097, .max, 1 << 31] {
        word = holder
        try one.enter(until: .now)
        #expect(word == UInt32(owners[0].slot + 1), "\(holder)")
        one.leave()
      }
    }

    /// The previous process with the same slot died while it wrote.
    @Test func aNewProcessFreesTheWordOfItsSlot() throws {
      word = UInt32(owners[0].slot + 1)
      _ = WriterGate(signals, owners[0])
      #expect(word == 0)
      word = UInt32(owners[1].slot + 1)
      _ = WriterGate(signals, owners[0])
      #expect(word == UInt32(owners[1].slot + 1))
    }

    /// Without a time limit a writer does not wait for ever for a word that does not change: LMDB's lock decides.
    @Test func aWordThatDoesNotChangeIsDoubted() throws {
      word = UInt32(owners[1].slot + 1)
      try one.enter(until: nil)
      #expect(word == UInt32(owners[1].slot + 1))
      // It has LMDB's lock now.
      one.entered()
      #expect(word == UInt32(owners[0].slot + 1))
      one.leave()
      #expect(word == 0)
    }

    @Test func oneWriterOfAllPasses() throws {
      let (gates, inside, faults) = ([one, other], Counter(), Counter())
      inThreads(2) { thread in
        for _ in 0..<2000 {
          guard (try? gates[thread].enter(until: .now + .seconds(60))) != nil else {
            faults.add(1)
            return
          }
          if inside.add(1) != 1 { faults.add(1) }
          inside.add(-1)
          gates[thread].leave()
        }
      }
      #expect(faults.value == 0 && word == 0)
      // Each passing is counted.
      #expect(signals.gate?.load(fromByteOffset: 8, as: UInt32.self) == 4000)
    }
  }
#endif
