// Changes by bytes. The caller has checked that the bytes are valid for the structure's type; only sizes are checked here.

extension UntypedContents {
  /// Sets a value.
  package func setValue(_ bytes: [UInt8]) {
    LMDBShare.withBytes(of: bytes) { bytes in
      withUTF8(of: reference.name) { key in _ = core.put(database, key, bytes) }
    }
  }

  /// Overwrites an element of a list or array.
  package func replace(_ position: Int, _ bytes: [UInt8]) throws(StoreError) {
    guard position >= 0, position < count else { throw outOfRange(position) }
    try checkSize(bytes.count)
    LMDBShare.withBytes(of: bytes) { sequence.replace(position, $0) }
  }

  /// Inserts an element into a list, or appends it if the position is the count. A list with a maximum drops elements at the
  /// other end.
  package func insert(_ bytes: [UInt8], at position: Int) throws(StoreError) {
    guard position >= 0, position <= count else { throw outOfRange(position) }
    try checkSize(bytes.count)
    let isAtStart = position == 0 && count > 0
    sequence.insert(bytes, at: position)
    if let maximum = reference.description.maximumCount, count > maximum {
      remove(isAtStart ? maximum..<count : 0..<count - maximum)
    }
  }

  /// Appends elements to a list without applying its maximum, which already applied to the data that is loaded.
  package func append(_ bytes: RawSpan) throws(StoreError) {
    try checkSize(bytes.byteCount)
    sequence.append(bytes)
  }

  /// Removes elements of a list.
  package func remove(_ positions: Range<Int>) { sequence.remove(positions) }

  /// Sets the value of a key of a dictionary.
  package func set(_ value: RawSpan, forKey key: RawSpan, isLast: Bool = false) {
    _ = map.put(key, value, isLast ? .likelyLast : .replace)
  }

  /// Removes a key of a dictionary. Returns whether it existed.
  package func removeValue(forKey key: [UInt8]) -> Bool {
    LMDBShare.withBytes(of: key) { map.delete($0) }
  }

  /// Removes all elements, entries or items.
  package func removeAll() {
    switch reference.description.kind.shape {
    case .sequence where reference.description.kind != .array: sequence.removeAll()
    case .map: core.removeAll(database)
    case .queue: queue.removeAll(core)
    case .sequence, .cell: break
    }
  }

  // MARK: Restoring queues

  /// Adds an item of a queue with its history. A leased item can be taken immediately, since its lease is not restored.
  package func restore(_ item: Item, _ bytes: RawSpan) throws(StoreError) {
    guard (0..<QueuePriority.levels).contains(item.level), item.sequence > 0, item.sequence < 1 << 55 else {
      throw StoreError(
        .outOfRange, "load", structure: reference.name,
        reason: "an item with number \(item.sequence), level \(item.level)",
        advice: "numbers start with 1, levels are 0 to 7")
    }
    queue.restore(core, item, bytes)
  }

  /// Adds a copy of an item of another queue with a new number, and with its history and state.
  package func add(_ item: Item, _ bytes: RawSpan) throws(StoreError) {
    guard (0..<QueuePriority.levels).contains(item.level) else {
      throw StoreError(
        .outOfRange, "load", structure: reference.name, reason: "an item of level \(item.level)",
        advice: "levels are 0 to 7")
    }
    let queue = queue
    if item.state != .dead, let refusal = queue.refusal(1) { throw refusal }
    queue.add(core, item, bytes)
  }

  /// Continues with these numbers, which no item may exceed.
  package func restore(_ numbers: QueueNumbers) { queue.restore(core, numbers) }

  private func checkSize(_ count: Int) throws(StoreError) {
    guard let size = reference.description.elementSize, count != size else { return }
    throw StoreError(
      .unencodable, "write", structure: reference.name, reason: "an element of \(count) bytes, where each has \(size)",
      advice: "give a value of the structure's type")
  }

  private func outOfRange(_ position: Int) -> StoreError {
    StoreError(
      .outOfRange, "write", structure: reference.name,
      reason: "index \(position) is out of range (\(count) elements)", advice: "use an index from 0 to the count")
  }
}

extension QueueStorage {
  func add(_ core: Transaction, _ item: UntypedContents.Item, _ bytes: RawSpan) {
    var copy = item
    copy.sequence = state.lastSequence + 1
    state.lastSequence = copy.sequence
    place(core, copy, bytes)
  }

  func restore(_ core: Transaction, _ item: UntypedContents.Item, _ bytes: RawSpan) {
    place(core, item, bytes)
    restored += 1
    restore(core, .init(lastSequence: item.sequence, lastToken: 0, isClosed: state.isClosed))
  }

  /// Stores an item in the area of its state.
  private func place(_ core: Transaction, _ item: UntypedContents.Item, _ bytes: RawSpan) {
    var record = QueueRecord(item.sequence, level: item.level)
    record.attempts = item.attempts
    state.levels |= 1 << UInt8(item.level)
    switch item.state {
    case .delayed: putDelayed(core, record, bytes, until: item.time ?? core.now())
    case .dead:
      record.time = item.time ?? core.now()
      record.withBytes(reason: item.reason ?? "", bytes) { _ = core.put(database, QueueArea.dead | item.sequence, $0) }
      state.dead += 1
    case .ready, .leased:
      if item.attempts == 0, item.state == .ready {
        restoreFresh(core, item, bytes)
      } else {
        record.withBytes(bytes) { _ = core.put(database, QueueArea.returned(item.level) | item.sequence, $0) }
      }
    }
  }

  private func restoreFresh(_ core: Transaction, _ item: UntypedContents.Item, _ bytes: RawSpan) {
    QueueChunkBuilder.single(bytes) { _ = core.put(database, QueueArea.fresh(item.level) | item.sequence, $0) }
  }

  /// The number of items ever pushed follows from the last number. Those that do not exist are gone.
  func restore(_ core: Transaction, _ numbers: UntypedContents.QueueNumbers) {
    // Dumps are untrusted: a queue whose numbers are close to their limit could not be used.
    state.lastSequence = max(state.lastSequence, min(numbers.lastSequence, 1 << 54))
    state.lastToken = max(state.lastToken, min(numbers.lastToken, 1 << 61))
    state.isClosed = numbers.isClosed
    state.gone = Int(clamping: state.lastSequence) - restored
  }
}

extension Transaction {
  /// Fills an array with its elements.
  func fill(_ reference: StructureReference, _ element: [UInt8]) {
    let count = reference.description.count ?? 0
    do throws(StoreError) {
      try environment?.checkRoom(for: count.bounded(times: element.count), structure: reference.name)
    } catch {
      return fail(error)
    }
    let blocks = loadBlocks(reference, reference.database, element.count, isNew: true)
    let chunk = Array(repeatElement(element, count: blocks.capacity).joined())
    var rest = count
    while rest > 0, failure == nil {
      let taken = min(rest, blocks.capacity)
      withBytes(of: chunk) { blocks.appendElsewhere(self, $0.extracting(0..<taken * element.count)) }
      rest -= taken
    }
  }
}
