import Foundation
import LMDBShare
import TestSupport
import Testing

/// `SharedStore.check()` finds nothing in a sound store, and finds what another program has stored wrongly.
@Suite(.timeLimit(.minutes(20)))
struct CheckTests {
  @Test func aSoundStoreHasNoFindings() throws {
    let test = try TestStore()
    #expect(try test.store.check() == [])
    let numbers = try test.store.list("numbers", of: Int16.self)
    let names = try test.store.list("names", of: String.self)
    let words = try test.store.dictionary("words", of: String.self, Int.self)
    let queue = try test.store.queue("queue", of: String.self)
    _ = try test.store.array("array", of: Int.self, count: 2000)
    _ = try test.store.value("value", initial: 1)
    _ = try (test.store.lock("lock"), test.store.semaphore("semaphore", permits: 2))
    _ = try (test.store.event("event"), test.store.barrier("barrier", parties: 2))
    try test.store.write { txn in
      txn[numbers].append(contentsOf: (0..<10_000).map { Int16($0) })
      for position in stride(from: 0, to: 9000, by: 500) { txn[numbers].insert(1, at: position) }
      txn[names].append(contentsOf: (0..<3000).map { "\($0)" })
      for position in stride(from: 0, to: 2500, by: 500) { txn[names].insert("x", at: position) }
      for length in [0, 1, 509, 510, 511, 5000] { txn[words][String(repeating: "x", count: length)] = length }
      txn[queue].push(contentsOf: (0..<500).map { "\($0)" })
    }
    _ = try queue.pop(atMost: 30)
    _ = try queue.lease(for: .seconds(60))
    #expect(try test.store.check() == [])
  }

  /// LMDB leaves a value on its overflow pages when a shorter one replaces it.
  @Test func longValuesThatBecameShortAreSound() throws {
    let test = try TestStore()
    let names = try test.store.list("names", of: String.self)
    try names.append(String(repeating: "x", count: 20_000))
    try names.append(String(repeating: "y", count: 5000))
    try names.write { $0[0] = "short" }
    #expect(try test.store.check() == [])
    _ = try names.write { $0.removeFirst() }
    #expect(try test.store.check() == [])
  }

  /// Done by py-lmdb: a structure is damaged, and only that one is reported.
  @Test(
    .enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with py-lmdb"),
    arguments: ["numbers", "cut", "names", "words", "array", "queue", "value"])
  func damageIsNamed(_ name: String) throws {
    let test = try TestStore()
    let numbers = try test.store.list("numbers", of: Int16.self)
    let cut = try test.store.list("cut", of: Int16.self)
    let names = try test.store.list("names", of: String.self)
    let words = try test.store.dictionary("words", of: String.self, Int.self)
    let queue = try test.store.queue("queue", of: String.self)
    _ = try test.store.array("array", of: Int.self, count: 2000)
    _ = try test.store.value("value", initial: 1)
    try test.store.write { txn in
      for list in [numbers, cut] { txn[list].append(contentsOf: (0..<10_000).map { Int16($0) }) }
      txn[cut].insert(1, at: 5000)
      txn[names].append(contentsOf: (0..<3000).map { "\($0)" })
      txn[words][String(repeating: "x", count: 5000)] = 1
      txn[queue].push(contentsOf: (0..<500).map { "\($0)" })
    }
    #expect(try test.store.check() == [])
    let harm = """
      import lmdb, sys
      path, name = sys.argv[1:]
      env = lmdb.open(path, max_dbs=30, lock=True)
      with env.begin(write=True) as txn:
          if name == "value":
              txn.delete(b"value", db=env.open_db(b".values", txn=txn, create=False))
          else:
              integers = name != "words"
              db = env.open_db(name.encode(), txn=txn, integerkey=integers, create=False)
              cursor = txn.cursor(db)
              if name == "words":
                  cursor.first()
                  cursor.put(cursor.key(), b"\\x01" + cursor.value()[1:])
              elif name == "queue":
                  cursor.last()
                  cursor.put(cursor.key(), b"\\xff" * 100)
              else:
                  # The second of three or more blocks or elements, or of a directory's.
                  cursor.last()
                  cursor.prev()
                  cursor.delete()
      env.close()
      """
    let python = try #require(ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"])
    let result = try Program(path: python, ["-c", harm, test.path, name]).finish()
    #expect(result.status == 0, "\(result)")
    let findings = try test.store.check()
    #expect(findings.map(\.code) == [.damaged])
    #expect(findings.map(\.structure) == [name], "\(findings)")
  }
}
