import Foundation
import LMDBShare
import TestSupport
import Testing

/// Observing, and waiting for changes, within a process and across processes.
@Suite(.timeLimit(.minutes(20)))
struct WaitingTests {
  @Test func observersSeeTheFirstAndTheLastState() async throws {
    let test = try TestStore()
    let list = try await test.store.list("list", of: String.self)
    let other = try await test.store.list("other", of: String.self)
    try await list.append("a")
    var states: [[String]] = []
    for try await contents in list.observe() {
      states.append(Array(contents))
      if states.count == 4 { break }
      // A change of another structure gives no state.
      try await other.append("x")
      try await list.append("\(states.count)")
      if states.count == 3 { try await list.append("last") }
    }
    #expect(states == [["a"], ["a", "1"], ["a", "1", "2"], ["a", "1", "2", "3", "last"]])
  }

  @Test func everyKindOfStructureCanBeObserved() async throws {
    let test = try TestStore()
    let (store, step) = (test.store, try await test.store.value("step", initial: 0))
    let list = try await store.list("list", of: Int.self)
    let dictionary = try await store.dictionary("dictionary", of: String.self, Int.self)
    let array = try await store.array("array", of: Int.self, count: 2)
    let queue = try await store.queue("queue", of: Int.self)
    var lists = list.observe().makeAsyncIterator()
    var dictionaries = dictionary.observe().makeAsyncIterator()
    var arrays = array.observe().makeAsyncIterator()
    var queues = queue.observe().makeAsyncIterator()
    var steps = step.observe().makeAsyncIterator()
    var snapshots = store.changes().makeAsyncIterator()
    for number in 0..<5 {
      #expect(try await lists.next().map { Array($0) } == Array(0..<number))
      #expect(try await dictionaries.next()?.count == number)
      #expect(try await arrays.next()?[1] == number)
      #expect(try await queues.next()?.count == number)
      #expect(try await steps.next() == number)
      #expect(try await snapshots.next()?[step] == number)
      try await store.write { txn in
        txn[list].append(number)
        txn[dictionary]["\(number)"] = number
        txn[array][1] = number + 1
        txn[queue].push(number)
        txn[step] = number + 1
      }
    }
    try await store.remove("list")
    await #expect(throws: StoreError.self) { _ = try await lists.next() }
  }

  @Test func observersHoldNoSnapshot() async throws {
    let test = try TestStore()
    let value = try await test.store.value("value", initial: 0)
    var states = value.observe().makeAsyncIterator()
    _ = try await states.next()
    let waiting = Task.immediate { try await value.waitForChange(timeout: .seconds(60)) }
    #expect(try test.store.statistics().readers.allSatisfy { $0.snapshotID == nil || $0.lag == 0 })
    try await value.set(1)
    #expect(try await waiting.value != nil)
  }

  /// Four processes change a structure, a fifth observes it and must end at the last state every time.
  @Test func theLastChangeIsNeverMissed() throws {
    let repetitions = Int(ProcessInfo.processInfo.environment["LMDBSHARE_REPETITIONS"] ?? "") ?? 6
    let changes = SeededGenerator.operations(20_000) / 4
    for _ in 0..<repetitions {
      let test = try TestStore()
      _ = try test.store.value("value", initial: 0)
      let observer = try Program("TestWorker", ["observe", test.path, "\(4 * changes)"])
      #expect(observer.line() == "observing")
      let workers = try (0..<4).map { _ in try Program("TestWorker", ["add", test.path, "\(changes)"]) }
      for worker in workers { #expect(worker.finish().status == 0) }
      let end = ContinuousClock.now
      let result = observer.finish()
      #expect(result.status == 0 && Int(result.output.dropLast()) ?? 0 > 1, "\(result)")
      // It was woken, and did not just check after 250 ms: that may happen, but not always.
      #expect(end.duration(to: .now) < .milliseconds(500))
    }
  }

  @Test func cancellationIsPromptAndLeavesNothingBehind() async throws {
    let test = try TestStore()
    let queue = try await test.store.queue("numbers", of: Int.self)
    // In a separate process, where nothing else delays its tasks.
    let result = try Program("TestWorker", ["cancel-waits", test.path]).finish()
    let taken = result.output.split(separator: " ").compactMap { Int($0.filter(\.isNumber)) }.sorted()
    #expect(result.status == 0 && taken.count == 5 && taken[2] < 10_000, "\(result)")
    // A task that was cancelled before.
    let early = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await queue.waitForChange(timeout: .seconds(60))
    }
    guard case .failure(let error) = await early.result else {
      Issue.record("a wait of a cancelled task")
      return
    }
    #expect(error is CancellationError)
  }

  @Test func waitsEndInTime() async throws {
    let test = try TestStore()
    let list = try await test.store.list("list", of: Int.self)
    // In a separate process, where nothing else delays its tasks.
    let result = try Program("TestWorker", ["time-outs", test.path]).finish()
    let late = result.output.split(separator: " ").compactMap { Int($0.filter(\.isNumber)) }
    #expect(result.status == 0 && late.count == 4 && late.allSatisfy { $0 < 50_000 }, "\(result)")
    #expect(try await test.store.waitUntil(timeout: .milliseconds(20)) { txn in txn[list].count == 1 } == false)
    let waiting = Task {
      try await test.store.waitUntil(timeout: .seconds(30), watching: [list]) { txn in txn[list].count == 3 }
    }
    for number in 0..<3 { try await list.append(number) }
    #expect(try await waiting.value)
  }

