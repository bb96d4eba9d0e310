extension SharedDictionary.Contents {
  /// An iterator over entries. An entry that cannot be decoded ends the iteration, and the transaction throws at its end.
  public struct Iterator: IteratorProtocol {
    @usableFromInline let contents: SharedDictionary.Contents
    @usableFromInline let cursor: Cursor?
    /// From the first entry on, unless there is an end to look out for.
    @usableFromInline var steps: CursorSteps?
    @usableFromInline let start: KeyBound
    @usableFromInline let end: [UInt8]?
    @usableFromInline let endsBefore: Bool
    @usableFromInline let move: Cursor.Move
    @usableFromInline var hasStarted = false
    @usableFromInline var position = 0

    @usableFromInline
    init(
      _ contents: SharedDictionary.Contents, from lower: KeyBound, to upper: KeyBound, forward: Bool = true
    ) {
      self.contents = contents
      move = forward ? .next : .previous
      start = forward ? lower : upper
      switch forward ? upper : lower {
      case .none: (end, endsBefore) = (nil, false)
      case .included(let key): (end, endsBefore) = (key, false)
      case .excluded(let key): (end, endsBefore) = (key, true)
      }
      switch contents.storage {
      case .detached(let entries):
        cursor = nil
        position = contents.memoryEdge(entries, start, forward: forward) ?? -1
      case .stored(let core, let reference, let database):
        contents.check(core, reference, database)
        cursor = Cursor(core, database)
      }
    }

    private var isForward: Bool { if case .next = move { true } else { false } }

    /// Returns the next entry, or nil at the end.
    @inlinable
    public mutating func next() -> Element? {
      if let steps, steps.step() {
        do throws(DecodingFailure) {
          return try SharedDictionary.Contents.element(steps.key, steps.value)
        } catch {
          fail(error)
          return nil
        }
      }
      return nextElsewhere()
    }

    /// The first entry, the one after something else was written, and those of a walk with an end.
    @inlinable @inline(never)
    mutating func nextElsewhere() -> Element? {
      if cursor == nil { return nextInMemory() }
      return moveElsewhere() ? here() : nil
    }

    /// The next key, without decoding its value.
    @inlinable
    mutating func nextKey() -> Key? {
      guard cursor != nil else { return nextInMemory()?.key }
      return next { (key, value) throws(DecodingFailure) in try SharedDictionary.Contents.key(key, value) }
    }

    /// The next value, without decoding its key.
    @inlinable
    mutating func nextValue() -> Value? {
      guard cursor != nil else { return nextInMemory()?.value }
      return next { (key, value) throws(DecodingFailure) in try SharedDictionary.Contents.value(key, value) }
    }

    /// A part of the next entry.
    @inlinable @inline(__always)
    mutating func next<Part>(_ decode: (RawSpan, RawSpan) throws(DecodingFailure) -> Part) -> Part? {
      if !(steps?.step() ?? false), !moveElsewhere() { return nil }
      guard let cursor else { return nil }
      if let end, isBeyond(cursor.key, end) { return nil }
      do throws(DecodingFailure) {
        return try decode(cursor.key, cursor.value)
      } catch {
        fail(error)
        return nil
      }
    }

    /// The entry under the cursor.
    @inlinable @inline(__always)
    mutating func here() -> Element? {
      guard let cursor else { return nil }
      if let end, isBeyond(cursor.key, end) { return nil }
      do throws(DecodingFailure) {
        return try SharedDictionary.Contents.element(cursor.key, cursor.value)
      } catch {
        fail(error)
        return nil
      }
    }

    /// Moves to the first or the next entry, after making sure that the view is valid.
    @usableFromInline @inline(never)
    mutating func moveElsewhere() -> Bool {
      guard case .stored(let core, let reference, let database) = contents.storage, let cursor else { return false }
      contents.check(core, reference, database)
      let isThere =
        hasStarted ? cursor.move(move) : SharedDictionary.Contents.place(cursor, start, forward: isForward)
      hasStarted = true
      steps = end == nil && isThere ? cursor.steps(move) : nil
      return isThere
    }

    @usableFromInline @inline(never)
    func fail(_ error: DecodingFailure) {
      guard case .stored(let core, let reference, _) = contents.storage, let cursor else { return }
      core.failUndecodable(reference, "key \(StoredKey.describe(cursor.key.copied()))", error)
    }

    @usableFromInline
    func isBeyond(_ key: RawSpan, _ end: [UInt8]) -> Bool {
      let order = withBytes(of: end) { key.compare($0) }
      if order == 0 { return endsBefore }
      return isForward ? order > 0 : order < 0
    }

    @usableFromInline
    mutating func nextInMemory() -> Element? {
      guard case .detached(let entries) = contents.storage, entries.entries.indices.contains(position) else {
        return nil
      }
      let entry = entries.entries[position]
      if let end, withBytes(of: entry.stored, { isBeyond($0, end) }) { return nil }
      position += isForward ? 1 : -1
      return (entry.key, entry.value)
    }
  }
}

extension StoredKey {
  /// A stored key for messages: as text where it is some, else in hexadecimal.
  @usableFromInline
  static func describe(_ stored: [UInt8]) -> String {
    if let text = String(validating: stored, as: UTF8.self),
      text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
    {
      return "'\(text)'"
    }
    return "0x" + stored.prefix(32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
