import Foundation

/// A directory of a proof, in shared memory by default if there is any; it is removed at the end, and kept when something was
/// found.
final class Scratch {
  let path: String

  init(_ name: String, in parent: String?) throws {
    let memory = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    path = (parent ?? memory) + "/proof-\(name)-\(getpid())"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func file(_ name: String) -> String { path + "/" + name }
  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// Statistics of many measurements.
struct Times {
  private(set) var values: [Double] = []
  mutating func add(_ nanoseconds: Int64) { values.append(Double(nanoseconds) / 1e6) }
  private func at(_ part: Double) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
  }
  var median: Double { at(0.5) }
  var worst: Double { values.max() ?? 0 }
  var text: String { String(format: "median %.2f ms, worst %.1f ms", median, worst) }
}
