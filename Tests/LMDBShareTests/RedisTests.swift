import Foundation
import LMDBShare
import TestSupport
import Testing

/// Redis' list commands, expressed with shared lists.
private struct ListCommands<Element: Storable & Equatable & LosslessStringConvertible> {
  let lists: [String: SharedList<Element>]

  /// Executes a command, and answers as Redis should.
  func reply(to command: [String], _ txn: inout WriteTransaction) throws -> RedisReply {
    let list = lists[command[1]]!
    let count = txn[list].count
    switch command[0] {
    case "LPUSH":
      let new = command.dropFirst(2).map { Element($0)! }
      if new.count == 1 { txn[list].prepend(new[0]) } else { txn[list].insert(contentsOf: new.reversed(), at: 0) }
      return .number(txn[list].count)
    case "RPUSH":
      let new = command.dropFirst(2).map { Element($0)! }
      if new.count == 1 { txn[list].append(new[0]) } else { txn[list].append(contentsOf: new) }
      return .number(txn[list].count)
    case "LPOP" where command.count == 2, "RPOP" where command.count == 2:
      return RedisReply(pop(command[0] == "LPOP", &txn[list])?.description)
    case "LPOP", "RPOP":
      guard count > 0 else { return .nothing }
      let taken = (0..<min(count, Int(command[2])!)).map { _ in pop(command[0] == "LPOP", &txn[list])! }
      return RedisReply(taken.map(\.description))
    case "LMOVE":
      guard let element = pop(command[3] == "LEFT", &txn[list]) else { return .nothing }
      let other = lists[command[2]]!
      if command[4] == "LEFT" { txn[other].prepend(element) } else { txn[other].append(element) }
      return .text(element.description)
    case "LRANGE":
      return RedisReply(txn[list][range(command[2], command[3], of: count)].map(\.description))
    case "LINSERT":
      guard let position = txn[list].firstIndex(of: Element(command[3])!) else { return .number(count == 0 ? 0 : -1) }
      txn[list].insert(Element(command[4])!, at: command[2] == "BEFORE" ? position : position + 1)
      return .number(txn[list].count)
    case "LREM":
      remove(Element(command[3])!, Int(command[2])!, &txn[list])
      return .number(count - txn[list].count)
    case "LINDEX":
      return RedisReply(try? txn[list].element(at: position(command[2], of: count)).description)
    case "LSET":
      let position = position(command[2], of: count)
      guard txn[list].indices.contains(position) else {
        return .error(count == 0 ? "ERR no such key" : "ERR index out of range")
      }
      txn[list][position] = Element(command[3])!
      return .status("OK")
    case "LTRIM":
      let kept = range(command[2], command[3], of: count)
      txn[list].removeSubrange(kept.upperBound..<count)
      txn[list].removeSubrange(0..<kept.lowerBound)
      return .status("OK")
    case "LLEN": return .number(count)
    default: throw RedisFailure(what: "unknown: \(command)")
    }
  }

  private func pop(_ isLeft: Bool, _ list: inout SharedList<Element>.Contents) -> Element? {
    isLeft ? list.popFirst() : list.popLast()
  }

  /// Removes a number of equal elements from the start, or from the end when negative, or all of them.
  private func remove(_ element: Element, _ count: Int, _ list: inout SharedList<Element>.Contents) {
    if count == 0 { return list.removeAll { $0 == element } }
    for _ in 0..<abs(count) {
      guard let position = count > 0 ? list.firstIndex(of: element) : list.lastIndex(of: element) else { return }
      list.remove(at: position)
    }
  }

  /// An index as in Redis: negative ones count from the end.
  private func position(_ index: String, of count: Int) -> Int { Int(index)! < 0 ? Int(index)! + count : Int(index)! }

  /// A first and a last index as in Redis, which may be out of range.
  private func range(_ first: String, _ last: String, of count: Int) -> Range<Int> {
    let lower = min(max(position(first, of: count), 0), count)
    return lower..<max(lower, min(position(last, of: count) + 1, count))
  }
}

/// Generates list commands.
private struct CommandGenerator {
  var random: SeededGenerator
  /// The maximum number of elements in one push.
  let several: Int
  let make: (inout SeededGenerator) -> String

