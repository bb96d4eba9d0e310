import Foundation
import LMDBShare

/// Replays the operations of the processes, in the order of their commits, on a model, and compares every result.
struct Replay {
  private(set) var model = Model()
  private(set) var commits = 0
  private(set) var reads = 0
  private(set) var operations = 0
  private let seed: UInt64
  /// The last order number of each life so far.
  private var ends: [Model.Offers.Owner: UInt64] = [:]

  init(seed: UInt64) { self.seed = seed }

  private struct Entry {
    let lane: Int
    let record: Board.Record
    var owner: Model.Offers.Owner { .init(slot: lane / Board.lanesPerSlot, life: Int(record.life)) }
  }

  /// Reads all records of the board; their processes have ended.
  mutating func take(_ board: Board, _ store: SharedStore) throws {
    let steps = try Structures(store).lastSteps()
    var entries: [Entry] = []
    for lane in 0..<Board.lanes {
      let last = UInt64(steps[lane])
      if let lost = board.resolve(lane, lastCommitted: last) {
        throw Problem("LOST: lane \(lane) was told that step \(lost) is committed; the store has \(last)")
      }
      for index in 0..<board.recordCount(lane) {
        let record = board.read(lane, index)
        if record.state == .committed || record.state == .read { entries.append(Entry(lane: lane, record: record)) }
      }
    }
    board.clear()
    for entry in entries { ends[entry.owner] = max(ends[entry.owner] ?? 0, entry.record.order) }
    entries.sort { a, b in
      if a.record.snapshot != b.record.snapshot { return a.record.snapshot < b.record.snapshot }
      let (aReads, bReads) = (a.record.state == .read, b.record.state == .read)
      return aReads != bReads ? bReads : a.record.order < b.record.order
    }
    var order: UInt64 = 0
    let beginning = model
    for (index, entry) in entries.enumerated() {
      if entry.record.state == .committed {
        guard entry.record.order >= order else {
          throw Problem("lane \(entry.lane), step \(entry.record.step) is committed before one that ran before it")
        }
        order = entry.record.order
      }
      do {
        try replay(entry)
      } catch let problem as Problem {
        throw Problem("\(problem); \(explanation(of: index, entries, beginning))")
      }
    }
  }

  /// The other positions in the order at which a step's results would have been right.
  private func explanation(of index: Int, _ entries: [Entry], _ beginning: Model) -> String {
    let wrong = entries[index]
    let script = Script(seed: seed, lane: wrong.lane, step: wrong.record.step)
    var model = beginning
    var matches: [String] = []
    for (place, entry) in entries.enumerated() {
      var digest = Digest()
      var trial = model
      for operation in script.operations { trial.perform(operation, &digest) }
      if digest.value == wrong.record.digest {
        matches.append("\(place - index) (before snapshot \(entry.record.snapshot))")
      }
      if place > index + 200 { break }
      guard entry.record.state == .committed else { continue }
      var ignored = Digest()
      for operation in Script(seed: seed, lane: entry.lane, step: entry.record.step).operations {
        model.perform(operation, &ignored)
      }
    }
    let near = entries[max(0, index - 5)..<min(entries.count, index + 6)].map {
      "lane \($0.lane) step \($0.record.step) snapshot \($0.record.snapshot) order \($0.record.order) \($0.record.state)"
    }
    return "right at \(matches.suffix(20)); near: \(near)"
  }

  private mutating func replay(_ entry: Entry) throws {
    let record = entry.record
    let script = Script(seed: seed, lane: entry.lane, step: record.step)
    var digest = Digest()
    for operation in script.operations { model.perform(operation, &digest) }
    operations += script.operations.count
    guard digest.value == record.digest else {
      throw Problem(
        "DIVERGED: lane \(entry.lane), step \(record.step), snapshot \(record.snapshot): other results than the "
          + "model's for \(script.operations)")
    }
    if record.state == .read {
      reads += 1
      return
    }
    commits += 1
    let sequence = Int(record.sequence)
    let ends = ends
    let problem: String? =
      switch record.event {
      case .none: nil
      case .nothing: model.offers.nothing()
      case .leased:
        model.offers.lease(sequence, attempt: Int(record.attempt), by: entry.owner) { owner in
          owner != entry.owner && (ends[owner] ?? 0) < record.order
        }
      case .acknowledged: model.offers.acknowledge(sequence, by: entry.owner)
      case .released: model.offers.release(sequence, by: entry.owner)
      case .givenBack: model.offers.release(sequence, by: entry.owner, isTried: false)
      }
    if record.event != .none { operations += 1 }
    if let problem { throw Problem("LEASES: lane \(entry.lane), step \(record.step): \(problem)") }
  }

