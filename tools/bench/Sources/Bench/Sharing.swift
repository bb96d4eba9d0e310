import CFloor
import Foundation
import LMDBShare

/// Work of two processes, compared with the same in C on raw LMDB, and with Python's multiprocessing.
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

  // Many short rounds, between the same processes: other load of the machine comes and goes within a second.
  private var rounds: Int { isQuick ? 11 : 41 }
  private static let messages = 2000
  private static let message = [UInt8](repeating: 120, count: 100)

  mutating func run() throws {
    try queue("queue, 1 by 1", batch: 1, most: 1, ratio: 1.5)
    try queue("queue, 1 by 1, taking what is there", batch: 1, most: 1000, ratio: 1.5)
    try queue("queue, 100 by 100, a message", batch: 100, most: 1000, ratio: 0.75)
    try producer("queue, 1 by 1 by a producer", batch: 1, least: 1.2)
    try producer("queue, 100 by 100 by a producer, a message", batch: 100, least: 1)
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

  private mutating func add(_ row: Measurement, _ peers: [String]) {
    add(row.name, row.ours, row.floor, row.ratio, peers, row.promise, row.isMet)
  }

  /// A store without a history, like the floor's, and the other side in a separate process, which works on it in rounds of
  /// `count`, including the one that does not count.
  ///
  /// - Parameter isApart: Whether each side stays on its own core, like the floor's. Otherwise the system places them together or
  ///   apart, and the durations depend more on that than on the work.
  private func start(
    _ work: String, count: Int, most: Int = 1, isApart: Bool = true
  ) throws -> (SharedStore, WorkerProcess) {
    floor_stay(floor_any_core)
    // The memory of the last store is freed now: memory that was never used before is slow on virtual machines.
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let store = try SharedStore(path: path + "/store", options: .durability(.processCrashOnly))
    let ready = try store.event("ready")
    let arguments = [work, "\(rounds + 1)", "\(count)", "\(most)", isApart ? "1" : "0"]
    let other = try WorkerProcess(role: "bench", store: store, arguments: arguments)
    try ready.wait(timeout: .seconds(60))
    // A store that was just created or moved is checked more often.
    usleep(1_100_000)
    if isApart { floor_stay(floor_first_core) }
    return (store, other)
  }

  private var path: String { directory + "/pair" }

  /// The same in C.
  private func startFloor(_ work: floor_work_t, count: Int, most: Int = 1) -> OpaquePointer {
    floor_pair(path + "/floor", work, Int64(rounds + 1), Int64(count), Int32(most))
  }

  // MARK: Queues

  private static func names(_ batch: Int) -> [String] {
    ["Queue", "SimpleQueue", "Manager.Queue"].map { "\($0) \(batch == 1 ? "one" : "hundred")" }
  }

  private mutating func queue(_ work: String, batch: Int, most: Int, ratio limit: Double) throws {
    let count = Self.messages * (batch > 1 ? 200 : 1)
    let (store, other) = try start("consume", count: count, most: most)
    let floor = startFloor(floor_consumes, count: count, most: most)
    let (there, back) = (try store.queue("there", of: [UInt8].self), try store.queue("back", of: Int.self))
    let items = Self.items(batch)
    let row = try Measurement.compare(
      work, rounds: rounds, operations: count, target: .ratio(limit),
      ours: {
        try nanoseconds {
          for _ in 0..<count / batch {
            if batch == 1 { try there.push(Self.message) } else { try there.push(contentsOf: items) }
          }
          _ = try back.pop(timeout: .seconds(60))
        }
      }, floor: { Double(floor_queue(floor, Int32(batch))) })
    other.wait()
    floor_pair_end(floor)
    add(row, Self.names(batch))
  }

  /// Operations that return before they are done, like `multiprocessing.Queue.put`.
  private mutating func producer(_ work: String, batch: Int, least: Double) throws {
    let count = Self.messages * (batch > 1 ? 200 : 50)
    let (store, other) = try start("consume", count: count, most: 10_000, isApart: false)
    let (there, back) = (try store.queue("there", of: [UInt8].self), try store.queue("back", of: Int.self))
    let items = Self.items(batch)
    let producer = there.producer()
    var times: [Double] = []
    for _ in 0...rounds {
      times.append(
        try nanoseconds {
          for _ in 0..<count / batch {
            if batch == 1 { try producer.push(Self.message) } else { try producer.push(contentsOf: items) }
          }
          try producer.flush()
          _ = try back.pop(timeout: .seconds(60))
        } / Double(count))
    }
    other.wait()
    let ours = median(Array(times.dropFirst()))
    let names = Self.names(batch)
    func gain(_ name: String) -> Double { python[name].map { $0 / ours } ?? .infinity }
    add(
      work, ours, nil, nil, names, "≥ \(least) × Queue, ≥ 5 × Manager", gain(names[0]) >= least && gain(names[2]) >= 5)
  }

  private static func items(_ count: Int) -> [[UInt8]] {
    (0..<count).map { number in [UInt8](repeating: UInt8(number), count: message.count) }
  }

  private mutating func roundTrips() throws {
    let count = 500
    let (store, other) = try start("echo", count: count)
    let pair = startFloor(floor_echoes, count: count)
    let (there, echo) = (try store.queue("there", of: [UInt8].self), try store.queue("echo", of: [UInt8].self))
    var times = [Double](repeating: 0, count: count)
    var floors = [Int64](repeating: 0, count: count)
    var far: (ours: [Double], floor: [Double]) = ([], [])
    let row = try Measurement.compare(
      "queue, round trip, p50", rounds: rounds, operations: 1, target: .ratio(1.15),
      ours: {
        for index in 0..<count {
          times[index] = try nanoseconds {
            try there.push(Self.message)
            _ = try echo.pop(timeout: .seconds(60))
          }
        }
        times.sort()
        far.ours.append(times[count * 99 / 100])
        return times[count / 2]
      },
      floor: {
        floor_round_trips(pair, &floors)
        floors.sort()
        far.floor.append(Double(floors[count * 99 / 100]))
        return Double(floors[count / 2])
      })
    other.wait()
    floor_pair_end(pair)
    add(row, ["Queue trip", "SimpleQueue trip", "Manager.Queue trip"])
    let ratio = median(zip(far.ours, far.floor).map { $0 / $1 })
    add("queue, round trip, p99", median(far.ours), median(far.floor), ratio, [], "", true)
  }

  // MARK: Contention and groups

  private mutating func increments() throws {
    let count = Self.messages * 5
    let (store, other) = try start("increment", count: count)
    let floor = startFloor(floor_increments, count: count)
    let value = try store.value("counter", initial: 0)
    let (there, back) = (try store.queue("there", of: [UInt8].self), try store.queue("back", of: Int.self))
    let row = try Measurement.compare(
      "increment by 2 processes", rounds: rounds, operations: 2 * count, target: .ratio(1.5),
      ours: {
        try nanoseconds {
          try there.push(Self.message)
          for _ in 0..<count { try value.update { $0 += 1 } }
          _ = try back.pop(timeout: .seconds(60))
        }
      }, floor: { Double(floor_contended(floor)) })
    other.wait()
    floor_pair_end(floor)
    add(row, ["Value increment"])
  }

  /// Durable writes of 1, 8 and 64 tasks, on a disk.
  private mutating func groupCommits() throws {
    floor_stay(floor_any_core)
    let path = NSTemporaryDirectory() + "lmdbshare-bench-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let durable = try SharedStore(path: path)
    let value = try durable.value("value", initial: 0)
    var figures: [Int: [Double]] = [:]
    for _ in 0..<(isQuick ? 3 : 7) {
      for tasks in [1, 8, 64] {
        let writes = tasks == 1 ? 200 : 4000 / tasks
        let taken = nanoseconds {
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

  /// The work of the other process.
  static func work(_ worker: Worker) throws {
    let store = try worker.openStore(options: .durability(.processCrashOnly))
    let there = try store.queue("there", of: [UInt8].self)
    let back = try store.queue("back", of: Int.self)
    let echo = try store.queue("echo", of: [UInt8].self)
    let value = try store.value("counter", initial: 0)
    let numbers = worker.arguments.dropFirst().map { Int($0) ?? 0 }
    let (rounds, count, most) = (numbers[0], numbers[1], numbers[2])
    floor_stay(numbers[3] == 1 ? floor_last_core : floor_any_core)
    try store.event("ready").set()
    for _ in 0..<rounds {
      switch worker.arguments[0] {
      case "consume":
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
          guard let message = try there.pop(timeout: .seconds(60)) else { return }
          try echo.push(message)
        }
      default:
        guard try there.pop(timeout: .seconds(60)) != nil else { return }
        for _ in 0..<count { try value.update { $0 += 1 } }
        try back.push(1)
      }
    }
  }

  // MARK: Python

  /// Nanoseconds by peer and work; empty if there is no Python 3.
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
