internal import CLMDB
internal import CSystemShims

// The file never becomes shorter while it is open, but the disk space of free pages can be given back: a hole in the file.
// What LMDB writes to such a page later takes new space. LMDB never reads a free page.

extension Environment {
  /// How many pages are given back in one turn; between two turns others can write.
  private static let pagesInATurn = 16_384

  /// Gives the disk space of free pages back to the file system, in turns.
  package func trim(until deadline: ContinuousClock.Instant?) throws(StoreError) {
    var last = 0
    while let next = try trimTurn(after: last, until: deadline) { last = next }
  }

  /// One turn, of the pages that transactions after `first` have freed.
  ///
  /// - Returns: The number of the last of them; nil at the end.
  private func trimTurn(after first: Int, until deadline: ContinuousClock.Instant?) throws(StoreError) -> Int? {
    // Nobody takes free pages meanwhile.
    let writer = try beginWrite(until: deadline)
    defer { abort(writer) }
    let core = try beginRead()
    defer { core.end() }
    // Pages that were freed later may still be read, as LMDB itself decides when it uses pages again.
    let oldest = try readerSlots().compactMap(\.snapshotID).min() ?? core.snapshotID
    var pages: [Int] = []
    let end = max(2, lastPage)
    var last: Int?
    let cursor = Cursor(core, Transaction.freeList)
    var isThere = cursor.seek(UInt64(first + 1))
    while isThere, pages.count < Self.pagesInATurn {
      guard let key = cursor.key.littleEndian(at: 0, UInt64.self), let id = Int(exactly: key), id < oldest else {
        break
      }
      last = id
      let record = cursor.value
      let count = min(Int(clamping: record.littleEndian(at: 0, UInt64.self) ?? 0), record.byteCount / 8 - 1)
      for index in 0..<max(0, count) {
        guard let page = record.littleEndian(at: 8 + 8 * index, UInt64.self) else { break }
        guard 2...UInt64(end) ~= page else {
          throw StoreError(.damaged, "trim", reason: "the free list names page \(page)", advice: "restore a backup")
        }
        pages.append(Int(page))
      }
      isThere = cursor.move(.next)
    }
    if let failure = core.failure { throw failure }
    pages.sort()
    try punch(pages)
    return last
  }

  private func punch(_ pages: [Int]) throws(StoreError) {
    var file: Int32 = -1
    _ = unsafe mdb_env_get_fd(handle, &file)
    let size = pageSize
    var index = 0
    while index < pages.count {
      let first = pages[index]
      var count = 1
      while index + count < pages.count, pages[index + count] == first + count { count += 1 }
      index += count
      try check(lms_punch(file, off_t(first * size), off_t(count * size)), "trim \(directory.path)")
    }
  }
}
