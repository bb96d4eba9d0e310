internal import _LMDBShareLMDB
internal import _LMDBShareSystem

// The file never becomes shorter while it is open, but the disk space of free pages can be given back, as holes in the file. What
// LMDB writes to such a page later takes new space. LMDB never reads a free page.
//
// A hole costs from a microsecond to some milliseconds, depending on the file system and the disk, and no writer may use a free
// page meanwhile. So holes are made in several turns, each of which holds the writer's lock for a limited time.

extension Environment {
  /// How many pages are sorted at a time, so that neighbours from several transactions become one hole.
  private static let pagesInABatch = 16_384
  /// The maximum number of pages of a hole: the clock is read between two holes.
  private static let pagesInAHole = 1024
  /// How many holes are made in one turn: file systems defer a part of the work.
  private static let holesInATurn = 256
  /// When a turn begins no more holes.
  private static let turn = Duration.milliseconds(10)

  /// A position in the list of free pages: in the record of a transaction, all pages below one; then the next transactions.
  private struct FreePlace: Comparable {
    var transaction = 0
    var below = Int.max

    static func < (a: FreePlace, b: FreePlace) -> Bool {
      // Records list their pages in descending order.
      a.transaction == b.transaction ? a.below > b.below : a.transaction < b.transaction
    }
  }

  /// The position of the next batch.
  private struct TrimPlace {
    /// Where the batch begins, and after which page of it.
    var start = FreePlace()
    var lastPage = 0
    /// The end of a batch that was begun.
    var end: FreePlace?
    /// The newest transaction at the beginning: otherwise pages that others free meanwhile could keep this running forever.
    var limit: Int?
  }

  /// Gives the disk space of free pages back to the file system, in turns between which others can write.
  ///
  /// - Parameter patience: How long to wait for other writers at each turn; nil to wait without a limit.
  func trim(waiting patience: Duration?) throws(StoreError) {
    var place = TrimPlace()
    while true {
      let began = ContinuousClock.now
      guard try trimTurn(&place, until: patience.map { began + $0 }) else { return }
      // The lock between threads is not fair: a thread that takes it again immediately would keep it.
      let pause = max(began.duration(to: .now), .milliseconds(1))
      usleep(UInt32(min(pause, Self.turn * 2).futexNanoseconds / 1000))
    }
  }

  /// Performs one turn; returns false at the end.
  private func trimTurn(_ place: inout TrimPlace, until deadline: ContinuousClock.Instant?) throws(StoreError) -> Bool {
    // No other process uses free pages meanwhile.
    let writer = try beginWrite(until: deadline)
    defer { abort(writer) }
    let core = try beginRead()
    defer { core.end() }
    var pages = try freePages(&place, core)
    guard place.end != nil else { return false }
    pages.sort()
    try punch(pages, &place)
    return true
  }

  /// The pages of a batch that no snapshot uses; its end is nil when there is no further batch.
  private func freePages(_ place: inout TrimPlace, _ core: Transaction) throws(StoreError) -> [Int] {
    // Pages that were freed later may still be read: LMDB uses the same rule for reusing pages.
    let limit = place.limit ?? core.snapshotID
    place.limit = limit
    let oldest = min(try readerSlots().compactMap(\.snapshotID).min() ?? core.snapshotID, limit)
    let lastOfFile = max(2, lastPage)
    var pages: [Int] = []
    var reached: FreePlace?
    let cursor = Cursor(core, Database.freeList)
    var isThere = cursor.seek(UInt64(place.start.transaction))
    while isThere, pages.count < Self.pagesInABatch {
      guard let key = cursor.key.littleEndian(at: 0, UInt64.self), let id = Int(exactly: key), id < oldest else {
        break
      }
      let start = id == place.start.transaction ? place.start.below : Int.max
      // If the batch was begun earlier, pages that others have added since belong to a later batch.
      let end = place.end.map { $0.transaction == id ? $0.below : $0.transaction < id ? Int.max : 0 } ?? 0
      let record = cursor.value
      let count = max(0, min(Int(clamping: record.littleEndian(at: 0, UInt64.self) ?? 0), record.byteCount / 8 - 1))
      var below = 0
      for index in Self.first(below: start, record, count)..<count {
        guard let page = record.littleEndian(at: 8 + 8 * index, UInt64.self) else { break }
        guard 2...UInt64(lastOfFile) ~= page else {
          throw StoreError(.damaged, "trim", reason: "the free list names page \(page)", advice: "restore a backup")
        }
        if Int(page) < end { break }
        if pages.count >= Self.pagesInABatch {
          below = Int(page) + 1
          break
        }
        if Int(page) > place.lastPage { pages.append(Int(page)) }
      }
      if end == .max { break }
      reached = FreePlace(transaction: id, below: below)
      isThere = cursor.move(.next)
    }
    if let failure = core.failure { throw failure }
    if place.end == nil { place.end = reached }
    if place.end == place.start { place.end = nil }
    return pages
  }

  /// The index of the first page of a record that is below a given page.
  private static func first(below page: Int, _ record: RawSpan, _ count: Int) -> Int {
    if page == .max { return 0 }
    var (low, high) = (0, count)
    while low < high {
      let middle = low + (high - low) / 2
      let found = Int(clamping: record.littleEndian(at: 8 + 8 * middle, UInt64.self) ?? 0)
      if found < page { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Makes holes of pages, in order, until the turn is over.
  private func punch(_ pages: [Int], _ place: inout TrimPlace) throws(StoreError) {
    var file: Int32 = -1
    _ = unsafe mdb_env_get_fd(handle, &file)
    let size = pageSize
    let end = ContinuousClock.now + Self.turn
    var holes = 0
    var index = 0
    while index < pages.count {
      if holes == Self.holesInATurn || holes > 0 && ContinuousClock.now >= end { return }
      let first = pages[index]
      var count = 1
      while index + count < pages.count, count < Self.pagesInAHole, pages[index + count] == first + count { count += 1 }
      index += count
      holes += 1
      try check(lms_punch(file, off_t(first * size), off_t(count * size)), "trim \(directory.path)")
      place.lastPage = first + count - 1
    }
    // The batch is finished.
    place = TrimPlace(start: place.end ?? place.start, limit: place.limit)
  }
}