  /// A random command for a list; `other` is the destination of moves, maybe the same list.
  mutating func next(_ list: String, _ other: String, count: Int) -> [String] {
    switch Int.random(in: 0..<24, using: &random) {
    case 0...3: return [oneOf("LPUSH", "RPUSH"), list, make(&random)]
    case 4:
      let new = (0..<Int.random(in: 2...several, using: &random)).map { _ in make(&random) }
      return [oneOf("LPUSH", "RPUSH"), list] + new
    case 5, 6: return [oneOf("LPOP", "RPOP"), list]
    case 7: return [oneOf("LPOP", "RPOP"), list, "\(Int.random(in: 0...several / 4, using: &random))"]
    case 8...10: return ["LMOVE", list, other, oneOf("LEFT", "RIGHT"), oneOf("LEFT", "RIGHT")]
    case 11, 12: return ["LRANGE", list, index(count), index(count)]
    case 13...15: return ["LINSERT", list, oneOf("BEFORE", "AFTER"), make(&random), make(&random)]
    case 16, 17: return ["LREM", list, "\(Int.random(in: -3...3, using: &random))", make(&random)]
    case 18, 19: return ["LINDEX", list, index(count)]
    case 20, 21: return ["LSET", list, index(count), make(&random)]
    case 22:
      // In most cases a little beyond the ends, so that lists grow long.
      guard Int.random(in: 0..<10, using: &random) > 0 else { return ["LTRIM", list, index(count), index(count)] }
      return [
        "LTRIM", list, oneOf("\(Int.random(in: 0...5, using: &random))", "\(-count - 3)"),
        oneOf("\(Int.random(in: -5 ... -1, using: &random))", "\(count + 3)"),
      ]
    default: return ["LLEN", list]
    }
  }

  private mutating func oneOf(_ choices: String...) -> String { choices.randomElement(using: &random)! }

  /// An index, from either end, or out of range.
  private mutating func index(_ count: Int) -> String { "\(Int.random(in: -count - 3...count + 3, using: &random))" }
}

/// A result from another thread.
private final class Background<R: Sendable>: Sendable {
  private let result = Locked<Result<R, any Error>?>(nil)
  private let done = DispatchSemaphore(value: 0)

  init(_ body: @escaping @Sendable () throws -> R) {
    Thread.detachNewThread { () -> Void in
      let found = Result { try body() }
      self.result.withLock { $0 = found }
      self.done.signal()
    }
  }

  /// The result, when it is available.
  func get() throws -> R {
    guard done.wait(timeout: .now() + 60) == .success else { throw RedisFailure(what: "a thread does not end") }
    return try result.withLock { $0! }.get()
  }
}

/// Lists and queues behave like Redis, which most people know; compared with a real server.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Needs.redis, "redis-server is not installed"))
struct RedisTests {
  private func compareLists<Element: Storable & Equatable & LosslessStringConvertible>(
    of type: Element.Type, _ name: String, _ operations: Int, longest: Int,
    make: @escaping (inout SeededGenerator) -> String
  ) throws {
    let test = try TestStore()
    let server = try RedisServer(in: test.directory)
    defer { server.stop() }
    let redis = try RedisConnection(to: server)
    let names = ["a", "b"]
    let lists = try names.map { try test.store.list($0, of: type) }
    let commands = ListCommands(lists: Dictionary(uniqueKeysWithValues: zip(names, lists)))
    var generator = CommandGenerator(random: SeededGenerator(name), several: longest / 8, make: make)
    var done = 0
    while done < operations {
      let batch = Int.random(in: 1...30, using: &generator.random)
      try test.store.write { txn in
        for _ in 0..<batch {
          let (list, other) = (
            Int.random(in: 0..<2, using: &generator.random), names.randomElement(using: &generator.random)!
          )
          let count = txn[lists[list]].count
          let command =
            count > longest
            ? ["LTRIM", names[list], "0", "\(longest / 2)"] : generator.next(names[list], other, count: count)
          let (expected, answer) = (try redis.ask(command), try commands.reply(to: command, &txn))
          try #require(answer == expected, "\(command)")
        }
      }
      done += batch
      guard done >= operations || Int.random(in: 0..<10, using: &generator.random) == 0 else { continue }
      for list in lists {
        let elements = try list.read { $0.map(\.description) }
        try #require(try redis.ask("LRANGE", list.name, "0", "-1") == RedisReply(elements))
      }
    }
  }

