import Foundation
import LMDBShare
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct TransactionTests {
  let test: TestStore
  let names: SharedList<String>
  let scores: SharedDictionary<String, Int>
  let samples: SharedArray<Int32>
  let total: SharedValue<Int>
  let jobs: SharedQueue<String>
  var store: SharedStore { test.store }

  init() throws {
    test = try TestStore()
    names = try test.store.list("names", of: String.self)
    scores = try test.store.dictionary("scores", of: String.self, Int.self)
    samples = try test.store.array("samples", of: Int32.self, count: 3)
    total = try test.store.value("total", initial: 0)
    jobs = try test.store.queue("jobs", of: String.self)
  }

  private func change(_ txn: inout WriteTransaction) {
    txn[names].append(contentsOf: ["b", "a"])
    txn[names].sort()
    txn[scores]["al", default: 0] += 1
    txn[samples][0] = 42
    txn[total] += 1
    txn[jobs].push("job")
  }

  @Test func allStructuresChangeTogether() throws {
    try store.write { txn in change(&txn) }
    try store.read { txn in
      #expect(Array(txn[names]) == ["a", "b"])
      #expect(txn[scores]["al"] == 1)
      #expect(txn[samples][0] == 42)
      #expect(txn[total] == 1)
      #expect(txn[jobs].peek() == "job")
    }
  }

  @Test func aThrownErrorUndoesEverything() throws {
    try store.write { txn in change(&txn) }
    #expect(throws: Undo.self) {
      try store.write { txn in
        change(&txn)
        throw Undo()
      }
    }
    try store.read { txn in
      #expect(txn[names].count == 2 && txn[scores]["al"] == 1 && txn[total] == 1 && txn[jobs].count == 1)
    }
  }

  @Test func nestedWritesAreAnErrorAtOnce() throws {
    try store.write { txn in
      txn[total] = 5
      #expect(code { try store.write { $0[total] = 6 } } == .nestedWrite)
      #expect(code { try names.append("x") } == .nestedWrite)
      #expect(code { _ = try store.list("new", of: Int.self) } == .nestedWrite)
      #expect(code { try store.backup(to: test.directory.file("backup")) } == .nestedWrite)
      // Reading the last commit meanwhile is allowed.
      let committed = try total.get()
      #expect(committed == 0)
    }
    #expect(try total.get() == 5)
  }

  @Test func structuresCanBeMadeAndUsedInOneTransaction() throws {
    #expect(throws: Undo.self) {
      try store.write { txn in
        let list = try txn.list("made", of: Int.self)
        txn[list].append(1)
        throw Undo()
      }
    }
    #expect(try store.structures().map(\.name).contains("made") == false)
    let (list, dictionary, array, value, queue) = try store.write { txn in
      let made = (
        try txn.list("l", of: Int.self), try txn.dictionary("d", of: Int.self, Int.self),
        try txn.array("a", of: Int.self, count: 2, repeating: 7), try txn.value("v", initial: 3),
        try txn.queue("q", of: Int.self)
      )
      txn[made.0].append(1)
      txn[made.1][1] = 2
      txn[made.2][0] = 5
      txn[made.3] += 1
      txn[made.4].push(9)
      return made
    }
    try store.read { txn in
      #expect(txn[list] == [1] && txn[dictionary] == [1: 2] && txn[array] == [5, 7])
      #expect(txn[value] == 4 && txn[queue].peek() == 9)
    }
    // After the undone creation the name is free.
    #expect(try store.list("made", of: String.self).isEmpty)
  }

  @Test func asynchronousWrites() async throws {
    let results = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<50 {
        group.addTask {
          try await store.write { txn in
            txn[total] += 1
            return txn[total]
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.sorted() == Array(1...50))
    await #expect(throws: Undo.self) {
      try await store.write { txn in
        txn[total] = 0
        throw Undo()
      }
    }
    #expect(try total.get() == 50)
  }

  @Test func snapshotsStayAsTheyWere() throws {
    try names.append("before")
    let snapshot = try store.snapshot()
    try store.write { txn in change(&txn) }
    try names.removeAll()
    #expect(try Array(snapshot[names]) == ["before"])
    #expect(try snapshot[scores].isEmpty && snapshot[total] == 0)
    let view = try snapshot[names]
    snapshot.end()
    snapshot.end()
    #expect(try names.isEmpty)
    _ = view
  }

  @Test func viewsKeepASnapshotAlive() throws {
    try names.append("kept")
    func view() throws -> SharedList<String>.Contents { try store.snapshot()[names] }
    let kept = try view()
    try names.removeAll()
    for _ in 0..<20 { try names.append("more") }
    #expect(Array(kept) == ["kept"])
  }

  @Test func whatIsTakenFromAViewKeepsItsSnapshot() throws {
    let numbers = try store.list("numbers", of: Int.self)
    let many = try store.array("many", of: Int32.self, count: 3000)
    try numbers.append(contentsOf: 0..<3000)
    try names.append(contentsOf: ["a", "b", "c"])
    try scores.updateValue(1, forKey: "x")
    try scores.updateValue(2, forKey: "y")
    try jobs.push("first")
    /// Takes something from a snapshot without another reference, changes the store, and then reads it.
    func afterChanges<T>(_ take: (Snapshot) throws -> T) throws -> T {
      let taken = try take(try store.snapshot())
      for _ in 0..<4 {
        try numbers.removeAll()
        try numbers.append(contentsOf: repeatElement(-1, count: 3000))
        try names.removeAll()
        try names.append("other")
      }
      return taken
    }
    do {
      let walk = try afterChanges { try $0[numbers].makeIterator() }
      #expect(IteratorSequence(walk).elementsEqual(0..<3000))
    }
    try numbers.write { $0 = SharedList.Contents(0..<3000) }
    #expect(try afterChanges { try $0[numbers][1000..<1003] }.elementsEqual(1000..<1003))
    try numbers.write { $0 = SharedList.Contents(0..<3000) }
    #expect(try afterChanges { try $0[numbers].reversed() }.elementsEqual((0..<3000).reversed()))
    try names.write { $0 = ["a", "b", "c"] }
    #expect(try afterChanges { try $0[names].lazy.map { $0 + "!" } }.elementsEqual(["a!", "b!", "c!"]))
    #expect(try afterChanges { try $0[scores].keys }.elementsEqual(["x", "y"]))
    #expect(try afterChanges { try $0[scores]["x"..<"y"] }.map(\.value) == [1])
    #expect(try afterChanges { try $0[jobs].items }.map(\.element) == ["first"])
    // And temporaries of all kinds.
    #expect(try store.snapshot()[many].reduce(0, +) == 0)
    #expect(try store.snapshot()[scores]["y"] == 2)
    #expect(try store.snapshot()[scores].last?.value == 2)
    #expect(try store.snapshot()[names].count == 1)
    #expect(try store.snapshot()[many].withSpan(at: 2999) { span, _ in span[0] } == 0)
    // All of them have ended.
    let readers = try store.statistics().readers.filter { $0.lag ?? 0 > 0 }
    #expect(readers.isEmpty, "\(readers)")
  }

  // MARK: Values

  @Test func copiesHaveALifeOfTheirOwn() throws {
    try store.write { txn in
      txn[names] = ["a", "b"]
      var copy = txn[names]
      copy.append("c")
      copy[0] = "z"
      #expect(Array(copy) == ["z", "b", "c"])
      #expect(Array(txn[names]) == ["a", "b"])
      #expect(Array(txn[names] + ["d"]) == ["a", "b", "d"])
      #expect(txn[names].filter { $0 > "a" } == ["b"])
      var scoresCopy = txn[scores]
      scoresCopy["x"] = 1
      #expect(scoresCopy["x"] == 1 && txn[scores]["x"] == nil)
      // Assigned back, they replace the stored elements.
      txn[names] = copy
      txn[scores] = scoresCopy
    }
    try store.read { txn in
      #expect(txn[names] == ["z", "b", "c"] && txn[scores] == ["x": 1])
    }
  }

  @Test func aCopyTakenDuringAnAccessInPlaceStaysAsItIs() throws {
    try names.append(contentsOf: ["a", "b"])
    try names.write { list in
      let copy = list
      list.append("c")
      #expect(Array(copy) == ["a", "b"])
      #expect(Array(list) == ["a", "b", "c"])
    }
    #expect(try names.read { Array($0) } == ["a", "b", "c"])
    try scores.write { entries in
      let copy = entries
      entries["k"] = 1
      #expect(entries["k"] == 1)
      _ = copy
    }
    #expect(try scores["k"] == 1)
  }

  @Test func aListCanBeAssignedToItselfAndToOthers() throws {
    let other = try store.list("other", of: String.self)
    try names.append(contentsOf: ["a", "b"])
    try store.write { txn in
      txn[names] = txn[names]
      txn[other] = txn[names]
      txn[names].append(contentsOf: txn[names])
      txn[other].insert(contentsOf: txn[other], at: 1)
    }
    #expect(try names.read { Array($0) } == ["a", "b", "a", "b"])
    #expect(try other.read { Array($0) } == ["a", "a", "b", "b"])
    let numbers = try store.list("numbers", of: Int.self)
    try numbers.append(contentsOf: 0..<1000)
    try numbers.write { $0.append(contentsOf: Array($0)) }
    #expect(try numbers.count == 2000)
  }

  @Test func oneListIsWalkedWhileAnotherIsWritten() throws {
    let numbers = try store.list("numbers", of: Int.self)
    let doubled = try store.list("doubled", of: Int.self)
    try store.write { txn in
      txn[numbers].append(contentsOf: 0..<5000)
      for number in txn[numbers] { txn[doubled].append(number * 2) }
      for (key, value) in txn[scores] { txn[names].append("\(key)\(value)") }
    }
    #expect(try doubled.read { $0.reduce(0, +) } == 5000 * 4999)
  }

  // MARK: Stops, each with a message that says what to do

  @Test func aViewKeptBeyondItsTransactionStops() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      try withStore { store in
        let list = try store.list("names", of: String.self)
        let view = try store.read { $0[list] }
        print(view.count)
      }
    }
    expectMessage(result?.standardErrorContent, "list 'names' was used after its transaction ended")
  }

  @Test func aStaleViewStops() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      try withStore { store in
        let list = try store.list("numbers", of: Int.self)
        try store.write { txn in
          let view = txn[list]
          txn[list].append(1)
          print(view.count)
        }
      }
    }
    expectMessage(result?.standardErrorContent, "list 'numbers' was changed after this view of it was taken")
  }

  @Test func changingADictionaryWhileWalkingItStops() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      try withStore { store in
        let scores = try store.dictionary("scores", of: Int.self, Int.self)
        try store.write { txn in
          for number in 0..<10 { txn[scores][number] = 1 }
          for (key, _) in txn[scores] { txn[scores][key + 100] = 1 }
        }
      }
    }
    expectMessage(result?.standardErrorContent, "dictionary 'scores' was changed after this view of it was taken")
  }

  @Test func anIndexOutOfRangeStops() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      try withStore { store in
        let list = try store.list("numbers", of: Int.self)
        try store.write { $0[list][0] = 1 }
      }
    }
    expectMessage(result?.standardErrorContent, "index 0 of list 'numbers' is out of range (0 elements)")
  }

  private func expectMessage(_ bytes: [UInt8]?, _ text: String, _ location: SourceLocation = #_sourceLocation) {
    let message = String(decoding: bytes ?? [], as: UTF8.self)
    #expect(message.contains(text), "\(message)", sourceLocation: location)
  }
}

/// Runs `body` on a separate store, outside of any task.
private func withStore(_ body: (SharedStore) throws -> Void) throws {
  let directory = TemporaryDirectory()
  try body(SharedStore(path: directory.file("s")))
}