  /// Compares the model with the store's contents, and checks the store; no process works on it meanwhile.
  func compare(_ store: SharedStore) throws {
    let findings = try store.check()
    guard findings.isEmpty else { throw Problem("DAMAGED: \(findings)") }
    let structures = try Structures(store)
    try store.read { txn in
      func same<T: Equatable>(_ what: String, _ found: T, _ wanted: T) throws {
        if found != wanted { throw Problem("DIVERGED: \(what): found \(found), wanted \(wanted)".prefixed(2000)) }
      }
      try same("names", Array(txn[structures.names]), model.names)
      try same("numbers", Array(txn[structures.numbers]), model.numbers)
      try same("words", Dictionary(txn[structures.words]), model.words)
      try same("cells", Array(txn[structures.cells]), model.cells)
      try same("total", txn[structures.total], model.total)
      try same("first", txn[structures.first].items.map(\.element), model.first.items)
      try same("second", txn[structures.second].items.map(\.element), model.second.items)
      try same(
        "marks", txn[structures.marks].storedItems.map { Int($0.sequence) }, model.marks.ready.map(\.sequence))
      try same(
        "marks of the model's type", txn[structures.marks].items.map(\.element.number),
        model.marks.ready.filter { !$0.isSpoilt }.map(\.mark))
      try same(
        "spoilt marks", Set(txn[structures.marks].deadLetters.map { Int($0.sequence) }),
        Set(model.marks.dead.map(\.sequence)))
      let offers = txn[structures.offers]
      let difference = model.offers.difference(
        ready: Set(offers.items.map { Int($0.sequence) }),
        leased: Set(offers.statistics.leases.map { Int($0.sequence) }),
        dead: Set(offers.deadLetters.map { Int($0.sequence) }))
      if let difference { throw Problem("DIVERGED: offers: \(difference)") }
    }
  }

  /// Lets py-lmdb read the store, and compares its output. Returns false when it is not installed.
  func compareFromOutside(_ path: String) throws -> Bool {
    guard let python = ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"] else { return false }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../../../Tests/LMDBShareTests/Resources/peer.py").standardizedFileURL.path
    let peer = Process()
    peer.executableURL = URL(fileURLWithPath: python)
    peer.arguments = [script, "read", path]
    let output = Pipe()
    peer.standardOutput = output
    try peer.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    peer.waitUntilExit()
    guard peer.terminationStatus == 0 else { throw Problem("py-lmdb cannot read the store") }
    let all = try JSONDecoder().decode(Outside.self, from: bytes)
    guard all.names.contents == model.names, all.numbers.contents == model.numbers,
      all.cells.contents == model.cells, all.total.contents == model.total,
      all.first.contents == model.first.items, all.second.contents == model.second.items
    else { throw Problem("DIVERGED: py-lmdb's output differs from the model") }
    return true
  }

  /// Lets the tool read the store, and compares its output.
  func compareWithTool(_ path: String) throws {
    struct Entry<Value: Decodable>: Decodable { let value: Value }
    struct Word: Decodable { let key: String, value: Int }
    struct Item: Decodable { let state: String, value: Int }
    let names = try Tool.lines(Entry<String>.self, ["show", path, "names"]).map(\.value)
    let numbers = try Tool.lines(Entry<Int32>.self, ["show", path, "numbers"]).map(\.value)
    let words = try Tool.lines(Word.self, ["show", path, "words"])
    let cells = try Tool.lines(Entry<Int>.self, ["show", path, "cells"]).map(\.value)
    let total = try Tool.lines(Entry<Int>.self, ["get", path, "total"]).first?.value
    let first = try Tool.lines(Item.self, ["show", path, "first"]).filter { $0.state == "ready" }.map(\.value)
    guard names == model.names, numbers == model.numbers, cells == model.cells, total == model.total,
      Dictionary(uniqueKeysWithValues: words.map { ($0.key, $0.value) }) == model.words, first == model.first.items
    else { throw Problem("DIVERGED: the tool's output differs from the model") }
  }

  private struct Outside: Decodable {
    struct Structure<Contents: Decodable>: Decodable { let contents: Contents }
    let names: Structure<[String]>
    let numbers: Structure<[Int32]>
    let cells: Structure<[Int]>
    let total: Structure<Int>
    let first: Structure<[Int]>
    let second: Structure<[Int]>
  }
}

extension String {
  /// At most that many characters of it.
  func prefixed(_ count: Int) -> String { self.count <= count ? self : String(prefix(count)) + "…" }
}