  @Test func packedListsAgainstRedis() throws {
    try compareLists(
      of: Int.self, "packedListsAgainstRedis", SeededGenerator.operations(100_000) / 4, longest: 3000
    ) { "\(Int.random(in: -100...100, using: &$0))" }
  }

  @Test func indexedListsAgainstRedis() throws {
    try compareLists(
      of: String.self, "indexedListsAgainstRedis", SeededGenerator.operations(100_000) / 4, longest: 200
    ) { random in
      switch Int.random(in: 0..<20, using: &random) {
      case 0: ""
      case 1: ["\r\n", "\0", "häßlich", "🙂"].randomElement(using: &random)!
      case 2: String(repeating: "x", count: Int.random(in: 0...5000, using: &random))
      default: "\(Int.random(in: 0..<50, using: &random))"
      }
    }
  }

  // MARK: Queues

  /// A store's queues and a server, whose lists have the same names.
  private struct Pair {
    let server: RedisServer
    let redis: RedisConnection
    let queues: [SharedQueue<String>]
    let test: TestStore

    init() throws {
      test = try TestStore()
      server = try RedisServer(in: test.directory)
      redis = try RedisConnection(to: server)
      queues = try ["a", "b", "c"].map { [test] in try test.store.queue($0, of: String.self) }
    }

    /// Expects the same items on both sides.
    func compare(_ location: SourceLocation = #_sourceLocation) throws {
      for queue in queues {
        let items = try test.store.read { txn in txn[queue].items.map(\.element) }
        let expected = try redis.ask("LRANGE", queue.name, "0", "-1")
        try #require(RedisReply(items) == expected, sourceLocation: location)
        try queue.checkInvariants()
      }
    }

    /// Waits until a number of connections wait in `BLPOP`, and a little longer, so that the other side waits as well.
    func waitForBlocked(_ count: Int, _ random: inout SeededGenerator) throws {
      let isBlocked = try eventually {
        guard case .text(let text) = try redis.ask("INFO", "clients") else { return false }
        return text.contains("blocked_clients:\(count)\r\n")
      }
      try #require(isBlocked)
      usleep(UInt32.random(in: 0...4000, using: &random))
    }
  }

  /// Takes as `BLPOP` does, from one queue or from several.
  private static func blockingPop(_ queues: [SharedQueue<String>], _ timeout: Duration) throws -> RedisReply {
    if queues.count == 1 {
      return try queues[0].pop(timeout: timeout).map { RedisReply([queues[0].name, $0]) } ?? .nothing
    }
    return try SharedQueue.pop(from: queues, timeout: timeout).map { RedisReply([$0.queue.name, $0.element]) }
      ?? .nothing
  }

  @Test func queuesAgainstRedis() throws {
    let pair = try Pair()
    defer { pair.server.stop() }
    let redis = pair.redis
    var random = SeededGenerator("queuesAgainstRedis")
    for step in 0..<SeededGenerator.operations(100_000) / 10 {
      let queue = pair.queues.randomElement(using: &random)!
      switch Int.random(in: 0..<20, using: &random) {
      case 0...5:
        try queue.push("\(step)")
        #expect(try redis.ask("RPUSH", queue.name, "\(step)") == .number(queue.count))
      case 6:
        let items = (0..<[2, 3, 40, 300].randomElement(using: &random)!).map { "\(step)-\($0)" }
        try queue.push(contentsOf: items)
        #expect(try redis.ask(["RPUSH", queue.name] + items) == .number(queue.count))
      case 7...9:
        try #require(try redis.ask("LPOP", queue.name) == RedisReply(queue.pop()))
      case 10, 11:
        let most = Int.random(in: 1...100, using: &random)
        let items = try queue.pop(atMost: most)
        // Redis has nil instead of an empty list.
        try #require(try redis.ask("LPOP", queue.name, "\(most)") == (items.isEmpty ? .nothing : RedisReply(items)))
      case 12: #expect(try redis.ask("LLEN", queue.name) == .number(queue.count))
      case 13: #expect(try redis.ask("LINDEX", queue.name, "0") == RedisReply(queue.peek()))
      default:
        // In the order of the keys, which may contain a key twice; few wait in vain.
        let asked = (0..<Int.random(in: 1...4, using: &random)).map { _ in pair.queues.randomElement(using: &random)! }
        guard try !asked.allSatisfy({ try $0.isEmpty }) || Int.random(in: 0..<50, using: &random) == 0 else { break }
        let expected = try redis.ask(["BLPOP"] + asked.map(\.name) + ["0.005"])
        try #require(try Self.blockingPop(asked, .milliseconds(5)) == expected)
      }
      if step % 100 == 0 { try pair.compare() }
    }
    try pair.compare()
  }

