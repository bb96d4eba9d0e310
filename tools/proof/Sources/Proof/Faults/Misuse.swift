import ArgumentParser
import CProof
import Foundation
import LMDBShare

/// Mistakes of programs.
struct FaultsOfMisuse: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "misuse", abstract: "Mistakes of programs: a typed error or a stop with a message each.")
  @OptionGroup var common: CommonOptions

  func run() throws {
    var runner = try CaseRunner("misuse", common)
    for one in MisuseCases.all { try runner.run(one) }
    try runner.finish("; what does not compile: tools/test --filter RefusalTests")
  }
}

enum MisuseCases {
  private static func store(_ path: String) throws -> (SharedStore, SharedList<String>) {
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let list = try store.list("list", of: String.self)
    try list.append(contentsOf: ["a", "b", "c"])
    return (store, list)
  }

  /// A reference that is kept although it must not be.
  private final class Kept<Value>: @unchecked Sendable {
    var value: Value?
  }

  /// Whether everything still works.
  private static func works(_ list: SharedList<String>) throws -> String {
    let count = try list.count
    try list.append("z")
    return try list.count == count + 1 ? "works" : "lost"
  }

  static let all: [Case] = [
    Case("opened twice, and through a link to the directory", "works") { path in
      let (store, list) = try store(path)
      let link = path + "-link"
      try? FileManager.default.removeItem(atPath: link)
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
      for other in [path, path + "/", path + "/.", link] {
        let again = try SharedStore(path: other, options: .durability(.processCrashOnly)).list("list", of: String.self)
        try again.append("d")
      }
      try store.write { txn in _ = txn[list].removeLast() }
      guard try list.count == 6 else { return "lost" }
      return try works(list)
    },
    Case("opened with other options", "optionsConflict") { path in
      let (store, _) = try store(path)
      defer { withExtendedLifetime(store) {} }
      _ = try SharedStore(path: path)
      return "nothing"
    },
    Case("a file of the store opened and closed by hand", "works") { path in
      let (_, list) = try store(path)
      // LMDB's own lock file must not be opened: the documentation says so, and it cannot be detected.
      for name in ["data.mdb", "signal", "owners", "unsynced"] { close(open(path + "/" + name, O_RDONLY)) }
      return try works(list)
    },
    Case("forked with everything open", "works") { path in
      let (store, list) = try store(path)
      let queue = try store.queue("queue", of: Int.self)
      try queue.push(1)
      guard let lease = try queue.lease(for: .seconds(60)) else { return "nothing" }
      let snapshot = try store.snapshot()
      let all = Kept<() throws -> Void>()
      // Each of these uses is refused in the child.
      let uses: [() throws -> Void] = [
        { _ = try list.count }, { try list.append("d") }, { _ = try store.snapshot() },
        { try queue.acknowledge(lease) },
        { _ = try store.check() }, { try store.sync() }, { _ = try store.statistics() },
      ]
      all.value = {
        for use in uses where try Case.code(use) != "usedAfterFork" { throw Problem("used in a child") }
        // But the child can use its own store.
        try SharedStore(path: path, options: .durability(.processCrashOnly)).list("list", of: String.self).append("e")
      }
      let end = withExtendedLifetime(all) {
        proof_fork(
          { context in
            let all = Unmanaged<Kept<() throws -> Void>>.fromOpaque(context!).takeUnretainedValue()
            return (try? all.value?()) == nil ? 1 : 0
          }, Unmanaged.passUnretained(all).toOpaque())
      }
      guard end == 0 else { return "the child ended with \(end)" }
      // Nothing of the parent is affected.
      try queue.acknowledge(lease)
      guard try snapshot[list].count == 3, try list.count == 4 else { return "lost" }
      return try works(list)
    },
    Case("a write within a write", "nestedWrite") { path in
      let (store, list) = try store(path)
      try store.write { _ in try list.append("d") }
      return "nothing"
    },
    Case("a read of a handle within a write", "works") { path in
      let (store, list) = try store(path)
      try store.write { txn in
        txn[list].append("d")
        // The state that others see.
        guard try list.count == 3 else { throw Problem("a snapshot shows what is not committed") }
      }
      return try works(list)
    },
    Case("opened within a write", "nestedWrite") { path in
      let (store, _) = try store(path)
      try store.write { _ in _ = try store.list("other", of: Int.self) }
      return "nothing"
    },
    Case("waited within a write", "nestedWrite", "deadlock", "busy") { path in
      let (store, _) = try store(path)
      let queue = try store.queue("queue", of: Int.self)
      try store.write { _ in _ = try queue.pop(timeout: .seconds(5)) }
      return "nothing"
    },
    Case("a view kept beyond its write", "stops") { path in
      let (store, list) = try store(path)
      let kept = Kept<SharedList<String>.Contents>()
      try store.write { txn in kept.value = txn[list] }
      return "\(kept.value?.count ?? 0)"
    },
    Case("a view kept beyond its read", "stops") { path in
      let (store, list) = try store(path)
      let kept = Kept<SharedList<String>.Contents>()
      try store.read { txn in kept.value = txn[list] }
      return kept.value?.first ?? ""
    },
    Case("an iterator kept beyond its read", "stops") { path in
      let (store, list) = try store(path)
      let kept = Kept<ElementIterator<String>>()
      try store.read { txn in kept.value = txn[list].makeIterator() }
      return kept.value?.next() ?? "nothing"
    },
    Case("a view passed to another thread, which outlives the write", "stops") { path in
      let (store, list) = try store(path)
      let kept = Kept<SharedList<String>.Contents>()
      try store.write { txn in kept.value = txn[list] }
      let thread = Thread { _ = kept.value?.count }
      thread.start()
      sleep(2)
      return "nothing"
    },
    Case("a view used after its list was changed otherwise", "stops") { path in
      let (store, list) = try store(path)
      try store.write { txn in
        let view = txn[list]
        txn[list].append("d")
        print(view.count)
      }
      return "nothing"
    },
    Case("a list changed while it is walked", "stops", "works") { path in
      let (store, list) = try store(path)
      try store.write { txn in for element in txn[list] { txn[list].append(element) } }
      return try works(list)
    },
    Case("a dictionary changed while it is walked", "stops") { path in
      let (store, _) = try store(path)
      let words = try store.dictionary("words", of: String.self, Int.self)
      try words.merge((0..<100).map { ("\($0)", $0) }) { $1 }
      try store.write { txn in for entry in txn[words] { txn[words][entry.key + "!"] = 1 } }
      return "nothing"
    },
    Case("a position out of range", "stops") { path in
      let (store, list) = try store(path)
      try store.read { txn in print(txn[list][3]) }
      return "nothing"
    },
    Case("a position out of range, by a handle", "outOfRange") { path in
      let (_, list) = try store(path)
      return try list[3]
    },
    Case("a slice out of range", "stops") { path in
      let (store, list) = try store(path)
      try store.read { txn in print(txn[list][1..<5].count) }
      return "nothing"
    },
    Case("another type", "typeMismatch") { path in
      let (store, _) = try store(path)
      _ = try store.list("list", of: Int.self)
      return "nothing"
    },
    Case("another kind", "typeMismatch") { path in
      let (store, _) = try store(path)
      _ = try store.value("list", initial: "")
      return "nothing"
    },
    Case("removed by another process", "structureRemoved") { path in
      let (store, list) = try store(path)
      try store.remove("list")
      return "\(try list.count)"
    },
    Case("removed and made anew", "structureRemoved") { path in
      let (store, list) = try store(path)
      try store.remove("list")
      _ = try store.list("list", of: String.self)
      try list.append("d")
      return "nothing"
    },
    Case("removed within a write that uses it", "nestedWrite") { path in
      let (store, list) = try store(path)
      try store.write { txn in
        txn[list].append("d")
        try store.remove("list")
      }
      return "nothing"
    },
    Case(
      "a structure of another store", "optionsConflict", "typeMismatch", "structureNotFound", "structureRemoved",
      "outOfRange"
    ) { path in
      let (_, list) = try store(path)
      let (other, _) = try store(path + "-other")
      try other.write { txn in txn[list].append("d") }
      return "nothing"
    },
    Case("a snapshot used after its end", "stops") { path in
      let (store, list) = try store(path)
      let snapshot = try store.snapshot()
      snapshot.end()
      return "\(try snapshot[list].count)"
    },
    Case("a lease acknowledged twice", "leaseLost") { path in
      let (store, _) = try store(path)
      let queue = try store.queue("queue", of: Int.self)
      try queue.push(1)
      guard let lease = try queue.lease(for: .seconds(60)) else { return "nothing" }
      try queue.acknowledge(lease)
      try queue.acknowledge(lease)
      return "nothing"
    },
    Case("a lock asked for twice by one thread", "deadlock") { path in
      let (store, _) = try store(path)
      let lock = try store.lock("lock")
      try lock.withLock { _ in try lock.withLock { _ in } }
      return "nothing"
    },
    Case("a backup into the store itself", "storeExists", "notAStore") { path in
      let (store, _) = try store(path)
      try store.backup(to: path)
      return "nothing"
    },
    Case("a backup within a write", "nestedWrite") { path in
      let (store, _) = try store(path)
      try store.write { _ in try store.backup(to: path + "-backup") }
      return "nothing"
    },
    Case("an asynchronous write within a write", "nestedWrite", "works") { path in
      let (store, list) = try store(path)
      // A closure of a write cannot await; a task that it starts waits until the write is over.
      let task = try store.write { txn -> Task<Void, any Error> in
        txn[list].append("d")
        return Task { try await store.write { txn in txn[list].append("e") } }
      }
      let end = DispatchSemaphore(value: 0)
      Task {
        _ = await task.result
        end.signal()
      }
      end.wait()
      return try list.count == 5 ? "works" : "lost"
    },
    Case("an error thrown in the middle", "works") { path in
      let (store, list) = try store(path)
      do {
        try store.write { txn in
          txn[list].removeAll()
          throw Undo()
        }
      } catch is Undo {}
      return try list.count == 3 ? "works" : "lost"
    },
  ]
}
