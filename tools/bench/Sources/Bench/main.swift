// The library compared with the same work in C on raw LMDB: Bench [--quick] [WORD…], where words select rows by name. The word
// `sharing` selects the work of several processes.
// Bench --operations COUNT ROUNDS LENGTH only prints figures of single operations.
// Bench --work NAME COUNT repeats one operation; Bench --work prints the names.

import CFloor
import Foundation
import LMDBShare

/// Measures, prints the table, and returns whether all targets are met. A function, so that its variables are not global.
func run() throws -> Bool {
  let isQuick = CommandLine.arguments.contains("--quick")
  let rounds = isQuick ? 5 : 15
  let words = CommandLine.arguments.dropFirst().filter { !$0.hasPrefix("--") }
  let count = 100_000

  let directory =
    (FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory())
    + "/lmdbshare-bench-\(getpid())"
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: directory) }

  if let at = CommandLine.arguments.firstIndex(of: "--operations"), CommandLine.arguments.count > at + 3 {
    let numbers = CommandLine.arguments[(at + 1)...].map { Int($0) ?? 1000 }
    try measureOperations(directory, count: numbers[0], rounds: numbers[1], length: numbers[2])
    return true
  }

  if let at = CommandLine.arguments.firstIndex(of: "--work") {
    try work(directory, CommandLine.arguments.dropFirst(at + 1))
    return true
  }

  var generator = SystemRandomNumberGenerator()
  let keys = (0..<Int64(count)).shuffled(using: &generator)
  let names = keys.map { number in
    let digits = String(number)
    return "key-" + String(repeating: "0", count: 12 - digits.count) + digits
  }
  var checksum = 0

  let floor = floor_open(directory + "/floor.mdb")
  floor_fill(floor, Int64(count), 0)
  floor_fill(floor, Int64(count), 1)

  let store = try SharedStore(path: directory + "/store", options: .durability(.processCrashOnly))
  let numbers = try store.dictionary("numbers", of: Int64.self, Int64.self)
  let texts = try store.dictionary("texts", of: String.self, String.self)
  let writes = try store.dictionary("writes", of: Int64.self, Int64.self)
  let list = try store.list("list", of: Int64.self)
  let text = String(repeating: "x", count: 100)
  try numbers.write { $0.append(sorted: (0..<Int64(count)).map { ($0, $0) }) }
  try texts.write { contents in for name in names.sorted() { contents[name] = text } }

  var table: [Measurement] = []
  func compare(
    _ name: String, operations: Int, target: Measurement.Target, ours: () throws -> Double, floor: () -> Double
  ) rethrows {
    guard words.isEmpty || words.contains(where: { name.contains($0) }) else { return }
    table.append(
      try Measurement.compare(
        name, rounds: rounds, operations: operations, target: target, ours: ours, floor: floor))
  }

  try compare(
    "random get, fixed width", operations: count, target: .ratio(1.1),
    ours: {
      try store.read { txn in
        var sum: Int64 = 0
        let taken = nanoseconds { for key in keys { sum &+= txn[numbers][key] ?? 0 } }
        checksum &+= Int(sum)
        return taken
      }
    }, floor: { Double(floor_get(floor, keys, Int64(count), 0)) })

  try compare(
    "random get, String to String", operations: count, target: .ratio(1.8),
    ours: {
      try store.read { txn in
        var sum = 0
        let taken = nanoseconds { for name in names { sum &+= txn[texts][name]?.utf8.count ?? 0 } }
        checksum &+= sum
        return taken
      }
    }, floor: { Double(floor_get(floor, keys, Int64(count), 1)) })

  try compare(
    "get by handle, own transaction", operations: count, target: .ratio(1.3),
    ours: {
      var sum: Int64 = 0
      let taken = try nanoseconds { for key in keys { sum &+= try numbers[key] ?? 0 } }
      checksum &+= Int(sum)
      return taken
    }, floor: { Double(floor_get_alone(floor, keys, Int64(count))) })

  try compare(
    "iterate, fixed width", operations: 10 * count, target: .ratio(1.3),
    ours: {
      try store.read { txn in
        var sum: Int64 = 0
        let taken = nanoseconds {
          for _ in 0..<10 { for (key, value) in txn[numbers] { sum &+= key ^ value } }
        }
        checksum &+= Int(sum)
        return taken
      }
    }, floor: { (0..<10).reduce(0) { sum, _ in sum + Double(floor_iterate(floor)) } })

  try compare(
    "put, 1,000 a transaction, no sync", operations: count, target: .ratio(1.15),
    ours: {
      try writes.removeAll()
      return try nanoseconds {
        for start in stride(from: 0, to: count, by: 1000) {
          try store.write { txn in
            for index in start..<start + 1000 { txn[writes][keys[index]] = Int64(index) }
          }
        }
      }
    }, floor: { Double(floor_put(floor, keys, Int64(count), 1000)) })

  let elements = 1_000_000
  let counter = try store.value("counter", initial: 0 as Int64)
  // A store that was just created or moved is checked more often.
  usleep(1_100_000)
  try compare(
    "increment a value, own transaction, no sync", operations: 10_000, target: .ratio(1.5),
    ours: { try nanoseconds { for _ in 0..<10_000 { try counter.update { $0 += 1 } } } },
    floor: { Double(floor_increment(floor, 10_000)) })

  try compare(
    "Int64 list append, 1,000 a transaction", operations: elements, target: .ratio(1),
    ours: {
      try list.removeAll()
      return try nanoseconds {
        for start in stride(from: 0, to: elements, by: 1000) {
          try store.write { txn in
            for element in start..<start + 1000 { txn[list].append(Int64(element)) }
          }
        }
      }
    }, floor: { Double(floor_append(floor, Int64(elements), 1000)) })

  try compare(
    "Int64 list append, 1,000 a list.write", operations: elements, target: .ratio(0.36),
    ours: {
      try list.removeAll()
      return try nanoseconds {
        for start in stride(from: 0, to: elements, by: 1000) {
          try list.write { contents in
            for element in start..<start + 1000 { contents.append(Int64(element)) }
          }
        }
      }
    }, floor: { Double(floor_append(floor, Int64(elements), 1000)) })

  try compare(
    "Int64 list append, one transaction", operations: elements, target: .ratio(0.37),
    ours: {
      try list.removeAll()
      return try nanoseconds {
        try store.write { txn in for element in 0..<elements { txn[list].append(Int64(element)) } }
      }
    }, floor: { Double(floor_append(floor, Int64(elements), Int64(elements))) })

  try compare(
    "Int64 list append(contentsOf:)", operations: elements, target: .ratio(0.15),
    ours: {
      try list.removeAll()
      return try nanoseconds { try list.append(contentsOf: 0..<Int64(elements)) }
    }, floor: { Double(floor_append(floor, Int64(elements), Int64(elements))) })

  try list.write { $0 = SharedList.Contents(0..<Int64(elements)) }
  floor_append(floor, Int64(elements), 1000)
  try compare(
    "Int64 list iteration", operations: elements, target: .ratio(0.19),
    ours: {
      try store.read { txn in
        var sum: Int64 = 0
        let taken = nanoseconds { for element in txn[list] { sum &+= element } }
        checksum &+= Int(sum)
        return taken
      }
    }, floor: { Double(floor_iterate_list(floor)) })

  let tree = try store.statistics().structures.first { $0.description.name == "list" }
  let pages = (tree?.branchPages ?? 0) + (tree?.leafPages ?? 0) + (tree?.overflowPages ?? 0)
  let bytes = Measurement(
    name: "bytes an element, Int64 list", ours: Double(pages * 4096) / Double(elements), floor: nil, ratio: nil,
    target: .bytes(8.3))
  if words.isEmpty { table.append(bytes) }

  try list.write { $0.removeSubrange(count..<elements) }
  try compare(
    "Int64 insert in the middle of 100,000, own transaction", operations: 1000, target: .ratio(1.5),
    ours: {
      let taken = try nanoseconds {
        for _ in 0..<1000 {
          try store.write { txn in txn[list].insert(7, at: txn[list].count / 2) }
        }
      }
      try list.write { contents in contents.removeSubrange(count / 2..<count / 2 + contents.count - count) }
      return taken
    },
    floor: {
      floor_fill_blocks(floor, Int64(count))
      return Double(floor_insert(floor, Int64(count), 1000))
    })

  let rows = [["work", "lmdbshare", "C on LMDB", "ratio", "target", ""]] + table.map(\.row)
  let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  for row in rows {
    print(
      row.indices.map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }.joined(separator: "  "))
  }
  if words.isEmpty, checksum == 0 || floor_checksum() == 0 { print("nothing was read") }
  floor_close(floor)
  return table.allSatisfy(\.isMet)
}

/// Measures the work of several processes; returns whether all targets are met.
func runSharing() throws -> Bool {
  let words = CommandLine.arguments.dropFirst().filter { !$0.hasPrefix("--") }
  let isAlone = CommandLine.arguments.contains { $0 == "--operations" || $0 == "--work" }
  guard words.isEmpty || words.contains("sharing"), !isAlone else { return true }
  let directory =
    (FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory())
    + "/lmdbshare-bench-sharing-\(getpid())"
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: directory) }
  var sharing = try Sharing(directory, isQuick: CommandLine.arguments.contains("--quick"))
  try sharing.run()
  return sharing.isMet
}

if let worker = Worker.current {
  try Sharing.work(worker)
} else {
  let isMet = [try run(), try runSharing()]
  exit(isMet.allSatisfy { $0 } ? 0 : 1)
}
