// Removing one item in any state: leased, dead, ready or delayed.

extension QueueStorage {
  /// Removes the item of that number, whatever its state. Returns whether it existed.
  func remove(_ core: Transaction, _ sequence: UInt64) -> Bool {
    guard sequence > 0, sequence <= state.lastSequence else { return false }
    if core.get(database, QueueArea.leased | sequence) != nil {
      lowerLeased(core)
      state.gone += 1
      return core.delete(database, QueueArea.leased | sequence)
    }
    if core.get(database, QueueArea.dead | sequence) != nil {
      lowerDead(core)
      state.gone += 1
      return core.delete(database, QueueArea.dead | sequence)
    }
    for level in 0..<QueuePriority.levels {
      if core.get(database, QueueArea.returned(level) | sequence) != nil {
        state.gone += 1
        return core.delete(database, QueueArea.returned(level) | sequence)
      }
      if removeFresh(core, sequence, level) { return true }
    }
    return removeDelayed(core, sequence)
  }

  private func removeFresh(_ core: Transaction, _ sequence: UInt64, _ level: Int) -> Bool {
    let cursor = Cursor(core, database)
    let wanted = QueueArea.fresh(level) | sequence
    // The item is in the record that begins with it, or in the one before.
    if !cursor.seek(wanted) {
      guard cursor.move(.last) else { return false }
    } else if cursor.key.littleEndian(UInt64.self) != wanted {
      guard cursor.move(.previous) else { return false }
    }
    guard let key = cursor.key.littleEndian(UInt64.self), key >= QueueArea.fresh(level), key <= wanted,
      let chunk = QueueChunk(cursor.value)
    else { return false }
    let index = Int(wanted - key)
    let isFirst = isFirstFresh(core, key, level)
    let skipped = isFirst ? Int(state.skipped[level]) : 0
    guard index >= skipped, index < chunk.count else { return false }
    var before = QueueChunkBuilder()
    var after = QueueChunkBuilder()
    for other in 0..<chunk.count {
      guard let item = chunk.item(other) else {
        fail(core, "a record of items is damaged")
        return false
      }
      if other < index { before.append(item) } else if other > index { after.append(item) }
    }
    if index > skipped {
      before.finish { _ = core.put(database, key, $0) }
    } else {
      core.delete(database, key)
      if isFirst { state.skipped[level] = 0 }
    }
    if after.count > 0 { after.finish { _ = core.put(database, wanted + 1, $0) } }
    state.gone += 1
    return true
  }

  private func isFirstFresh(_ core: Transaction, _ key: UInt64, _ level: Int) -> Bool {
    let cursor = Cursor(core, database)
    return cursor.seek(QueueArea.fresh(level)) && cursor.key.littleEndian(UInt64.self) == key
  }

  private func removeDelayed(_ core: Transaction, _ sequence: UInt64) -> Bool {
    guard state.delayed > 0 else { return false }
    let cursor = Cursor(core, database)
    var isThere = cursor.seek(QueueArea.delayed)
    while isThere, let key = cursor.key.littleEndian(UInt64.self), key < QueueArea.dead {
      if QueueRecord(cursor.value)?.sequence == sequence {
        lowerDelayed(core)
        state.gone += 1
        return cursor.delete()
      }
      isThere = cursor.move(.next)
    }
    return false
  }
}
