extension SharedDictionary.Contents {
  /// An iterator over entries. An entry that cannot be decoded ends the iteration, and the transaction throws at its end.
  public struct Iterator: IteratorProtocol {
    @usableFromInline let contents: SharedDictionary.Contents
    @usableFromInline let cursor: Cursor?
    /// The fast path, from the first entry on, unless the walk has an end that must be checked.
    @usableFromInline var steps: CursorSteps?
    @usableFromInline let start: KeyBound
    @usableFromInline let end: KeyBound
    @usableFromInline let move: Cursor.Move
    @usableFromInline let form: Int
    @usableFromInline var hasStarted = false
    @usableFromInline var position = 0

    @usableFromInline
    init(
      _ contents: SharedDictionary.Contents, from lower: KeyBound, to upper: KeyBound, forward: Bool = true
    ) {
      self.contents = contents
      move = forward ? .next : .previous
      (start, end) = forward ? (lower, upper) : (upper, lower)
      switch contents.storage {
      case .detached(let entries):
        cursor = nil
        form = 0
        position = contents.memoryEdge(entries, start, forward: forward) ?? -1
      case .stored(let core, let reference, let database):
        contents.check(core, reference, database)
        cursor = Cursor(core, database)
        form = reference.form
      }
    }

    @usableFromInline var isForward: Bool { if case .next = move { true } else { false } }

    /// Returns the next entry, or nil at the end.
    @inlinable
    public mutating func next() -> Element? {
      if let steps, steps.step() {
        do throws(DecodingFailure) {
          return try SharedDictionary.Contents.element(steps.key, steps.value, form)
        } catch {
          fail(error)
          return nil
        }
      }
      return nextElsewhere()
    }

    /// Returns the next entry off the fast path: the first one, the one after a write elsewhere, and all entries of a walk with
    /// an end.
    @inlinable @inline(never)
    mutating func nextElsewhere() -> Element? {
      if cursor == nil { return nextInMemory() }
      return moveElsewhere() ? here() : nil
    }

    /// Returns the next key, without decoding its value.
    @inlinable
    mutating func nextKey() -> Key? {
      guard cursor != nil else { return nextInMemory()?.key }
      return next { (key, value) throws(DecodingFailure) in try SharedDictionary.Contents.key(key, value) }
    }

    /// Returns the next value, without decoding its key.
    @inlinable
    mutating func nextValue() -> Value? {
      guard cursor != nil else { return nextInMemory()?.value }
      let form = form
      return next { (key, value) throws(DecodingFailure) in try SharedDictionary.Contents.value(key, value, form) }
    }

    /// Returns a part of the next entry.
    @inlinable @inline(__always)
    mutating func next<Part>(_ decode: (RawSpan, RawSpan) throws(DecodingFailure) -> Part) -> Part? {
      if !(steps?.step() ?? false), !moveElsewhere() { return nil }
      guard let cursor else { return nil }
      if isBeyond(cursor.key) { return nil }
      do throws(DecodingFailure) {
        return try decode(cursor.key, cursor.value)
      } catch {
        fail(error)
        return nil
      }
    }

    /// Returns the entry at the cursor.
    @inlinable @inline(__always)
    mutating func here() -> Element? {
      guard let cursor else { return nil }
      if isBeyond(cursor.key) { return nil }
      do throws(DecodingFailure) {
        return try SharedDictionary.Contents.element(cursor.key, cursor.value, form)
      } catch {
        fail(error)
        return nil
      }
    }

    /// Moves to the first or the next entry, after checking that the view is valid.
    @usableFromInline @inline(never)
    mutating func moveElsewhere() -> Bool {
      guard case .stored(let core, let reference, let database) = contents.storage, let cursor else { return false }
      contents.check(core, reference, database)
      let isThere =
        hasStarted ? cursor.move(move) : cursor.place(start, forward: isForward)
      hasStarted = true
      steps = if case .none = end, isThere { cursor.steps(move) } else { nil }
      return isThere
    }

    @usableFromInline @inline(never)
    func fail(_ error: DecodingFailure) {
      guard case .stored(let core, let reference, _) = contents.storage, let cursor else { return }
      core.failUndecodable(reference, "key \(StoredKey.describe(cursor.key.copied()))", error)
    }

    @inlinable @inline(__always)
    func isBeyond(_ key: RawSpan) -> Bool {
      if case .none = end { return false }
      return end.isPassed(by: key, forward: isForward)
    }

    @usableFromInline
    mutating func nextInMemory() -> Element? {
      guard case .detached(let entries) = contents.storage, entries.entries.indices.contains(position) else {
        return nil
      }
      let entry = entries.entries[position]
      if withBytes(of: entry.stored, { isBeyond($0) }) { return nil }
      position += isForward ? 1 : -1
      return (entry.key, entry.value)
    }
  }
}
