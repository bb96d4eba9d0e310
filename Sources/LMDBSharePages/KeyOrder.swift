/// The order of the keys of a tree, or of the duplicates of a key.
enum KeyOrder {
  /// As bytes; a prefix comes before the longer key.
  case bytes
  /// As bytes, from the last one to the first.
  case reversed
  /// As integers of 4 or 8 bytes, all of the same size.
  case integers

  init(ofKeys flags: UInt16) {
    // LMDB checks the flags in this order.
    self =
      flags & PageLayout.reverseKeys != 0 ? .reversed : flags & PageLayout.integerKeys != 0 ? .integers : .bytes
  }

  init(ofDuplicates flags: UInt16) {
    self =
      flags & PageLayout.integerDuplicates != 0
      ? .integers : flags & PageLayout.reverseDuplicates != 0 ? .reversed : .bytes
  }

  func isLess(_ a: Range<Int>, in x: [UInt8], _ b: Range<Int>, in y: [UInt8]) -> Bool {
    isLess(a, in: x.span, b, in: y.span)
  }

  /// Whether key `a` of `x` comes before key `b` of `y`. Integers must have the same size.
  func isLess(_ a: Range<Int>, in x: Span<UInt8>, _ b: Range<Int>, in y: Span<UInt8>) -> Bool {
    switch self {
    case .integers where a.count == 8 && b.count == 8: return x.u64(a.lowerBound) < y.u64(b.lowerBound)
    case .integers where a.count == 4 && b.count == 4: return x.u32(a.lowerBound) < y.u32(b.lowerBound)
    case .integers, .bytes:
      var (i, j) = (a.lowerBound, b.lowerBound)
      while i < a.upperBound, j < b.upperBound {
        let (p, q) = (x[i], y[j])
        if p != q { return p < q }
        i += 1
        j += 1
      }
    case .reversed:
      var (i, j) = (a.upperBound, b.upperBound)
      while i > a.lowerBound, j > b.lowerBound {
        i -= 1
        j -= 1
        let (p, q) = (x[i], y[j])
        if p != q { return p < q }
      }
    }
    return a.count < b.count
  }
}
