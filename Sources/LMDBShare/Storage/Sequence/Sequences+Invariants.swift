// The invariants of stored lists and arrays; see OnDiskFormat.md. For tests and tools: a check takes as long as reading
// everything.

extension BlockSequence {
  /// Walks all blocks. Throws an error if they contradict the format.
  func checkInvariants(_ core: Transaction) throws(StoreError) {
    load(core)
    if let failure = core.failure { throw failure }
    switch shape {
    case .regular(let regular): try checkRegular(core, regular)
    case .directory(let directory): try checkDirectory(core, directory)
    }
    if let failure = core.failure { throw failure }
    if let wanted = reference.description.count, wanted != count {
      throw reference.damage("it has \(count) elements instead of \(wanted)")
    }
  }

  private func checkRegular(_ core: Transaction, _ regular: Regular) throws(StoreError) {
    let cursor = Cursor(core, database)
    var isThere = cursor.move(.first)
    var number = 0
    while isThere, !core.hasFailed {
      guard cursor.key.littleEndian(UInt64.self) == regular.firstKey + UInt64(number) else {
        throw reference.damage("block \(number) is missing")
      }
      let isFull = cursor.value.byteCount == capacity * size
      guard number == 0 || number == regular.blocks - 1 || isFull, cursor.value.byteCount % size == 0 else {
        throw reference.damage("block \(number) has \(cursor.value.byteCount) bytes")
      }
      number += 1
      isThere = cursor.move(.next)
    }
  }

  private func checkDirectory(_ core: Transaction, _ directory: BlockDirectory) throws(StoreError) {
    var counts: [UInt64: Int] = [:]
    var place = directory.place(core, 0)
    while let found = place {
      guard counts.updateValue(found.entry.count, forKey: found.entry.key) == nil else {
        throw reference.damage("block \(found.entry.key) is in the directory twice")
      }
      place = directory.next(core, found)
    }
    guard counts.values.reduce(0, +) == count, counts.keys.allSatisfy({ $0 >= Self.firstBlockKey }) else {
      throw reference.damage("its directory is damaged")
    }
    var blocks = 0
    var leaves = 0
    let cursor = Cursor(core, database)
    var isThere = cursor.move(.first)
    while isThere, !core.hasFailed {
      let key = cursor.key.littleEndian(UInt64.self) ?? 0
      if key >= Self.firstBlockKey {
        blocks += 1
        guard let elements = counts[key], 1...capacity ~= elements, cursor.value.byteCount == elements * size else {
          throw reference.damage("block \(key) is not as its directory tells")
        }
      } else if key != BlockDirectory.topKey {
        leaves += 1
      }
      isThere = cursor.move(.next)
    }
    guard blocks == counts.count, leaves == directory.leaves.count else {
      throw reference.damage("its directory names \(counts.count) blocks of \(blocks)")
    }
  }
}

extension IndexedSequence {
  /// Walks all elements. Throws an error if they contradict the format.
  func checkInvariants(_ core: Transaction) throws(StoreError) {
    load(core)
    let cursor = Cursor(core, database)
    var isThere = cursor.move(.first)
    var number = 0
    while isThere, !core.hasFailed {
      guard cursor.key.littleEndian(UInt64.self) == firstKey &+ UInt64(number) else {
        throw reference.damage("element \(number) is missing")
      }
      number += 1
      isThere = cursor.move(.next)
    }
    if let failure = core.failure { throw failure }
    if number != count { throw reference.damage("it has \(number) elements instead of \(count)") }
  }
}

extension SlottedSequence {
  /// Walks all blocks. Throws an error if they contradict the format.
  func checkInvariants(_ core: Transaction) throws(StoreError) {
    load(core)
    if let failure = core.failure { throw failure }
    if let indexed { return try indexed.checkInvariants(core) }
    var inner: [BlockDirectory.Entry] = []
    var place = directory?.place(core, 0)
    while let found = place {
      inner.append(found.entry)
      place = directory?.next(core, found)
    }
    if let failure = core.failure { throw failure }
    var found: [BlockDirectory.Entry] = []
    var leaves = 0
    let cursor = Cursor(core, database)
    var isThere = cursor.move(.first)
    while isThere, !core.hasFailed {
      let key = cursor.key.littleEndian(UInt64.self) ?? 0
      if key >= BlockSequence.firstBlockKey {
        guard let block = SlottedBytes(cursor.value, start: 0) else {
          throw reference.damage("block \(key) is damaged")
        }
        found.append(.init(key: key, count: block.count))
      } else if key != BlockDirectory.topKey {
        leaves += 1
      }
      isThere = cursor.move(.next)
    }
    if let failure = core.failure { throw failure }
    let isSame = found.dropFirst().dropLast().elementsEqual(inner) { $0.key == $1.key && $0.count == $1.count }
    guard isSame, leaves == directory?.leaves.count ?? 0 else {
      throw reference.damage("its directory does not have the blocks between the first and the last")
    }
  }
}
