import Foundation
import LMDBShare
import TestSupport
import Testing

/// Sharing between processes.
@Suite(.timeLimit(.minutes(20)))
struct ProcessTests {
  @Test func incrementsOfFourProcessesAreAllCounted() throws {
    let test = try TestStore()
    let workers = try (0..<4).map { _ in try Program("TestWorker", ["increment", test.path, "5000"]) }
    for worker in workers {
      let result = worker.finish(within: 200)
      #expect(result.status == 0, "\(result)")
    }
    #expect(try test.store.value("value", initial: 0).get() == 20_000)
    #expect(try test.store.dictionary("dictionary", of: String.self, Int.self)["count"] == 20_000)
    #expect(try test.store.list("list", of: Int.self)[0] == 20_000)
    #expect(try test.store.array("array", of: Int.self, count: 4)[1] == 20_000)
  }

  @Test func aReaderSeesOneVersionWhileAnotherProcessRewritesEverything() throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: Int.self)
    let names = try test.store.list("names", of: String.self)
    let value = try test.store.value("value", initial: 0)
    try list.append(contentsOf: Array(repeating: 0, count: 3000))
    let worker = try Program("TestWorker", ["rewrite", test.path, "300"])
    var versions: Set<Int> = []
    while versions.max() ?? 0 < 300 {
      try test.store.read { txn in
        let version = txn[value]
        #expect(txn[list].allSatisfy { $0 == version })
        #expect(txn[names].allSatisfy { $0 == "\(version)" })
        versions.insert(version)
      }
    }
    #expect(worker.finish().status == 0)
    #expect(versions.count > 1)
  }

  @Test func aKilledWriterLosesItsChangesAlone() throws {
    let test = try TestStore()
    let value = try test.store.value("value", initial: 1)
    for _ in 0..<5 {
      let worker = try Program("TestWorker", ["write-and-stop", test.path])
      #expect(worker.line() == "writing")
      #expect(try value.get() == 1)
      worker.signal(SIGKILL)
      // The lock of a dead process is passed on.
      try value.update { $0 += 0 }
      #expect(try value.get() == 1)
      worker.finish()
    }
  }

  @Test func manyProcessesMayMakeTheStoreAtOnce() throws {
    let directory = TemporaryDirectory(inMemory: false)
    for round in 0..<5 {
      let path = directory.file("store \(round)")
      let workers = try (0..<6).map { _ in try Program("TestWorker", ["open", path]) }
      for worker in workers {
        let result = worker.finish()
        #expect(result.status == 0 && result.output == "opened\n", "\(result)")
      }
      // No process left anything but the store's own files.
      #expect(
        Set(try FileManager.default.contentsOfDirectory(atPath: path)) == ["data.mdb", "lock.mdb", "signal", "owners"])
    }
  }

  @Test func aStoreCanBeOpenedAndCheckedWhileOthersWrite() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("store")
    let workers = try (0..<3).map { _ in try Program("TestWorker", ["increment", path, "20000"]) }
    var openings = 0
    while openings < 300 || workers.contains(where: \.isRunning), openings < 20_000 {
      var options = StoreOptions.durability(.processCrashOnly)
      if openings % 2 == 0 { options.verification = .pages }
      let store = try SharedStore(path: path, options: options)
      #expect(try store.value("value", initial: 0).get() >= 0)
      openings += 1
    }
    for worker in workers {
      let result = worker.finish(within: 200)
      #expect(result.status == 0, "\(result)")
    }
    #expect(try SharedStore(path: path).value("value", initial: 0).get() == 60_000)
  }

  @Test func creatorsMayDieAtAnyMoment() throws {
    let directory = TemporaryDirectory(inMemory: false)
    var random = SeededGenerator("creatorsMayDieAtAnyMoment")
    for round in 0..<30 {
      let path = directory.file("store \(round)")
      let worker = try Program("TestWorker", ["open", path])
      // The moment of the kill is random.
      usleep(UInt32.random(in: 0...12_000, using: &random))
      worker.signal(SIGKILL)
      worker.finish()
      if FileManager.default.fileExists(atPath: path) {
        #expect(
          Set(try FileManager.default.contentsOfDirectory(atPath: path)).isSubset(of: [
            "data.mdb", "lock.mdb", "signal", "owners",
          ]))
      }
      #expect(try SharedStore(path: path).structures().isEmpty)
    }
  }
}
