import Foundation
import LMDBShare

/// Prints the nanoseconds of single operations, each in a separate transaction without sync, one per line: `peers` compares them
/// with other libraries.
///
/// - Parameter length: The number of elements of the list in whose middle elements are inserted and read.
func measureOperations(_ directory: String, count: Int, rounds: Int, length: Int) throws {
  let store = try SharedStore(path: directory + "/operations", options: .durability(.processCrashOnly))
  let map = try store.dictionary("map", of: String.self, String.self)
  let list = try store.list("list", of: String.self)
  let counter = try store.value("counter", initial: 0)
  // A store that was just created or moved is checked more often.
  usleep(1_100_000)
  let value = String(repeating: "x", count: 100)
  let keys = (0..<count).map { number in
    let digits = String(number)
    return "key-" + String(repeating: "0", count: 12 - digits.count) + digits
  }.shuffled()

  func report(_ work: String, _ body: () throws -> Void) rethrows {
    var figures: [Double] = []
    for _ in 0..<rounds { figures.append(try nanoseconds(body) / Double(count)) }
    print(work, Measurement.median(figures))
  }
  try report("set") { for key in keys { try map.set(value, forKey: key) } }
  var bytes = 0
  try report("get") { for key in keys { bytes += try map[key]?.utf8.count ?? 0 } }
  guard bytes == rounds * count * 100 else { fatalError("not all was read") }
  try report("append") { for _ in 0..<count { try list.append(value) } }
  try report("increment") { for _ in 0..<count { try counter.update { $0 += 1 } } }
  let long = try store.list("long", of: String.self)
  try long.append(contentsOf: (0..<length).map { _ in value })
  try report("insert") { for _ in 0..<count { try long.insert(value, at: length / 2) } }
  try report("at") { for number in 0..<count { bytes += try long[length / 2 + number % 100].utf8.count } }
  guard bytes == 2 * rounds * count * 100 else { fatalError("not all was read") }
}
