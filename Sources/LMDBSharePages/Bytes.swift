// Native order, which is little-endian on every platform that this library supports.

extension [UInt8] {
  func u16(_ offset: Int) -> UInt16 { UInt16(self[offset]) | UInt16(self[offset + 1]) << 8 }
  func u32(_ offset: Int) -> UInt32 { UInt32(u16(offset)) | UInt32(u16(offset + 2)) << 16 }
  func u64(_ offset: Int) -> UInt64 { UInt64(u32(offset)) | UInt64(u32(offset + 4)) << 32 }
}

extension Span<UInt8> {
  @inline(__always) func u16(_ offset: Int) -> UInt16 { UInt16(self[offset]) | UInt16(self[offset + 1]) << 8 }
  @inline(__always) func u32(_ offset: Int) -> UInt32 { UInt32(u16(offset)) | UInt32(u16(offset + 2)) << 16 }
  @inline(__always) func u64(_ offset: Int) -> UInt64 { UInt64(u32(offset)) | UInt64(u32(offset + 4)) << 32 }
}

/// A set of small numbers, one bit each.
struct BitSet {
  private(set) var words: [UInt64]

  /// An empty set for the numbers below `limit`.
  init(below limit: Int) { words = Array(repeating: 0, count: limit / 64 + 1) }

  mutating func removeAll() { for index in words.indices { words[index] = 0 } }

  /// Inserts a number; returns false when it was already in the set.
  @inline(__always) mutating func insert(_ number: Int) -> Bool {
    let bit: UInt64 = 1 << UInt64(number & 63)
    let word = words[number >> 6]
    words[number >> 6] = word | bit
    return word & bit == 0
  }

  func contains(_ number: Int) -> Bool { words[number >> 6] & 1 << UInt64(number & 63) != 0 }

  /// A number that is in both sets.
  func common(with other: BitSet) -> Int? {
    for index in 0..<min(words.count, other.words.count) {
      let both = words[index] & other.words[index]
      if both != 0 { return index * 64 + both.trailingZeroBitCount }
    }
    return nil
  }
}
