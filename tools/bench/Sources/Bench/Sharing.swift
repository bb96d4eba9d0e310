import CFloor
import Foundation
import LMDBShare

/// What two processes do together, beside the same in C on raw LMDB, and beside what Python's multiprocessing has.
struct Sharing {
  let directory: String
  let isQuick: Bool
  private var rows: [[String]] = [["work", "lmdbshare", "C on LMDB", "ratio", "Python", "target", ""]]
  private(set) var isMet = true
  private let python: [String: Double]

  init(_ directory: String, isQuick: Bool) throws {
    self.directory = directory
    self.isQuick = isQuick
    python = Sharing.measurePython(isQuick)
  }

  private var rounds: Int { isQuick ? 3 : 7 }
  private var messages: Int { isQuick ? 10_000 : 20_000 }
  private static let message = [UInt8](repeating: 120, count: 100)

  mutating func run() throws {
    try queue("queue, 1 by 1", batch: 1, most: 1, ratio: 1.5)
    try queue("queue, 1 by 1, taking what is there", batch: 1, most: 1000, ratio: 1.5)
    try queue("queue, 100 by 100, a message", batch: 100, most: 1000, atMost: 250)
    // What returns before it is done, as `multiprocessing.Queue.put` does.
    try queue("queue, 1 by 1 by a producer", batch: 1, most: 10_000, isBuffered: true)
    try queue("queue, 100 by 100 by a producer, a message", batch: 100, most: 10_000, isBuffered: true)
    try roundTrips()
    try increments()
    try groupCommits()
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    print()
    for row in rows {
      print(
        row.indices.map { row[$0].padding(toLength: widths[$0], withPad: " ", startingAt: 0) }.joined(separator: "  "))
    }
  }

  private func median(_ values: [Double]) -> Double { Measurement.median(values) }

  private mutating func add(
    _ work: String, _ ours: Double, _ floor: Double?, _ ratio: Double?, _ peers: [String], _ target: String,
    _ isMet: Bool
  ) {
    func fine(_ value: Double) -> String { String(format: "%.2f", value) }
    func time(_ value: Double) -> String { value >= 1000 ? "\(fine(value / 1000)) µs" : "\(fine(value)) ns" }
    rows.append([
      work, time(ours), floor.map(time) ?? "", ratio.map(fine) ?? "",
      peers.compactMap { name in python[name].map { "\(name.split(separator: " ")[0]) \(fine($0 / ours)) ×" } }
        .joined(separator: ", "),
      target, isMet ? "met" : "MISSED",
    ])
    self.isMet = self.isMet && isMet
  }

  /// The directory of a round. It goes with the next one: memory that was never used before is slow on virtual machines.
  private var round: String { directory + "/round" }

  /// A store without a history, as the floor has one, and the other side in a process of its own.
  private func start(_ arguments: [String]) throws -> (SharedStore, WorkerProcess) {
    try? FileManager.default.removeItem(atPath: round)
    try FileManager.default.createDirectory(atPath: round, withIntermediateDirectories: true)
    let store = try SharedStore(path: round + "/store", options: .durability(.processCrashOnly))
    let (ready, go) = (try store.event("ready"), try store.event("go"))
    let other = try WorkerProcess(role: "bench", store: store, arguments: arguments)
    try ready.wait(timeout: .seconds(60))
    // A store that somebody has just made or moved is looked at more often.
    usleep(1_100_000)
    try go.set()
    return (store, other)
  }

  // MARK: Queues

  private mutating func queue(
    _ work: String, batch: Int, most: Int, ratio limit: Double? = nil, atMost nanoseconds: Double? = nil,
    isBuffered: Bool = false
  ) throws {
    let count = messages * (batch > 1 ? 200 : isBuffered ? 10 : 1)
    var (mine, theirs): ([Double], [Double]) = ([], [])
    for number in 0...rounds {
      let (store, other) = try start(["consume", "\(count)", "\(most)"])
      let there = try store.queue("there", of: [UInt8].self)
      let back = try store.queue("back", of: Int.self)
      let items = (0..<batch).map { number in [UInt8](repeating: UInt8(number), count: Self.message.count) }
      let producer = there.producer()
      let taken = try Bench.nanoseconds {
        for _ in 0..<count / batch {
          if isBuffered, batch > 1 {
            try producer.push(contentsOf: items)
          } else if isBuffered {
            try producer.push(Self.message)
          } else if batch == 1 {
            try there.push(Self.message)
          } else {
            try there.push(contentsOf: items)
          }
        }
        try producer.flush()
        _ = try back.pop(timeout: .seconds(60))
      }
      other.wait()
      let floor = Double(
        floor_queue(round + "/floor", Int64(count), Int32(batch), Int32(most)))
      if number > 0 {
        mine.append(taken / Double(count))
        theirs.append(floor / Double(count))
      }
    }
    let ours = median(mine)
    let ratio = median(zip(mine, theirs).map { $0 / $1 })
    let names = ["Queue", "SimpleQueue", "Manager.Queue"].map { "\($0) \(batch == 1 ? "one" : "hundred")" }
    func gain(_ name: String) -> Double { python[name].map { $0 / ours } ?? .infinity }
    var isMet = true
    var targets: [String] = []
    if isBuffered {
      let least = batch == 1 ? 1.2 : 1
      targets.append("≥ \(least) × Queue, ≥ 5 × Manager")
      isMet = gain(names[0]) >= least && gain(names[2]) >= 5
    }
    if let limit {
      targets.append("≤ \(String(format: "%.2f", limit)) × C")
      isMet = ratio <= limit
    }
    if let nanoseconds {
      targets.append("≤ \(Int(nanoseconds)) ns")
      isMet = ours <= nanoseconds
    }
    add(work, ours, median(theirs), ratio, names, targets.joined(separator: ", "), isMet)
  }

