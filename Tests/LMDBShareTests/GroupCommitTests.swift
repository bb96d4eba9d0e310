import Foundation
import LMDBShare
import Synchronization
import TestSupport
import Testing

/// Concurrent writes of many tasks, which share commits.
@Suite(.timeLimit(.minutes(20)))
struct GroupCommitTests {
  @Test(arguments: [StoreOptions.Durability.durable, .processCrashOnly])
  func writesOfManyTasksShareCommits(durability: StoreOptions.Durability) async throws {
    let test = try TestStore(.durability(durability), inMemory: false)
    let (store, value) = (test.store, try await test.store.value("value", initial: 0))
    let before = try store.read { $0.snapshotID }
    let (tasks, writes) = (64, 20)
    let seen = try await withThrowingTaskGroup(of: [Int].self) { group in
      for _ in 0..<tasks {
        group.addTask {
          var seen: [Int] = []
          for _ in 0..<writes {
            seen.append(
              try await store.write { txn in
                txn[value] += 1
                return txn[value]
              })
          }
          return seen
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    // Each ran once, without others, and got its result.
    #expect(seen.sorted() == Array(1...tasks * writes))
    #expect(try value.get() == tasks * writes)
    let commits = try store.read { $0.snapshotID } - before
    #expect(commits < tasks * writes / (durability == .durable ? 4 : 1), "\(commits)")
  }

  /// Random changes of all structures by many tasks, many of which throw. The result must be what the successful ones have done,
  /// in the order in which they ran.
  @Test func whoThrowsUndoesHisOwnChangesAlone() async throws {
    var random = SeededGenerator("whoThrowsUndoesHisOwnChangesAlone")
    let test = try TestStore()
    let model = Model()
    let shared = try Structures(test.store)
    let (rounds, tasks) = (SeededGenerator.operations(100_000) / 1000, 32)
    for _ in 0..<rounds {
      let seeds = (0..<tasks).map { _ in UInt64.random(in: 0...UInt64.max, using: &random) }
      let undone = await withTaskGroup(of: Int.self) { group in
        for seed in seeds {
          group.addTask {
            do {
              try await test.store.write { txn in
                let order = txn[shared.order].count
                txn[shared.order].append(seed)
                try shared.change(&txn, seed)
                #expect(txn[shared.order].count == order + 1)
              }
              return 0
            } catch {
              #expect(error is Undo)
              return 1
            }
          }
        }
        return await group.reduce(0, +)
      }
      let order = try shared.order.read { Array($0) }
      #expect(order.count == tasks - undone)
      for seed in order { model.change(seed) }
      try await test.store.write { txn in txn[shared.order].removeAll() }
      try test.store.read { txn in
        try #require(Array(txn[shared.packed]) == model.packed)
        try #require(Array(txn[shared.names]) == model.names)
        try #require(Dictionary(txn[shared.dictionary]) == model.dictionary)
        try #require(txn[shared.value] == model.value)
        try #require(txn[shared.queue].items.map(\.element) == model.queue)
      }
    }
    // Structures that were created in an undone part do not exist.
    #expect(try test.store.structures().map(\.name).filter { $0.hasPrefix("made") }.sorted() == model.made.sorted())
  }

  @Test func oneThatDoesNotFitLeavesTheOthersAlone() async throws {
    var options = StoreOptions.durability(.processCrashOnly)
    options.maximumSize = 1 << 20
    let test = try TestStore(options)
    let (store, value) = (test.store, try await test.store.value("value", initial: 0))
    let names = try await store.list("names", of: [UInt8].self)
    let began = DispatchSemaphore(value: 0)
    // While this one holds the lock, the others gather.
    let blocker = Task { try await store.write { _ in _ = began.wait(timeout: .now() + 10) } }
    let results = await withTaskGroup(of: StoreError.Code?.self) { group in
      for index in 0..<20 {
        group.addTask {
          do {
            try await store.write { txn in
              txn[value] += 1
              if index % 5 == 4 { txn[names].append([UInt8](repeating: 1, count: 2 << 20)) }
            }
            return nil
          } catch {
            return (error as? StoreError)?.code
          }
        }
      }
      began.signal()
      return await group.reduce(into: []) { $0.append($1) }
    }
    try await blocker.value
    #expect(results.filter { $0 == .mapFull }.count == 4 && results.filter { $0 == nil }.count == 16, "\(results)")
    #expect(try value.get() == 16 && names.isEmpty)
  }

  @MainActor
  @Test func theOrderOfOneActorIsKept() async throws {
    let test = try TestStore()
    let list = try await test.store.list("list", of: Int.self)
    for _ in 0..<40 {
      let tasks = (0..<500).map { number in
        Task { @MainActor in try await test.store.write { txn in txn[list].append(number) } }
      }
      for task in tasks { try await task.value }
      try #require(try list.read { Array($0) } == Array(0..<500))
      try await test.store.write { txn in txn[list].removeAll() }
    }
  }

  @Test func writesWithinAreRefused() async throws {
    let test = try TestStore()
    let (store, list) = (test.store, try await test.store.list("list", of: Int.self))
    try await store.write { txn in
      #expect(code { try list.append(1) } == .nestedWrite)
      txn[list].append(2)
    }
    #expect(try list.read { Array($0) } == [2])
  }

  private struct Structures: Sendable {
    let order: SharedList<UInt64>
    let packed: SharedList<Int32>
    let names: SharedList<String>
    let dictionary: SharedDictionary<String, Int>
    let value: SharedValue<Int>
    let queue: SharedQueue<Int>

    init(_ store: SharedStore) throws {
      order = try store.list("order", of: UInt64.self)
      packed = try store.list("packed", of: Int32.self)
      names = try store.list("names", of: String.self)
      dictionary = try store.dictionary("dictionary", of: String.self, Int.self)
      value = try store.value("value", initial: 0)
      queue = try store.queue("queue", of: Int.self)
    }

    func change(_ txn: inout WriteTransaction, _ seed: UInt64) throws {
      for step in Step.steps(seed) {
        switch step {
        case .append(let number): txn[packed].append(contentsOf: (0..<number % 700).map { Int32($0) })
        case .insert(let number): txn[packed].insert(Int32(number), at: number % (txn[packed].count + 1))
        case .shorten(let number): txn[packed].removeLast(min(txn[packed].count, number % 900))
        case .name(let number): txn[names].insert("\(number)", at: number % (txn[names].count + 1))
        case .unname: _ = txn[names].popFirst()
        case .set(let number): txn[dictionary]["\(number % 50)"] = number
        case .unset(let number): txn[dictionary].removeValue(forKey: "\(number % 50)")
        case .add(let number): txn[value] &+= number
        case .push(let number): txn[queue].push(number)
        case .pop: _ = txn[queue].pop()
        case .make(let number):
          let made = try txn.list("made \(number % 1000)", of: String.self)
          txn[made].append("x")
        case .fail: throw Undo()
        }
      }
    }
  }

  private final class Model {
    var packed: [Int32] = []
    var names: [String] = []
    var dictionary: [String: Int] = [:]
    var value = 0
    var queue: [Int] = []
    var made: Set<String> = []

    func change(_ seed: UInt64) {
      for step in Step.steps(seed) {
        switch step {
        case .append(let number): packed.append(contentsOf: (0..<number % 700).map { Int32($0) })
        case .insert(let number): packed.insert(Int32(number), at: number % (packed.count + 1))
        case .shorten(let number): packed.removeLast(min(packed.count, number % 900))
        case .name(let number): names.insert("\(number)", at: number % (names.count + 1))
        case .unname: if !names.isEmpty { names.removeFirst() }
        case .set(let number): dictionary["\(number % 50)"] = number
        case .unset(let number): dictionary["\(number % 50)"] = nil
        case .add(let number): value &+= number
        case .push(let number): queue.append(number)
        case .pop: if !queue.isEmpty { queue.removeFirst() }
        case .make(let number): made.insert("made \(number % 1000)")
        case .fail: break
        }
      }
    }
  }

  private enum Step {
    case append(Int), insert(Int), shorten(Int), name(Int), unname, set(Int), unset(Int), add(Int), push(Int), pop
    case make(Int), fail

    static func steps(_ seed: UInt64) -> [Step] {
      var random = Generator(state: seed)
      return (0..<Int.random(in: 1...8, using: &random)).map { _ in
        let number = Int.random(in: 0...9999, using: &random)
        return switch Int.random(in: 0..<22, using: &random) {
        case 0...1: .append(number)
        case 2...3: .insert(number)
        case 4: .shorten(number)
        case 5...6: .name(number)
        case 7: .unname
        case 8...10: .set(number)
        case 11: .unset(number)
        case 12...14: .add(number)
        case 15...16: .push(number)
        case 17: .pop
        case 18: .make(number)
        default: .fail
        }
      }
    }
  }

  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
  }
}
