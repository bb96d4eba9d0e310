import Foundation
import LMDBShare
import TestSupport
import Testing

/// A failed transaction cannot read any more; code that continues in it is not stopped, but gets the error at its end.
@Suite(.timeLimit(.minutes(20)))
struct FailedTransactionTests {
  @Test func whoGoesOnIsToldAtTheEnd() throws {
    let directory = TemporaryDirectory()
    var options = StoreOptions.durability(.processCrashOnly)
    options.maximumSize = 1 << 20
    let store = try SharedStore(path: directory.file("store"), options: options)
    let names = try store.list("names", of: String.self)
    let numbers = try store.list("numbers", of: Int32.self)
    let cells = try store.array("cells", of: Int.self, count: 10)
    let words = try store.dictionary("words", of: String.self, Int.self)
    let value = try store.value("value", initial: 7)
    let queue = try store.queue("queue", of: Int.self)
    try store.write { txn in
      txn[names].append(contentsOf: ["a", "b"])
      txn[numbers].append(contentsOf: [1, 2, 3])
      txn[words]["a"] = 1
      txn[queue].push(1)
    }
    var hasGoneOn = false
    for isKnown in [false, true] {
      #expect(
        code {
          try store.write { txn in
            if isKnown { _ = (txn[names].count, txn[numbers].count, txn[cells].count, txn[words].count) }
            txn[names].append(String(repeating: "x", count: 2 << 20))
            txn[names][0] = txn[names][1]
            txn[names].insert("c", at: 1)
            txn[names].remove(at: 1)
            txn[names].removeLast()
            txn[names].sort()
            txn[numbers][2] += 1
            txn[numbers].insert(9, at: 3)
            txn[numbers].removeSubrange(0..<2)
            txn[cells][9] += 1
            txn[words]["a", default: 0] += 1
            txn[words].removeValue(forKey: "a")
            for entry in txn[words] { txn[names].append(entry.key) }
            if let first = txn[words].indices.first { _ = txn[words][first] }
            txn[value] += txn[names][0..<1].count
            txn[value] += txn[cells][2..<5].reduce(0, +)
            txn[value] += txn[numbers].suffix(2).count
            txn[value] += txn[words]["a"..<"b"].prefix(3).count
            txn[value] += txn[words].dropLast(1).count
            let item = txn[queue].pop()
            txn[queue].push(item ?? 2)
            hasGoneOn = true
          }
        } == .mapFull)
    }
    #expect(hasGoneOn)
    try store.read { txn in
      #expect(Array(txn[names]) == ["a", "b"] && Array(txn[numbers]) == [1, 2, 3] && txn[value] == 7)
    }
  }
}
