import CTestShims
import Foundation
import LMDBShare
import LMDBSharePages
import TestSupport
import Testing

struct Memory: PageSource {
  let bytes: [UInt8]
  func read(offset: Int, count: Int) throws -> [UInt8] {
    guard offset >= 0, offset < bytes.count, count > 0 else { return [] }
    return Array(bytes[offset..<min(offset + count, bytes.count)])
  }
  func size() throws -> Int { bytes.count }
}

/// The page check is a promise: liblmdb can read and change what passes without crashing, hanging, or counting wrongly.
@Suite(.timeLimit(.minutes(30)))
struct DamageTests {
  /// A file, and its earlier state.
  struct Sample {
    var name: String
    var now: [UInt8]
    var before: [UInt8]
  }

  static func foreign(keys: UInt32, rounds: UInt32, freed: UInt32) throws -> [UInt8] {
    let directory = TemporaryDirectory()
    let code = test_make_foreign(directory.file("data.mdb"), keys, rounds, freed)
    guard code == 0 else { throw POSIXError(.EIO) }
    return try directory.read("data.mdb")
  }

  /// Files of a store with every structure, and of other programs with every kind of database.
  static func samples() throws -> [Sample] {
    let directory = TemporaryDirectory()
    let before: [UInt8]
    do {
      let store = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
      let numbers = try store.list("numbers", of: Int.self)
      let texts = try store.list("texts", of: String.self)
      let words = try store.dictionary("words", of: String.self, [UInt8].self)
      let queue = try store.queue("queue", of: String.self)
      _ = try store.array("array", of: Int32.self, count: 1500)
      _ = try store.value("value", initial: 1)
      _ = try (store.lock("lock"), store.semaphore("semaphore", permits: 2))
      _ = try (store.event("event"), store.barrier("barrier", parties: 2))
      try numbers.append(contentsOf: 0..<3000)
      try texts.append(contentsOf: (0..<600).map { "text \($0)" })
      try words.merge((0..<900).map { ("key \($0)", [UInt8](repeating: 1, count: $0 % 60 == 0 ? 5000 : 20)) }) { $1 }
      try queue.push(contentsOf: (0..<300).map { "item \($0)" })
      before = try directory.read("data.mdb")
      for round in 0..<8 {
        try texts.removeAll { $0.hasSuffix("\(round)") }
        _ = try queue.pop(atMost: 20)
        try words.updateValue([UInt8](repeating: 2, count: 700 * round), forKey: "key \(round)")
      }
      _ = try queue.lease(for: .seconds(60))
    }
    return [
      Sample(name: "store", now: try directory.read("data.mdb"), before: before),
      Sample(
        name: "foreign", now: try foreign(keys: 24, rounds: 3, freed: 0),
        before: try foreign(keys: 24, rounds: 2, freed: 0)),
      Sample(
        name: "freed", now: try foreign(keys: 12, rounds: 2, freed: 600),
        before: try foreign(keys: 12, rounds: 1, freed: 600)),
    ]
  }

  static func finding(_ bytes: [UInt8]) throws -> PageProblem? {
    do {
      try PageFile(source: Memory(bytes: bytes)).check()
      return nil
    } catch let problem as PageProblem { return problem }
  }

  /// A process that exercises files with plain liblmdb, restarted when it has died.
  final class Judge {
    private let directory = TemporaryDirectory()
    private var program: Program?

    /// The result for a file: `sound`, or what was wrong.
    func verdict(on bytes: [UInt8], seed: UInt64) throws -> (String, after: [UInt8]) {
      try directory.write(bytes, to: "data.mdb")
      let running =
        try program
        ?? Program(
          path: Program.directory.appendingPathComponent("TestWorker").path, ["exercise", ""],
          environment: ["SWIFT_BACKTRACE": "enable=no"])
      program = running
      let line = running.send("\(seed) \(directory.file("data.mdb"))") ? running.line() : nil
      guard let line, line == "sound" else {
        program = nil
        return (line ?? "it ended with \(running.finish(within: 70).status)", [])
      }
      return (line, try directory.read("data.mdb"))
    }

    deinit { program?.finish(within: 70) }
  }

  /// The number of mutants: `LMDBSHARE_DAMAGES`, which `tools/faults damage --count` sets.
  private static var mutants: Int {
    #if DEBUG
      let usual = 400
    #else
      let usual = 2000
    #endif
    return ProcessInfo.processInfo.environment["LMDBSHARE_DAMAGES"].flatMap { Int($0) } ?? usual
  }

  @Test func soundFilesOfEveryKindPassAndStaySound() throws {
    let judge = Judge()
    for sample in try Self.samples() {
      for (index, bytes) in [sample.before, sample.now].enumerated() {
        #expect(try Self.finding(bytes) == nil, "\(sample.name) \(index)")
        for seed in 1..<6 {
          let (verdict, after) = try judge.verdict(on: bytes, seed: UInt64(seed))
          #expect(verdict == "sound", "\(sample.name) \(index), seed \(seed)")
          #expect(try Self.finding(after) == nil, "\(sample.name) \(index), seed \(seed), after it was changed")
        }
      }
    }
  }

  /// Each kind of damage, many times: it is found, or harmless to every program.
  @Test func whatPassesIsSafeForEveryProgram() throws {
    signal(SIGPIPE, SIG_IGN)
    var random = SeededGenerator("whatPassesIsSafeForEveryProgram")
    let samples = try Self.samples()
    let judge = Judge()
    var (found, passed) = ([String: Int](), [String: Int]())
    var wrong = 0
    for index in 0..<Self.mutants {
      let kind = Mutation.Kind.allCases[index % Mutation.Kind.allCases.count]
      let sample = samples[[0, 0, 0, 1, 1, 1, 1, 2].randomElement(using: &random) ?? 0]
      let seed = random.next()
      var generator = Steps(state: seed)
      var mutation = Mutation(bytes: sample.now, older: sample.before, random: generator)
      mutation.apply(kind)
      let name = "\(kind) of \(sample.name)"
      if try Self.finding(mutation.bytes) != nil {
        found[kind.rawValue, default: 0] += 1
        continue
      }
      passed[kind.rawValue, default: 0] += 1
      let (verdict, after) = try judge.verdict(on: mutation.bytes, seed: generator.next())
      let afterwards = verdict == "sound" ? try Self.finding(after) : nil
      if verdict != "sound" || afterwards != nil {
        wrong += 1
        Issue.record("\(name), mutant \(index) (seed \(seed)): \(verdict), \(afterwards?.description ?? "")")
        if let place = ProcessInfo.processInfo.environment["LMDBSHARE_DAMAGES_KEPT"] {
          try Data(mutation.bytes).write(to: URL(fileURLWithPath: "\(place)/\(index)-\(kind).mdb"))
          try Data(sample.now).write(to: URL(fileURLWithPath: "\(place)/\(sample.name).mdb"))
        }
        if wrong > 20 { return }
      }
    }
    let (all, safe) = (found.values.reduce(0, +), passed.values.reduce(0, +))
    print("damage \(Self.mutants) mutants: \(all) found, \(safe) passed and safe for liblmdb, \(wrong) wrong")
    for kind in Mutation.Kind.allCases {
      print("  \(kind): \(found[kind.rawValue] ?? 0) found, \(passed[kind.rawValue] ?? 0) passed")
    }
    #expect(all > Self.mutants / 4 && safe > Self.mutants / 50)
  }
}
