/// What is in a structure as one transaction sees it, as bytes.
///
/// Elements of lists and arrays are named by positions, entries of dictionaries by encoded keys (not stored ones: hashing
/// long keys is seen to here), items of queues by sequence numbers. It is valid until its transaction ends.
package struct UntypedContents {
  let core: Transaction
  let reference: StructureReference
  let database: UInt32
  /// Whether keys are stored as they are encoded.
  let hasFixedKeys: Bool

  init(_ core: Transaction, _ reference: StructureReference, _ database: UInt32) {
    self.core = core
    self.reference = reference
    self.database = database
    hasFixedKeys = reference.description.key.map(StoredKey.isFixed) ?? false
  }

  /// What the catalogue tells of the structure.
  package var description: StructureDescription { reference.description }

  /// How the elements of a list or array lie.
  enum Sequence {
    case blocks(BlockSequence)
    case indexed(IndexedSequence)
  }

  var sequence: Sequence {
    guard reference.description.layout == .packed else { return .indexed(core.elements(reference, database)) }
    guard let size = reference.description.elementSize, size > 0 else {
      core.fail(reference.damage("its elements have no size"))
      return .indexed(core.elements(reference, database))
    }
    // An array that is being loaded grows until it has its elements.
    return .blocks(core.loadBlocks(reference, database, size, isNew: core.isWritable))
  }

  var queue: QueueStorage { core.queue(reference, database) }
}

// MARK: Reading

extension UntypedContents {
  /// The first thing that could not be read, which the transaction will throw.
  package var failure: StoreError? { core.failure }

  /// How many elements, entries, or items that can be taken there are; 1 for what holds one value.
  package var count: Int {
    switch reference.description.kind.shape {
    case .sequence:
      switch sequence {
      case .blocks(let blocks): blocks.count
      case .indexed(let elements): elements.count
      }
    case .map: core.count(database)
    case .queue: queue.state.ready
    case .cell: value { _ in true } == nil ? 0 : 1
    }
  }

  /// How many bytes the database takes, in whole pages; nil for what lies among the values.
  package var storedPages: TreeStatistics? {
    reference.description.kind.liesAmongValues ? nil : core.statistics(database)
  }

  /// The bytes of a value; nil when there is none. Where one is missing that has to be there, the reading transaction fails.
  package func value<R>(_ body: (RawSpan) -> R) -> R? {
    withUTF8(of: reference.name) { key in
      guard let bytes = core.get(database, key) else {
        switch reference.description.kind {
        case .value, .event, .barrier:
          if !core.isWritable, !core.hasFailed { core.fail(reference.damage("it has no value")) }
        default: break
        }
        return nil
      }
      return body(bytes)
    }
  }

  /// Walks elements of a list or array, until `body` says no.
  package func walk(_ positions: Range<Int>, reversed: Bool = false, _ body: (Int, RawSpan) throws -> Bool) throws {
    let positions = positions.clamped(to: 0..<count)
    guard !positions.isEmpty else { return }
    var position = reversed ? positions.upperBound - 1 : positions.lowerBound
    let step = reversed ? -1 : 1
    switch sequence {
    case .blocks(let blocks):
      let window = blocks.makeWindow(core)
      while positions.contains(position) {
        guard window.holds(position) || blocks.fill(core, window, position) else { return }
        guard try body(position, window.element(position)) else { return }
        position += step
      }
    case .indexed(let elements):
      let cursor = Cursor(core, database)
      var isThere = cursor.find(elements.firstKey &+ UInt64(position))
      while positions.contains(position) {
        guard isThere, cursor.key.littleEndian(UInt64.self) == elements.firstKey &+ UInt64(position) else {
          return elements.failMissing(core, position)
        }
        guard try body(position, cursor.value) else { return }
        position += step
        isThere = cursor.move(reversed ? .previous : .next)
      }
    }
  }

  /// Calls `body` with the value of a key.
  package func value<R>(forKey key: [UInt8], _ body: (RawSpan) -> R) -> R? {
    LMDBShare.withBytes(of: key) { key in
      StoredKey.with(key, isFixed: hasFixedKeys) { stored in
        guard let bytes = core.get(database, stored) else { return nil }
        return entry(stored, bytes) { body($1) }
      }
    } ?? nil
  }

  /// Walks entries of a dictionary in the order of their keys, until `body` says no.
  ///
  /// - Parameters:
  ///   - lower: An encoded key that the walk starts with, or behind which it starts; nil for the first one.
  ///   - upper: An encoded key before which it ends; nil for the last one.
  package func walk(
    from lower: [UInt8]? = nil, upTo upper: [UInt8]? = nil, reversed: Bool = false,
    _ body: (_ key: RawSpan, _ value: RawSpan) throws -> Bool
  ) throws {
    let (lower, upper) = (lower.map(storedBound), upper.map(storedBound))
    let cursor = Cursor(core, database)
    var isThere: Bool
    if reversed {
      let hasBehind = upper.map { LMDBShare.withBytes(of: $0) { cursor.seek($0) } } ?? false
      isThere = hasBehind ? cursor.move(.previous) : cursor.move(.last)
    } else {
      isThere = lower.map { LMDBShare.withBytes(of: $0) { cursor.seek($0) } } ?? cursor.move(.first)
    }
    var watch = WalkWatch(
      count: core.isWritable ? nil : core.count(database), isWhole: lower == nil && upper == nil, reversed: reversed)
    while isThere {
      if let finding = watch.finding(at: cursor.key) { return core.fail(reference.damage(finding)) }
      if let upper, !reversed, LMDBShare.withBytes(of: upper, { cursor.key.compare($0) >= 0 }) { return }
      if let lower, reversed, LMDBShare.withBytes(of: lower, { cursor.key.compare($0) < 0 }) { return }
      var goesOn: Result<Bool, any Error>?
      _ = checkedEntry(cursor.key, cursor.value) { key, value in goesOn = Result { try body(key, value) } }
      guard let goesOn else {
        return core.fail(reference.damage("the value of a long key does not tell the key"))
      }
      guard try goesOn.get() else { return }
      isThere = cursor.move(reversed ? .previous : .next)
    }
    if !core.hasFailed, let finding = watch.findingAtEnd() {
      core.fail(reference.damage(finding))
    }
  }

