/// Checks a walk over keys: it must visit as many entries as the tree counts, in order, and no key may be empty.
struct WalkWatch: ~Copyable {
  private let count: Int?
  private let isWhole: Bool
  private let reversed: Bool
  private var seen = 0
  private var before = ByteWriter()

  /// - Parameters:
  ///   - count: How many entries the tree counts; nil when the number may change during the walk.
  ///   - isWhole: Whether the walk should visit all of them.
  init(count: Int?, isWhole: Bool, reversed: Bool) {
    self.count = count
    self.isWhole = isWhole
    self.reversed = reversed
  }

  /// Returns what is wrong with the next key; nil when nothing is wrong.
  mutating func finding(at key: RawSpan) -> String? {
    guard key.byteCount > 0 else { return "a key is empty" }
    if let count, seen >= count { return "there are more entries than the \(count) that are counted" }
    if seen > 0 {
      let order = before.withBytes { key.compare($0) }
      guard reversed ? order < 0 : order > 0 else { return "its keys do not ascend" }
    }
    before.removeAll()
    before.append(key)
    seen += 1
    return nil
  }

  /// Returns what is wrong at the end; nil when nothing is wrong.
  func findingAtEnd() -> String? {
    guard let count, isWhole, seen != count else { return nil }
    return "\(count) entries are counted, and \(seen) are there"
  }
}
