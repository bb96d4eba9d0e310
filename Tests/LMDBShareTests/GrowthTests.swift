import Foundation
import LMDBShare
import TestSupport
import Testing

/// The cost of a snapshot that is held, and how the disk space is freed.
@Suite(.timeLimit(.minutes(20)))
struct GrowthTests {
  let directory = TemporaryDirectory()
  var path: String { directory.file("store") }

  private func store(_ configure: (inout StoreOptions) -> Void = { _ in }) throws -> SharedStore {
    var options = StoreOptions.durability(.processCrashOnly)
    configure(&options)
    return try SharedStore(path: path, options: options)
  }

  /// Overwrites a dictionary again and again, each time in a separate commit.
  private func overwrite(_ dictionary: SharedDictionary<Int, [UInt8]>, times: Int) throws {
    for round in 0..<times {
      try dictionary.updateValue([UInt8](repeating: UInt8(truncatingIfNeeded: round), count: 3000), forKey: round % 50)
    }
  }

  @Test func aSnapshotThatIsHeldBoundsTheGrowth() throws {
    let limit = 2 << 20
    let store = try store { $0.maximumSnapshotGrowth = limit }
    let dictionary = try store.dictionary("dictionary", of: Int.self, [UInt8].self)
    try overwrite(dictionary, times: 200)
    let before = try store.statistics().fileBytes
    let holder = try Program("TestWorker", ["hold", path])
    #expect(holder.line() == "holding")
    var refusal: StoreError?
    do { try overwrite(dictionary, times: 20_000) } catch { refusal = error as? StoreError }
    let error = try #require(refusal)
    #expect(error.code == .snapshotInTheWay && error.processID == Int(holder.pid), "\(error)")
    // Writes stay refused, and the file keeps its size.
    for _ in 0..<100 { #expect(throws: StoreError.self) { try overwrite(dictionary, times: 1) } }
    #expect(try store.statistics().fileBytes < before + 2 * limit)
    holder.finish()
    try overwrite(dictionary, times: 1000)
    #expect(try store.statistics().fileBytes < before + 2 * limit)
  }

  @Test func trimmingGivesFreePagesBackAndDoesNoHarm() throws {
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let dictionary = try store.dictionary("dictionary", of: Int.self, [UInt8].self)
    try overwrite(dictionary, times: 50)
    var snapshot: Snapshot? = try store.snapshot()
    let seen = try snapshot?[dictionary].map { "\($0.key) \($0.value)" }
    try overwrite(dictionary, times: 5000)
    let grown = try store.statistics()
    // The snapshot's pages are untouched, and so are those that were freed since.
    _ = try store.trim()
    #expect(try snapshot?[dictionary].map { "\($0.key) \($0.value)" } == seen)
    snapshot = nil
    // Before another process uses free pages; how many it uses depends on its speed.
    #expect(try store.trim() > grown.allocatedBytes / 2)
    let other = try Program("TestWorker", ["overwrite", path, "2000"])
    #expect(other.line() == "ready")
    while other.isRunning { _ = try store.trim() }
    #expect(other.finish().status == 0)
    #expect(try store.trim() >= 0)
    #expect(try store.check().isEmpty)
    #expect(try store.statistics().allocatedBytes < grown.allocatedBytes / 2)
    #expect(try dictionary.count == 50)
    // Free pages are reused.
    try overwrite(dictionary, times: 2000)
    #expect(try store.check().isEmpty)
    #expect(try store.statistics().fileBytes <= grown.fileBytes + 1 << 20)
  }
}
