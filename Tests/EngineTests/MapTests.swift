import Foundation
import LMDBShare
import TestSupport
import Testing

/// Room: address space, the map's growth, the limit on size, the disk.
@Suite(.timeLimit(.minutes(20)), .serialized)
struct MapTests {
  let directory = TemporaryDirectory()
  var path: String { directory.file("store") }

  private func options(_ change: (inout StoreOptions) -> Void) -> StoreOptions {
    var options = StoreOptions.durability(.processCrashOnly)
    change(&options)
    return options
  }

  @Test func smallAddressSpaces() throws {
    let worker = Program.directory.appendingPathComponent("TestWorker").path
    for mebibytes in [200, 1000, 4000] {
      let command = "ulimit -v \(mebibytes << 10); exec '\(worker)' fill '\(path)-\(mebibytes)' \(50 << 20)"
      let result = try Program.shell(command)
      #expect(result.status == 0 && result.output.contains("filled 50"), "\(mebibytes) MiB: \(result)")
    }
  }

  @Test func theMapGrows() throws {
    let store = try SharedStore(path: path, options: options { $0.mapReservation = 1 << 20 })
    let list = try store.list("blobs", of: [UInt8].self)
    for _ in 0..<200 { try list.append([UInt8](repeating: 1, count: 100_000)) }
    #expect(try list.count == 200)
    let statistics = try store.statistics()
    #expect(statistics.reservedBytes >= 20 << 20 && statistics.reservedBytes <= 200 << 20)
  }

  @Test func growthByAnotherProcessIsAdoptedWhileReadersIterate() async throws {
    let store = try await SharedStore(path: path, options: options { $0.mapReservation = 1 << 20 })
    let list = try await store.list("list", of: Int.self)
    try await list.append(contentsOf: 0..<20_000)
    let isDone = Task.detached { try Program.run("TestWorker", "fill", self.path, "\(40 << 20)") }
    let readers = (0..<3).map { _ in
      Task.detached {
        var reads = 0
        let start = ContinuousClock.now
        while start.duration(to: .now) < .seconds(2) {
          try list.read { contents in #expect(contents.reduce(0, +) == 199_990_000) }
          reads += 1
        }
        return reads
      }
    }
    #expect(try await isDone.value.output.contains("filled 40"))
    for reader in readers { #expect(try await reader.value > 0) }
    #expect(try store.statistics().reservedBytes > 40 << 20)
    try await list.append(1)
  }

  @Test func aSnapshotInTheWayOfGrowthIsNamed() throws {
    let store = try SharedStore(path: path, options: options { $0.mapReservation = 1 << 20 })
    let list = try store.list("list", of: Int.self)
    try list.append(contentsOf: 0..<1000)
    let snapshot = try store.snapshot()
    #expect(try Program.run("TestWorker", "fill", path, "\(40 << 20)").output.contains("filled 40"))
    do {
      _ = try list.count
      Issue.record("read through a map that is too small")
    } catch {
      #expect((error as? StoreError)?.code == .busy)
    }
    // Held snapshots are complete, and after their end everything continues.
    #expect(try Array(snapshot[list]) == Array(0..<1000))
    snapshot.end()
    #expect(try list.count == 1000)
  }

  @Test func theMaximumSizeHoldsAndIsTold() throws {
    let store = try SharedStore(path: path, options: options { $0.maximumSize = 4 << 20 })
    let list = try store.list("list", of: [UInt8].self)
    let other = try store.value("other", initial: 1)
    try list.append([1, 2, 3])
    do {
      try store.write { txn in
        txn[other] = 2
        txn[list].append(contentsOf: (0..<10_000).map { _ in [UInt8](repeating: 9, count: 1000) })
        // The error is kept; later operations do nothing, and stop nothing.
        txn[list].append([4])
        txn[other] = 3
      }
      Issue.record("10 MB in 4 MiB")
    } catch {
      #expect((error as? StoreError)?.code == .mapFull, "\(error)")
    }
    #expect(try list.count == 1 && other.get() == 1)
    try list.append([5])
    #expect(try list.count == 2)
    #expect(try store.statistics().fileBytes <= 4 << 20)
  }

  @Test(.enabled(if: Needs.mounts, "no file system can be mounted here"))
  func aFullDiskUndoesTheWriteAndNoMore() throws {
    try #require(try Program.shell("mkdir -p '\(path)' && mount -t tmpfs -o size=3m none '\(path)'").status == 0)
    defer { _ = try? Program.shell("umount -l '\(path)'") }
    let place = "\(path)/s"
    let store = try SharedStore(path: place, options: options { _ in })
    let list = try store.list("list", of: [UInt8].self)
    let ballast = try store.list("ballast", of: [UInt8].self)
    try list.append([1])
    try ballast.append([UInt8](repeating: 0, count: 500_000))
    do {
      try store.write { txn in
        txn[list].append(contentsOf: (0..<5000).map { _ in [UInt8](repeating: 9, count: 1000) })
      }
      Issue.record("5 MB in 3 MiB")
    } catch {
      #expect((error as? StoreError)?.code == .diskFull, "\(error)")
    }
    #expect(try list.read { Array($0) } == [[1]])
    #expect(try Program.shell("mount -o remount,size=30m '\(path)'").status == 0)
    try list.append(contentsOf: (0..<5000).map { _ in [UInt8](repeating: 9, count: 1000) })
    #expect(try list.count == 5001)
    #expect(try Program.run("TestWorker", "open", place).status == 0)
  }

  @Test func valuesBeyondTheLimitAreRefused() throws {
    let store = try SharedStore(path: path, options: options { _ in })
    let value = try store.value("v", initial: [UInt8]())
    do {
      try value.set([UInt8](repeating: 0, count: 1 << 30 + 1))
      Issue.record("stored")
    } catch {
      #expect((error as? StoreError)?.code == .valueTooLarge)
    }
    #expect(try value.get().isEmpty)
  }
}