  private mutating func roundTrips() throws {
    let count = isQuick ? 2000 : 5000
    var p50: [[Double]] = [[], []]
    var p99: [[Double]] = [[], []]
    for number in 0...rounds {
      let (store, other) = try start(["echo", "\(count)"])
      let (there, echo) = (try store.queue("there", of: [UInt8].self), try store.queue("echo", of: [UInt8].self))
      var times: [Double] = []
      for _ in 0..<count {
        times.append(
          try Bench.nanoseconds {
            try there.push(Self.message)
            _ = try echo.pop(timeout: .seconds(60))
          })
      }
      other.wait()
      var floor = [Int64](repeating: 0, count: count)
      floor_round_trips(round + "/floor", &floor, Int64(count))
      guard number > 0 else { continue }
      for (index, sorted) in [times.sorted(), floor.map(Double.init).sorted()].enumerated() {
        p50[index].append(sorted[count / 2])
        p99[index].append(sorted[count * 99 / 100])
      }
    }
    let ratio = median(zip(p50[0], p50[1]).map { $0 / $1 })
    let names = ["Queue trip", "SimpleQueue trip", "Manager.Queue trip"]
    add("queue, round trip, p50", median(p50[0]), median(p50[1]), ratio, names, "≤ 1.15 × C", ratio <= 1.15)
    let far = median(zip(p99[0], p99[1]).map { $0 / $1 })
    add("queue, round trip, p99", median(p99[0]), median(p99[1]), far, [], "", true)
  }

  // MARK: Contention and groups

  private mutating func increments() throws {
    let count = messages
    var (mine, theirs): ([Double], [Double]) = ([], [])
    for number in 0...rounds {
      let (store, other) = try start(["increment", "\(count)"])
      let value = try store.value("counter", initial: 0)
      let back = try store.queue("back", of: Int.self)
      let taken = try Bench.nanoseconds {
        for _ in 0..<count { try value.update { $0 += 1 } }
        _ = try back.pop(timeout: .seconds(60))
      }
      other.wait()
      let floor = Double(floor_contended(round + "/floor", Int64(count)))
      if number > 0 {
        mine.append(taken / Double(2 * count))
        theirs.append(floor / Double(2 * count))
      }
    }
    let ratio = median(zip(mine, theirs).map { $0 / $1 })
    add(
      "increment by 2 processes", median(mine), median(theirs), ratio, ["Value increment"], "≤ 1.50 × C", ratio <= 1.5)
  }

  /// Durable writes of 1, 8 and 64 tasks, on a disk.
  private mutating func groupCommits() throws {
    let path = NSTemporaryDirectory() + "lmdbshare-bench-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let durable = try SharedStore(path: path)
    let value = try durable.value("value", initial: 0)
    var figures: [Int: [Double]] = [:]
    for _ in 0..<rounds {
      for tasks in [1, 8, 64] {
        let writes = tasks == 1 ? 200 : 4000 / tasks
        let taken = Bench.nanoseconds {
          let end = DispatchSemaphore(value: 0)
          Task {
            await withTaskGroup(of: Void.self) { group in
              for _ in 0..<tasks {
                group.addTask { for _ in 0..<writes { try? await durable.write { txn in txn[value] += 1 } } }
              }
            }
            end.signal()
          }
          end.wait()
        }
        figures[tasks, default: []].append(taken / Double(writes * tasks))
      }
    }
    let alone = figures[1] ?? []
    for tasks in [1, 8, 64] {
      let mine = figures[tasks] ?? []
      let gain = median(zip(alone, mine).map { $0 / $1 })
      add(
        "durable write, \(tasks) task\(tasks == 1 ? "" : "s")", median(mine), nil, nil, [],
        tasks == 64
          ? "≥ 12 × 1 task: \(String(format: "%.1f", gain))"
          : tasks == 8 ? "\(String(format: "%.1f", gain)) × 1 task" : "",
        tasks != 64 || gain >= 12)
    }
  }

  // MARK: The other side

  /// What the other process does.
  static func work(_ worker: Worker) throws {
    let store = try worker.openStore(options: .durability(.processCrashOnly))
    let there = try store.queue("there", of: [UInt8].self)
    let back = try store.queue("back", of: Int.self)
    let count = Int(worker.arguments[1]) ?? 0
    let echo = try store.queue("echo", of: [UInt8].self)
    let value = try store.value("counter", initial: 0)
    try store.event("ready").set()
    try store.event("go").wait(timeout: .seconds(60))
    switch worker.arguments[0] {
    case "consume":
      let most = Int(worker.arguments[2]) ?? 1
      var left = count
      while left > 0 {
        if most == 1 {
          if try there.pop(timeout: .seconds(60)) != nil { left -= 1 }
        } else {
          left -= try there.pop(atMost: most, timeout: .seconds(60)).count
        }
      }
      try back.push(1)
    case "echo":
      for _ in 0..<count {
        guard let message = try there.pop(timeout: .seconds(60)) else { break }
        try echo.push(message)
      }
    default:
      for _ in 0..<count { try value.update { $0 += 1 } }
      try back.push(1)
    }
  }

  // MARK: Python

  /// Nanoseconds by peer and work; empty where there is no Python 3.
  private static func measurePython(_ isQuick: Bool) -> [String: Double] {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("queues.py").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", script] + (isQuick ? ["--quick"] : [])
    let output = Pipe()
    process.standardOutput = output
    guard (try? process.run()) != nil else { return [:] }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    var figures: [String: Double] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "\t")
      if parts.count == 2 { figures[String(parts[0])] = Double(parts[1]) }
    }
    return figures
  }
}
