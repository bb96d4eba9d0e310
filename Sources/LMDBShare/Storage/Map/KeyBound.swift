/// One end of a range of stored keys.
@usableFromInline
enum KeyBound {
  case none
  case included([UInt8])
  case excluded([UInt8])

  /// Whether a key lies beyond this end of a walk.
  @usableFromInline
  func isPassed(by key: RawSpan, forward: Bool) -> Bool {
    switch self {
    case .none: return false
    case .included(let end): return withBytes(of: end) { forward ? key.compare($0) > 0 : key.compare($0) < 0 }
    case .excluded(let end): return withBytes(of: end) { forward ? key.compare($0) >= 0 : key.compare($0) <= 0 }
    }
  }
}

extension Cursor {
  /// Moves to the first entry at or after the bound, or to the last entry at or before it.
  ///
  /// - Returns: Whether there is such an entry.
  @usableFromInline
  func place(_ bound: KeyBound, forward: Bool) -> Bool {
    switch bound {
    case .none: return move(forward ? .first : .last)
    case .included(let key), .excluded(let key):
      let isIncluded = if case .included = bound { true } else { false }
      let found = withBytes(of: key) { seek($0) }
      let isExact = found && withBytes(of: key) { $0.hasSameBytes(as: self.key) }
      if forward { return isExact && !isIncluded ? move(.next) : found }
      if isExact && isIncluded { return true }
      return move(found ? .previous : .last)
    }
  }
}
