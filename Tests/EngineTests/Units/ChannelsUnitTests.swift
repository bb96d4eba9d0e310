#if DEBUG
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct ChannelsUnitTests {
    @Test func aStructureHasOneChannelBesideThatOfEveryCommit() {
      var random = SeededGenerator("ChannelsUnitTests.aStructureHasOneChannelBesideThatOfEveryCommit")
      var seen: Channels = []
      for identity in Array(0...200) + [.max, .max - 1, 1 << 63]
        + (0..<1000).map({ _ in UInt64.random(in: 0 ... .max, using: &random) })
      {
        let channel = Channels.of(identity)
        #expect(channel.rawValue.nonzeroBitCount == 1 && channel.isDisjoint(with: .everyCommit), "\(identity)")
        #expect(channel == .of(identity % 63))
        seen.formUnion(channel)
      }
      #expect(seen.union(.everyCommit) == .all && Channels.count == 63)
    }

    /// A waiter is woken by each of its channels: the bits of a union are those of its parts, and there is always one.
    @Test func theFutexBitsOfAUnionAreThoseOfItsParts() {
      for bit in 0..<64 as Range<UInt64> {
        #expect(Channels(rawValue: 1 << bit).futexBits == 1 << UInt32(bit % 24), "\(bit)")
      }
      #expect(Channels([]).futexBits == 0 && Channels.all.futexBits == 0xFF_FFFF)
      var random = SeededGenerator("ChannelsUnitTests.theFutexBitsOfAUnionAreThoseOfItsParts")
      for _ in 0..<1000 {
        let parts = (0..<3).map { _ in Channels(rawValue: .random(in: 0 ... .max, using: &random)) }
        let bits = parts.reduce(0) { $0 | $1.futexBits }
        #expect(Channels(parts).futexBits == bits && bits < 1 << 24)
      }
    }
  }
#endif
