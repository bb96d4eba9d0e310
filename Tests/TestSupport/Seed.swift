import Foundation

/// Random numbers that can be reproduced from a printed seed: `LMDBSHARE_SEED=… tools/test`.
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// A generator with the seed from the environment, or with a new one, which it prints.
  public init(_ test: String) {
    state =
      ProcessInfo.processInfo.environment["LMDBSHARE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): LMDBSHARE_SEED=\(state)")
  }

  /// A generator with this seed.
  public init(seed: UInt64) { state = seed }

  /// SplitMix64.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// The number of operations of a randomised test: `LMDBSHARE_OPERATIONS`, or the given number.
  public static func operations(_ usual: Int) -> Int {
    ProcessInfo.processInfo.environment["LMDBSHARE_OPERATIONS"].flatMap { Int($0) } ?? usual
  }
}
