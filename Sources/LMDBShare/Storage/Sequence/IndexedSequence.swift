// The layout of lists of elements of any size before there were slotted blocks: one element under each key. The keys are 64-bit
// integers and dense, so that a position can be computed from a key and both ends can grow.

/// The elements of a list of the older layout within one transaction.
final class IndexedSequence {
  let reference: StructureReference
  let database: Database
  private(set) var count = 0
  /// The key of position 0.
  private(set) var firstKey: UInt64 = BlockSequence.middleKey

  init(_ reference: StructureReference, _ database: Database) {
    self.reference = reference
    self.database = database
  }

  func load(_ core: Transaction) {
    count = 0
    firstKey = BlockSequence.middleKey
    guard !core.hasFailed else { return }
    let cursor = Cursor(core, database)
    guard cursor.move(.first) else { return }
    guard let key = cursor.key.littleEndian(UInt64.self) else {
      return core.fail(reference.damage("its keys are no positions"))
    }
    let entries = core.count(database)
    // All keys up to the end must be representable.
    guard UInt64(entries) <= UInt64.max - key else {
      return core.fail(reference.damage("its first key leaves no room for \(entries) elements"))
    }
    firstKey = key
    count = entries
  }

  /// Returns the bytes of an element in place; nil when it is missing, which fails the transaction.
  @_lifetime(borrow core)
  func element(_ core: Transaction, _ position: Int) -> RawSpan? {
    guard let bytes = core.get(database, firstKey &+ UInt64(position)) else {
      failMissing(core, position)
      return nil
    }
    return bytes
  }

  /// Makes a window show an element. Returns false when it is missing, which fails the transaction.
  ///
  /// - Parameter cursor: The cursor of a walk, which is moved.
  func show(_ core: Transaction, _ window: SlottedWindow, _ cursor: Cursor?, _ position: Int) -> Bool {
    let key = firstKey &+ UInt64(position)
    if let cursor {
      let isNext = cursor.key.littleEndian() == key &- 1 && cursor.move(.next) && cursor.key.littleEndian() == key
      if isNext || cursor.find(key) {
        show(core, window, cursor.value, position)
        return true
      }
      failMissing(core, position)
      return false
    }
    guard let bytes = element(core, position) else { return false }
    show(core, window, bytes, position)
    return true
  }

  private func show(_ core: Transaction, _ window: SlottedWindow, _ bytes: RawSpan, _ position: Int) {
    // In a write transaction, the next write may move the page.
    if core.isWritable {
      window.copyElement(bytes, position: position)
    } else {
      window.showElement(bytes, position: position)
    }
  }

  private func failMissing(_ core: Transaction, _ position: Int) {
    core.fail(
      StoreError(
        .damaged, "read", structure: reference.name, reason: "element \(position) of \(count) is missing",
        advice: "another program may have written to it; restore a backup"))
  }

  func replace(_ core: Transaction, _ position: Int, _ bytes: RawSpan) {
    core.put(database, firstKey &+ UInt64(position), bytes)
  }

  func append(_ core: Transaction, _ bytes: RawSpan) {
    if !core.put(database, firstKey &+ UInt64(count), bytes, .append) { failAppending(core) }
    count += 1
  }

  /// Reports LMDB's error about a key that is not the greatest as what it means here: the keys are not dense.
  private func failAppending(_ core: Transaction) {
    guard core.failure?.code == .notSorted else { return }
    core.replaceFailure(reference.damage("there are elements behind the last one, or its keys are used up"))
  }

  /// Inserts elements before a position. The elements on the shorter side move, each once, by a cursor.
  func insert(_ core: Transaction, _ position: Int, _ elements: [[UInt8]]) {
    let added = elements.count
    // The count also changes in a transaction that has failed, so that a loop that adds elements until a count is reached ends.
    defer { count += added }
    guard !core.hasFailed, !elements.isEmpty else { return }
    let isInFront = position < count - position
    guard isInFront ? firstKey >= UInt64(added) : UInt64.max - firstKey >= UInt64(count + added) else {
      return core.fail(reference.damage("its keys are used up"))
    }
    var queue = elements
    if isInFront {
      // Towards the front: displaced elements move down by `added` keys.
      let cursor = Cursor(core, database)
      var index = position - 1
      while index >= 0, !core.hasFailed {
        guard cursor.find(firstKey + UInt64(index)) else { return failMissing(core, index) }
        let displaced = cursor.value.copied()
        _ = withBytes(of: queue[queue.count - 1]) { cursor.replace($0) }
        queue.removeLast()
        queue.insert(displaced, at: 0)
        index -= 1
      }
      for bytes in queue.reversed() {
        firstKey -= 1
        _ = withBytes(of: bytes) { core.put(database, firstKey, $0) }
      }
    } else {
      let cursor = Cursor(core, database)
      var next = 0
      var isThere = position < count && cursor.find(firstKey + UInt64(position))
      var index = position
      while isThere, !core.hasFailed {
        let displaced = cursor.value.copied()
        _ = withBytes(of: queue[next]) { cursor.replace($0) }
        queue[next] = displaced
        next = (next + 1) % added
        index += 1
        isThere = cursor.move(.next)
      }
      if index != count { failMissing(core, index) }
      for offset in 0..<added where !core.hasFailed {
        _ = withBytes(of: queue[(next + offset) % added]) {
          core.put(database, firstKey + UInt64(count + offset), $0, .append)
        }
      }
      if core.hasFailed { failAppending(core) }
    }
  }

  /// Removes the elements at these positions. The elements on the shorter side move, each once.
  func remove(_ core: Transaction, _ positions: Range<Int>) {
    guard !positions.isEmpty else { return }
    if positions.count == count { return removeAll(core) }
    defer { count = max(0, count - positions.count) }
    guard !core.hasFailed else { return }
    let (before, behind) = (positions.lowerBound, count - positions.upperBound)
    if before < behind {
      for index in stride(from: before - 1, through: 0, by: -1) { move(core, from: index, to: index + positions.count) }
      for index in 0..<positions.count where !core.hasFailed { core.delete(database, firstKey + UInt64(index)) }
      firstKey += UInt64(positions.count)
    } else {
      for index in positions.upperBound..<count { move(core, from: index, to: index - positions.count) }
      for index in count - positions.count..<count where !core.hasFailed {
        core.delete(database, firstKey + UInt64(index))
      }
    }
  }

  private func move(_ core: Transaction, from: Int, to: Int) {
    guard !core.hasFailed, let bytes = element(core, from)?.copied() else { return }
    _ = withBytes(of: bytes) { core.put(database, firstKey + UInt64(to), $0) }
  }

  func removeAll(_ core: Transaction) {
    core.removeAll(database)
    count = 0
    firstKey = BlockSequence.middleKey
  }
}