  @Test func anItemEndsBothWaits() throws {
    let pair = try Pair()
    let (server, redis) = (pair.server, pair.redis)
    defer { server.stop() }
    var random = SeededGenerator("anItemEndsBothWaits")
    for round in 0..<SeededGenerator.operations(100_000) / 1000 {
      let asked = Array(pair.queues.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)))
      let queue = asked.randomElement(using: &random)!
      let theirs = Background {
        try RedisConnection(to: server).ask(["BLPOP"] + asked.map(\.name) + ["20"])
      }
      let ours = Background { try Self.blockingPop(asked, .seconds(20)) }
      try pair.waitForBlocked(1, &random)
      if round % 4 == 0 {
        // Items that are added and removed within a transaction are not visible to others.
        try pair.test.store.write { txn in
          txn[queue].push("never")
          same(txn[queue].pop(), "never")
        }
        for command in [["MULTI"], ["RPUSH", queue.name, "never"], ["LPOP", queue.name], ["EXEC"]] {
          _ = try redis.ask(command)
        }
      }
      // Of several at the same time it is the first.
      let items = (0..<[1, 1, 2, 30].randomElement(using: &random)!).map { "\(round)-\($0)" }
      if items.count == 1 { try queue.push(items[0]) } else { try queue.push(contentsOf: items) }
      #expect(try redis.ask(["RPUSH", queue.name] + items) == .number(items.count))
      let expected = try theirs.get()
      #expect(expected == RedisReply([queue.name, items[0]]))
      #expect(try ours.get() == expected)
      try pair.compare()
      #expect(try queue.pop(atMost: 100) == Array(items.dropFirst()))
      _ = try redis.ask("DEL", queue.name)
    }
  }

  /// As many wait as there are items: each gets one, on both sides.
  @Test func itemsAtOnceEndTheWaitsOfMany() throws {
    let pair = try Pair()
    let (server, queue) = (pair.server, pair.queues[0])
    defer { server.stop() }
    var random = SeededGenerator("itemsAtOnceEndTheWaitsOfMany")
    for round in 0..<max(1, SeededGenerator.operations(100_000) / 10_000) {
      let items = (0..<5).map { "\(round)-\($0)" }
      let theirs = items.map { _ in Background { try RedisConnection(to: server).ask("BLPOP", queue.name, "20") } }
      let ours = items.map { _ in Background { try Self.blockingPop([queue], .seconds(20)) } }
      try pair.waitForBlocked(items.count, &random)
      try queue.push(contentsOf: items)
      _ = try pair.redis.ask(["RPUSH", queue.name] + items)
      for waiting in [theirs, ours] {
        let got = try waiting.map { try $0.get() }
        for item in items { #expect(got.contains(RedisReply([queue.name, item]))) }
      }
      try pair.compare()
    }
  }

  @Test func bothWaitsEndInTime() throws {
    let pair = try Pair()
    defer { pair.server.stop() }
    for asked in [Array(pair.queues.prefix(1)), pair.queues] {
      for wait in [
        { try pair.redis.ask(["BLPOP"] + asked.map(\.name) + ["0.1"]) },
        { try Self.blockingPop(asked, .milliseconds(100)) },
      ] {
        let start = ContinuousClock.now
        #expect(try wait() == .nothing)
        let taken = start.duration(to: .now)
        #expect(taken >= .milliseconds(95) && taken < .seconds(10))
      }
    }
  }
}
