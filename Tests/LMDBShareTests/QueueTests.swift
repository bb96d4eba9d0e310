import Foundation
import LMDBShare
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct QueueTests {
  /// The expected contents of a queue: every item with its state.
  private struct Model {
    struct Item {
      var sequence: UInt64
      var text: String
      var level: Int
      var attempts = 0
      var token: UInt64?
      var isDead = false
      /// Whether its bytes are not text.
      var isUndecodable = false
      var isReady: Bool { token == nil && !isDead }
      /// Its description as a dead letter.
      var letter: String? { isUndecodable ? nil : text }
    }
    var items: [Item] = []
    var last: UInt64 = 0

    var ready: [Item] { (0..<8).flatMap { level in items.filter { $0.isReady && $0.level == level } } }
    var leased: [Item] { items.filter { $0.token != nil } }

    mutating func push(_ text: String, _ level: Int, isUndecodable: Bool = false) {
      last += 1
      items.append(Item(sequence: last, text: text, level: level, isUndecodable: isUndecodable))
    }
    /// The next items, up to a number, and the undecodable ones before them; if there are fewer, all of those.
    func next(_ count: Int) -> (good: [Item], undecodable: [Item]) {
      var found: (good: [Item], undecodable: [Item]) = ([], [])
      // They are in the order of their numbers.
      for level in 0..<8 {
        for item in items where item.level == level && item.isReady {
          if found.good.count == count { return found }
          if item.isUndecodable { found.undecodable.append(item) } else { found.good.append(item) }
        }
      }
      return found
    }
    /// Takes items permanently.
    mutating func pop(_ next: (good: [Item], undecodable: [Item])) -> [String] {
      for item in next.undecodable { change(item.sequence) { $0.isDead = true } }
      let gone = Set(next.good.map(\.sequence))
      items.removeAll { gone.contains($0.sequence) }
      return next.good.map(\.text)
    }
    mutating func change(_ sequence: UInt64, _ body: (inout Item) -> Void) {
      body(&items[items.firstIndex { $0.sequence == sequence }!])
    }
    mutating func remove(_ sequence: UInt64) { items.removeAll { $0.sequence == sequence } }
  }

  @Test func againstAModel() throws {
    var random = SeededGenerator("QueueTests.againstAModel")
    let test = try TestStore()
    var queue = try test.store.queue("queue", of: String.self, maximumAttempts: 3)
    var model = Model()
    var leases: [UInt64: SharedQueue<String>.Lease] = [:]
    // Items that were seen earlier, how many were wanted, and how often that helped.
    var seen: (most: Int, items: SharedQueue<String>.Prefetch)?
    var uses = 0
    for step in 0..<SeededGenerator.operations(100_000) / 5 {
      let before = (model, leases)
      if Int.random(in: 0..<4, using: &random) == 0 {
        let most = Int.random(in: 1...300, using: &random)
        // Other consumers that are faster make it pause.
        for _ in 0..<64 where seen.map({ $0.items.elements.isEmpty }) ?? true {
          seen = (most, try test.store.read { txn in txn[queue].prefetch(atMost: most) })
        }
      }
      do {
        try test.store.write { txn in
          for _ in 0..<5 {
            let priority = QueuePriority(level: [4, 4, 4, 0, 2, 7].randomElement(using: &random)!)!
            switch Int.random(in: 0..<26, using: &random) {
            case 0...3:
              model.push("\(step)", priority.level)
              // Already due, so that it passes through the delayed items.
              let delay = Bool.random(using: &random) ? Duration.zero : .nanoseconds(1)
              same(txn[queue].push("\(step)", priority: priority, delay: delay), model.last)
              if delay > .zero { _ = try txn[queue].lease(atMost: 0, for: .zero) }
            case 4...5:
              let texts = (0..<[1, 3, 40, 400].randomElement(using: &random)!).map { "\(step)-\($0)" }
              guard model.items.count < 3000 else { break }
              for text in texts { model.push(text, priority.level) }
              txn[queue].push(contentsOf: texts, priority: priority)
            case 6...8:
              let next = model.next(1)
              #expect(txn[queue].peek() == next.good.first?.text)
              same(txn[queue].pop(), model.pop(next).first)
            case 9:
              guard let (most, items) = seen else { break }
              let there = model.items.count { $0.isReady && !$0.isUndecodable }
              let dead = txn[queue].statistics.dead
              let got = txn[queue].pop(atMost: most, items)
              #expect(got.count <= most && got.count >= min(items.elements.count, there))
              // Undecodable items before others are moved; those after the last one only if more were wanted.
              let moved = txn[queue].statistics.dead - dead
              let (good, undecodable) = model.next(got.count)
              try #require(got == good.map(\.text) && moved >= undecodable.count)
              let behind = model.next(.max).undecodable.prefix(moved)
              _ = model.pop((good, Array(behind)))
              if let first = got.first, items.elements.contains(first) { uses += 1 }
              seen = nil
            case 10:
              let count = Int.random(in: 1...300, using: &random)
              same(txn[queue].pop(atMost: count), model.pop(model.next(count)))
            case 11...13:
              let count = Int.random(in: 1...20, using: &random)
              let (next, undecodable) = model.next(count)
              let got = try txn[queue].lease(atMost: count, for: .seconds(1000))
              for item in undecodable {
                // It returns after a second, or never.
                model.change(item.sequence) { item in
                  item.attempts += 1
                  item.isDead = item.attempts >= 3
                }
                if item.attempts < 2 {
                  same(txn[queue].remove(item.sequence), true)
                  model.remove(item.sequence)
                }
              }
              try #require(got.map(\.sequence) == next.map(\.sequence))
              for (lease, item) in zip(got, next) {
                #expect(lease.element == item.text && lease.attempt == item.attempts + 1)
                #expect(lease.priority.level == item.level)
                model.change(item.sequence) { item in
                  item.token = lease.token
                  item.attempts += 1
                }
                leases[item.sequence] = lease
              }
            case 14...15:
              guard let item = model.leased.randomElement(using: &random) else { break }
              try txn[queue].acknowledge(leases[item.sequence]!)
              #expect(throws: StoreError.self) { try txn[queue].acknowledge(leases[item.sequence]!) }
              model.remove(item.sequence)
            case 16...17:
              guard let item = model.leased.randomElement(using: &random) else { break }
              let lease = try txn[queue].extend(leases[item.sequence]!, for: .seconds(2000))
              let isTried = Int.random(in: 0..<4, using: &random) > 0
              try txn[queue].release(lease, countingAttempt: isTried)
              #expect(throws: StoreError.self) { try txn[queue].extend(lease, for: .seconds(1)) }
              model.change(item.sequence) { item in
                item.token = nil
                if !isTried { item.attempts -= 1 }
                item.isDead = item.attempts >= 3
              }
            case 18:
              guard let item = model.leased.randomElement(using: &random) else { break }
              try txn[queue].reject(leases[item.sequence]!, reason: "never")
              model.change(item.sequence) { ($0.token, $0.isDead) = (nil, true) }
            case 19:
              guard let item = model.items.filter(\.isDead).randomElement(using: &random) else { break }
              #expect(txn[queue].deadLetters.contains { $0.sequence == item.sequence && $0.element == item.letter })
              same(txn[queue].retry(item.sequence), true)
              same(txn[queue].retry(item.sequence), false)
              model.change(item.sequence) { ($0.isDead, $0.attempts) = (false, 0) }
            case 20...22:
              guard let item = model.items.randomElement(using: &random) else { break }
              same(txn[queue].remove(item.sequence), true)
              same(txn[queue].remove(item.sequence), false)
              model.remove(item.sequence)
            case 23:
              // As a program does that does not know the types.
              let raw = txn.untypedQueue(try txn.untyped("queue"))
              txn[raw].push(StoredBytes([0xFF, 0xFE]), priority: priority)
              model.push("", priority.level, isUndecodable: true)
            default: if step % 100 == 0 { throw Undo() }
            }
            try #require(txn[queue].count == model.items.count(where: \.isReady))
          }
        }
      } catch is Undo {
        (model, leases) = before
        // Tokens of undone leases are used again, for others.
      }
      if step % 100 == 0 {
        queue = try SharedStore(path: test.path, options: .durability(.processCrashOnly)).queue(
          "queue", of: String.self)
        try queue.checkInvariants()
        try test.store.read { txn in
          let statistics = txn[queue].statistics
          #expect(statistics.leases.map(\.sequence) == model.leased.map(\.sequence).sorted())
          #expect(statistics.dead == model.items.count(where: \.isDead))
          try #require(txn[queue].storedItems.map(\.sequence) == model.ready.map(\.sequence))
          let ready = model.ready.filter { !$0.isUndecodable }
          try #require(txn[queue].items.map(\.sequence) == ready.map(\.sequence))
          try #require(txn[queue].items.map(\.element) == ready.map(\.text))
          try #require(txn[queue].items.map(\.attempts) == ready.map(\.attempts))
        }
      }
    }
    #expect(uses > 0)
    try queue.removeAll()
    try queue.checkInvariants()
    // Numbers continue where they were.
    #expect(try queue.push("z") == model.last + 1)
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
    Thread.detachNewThread { () -> Void in
      for _ in 0..<rounds {
        guard let item = try? queue.pop(timeout: .seconds(20)) else { return }
        _ = try? echo.push(item)
      }
    }
    let start = ContinuousClock.now
    for round in 0..<rounds {
      try queue.push(round)
      #expect(try echo.pop(timeout: .seconds(20)) == round)
    }
    // 250 ms is the pause after which a waiter checks by itself: if it had not been woken, this would take 50 seconds.
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
