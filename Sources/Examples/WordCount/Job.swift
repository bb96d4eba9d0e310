import LMDBShare

/// What the processes of one count share.
struct Job {
  let store: SharedStore
  /// The files to be counted; an empty path behind the last one tells the workers to end.
  let files: SharedQueue<String>
  let counts: SharedDictionary<String, Int>
  let done: SharedList<String>
  let skipped: SharedList<String>
  let words: SharedValue<Int>
  let lengths: SharedArray<Int>

  init(_ store: SharedStore) throws {
    self.store = store
    files = try store.queue("files", of: String.self)
    counts = try store.dictionary("counts", String.self, Int.self)
    done = try store.list("done", of: String.self)
    skipped = try store.list("skipped", of: String.self)
    words = try store.value("words", initial: 0)
    lengths = try store.array("lengths", of: Int.self, count: Words.lengthClasses)
  }

  /// How many files are finished, one way or the other.
  func finished() throws -> Int {
    try store.read { txn in txn[done].count + txn[skipped].count }
  }

  /// Counts files until there are no more.
  ///
  /// A worker looks at an item near the head of the queue, counts without holding up anybody, and then takes the item out
  /// and adds the result in one transaction: so a file counts once whoever dies when. Two workers may pick the same file;
  /// the second then finds it gone and drops its result.
  func work() throws {
    while true {
      guard try files.waitForItem(timeout: .seconds(60)) else { continue }
      let picked = try store.read { txn in
        Array(txn[files].items.prefix(16)).filter { !$0.element.isEmpty }.randomElement()
      }
      guard let picked else {
        // Nothing but the end, which stays for the others.
        if try files.peek() == "" { return }
        continue
      }
      let result = Result { () throws(Unreadable) in try Files.words(picked.element) }
      try store.write { txn in
        guard txn[files].remove(picked.sequence) else { return }
        switch result {
        case .success(let words):
          txn[counts].merge(words.counts, uniquingKeysWith: +)
          txn[done].append(picked.element)
          txn[self.words] += words.total
          for (index, count) in words.lengths.enumerated() where count > 0 { txn[lengths][index] += count }
        case .failure(let reason):
          txn[skipped].append("\(picked.element): \(reason)")
        }
      }
    }
  }
}
