/// The changes that turn a structure's contents in one snapshot into those in another.
///
/// Dictionaries are compared in the order of their keys. Lists are compared without their common beginning and end. Items of
/// queues are matched by their numbers. The snapshots may belong to one store or to two.
///
/// - Complexity: O(*n*), and O(1) for a structure of the same store that has not changed.
package struct Difference {
  package enum Kind: String, Sendable { case inserted, updated, removed }

  /// One entry that differs.
  package struct Entry {
    package var kind: Kind
    /// For lists and arrays: the position in the new contents, or for removed elements in the old ones.
    package var position: Int?
    /// For dictionaries: the encoded key.
    package var key: [UInt8]?
    /// For queues: the item.
    package var item: UntypedContents.Item?
    package var old: [UInt8]?
    package var new: [UInt8]?

    /// Returns an entry of a structure with keys.
    package static func keyed(_ kind: Kind, _ key: [UInt8], old: [UInt8]? = nil, new: [UInt8]? = nil) -> Entry {
      Entry(kind: kind, key: key, old: old, new: new)
    }
  }

  private let body: (Entry) throws -> Void

  /// Calls `body` with each entry that differs. Nil stands for a structure that does not exist.
  package static func walk(
    from old: UntypedContents?, to new: UntypedContents?, _ body: (Entry) throws -> Void
  ) throws {
    try withoutActuallyEscaping(body) { body in
      let difference = Difference(body: body)
      switch (old, new) {
      case (nil, nil): break
      case (let old?, let new?):
        if old.description.hasSameForm(as: new.description) {
          try difference.compare(old, new)
        } else {
          try difference.all(.removed, old)
          try difference.all(.inserted, new)
        }
      case (let old?, nil): try difference.all(.removed, old)
      case (nil, let new?): try difference.all(.inserted, new)
      }
    }
  }

  private func all(_ kind: Kind, _ contents: UntypedContents) throws {
    func entry(_ value: RawSpan) -> Entry {
      let bytes = value.copied()
      return kind == .removed ? Entry(kind: kind, old: bytes) : Entry(kind: kind, new: bytes)
    }
    switch contents.description.kind.shape {
    case .sequence:
      try contents.walk(0..<contents.count) { position, value in
        var entry = entry(value)
        entry.position = position
        try body(entry)
        return true
      }
    case .map:
      try contents.walk { key, value in
        var entry = entry(value)
        entry.key = key.copied()
        try body(entry)
        return true
      }
    case .queue:
      try contents.walkItems { item, value in
        var entry = entry(value)
        entry.item = item
        try body(entry)
        return true
      }
    case .cell:
      if let entry = contents.value({ entry($0) }) { try body(entry) }
    }
  }

  private func compare(_ old: UntypedContents, _ new: UntypedContents) throws {
    switch new.description.kind.shape {
    case .sequence: try compareSequences(old, new)
    case .map: try compareDictionaries(old, new)
    case .queue: try compareQueues(old, new)
    case .cell:
      let (before, after) = (old.value { $0.copied() }, new.value { $0.copied() })
      guard before != after else { return }
      try body(
        Entry(kind: before == nil ? .inserted : after == nil ? .removed : .updated, old: before, new: after))
    }
  }

  // MARK: Dictionaries

  private func compareDictionaries(_ old: UntypedContents, _ new: UntypedContents) throws {
    let (a, b) = (Cursor(old.core, old.database), Cursor(new.core, new.database))
    var (isInOld, isInNew) = (a.move(.first), b.move(.first))
    while isInOld || isInNew {
      let order = !isInOld ? 1 : !isInNew ? -1 : a.key.compare(b.key)
      if order == 0 {
        if !a.value.hasSameBytes(as: b.value) { try body(entry(.updated, old: (old, a), new: (new, b))) }
        (isInOld, isInNew) = (a.move(.next), b.move(.next))
      } else if order < 0 {
        try body(entry(.removed, old: (old, a), new: nil))
        isInOld = a.move(.next)
      } else {
        try body(entry(.inserted, old: nil, new: (new, b)))
        isInNew = b.move(.next)
      }
    }
  }

  private func entry(
    _ kind: Kind, old: (UntypedContents, Cursor)?, new: (UntypedContents, Cursor)?
  ) throws -> Entry {
    var entry = Entry(kind: kind)
    if let (contents, cursor) = old { (entry.key, entry.old) = try contents.copied(cursor) }
    if let (contents, cursor) = new { (entry.key, entry.new) = try contents.copied(cursor) }
    return entry
  }

  // MARK: Lists and arrays

  private func compareSequences(_ old: UntypedContents, _ new: UntypedContents) throws {
    let (before, after) = (old.count, new.count)
    if case .slotted(_, let a) = old.sequence, case .slotted(_, let b) = new.sequence,
      old.core.belongs(to: new.reference.environment), let shift = b.shiftOfKeys(since: a)
    {
      if shift > before {
        try all(.removed, old)
        return try all(.inserted, new)
      }
      if shift > 0 { return try compareShifted(old, new, shift) }
    } else if let maximum = new.description.maximumCount, before > 0, after == maximum, maximum <= 1 << 16,
      let shift = try old.shift(to: new)
    {
      // A full list with this maximum drops its first elements.
      return try compareShifted(old, new, shift)
    }
    let least = min(before, after)
    let start = try old.firstDifference(from: new, least)
    if start == before, start == after { return }
    let tail = try old.commonEnd(with: new, atMost: least - start)
    if start == 0, tail == 0, least > 0, let shift = try likelyShift(old, new) {
      return try compareShifted(old, new, shift)
    }
    try tell(old, new, start..<before - tail, start..<after - tail)
  }

  /// Returns how many elements of a list were probably dropped at the front, when both ends have changed; nil when that is not
  /// known. A wrong result makes the difference longer.
  private func likelyShift(_ old: UntypedContents, _ new: UntypedContents) throws -> Int? {
    guard old.description.kind == .list else { return nil }
    if max(old.count, new.count) <= 1024 {
      guard let shift = try old.shift(to: new), shift < old.count else { return nil }
      return shift
    }
    guard case .slotted(_, let a) = old.sequence, case .slotted(_, let b) = new.sequence,
      old.core.belongs(to: new.reference.environment), let shift = b.shiftOfBlocks(since: a, old.core), shift > 0,
      try old.firstDifference(from: new, at: shift, 1) == 1
    else { return nil }
    return shift
  }

  private func compareShifted(_ old: UntypedContents, _ new: UntypedContents, _ shift: Int) throws {
    try old.walk(0..<shift) { position, value in
      try body(Entry(kind: .removed, position: position, old: value.copied()))
      return true
    }
    let common = min(old.count - shift, new.count)
    var position = 0
    try old.walkBeside(new, from: shift, count: common) { before, after in
      if !before.hasSameBytes(as: after) {
        try body(Entry(kind: .updated, position: position, old: before.copied(), new: after.copied()))
      }
      position += 1
      return true
    }
    try tell(old, new, shift + common..<old.count, common..<new.count)
  }

  /// Reports which elements replace which.
  private func tell(_ old: UntypedContents, _ new: UntypedContents, _ gone: Range<Int>, _ come: Range<Int>) throws {
    let common = gone.count == come.count ? gone.count : 0
    var position = come.lowerBound
    try old.walkBeside(new, from: gone.lowerBound, to: come.lowerBound, count: common) { before, after in
      if !before.hasSameBytes(as: after) {
        try body(Entry(kind: .updated, position: position, old: before.copied(), new: after.copied()))
      }
      position += 1
      return true
    }
    try old.walk(gone.lowerBound + common..<gone.upperBound) { position, value in
      try body(Entry(kind: .removed, position: position, old: value.copied()))
      return true
    }
    try new.walk(come.lowerBound + common..<come.upperBound) { position, value in
      try body(Entry(kind: .inserted, position: position, new: value.copied()))
      return true
    }
  }

  // MARK: Queues

  private func compareQueues(_ old: UntypedContents, _ new: UntypedContents) throws {
    // Items are matched by their numbers. In two stores, different items may have the same number.
    struct Shape: Equatable { var state: UntypedContents.Item.State, level: Int, attempts: UInt32, value: Int }
    func shape(_ item: UntypedContents.Item, _ value: RawSpan) -> Shape {
      Shape(state: item.state, level: item.level, attempts: item.attempts, value: value.copied().hashValue)
    }
    var known: [UInt64: Shape] = [:]
    try old.walkItems { item, value in
      known[item.sequence] = shape(item, value)
      return true
    }
    try new.walkItems { item, value in
      let before = known.removeValue(forKey: item.sequence)
      if before != shape(item, value) {
        try body(Entry(kind: before == nil ? .inserted : .updated, item: item, new: value.copied()))
      }
      return true
    }
    guard !known.isEmpty else { return }
    try old.walkItems { item, value in
      if known[item.sequence] != nil { try body(Entry(kind: .removed, item: item, old: value.copied())) }
      return true
    }
  }
}

