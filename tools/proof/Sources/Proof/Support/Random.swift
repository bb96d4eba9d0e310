/// Random numbers that can be reproduced from a printed seed (SplitMix64).
struct Random: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  /// A generator that depends on all of these numbers.
  init(_ numbers: UInt64...) {
    self.init(numbers[0])
    for number in numbers.dropFirst() { state = next() ^ number }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// Returns true with that probability in percent.
  mutating func happens(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
  mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }
}
