/// What waiters wait for and commits touch: a set with one bit for each channel.
@usableFromInline
struct Channels: OptionSet, Sendable {
  @usableFromInline let rawValue: UInt64
  @inlinable init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Every commit touches it.
  static let everyCommit = Channels(rawValue: 1 << 63)
  /// All channels: what is touched is not known.
  static let all = Channels(rawValue: .max)
  /// How many there are beside that of every commit. Structures share them.
  static let count: UInt64 = 63

  /// The channel of the structure with this identity.
  static func of(_ identity: UInt64) -> Channels { Channels(rawValue: 1 << (identity % count)) }

  /// Futexes have 32 bits: 24 of them stand for channels; those above wake one process.
  var futexBits: UInt32 { UInt32(truncatingIfNeeded: rawValue | rawValue >> 24 | rawValue >> 48) & 0xFF_FFFF }
}