extension StructureDescription {
  /// Whether the contents of both are stored in the same way.
  fileprivate func hasSameForm(as other: StructureDescription) -> Bool {
    kind == other.kind && key == other.key && element == other.element && hasLayout(of: other)
      && elementSize == other.elementSize
  }
}

extension UntypedContents {
  /// The record of the structure's tree, by which an unchanged one is recognized; nil for a structure that is stored among the
  /// values.
  package var tree: [UInt8]? {
    guard !reference.description.kind.liesAmongValues else { return nil }
    return withUTF8(of: reference.name) { core.get(Database.main, $0)?.copied() }
  }

  fileprivate func copied(_ cursor: Cursor) throws -> (key: [UInt8], value: [UInt8]) {
    guard let found = map.entry(cursor.key, cursor.value, { ($0.copied(), $1.copied()) }) else {
      throw reference.damage("the value of a long key does not contain the key")
    }
    return found
  }

  /// Walks the elements of two lists side by side.
  fileprivate func walkBeside(
    _ other: UntypedContents, from start: Int, to otherStart: Int = 0, count: Int,
    _ body: (RawSpan, RawSpan) throws -> Bool
  ) throws {
    guard count > 0 else { return }
    // They are read piece by piece, so that each is read only once.
    let piece = 512
    var done = 0
    var goesOn = true
    while done < count, goesOn {
      let size = min(piece, count - done)
      var elements: [[UInt8]] = []
      try other.walk(otherStart + done..<otherStart + done + size) { _, value in
        elements.append(value.copied())
        return true
      }
      var index = 0
      try walk(start + done..<start + done + size) { _, value in
        guard index < elements.count else { return false }
        goesOn = try LMDBShare.withBytes(of: elements[index]) { try body(value, $0) }
        index += 1
        return goesOn
      }
      // There are fewer elements when one list is damaged; its transaction has failed then.
      guard index == size else { return }
      done += size
    }
  }

