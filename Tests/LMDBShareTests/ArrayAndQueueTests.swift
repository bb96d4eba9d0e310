import Foundation
import LMDBShare
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ArrayTests {
  @Test func againstArray() throws {
    var random = SeededGenerator("ArrayTests.againstArray")
    let test = try TestStore()
    var model = [Int16](repeating: 0, count: 5000)
    var array = try test.store.array("array", of: Int16.self, count: 5000)
    for round in 0..<SeededGenerator.operations(100_000) / 100 {
      try test.store.write { txn in
        for _ in 0..<100 {
          let (position, value) = (
            Int.random(in: 0..<5000, using: &random), Int16.random(in: .min ... .max, using: &random)
          )
          switch Int.random(in: 0..<20, using: &random) {
          case 0...8:
            txn[array][position] = value
            model[position] = value
          case 9...11:
            txn[array][position] &+= 1
            model[position] &+= 1
          case 12:
            let upper = min(5000, position + 700)
            txn[array][position..<upper].reverse()
            model[position..<upper].reverse()
          case 13:
            let values = (0..<min(600, 5000 - position)).map { Int16($0) }
            txn[array].replace(from: position, with: values)
            model.replaceSubrange(position..<position + values.count, with: values)
          case 14 where round % 50 == 0:
            txn[array].sort()
            model.sort()
          default: #expect(txn[array][position] == model[position])
          }
        }
      }
      if round % 20 == 0 {
        array = try SharedStore(path: test.path, options: .durability(.processCrashOnly)).array(
          "array", of: Int16.self, count: 5000)
        #expect(try array.read { Array($0) } == model)
      }
    }
    try array.fill(7)
    #expect(try array.read { $0.allSatisfy { $0 == 7 } })
  }

  @Test func wholeArray() throws {
    let test = try TestStore()
    let array = try test.store.array("array", of: Double.self, count: 3, repeating: 0.5)
    #expect(try array.read { Array($0) } == [0.5, 0.5, 0.5])
    try test.store.write { txn in txn[array] = [1, 2, 3] }
    try test.store.read { txn in
      #expect(txn[array] == [1, 2, 3])
      #expect(txn[array].description == "[1.0, 2.0, 3.0]")
    }
    #expect(code { try array.setAll([1]) } == .outOfRange)
    #expect(code { try test.store.write { txn in txn[array] = [] } } == .outOfRange)
    #expect(try array.read { Array($0) } == [1, 2, 3])
    #expect(code { _ = try array[3] } == .outOfRange)
    #expect(code { try array.set(1, at: -1) } == .outOfRange)
    #expect(code { _ = try test.store.array("array", of: Double.self, count: 4) } == .typeMismatch)
    #expect(try test.store.array("none", of: Int8.self, count: 0).read { Array($0) } == [])
    #expect(code { _ = try test.store.array("bad", of: Int8.self, count: -1) } == .outOfRange)
  }
}

@Suite(.timeLimit(.minutes(5)))
struct QueueTests {
  @Test func againstArray() throws {
    var random = SeededGenerator("QueueTests.againstArray")
    let test = try TestStore()
    var queue = try test.store.queue("queue", of: String.self)
    var model: [(UInt64, String)] = []
    var last: UInt64 = 0
    for step in 0..<SeededGenerator.operations(100_000) / 5 {
      try test.store.write { txn in
        for _ in 0..<5 {
          switch Int.random(in: 0..<10, using: &random) {
          case 0...3:
            let sequence = txn[queue].push("\(step)")
            #expect(sequence == last + 1)
            last = sequence
            model.append((sequence, "\(step)"))
          case 4:
            txn[queue].push(contentsOf: ["x", "y"])
            model += [(last + 1, "x"), (last + 2, "y")]
            last += 2
          case 5...8:
            #expect(txn[queue].peek() == model.first?.1)
            same(txn[queue].pop(), (model.isEmpty ? nil : model.removeFirst().1))
          default:
            guard let picked = model.randomElement(using: &random) else { break }
            same(txn[queue].remove(picked.0), true)
            same(txn[queue].remove(picked.0), false)
            model.removeAll { $0.0 == picked.0 }
          }
          try #require(txn[queue].count == model.count)
        }
      }
      if step % 500 == 0 {
        queue = try SharedStore(path: test.path, options: .durability(.processCrashOnly)).queue(
          "queue", of: String.self)
        try test.store.read { txn in #expect(txn[queue].items.map(\.sequence) == model.map(\.0)) }
      }
    }
    try queue.removeAll()
    // Numbers go on where they were.
    #expect(try test.store.write { $0[queue].push("z") } == last + 1)
  }

  @Test func popWaitsForAnotherProcess() throws {
    let test = try TestStore()
    let worker = try Program("TestWorker", ["pop", test.path, "20000"])
    #expect(worker.line() == "waiting")
    let queue = try test.store.queue("queue", of: [UInt8].self)
    try queue.push(Array("hello".utf8))
    #expect(worker.line() == "got hello")
    #expect(worker.finish().status == 0)
  }

  @Test func popWaitsForAnotherThreadAndWakesAtOnce() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: Int.self)
    let echo = try test.store.queue("echo", of: Int.self)
    let rounds = 200
    Thread.detachNewThread {
      for _ in 0..<rounds {
        guard let item = try? queue.pop(timeout: .seconds(20)) else { return }
        try? echo.push(item)
      }
    }
    let start = ContinuousClock.now
    for round in 0..<rounds {
      try queue.push(round)
      #expect(try echo.pop(timeout: .seconds(20)) == round)
    }
    // 250 ms is the pause after which a waiter looks by itself: had it not been woken, this would take 50 seconds.
    #expect(start.duration(to: .now) < .seconds(10))
  }

  @Test func popGivesUpInTime() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: Int.self)
    let start = ContinuousClock.now
    #expect(try queue.pop(timeout: .milliseconds(100)) == nil)
    let taken = start.duration(to: .now)
    #expect(taken >= .milliseconds(100) && taken < .seconds(5))
    #expect(try queue.waitForItem(timeout: .zero) == false)
    #expect(code { try test.store.write { _ in _ = try queue.pop(timeout: .seconds(60)) } } == .nestedWrite)
  }

  @Test func takingAndOtherChangesAreOne() throws {
    let test = try TestStore()
    let queue = try test.store.queue("queue", of: String.self)
    let done = try test.store.list("done", of: String.self)
    try queue.push("a")
    #expect(throws: Undo.self) {
      try test.store.write { txn in
        txn[done].append(txn[queue].pop() ?? "")
        throw Undo()
      }
    }
    #expect(try queue.count == 1 && done.isEmpty)
    try test.store.write { txn in txn[done].append(txn[queue].pop() ?? "") }
    #expect(try queue.isEmpty && done[0] == "a")
  }
}
