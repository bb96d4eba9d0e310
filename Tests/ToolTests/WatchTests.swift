import Foundation
import LMDBShare
import TestSupport
import Testing

/// What `lmdbshare watch` prints while other processes commit.
@Suite(.timeLimit(.minutes(20)))
struct WatchTests {
  let tool = Tool()

  /// A thousand commits by another process: they are seen one by one or several together, and the last one always.
  @Test func watchMissesNothing() throws {
    let store = try SharedStore(path: tool.directory.file("store"), options: .durability(.processCrashOnly))
    let list = try store.list("list", of: Int.self)
    let value = try store.value("value", initial: 0)
    let watcher = try Program(
      path: Tool.path, ["watch", tool.directory.file("store"), "list", "value", "--format", "jsonl"])
    try waitUntilItWaits(watcher, store)
    for number in 1...1000 {
      try store.write { txn in
        txn[list].append(number)
        txn[value] = number
      }
    }
    var seen: [Int] = []
    while let line = watcher.line() {
      let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      if object["structure"] as? String == "list" { seen.append(object["value"] as? Int ?? -1) }
      if object["structure"] as? String == "value", object["value"] as? Int == 1000 { break }
    }
    watcher.signal(SIGTERM)
    #expect(watcher.finish().status == -SIGTERM)
    #expect(seen == Array(1...1000))
  }

  /// Elements that a list with a maximum drops and gets are reported as such, and new elements by themselves.
  @Test func watchFollowsListsThatForget() throws {
    let store = try SharedStore(path: tool.directory.file("store"), options: .durability(.processCrashOnly))
    let packed = try store.list("packed", of: Int.self, maximumCount: 3)
    let indexed = try store.list("indexed", of: String.self, maximumCount: 3)
    let other = try store.value("other", initial: 0)
    try store.write { txn in
      txn[packed].append(contentsOf: [1, 2, 3])
      txn[indexed].append(contentsOf: ["1", "2", "3"])
    }
    for name in ["packed", "indexed"] {
      let watcher = try Program(
        path: Tool.path, ["watch", tool.directory.file("store"), name, "--values", "--count", "5", "--timeout", "60"])
      try waitUntilItWaits(watcher, store)
      for numbers in [4...4, 5...6, 7...7, 8...11, 12...12] {
        try store.write { txn in
          for number in numbers {
            txn[packed].append(number)
            txn[indexed].append("\(number)")
          }
        }
        // Of four that come together the first is already gone.
        for number in numbers where number != 8 { #expect(watcher.line() == "\(number)", "\(name)") }
      }
      #expect(watcher.finish() == (0, ""), "\(name)")
    }
    // Commits to other structures do not extend its wait.
    let watcher = try Program(path: Tool.path, ["watch", tool.directory.file("store"), "packed", "--timeout", "0.5"])
    let hasEnded = try eventually {
      try other.update { $0 += 1 }
      return !watcher.isRunning
    }
    #expect(watcher.finish().status == 4 && hasEnded)
  }

  /// Until it has its first snapshot, and sleeps.
  private func waitUntilItWaits(_ watcher: Program, _ store: SharedStore) throws {
    let isReader = try eventually {
      try store.statistics().readers.contains { $0.processID == Int(watcher.pid) && $0.snapshotID != nil }
    }
    try #require(isReader && watcher.reaches("S"))
  }
}