  /// Returns how many elements were dropped at the front, if all others are there or none is; nil when something else has
  /// changed.
  fileprivate func shift(to other: UntypedContents) throws -> Int? {
    var (mine, theirs): ([[UInt8]], [[UInt8]]) = ([], [])
    try walk(0..<count) { _, value in
      mine.append(value.copied())
      return true
    }
    try other.walk(0..<other.count) { _, value in
      theirs.append(value.copied())
      return true
    }
    guard let first = theirs.first else { return nil }
    for start in mine.indices where mine[start] == first {
      let rest = mine[start...]
      if rest.count <= theirs.count, rest.elementsEqual(theirs.prefix(rest.count)) { return start > 0 ? start : nil }
    }
    return Set(mine).isDisjoint(with: theirs) ? mine.count : nil
  }

  /// Returns how many elements both have in common at the beginning.
  fileprivate func firstDifference(from other: UntypedContents, at start: Int = 0, _ most: Int) throws -> Int {
    var same = 0
    try walkBeside(other, from: start, count: most) { a, b in
      guard a.hasSameBytes(as: b) else { return false }
      same += 1
      return true
    }
    return same
  }

  /// Returns how many of at most `most` elements both have in common at the end.
  fileprivate func commonEnd(with other: UntypedContents, atMost most: Int) throws -> Int {
    let piece = 512
    var same = 0
    while same < most {
      let size = min(piece, most - same)
      var run = 0
      try walkBeside(other, from: self.count - same - size, to: other.count - same - size, count: size) { a, b in
        run = a.hasSameBytes(as: b) ? run + 1 : 0
        return true
      }
      same += run
      if run < size { break }
    }
    return same
  }
}