  /// Where a key would stand. A bound may be empty, and as long as any key that begins with it.
  private func storedBound(_ key: [UInt8]) -> [UInt8] {
    if key.isEmpty { return [0] }
    return LMDBShare.withBytes(of: key) { StoredKey.with($0, isFixed: hasFixedKeys) { $0.copied() } }
  }

  /// The key and the value in what is stored; nil when a long key is not told.
  func entry<R>(_ stored: RawSpan, _ bytes: RawSpan, _ body: (RawSpan, RawSpan) -> R) -> R? {
    guard StoredKey.isHashed(stored, isFixed: hasFixedKeys) else {
      return body(StoredKey.encoded(stored, isFixed: hasFixedKeys), bytes)
    }
    var reader = ByteReader(bytes)
    guard let length = try? reader.littleEndian(UInt32.self), Int(length) <= reader.remaining,
      let key = try? reader.bytes(Int(length))
    else { return nil }
    return body(key, reader.remainder())
  }

  /// The same; nil also when the long key that is told is not the one that is stored.
  func checkedEntry<R>(_ stored: RawSpan, _ bytes: RawSpan, _ body: (RawSpan, RawSpan) -> R) -> R? {
    let hashed = StoredKey.isHashed(stored, isFixed: hasFixedKeys) ? stored.copied() : nil
    let result = entry(stored, bytes) { key, value -> R? in
      if let hashed, StoredKey.make(key) != hashed { return nil }
      return body(key, value)
    }
    return result ?? nil
  }

  /// An item of a queue, wherever it stands.
  package struct Item {
    package enum State: String, Sendable { case ready, delayed, leased, dead }
    package var sequence: UInt64
    package var state: State
    package var level: Int
    package var attempts: UInt32
    /// In microseconds since 1970: when a delay or lease ends, or when it was given up.
    package var time: UInt64?
    /// The reason why it became a dead letter.
    package var reason: String?

    package init(
      sequence: UInt64, state: State, level: Int, attempts: UInt32, time: UInt64? = nil, reason: String? = nil
    ) {
      self.sequence = sequence
      self.state = state
      self.level = level
      self.attempts = attempts
      self.time = time
      self.reason = reason
    }
  }

  /// Walks all items of a queue: those that can be taken, in order, then leased, delayed and dead ones.
  package func walkItems(_ body: (Item, RawSpan) throws -> Bool) throws {
    let queue = queue
    var walk = QueueWalk(core, queue)
    var goesOn: Result<Bool, any Error> = .success(true)
    let ready = queue.state.ready
    var seen = 0
    while walk.next({ taken, bytes in
      let item = Item(sequence: taken.sequence, state: .ready, level: taken.level, attempts: taken.attempts)
      goesOn = Result { try body(item, bytes) }
    }) {
      guard try goesOn.get() else { return }
      seen += 1
    }
    // Whoever writes may take and add meanwhile.
    if !core.hasFailed, !core.isWritable, seen != ready {
      return core.fail(reference.damage("\(seen) items can be taken, and \(ready) are counted"))
    }
    for (area, state) in [
      (QueueArea.leased, Item.State.leased), (QueueArea.delayed, .delayed), (QueueArea.dead, .dead),
    ] {
      queue.walk(core, area) { record, bytes in
        let item = Item(
          sequence: record.sequence, state: state, level: record.level, attempts: record.attempts, time: record.time,
          reason: state == .dead ? QueueRecord.reason(bytes) : nil)
        goesOn = Result { try body(item, QueueRecord.item(bytes)) }
        return (try? goesOn.get()) ?? false
      }
      guard try goesOn.get() else { return }
    }
    // Who sees all of it relies on its numbers, too, which a dump keeps.
    guard !core.hasFailed, !core.isWritable else { return }
    do throws(StoreError) {
      try queue.checkInvariants(core)
    } catch {
      core.fail(error)
    }
  }

  /// What is kept of a queue beside its items.
  package struct QueueNumbers {
    package var lastSequence: UInt64
    package var lastToken: UInt64
    package var isClosed: Bool

    package init(lastSequence: UInt64, lastToken: UInt64, isClosed: Bool) {
      self.lastSequence = lastSequence
      self.lastToken = lastToken
      self.isClosed = isClosed
    }
  }

  package var queueNumbers: QueueNumbers {
    let state = queue.state
    return QueueNumbers(lastSequence: state.lastSequence, lastToken: state.lastToken, isClosed: state.isClosed)
  }
}

extension StoredKey {
  /// Whether keys of this representation all have one size; see OnDiskFormat.md.
  static func isFixed(_ identifier: String) -> Bool { RepresentationTable.fixedSize(of: identifier) != nil }
}