  @Test func threadsWaitForSeveralStructures() throws {
    let test = try TestStore()
    let (a, b) = (try test.store.list("a", of: Int.self), try test.store.value("b", initial: 0))
    let known = try test.store.read { $0.snapshotID }
    #expect(try test.store.waitForChange(of: [a, b], after: known, timeout: .zero) == nil)
    try test.whenAWaiterIsThere { try? b.set(1) }
    let next = try test.store.waitForChange(of: [a, b], after: known, timeout: .seconds(20))
    #expect(next == known + 1)
    #expect(try a.waitForChange(after: known, timeout: .milliseconds(1)) == nil)
    #expect(try b.waitForChange(after: known, timeout: .milliseconds(1)) == next)
    #expect(code { try test.store.write { _ in _ = try a.waitForChange(timeout: .seconds(60)) } } == .nestedWrite)
    #expect(try test.store.waitUntil(timeout: .seconds(1), watching: [b]) { $0[b] == 1 })
  }

  @Test func idleWaitersTakeNoTime() throws {
    let test = try TestStore()
    let result = try Program("TestWorker", ["wait-in-tasks", test.path, "1000"]).finish(within: 120)
    let microseconds = try #require(Int(result.output.dropLast()), "\(result)")
    print("1,000 waiting tasks took \(microseconds) µs of the processor in 5 s")
    // 1 % of one core.
    #expect(result.status == 0 && microseconds < 50_000)
  }

  /// Whatever happens to the signal file, a waiter learns of a change within a little more than 250 ms.
  @Test func theSignalFileIsAHintAlone() throws {
    let test = try TestStore()
    let value = try test.store.value("value", initial: 0)
    let path = test.path + "/signal"
    var random = SeededGenerator("theSignalFileIsAHintAlone")
    #expect(try Program.run("TestWorker", "open-all", test.path).status == 0)
    for round in 1...8 {
      switch round % 4 {
      case 0: try FileManager.default.removeItem(atPath: path)
      case 1:
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: Data((0..<8192).map { _ in UInt8.random(in: 0...255, using: &random) }))
        try file.close()
      case 2:
        try FileManager.default.copyItem(atPath: path, toPath: test.directory.file("other"))
        _ = rename(test.directory.file("other"), path)
      default: break
      }
      let known = try test.store.read { $0.snapshotID }
      let worker = try Program("TestWorker", ["increment-later", test.path, "100"])
      #expect(worker.line() == "ready")
      let start = ContinuousClock.now
      #expect(try value.waitForChange(after: known, timeout: .seconds(20)) != nil)
      #expect(start.duration(to: .now) < .milliseconds(100 + 350), "round \(round)")
      #expect(worker.finish().status == 0)
      #expect(try value.get() == round)
    }
    // A short and a foreign file are initialized again at the next opening.
    try Data("something else".utf8).write(to: URL(fileURLWithPath: path))
    #expect(try Program.run("TestWorker", "open-all", test.path).status == 0)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(bytes.count == 8192 && bytes.starts(with: Array("LMDBSHARE-SIGNAL".utf8)))
  }

  /// A commit without changes leaves no entry in the commit log: another program's commit may get its number.
  @Test(.enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with py-lmdb"))
  func commitsOfOtherProgramsAreNoticed() throws {
    let python = try #require(ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"])
    let test = try TestStore()
    let (a, b) = (
      try test.store.dictionary("a", of: Int.self, Int.self), try test.store.dictionary("b", of: Int.self, Int.self)
    )
    try a.set(1, forKey: 1)
    let script = """
      import lmdb, sys
      environment = lmdb.open(sys.argv[1], max_dbs=16, map_size=1 << 30)
      b = environment.open_db(b"b", create=False)
      with environment.begin(write=True) as transaction:
          transaction.put(b"\\x80\\0\\0\\0\\0\\0\\0\\1", b"\\1" + b"\\0" * 7, db=b)
      """
    for change: () throws -> Void in [
      { _ = try a.setIfAbsent(2, forKey: 1) }, { _ = try a.removeValue(forKey: 7) },
      {
        try? test.store.write { txn in
          txn[a][5] = 5
          throw Undo()
        }
      },
    ] {
      let known = try test.store.read { $0.snapshotID }
      try change()
      #expect(try test.store.read { $0.snapshotID } == known)
      #expect(try Program(path: python, ["-c", script, test.path]).finish().status == 0)
      let start = ContinuousClock.now
      #expect(try b.waitForChange(after: known, timeout: .seconds(5)) != nil)
      #expect(start.duration(to: .now) < .seconds(2))
    }
  }

  @Test func timeLimitsHoldAmongManyCommits() async throws {
    let test = try TestStore()
    let (store, list) = (test.store, try await test.store.list("list", of: Int.self))
    // No other process writes: a limit of zero is enough.
    for _ in 0..<20 { try await store.write(timeout: .zero) { txn in txn[list].append(1) } }
    try await store.write(timeout: .seconds(-5)) { txn in txn[list].append(1) }
    let writer = try Program("TestWorker", ["contend", test.path, "1500"])
    _ = writer.line()
    writer.release()
    // In a separate process, where nothing else delays its tasks.
    let result = try Program("TestWorker", ["wait-in-vain", test.path]).finish()
    #expect(Int(result.output.dropLast()).map { 200_000..<1_000_000 ~= $0 } == true, "\(result)")
    #expect(writer.finish().status == 0)
  }
}
