internal import _LMDBShareLMDB

// While a snapshot is held, no page that it uses is reused, so the file grows with each commit. With a bound on that growth,
// writers wait for the end of the snapshot instead of filling the disk.

/// The sizes of the file after commits, as this process has seen them.
struct GrowthLog {
  private static let most = 256
  private var marks: [(transaction: Int, lastPage: Int)] = []
  /// Whether the last check found a snapshot in the way, so that the next write checks again.
  var isInTheWay = false

  mutating func note(_ transaction: Int, _ lastPage: Int) {
    if marks.count >= Self.most { thin(transaction) }
    marks.append((transaction, lastPage))
  }

  /// The older the entries, the fewer are kept: the first one of each range of transactions whose size is a power of two and at
  /// most an eighth of its age.
  private mutating func thin(_ newest: Int) {
    var last = (bits: -1, range: -1)
    marks = marks.filter { mark in
      let bits = Int.bitWidth - 1 - max(1, (newest - mark.transaction) / 8).leadingZeroBitCount
      let range = (bits, mark.transaction >> bits)
      defer { last = range }
      return range != last
    }
  }

  /// The last page that was in use after a commit, or after the first commit that this process knows.
  func lastPage(at transaction: Int) -> Int? { (marks.last { $0.transaction <= transaction } ?? marks.first)?.lastPage }
}

extension Environment {
  /// Refuses to write when the file has grown by as much as the options allow since the oldest snapshot that is held.
  ///
  /// - Parameter lastPage: The last page in use, of the newest commit.
  func checkGrowth(_ lastPage: Int) throws(StoreError) {
    guard let limit = options.maximumSnapshotGrowth else { return }
    let newest = lastTransaction
    growth.note(newest, lastPage)
    let oldest = try readerSlots().filter { $0.snapshotID ?? newest < newest }
      .min { ($0.snapshotID ?? 0) < ($1.snapshotID ?? 0) }
    guard let oldest, let id = oldest.snapshotID, let before = growth.lastPage(at: id) else {
      return growth.isInTheWay = false
    }
    let grown = (lastPage - before) * pageSize
    growth.isInTheWay = grown >= limit
    guard growth.isInTheWay else { return }
    throw StoreError(
      .snapshotInTheWay, "write",
      reason: "process \(oldest.pid) holds a snapshot, \(newest - id) commits old, since which the file has grown by "
        + "\(grown) bytes of \(limit) allowed (maximumSnapshotGrowth)",
      advice: "end that snapshot or process, then try again", processID: oldest.pid)
  }
}
