import LMDBShare

/// What the processes of one word count share.
struct Job {
  let store: SharedStore
  /// The files to be counted; the queue is closed after the last one.
  let files: SharedQueue<String>
  let counts: SharedDictionary<String, Int>
  let done: SharedList<String>
  let skipped: SharedList<String>
  let words: SharedValue<Int>
  let lengths: SharedArray<Int>

  init(_ store: SharedStore) throws {
    self.store = store
    files = try store.queue("files", of: String.self)
    counts = try store.dictionary("counts", of: String.self, Int.self)
    done = try store.list("done", of: String.self)
    skipped = try store.list("skipped", of: String.self)
    words = try store.value("words", initial: 0)
    lengths = try store.array("lengths", of: Int.self, count: Words.lengthClasses)
  }

  /// Returns how many files are finished, successfully or not, and as of which snapshot.
  func finished() throws -> (count: Int, snapshot: Int) {
    try store.read { txn in (txn[done].count + txn[skipped].count, txn.snapshotID) }
  }

  /// Counts files until the queue is closed and empty.
  ///
  /// A worker leases a file and counts its words without blocking other processes. Then it acknowledges the lease and adds the
  /// result in one transaction. So each file counts exactly once, whichever worker dies at whatever time: until that transaction
  /// the file returns to the queue.
  func work() throws {
    while let lease = try files.lease(for: .seconds(60), timeout: .seconds(3600)) {
      let result = Result { () throws(Unreadable) in try Files.words(lease.element) }
      try store.write { txn in
        try txn[files].acknowledge(lease)
        switch result {
        case .success(let words):
          txn[counts].merge(words.counts, uniquingKeysWith: +)
          txn[done].append(lease.element)
          txn[self.words] += words.total
          for (index, count) in words.lengths.enumerated() where count > 0 { txn[lengths][index] += count }
        case .failure(let reason):
          txn[skipped].append("\(lease.element): \(reason)")
        }
      }
    }
  }
}
