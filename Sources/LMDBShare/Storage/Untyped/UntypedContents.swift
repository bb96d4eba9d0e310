/// The contents of a structure in one transaction, as bytes.
///
/// Elements of lists and arrays are identified by positions, entries of dictionaries by encoded keys (not stored ones: long keys
/// are hashed here), items of queues by sequence numbers. The contents are valid until their transaction ends.
package struct UntypedContents {
  let core: Transaction
  let reference: StructureReference
  let database: Database

  init(_ core: Transaction, _ reference: StructureReference, _ database: Database) {
    self.core = core
    self.reference = reference
    self.database = database
  }

  /// The structure's description in the catalogue.
  package var description: StructureDescription { reference.description }

  var sequence: SequenceStorage { SequenceStorage(core, reference, database) }
  var map: MapStorage {
    MapStorage(core, database, hasFixedKeys: reference.description.key.map(StoredKey.isFixed) ?? false)
  }
  var queue: QueueStorage { core.queue(reference, database) }
}

// MARK: Reading

extension UntypedContents {
  /// The first read error, which the transaction will throw.
  package var failure: StoreError? { core.failure }

  /// The number of elements, entries, or items that can be taken; 1 for a structure that holds one value.
  package var count: Int {
    switch reference.description.kind.shape {
    case .sequence: sequence.count
    case .map: core.count(database)
    case .queue: queue.state.ready
    case .cell: value { _ in true } == nil ? 0 : 1
    }
  }

  /// Walks everything that is stored. Throws an error if it contradicts the format.
  func checkInvariants() throws(StoreError) {
    switch description.kind.shape {
    case .sequence: try sequence.checkInvariants()
    case .map: try map.checkInvariants(reference)
    case .queue: try queue.checkInvariants(core)
    case .cell: _ = value { _ in }
    }
    if let failure = core.failure { throw failure }
  }

  /// The pages that the database occupies; nil for a structure that is stored among the values.
  package var storedPages: TreeStatistics? {
    reference.description.kind.liesAmongValues ? nil : core.statistics(database)
  }

  /// Calls `body` with the bytes of a value. Returns nil when there is none; fails the transaction when there should be one.
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

  /// Walks elements of a list or array, until `body` returns false.
  package func walk(_ positions: Range<Int>, reversed: Bool = false, _ body: (Int, RawSpan) throws -> Bool) throws {
    try sequence.walk(positions, reversed: reversed, body)
  }

  /// Calls `body` with the value of an encoded key.
  package func value<R>(forKey key: [UInt8], _ body: (RawSpan) -> R) -> R? {
    let map = map
    return LMDBShare.withBytes(of: key) { key in
      StoredKey.with(key, isFixed: map.hasFixedKeys) { stored in
        guard let bytes = core.get(database, stored),
          let value = try? StoredKey.value(stored, bytes, isFixed: map.hasFixedKeys)
        else { return nil }
        return body(value)
      }
    }
  }

  /// Walks the entries of a dictionary in the order of their keys, until `body` returns false.
  ///
  /// - Parameters:
  ///   - lower: The encoded key at which the walk starts; nil for the first key.
  ///   - upper: The encoded key before which the walk ends; nil to include the last key.
  package func walk(
    from lower: [UInt8]? = nil, upTo upper: [UInt8]? = nil, reversed: Bool = false,
    _ body: (_ key: RawSpan, _ value: RawSpan) throws -> Bool
  ) throws {
    try map.walk(reference, from: lower, upTo: upper, reversed: reversed, body)
  }

  /// An item of a queue in any state.
  package struct Item {
    package enum State: String, Sendable { case ready, delayed, leased, dead }
    package var sequence: UInt64
    package var state: State
    package var level: Int
    package var attempts: UInt32
    /// The time at which a delay or lease ends, or at which it became a dead letter, in microseconds since 1970.
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
    while walk.next({ taken, bytes in
      let item = Item(sequence: taken.sequence, state: .ready, level: taken.level, attempts: taken.attempts)
      goesOn = Result { try body(item, bytes) }
    }) {
      guard try goesOn.get() else { return }
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
    // A caller that walks everything also relies on the queue's numbers, which a dump contains. A writer may take and add items
    // during the walk.
    guard !core.hasFailed, !core.isWritable else { return }
    do throws(StoreError) {
      try queue.checkInvariants(core)
    } catch {
      core.fail(error)
    }
  }

  /// The numbers and flags of a queue that are stored besides its items.
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
