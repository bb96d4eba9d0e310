import Foundation
import LMDBShare
import TestSupport
import Testing

/// The maximum number of concurrent readers, and the errors when it is exceeded.
@Suite(.timeLimit(.minutes(20)))
struct ReaderTableTests {
  let directory = TemporaryDirectory(inMemory: true)
  var path: String { directory.file("store") }

  @Test func thousandsOfReaders() throws {
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let value = try store.value("v", initial: 7)
    var held: [Snapshot] = []
    for _ in 0..<1500 { held.append(try store.snapshot()) }
    // Of other processes, too.
    var holders: [Program] = []
    for _ in 0..<3 {
      let holder = try Program("TestWorker", ["hold-snapshot", path])
      #expect(holder.line()?.hasPrefix("reading") == true)
      holders.append(holder)
    }
    try value.set(8)
    #expect(try held[1499][value] == 7 && value.get() == 8)
    // Until no slot is left, which both report clearly.
    var full: StoreError?
    while full == nil {
      do {
        held.append(try store.snapshot())
      } catch let error as StoreError {
        full = error
      }
    }
    #expect(full?.code == .readersFull && full?.advice.contains("maximumReaders") == true, "\(full as Any)")
    #expect(held.count > 4000 && held.count <= StoreOptions().maximumReaders)
    let late = try Program("TestWorker", ["hold-snapshot", path]).finish()
    #expect(late.status == 3 && late.output.contains("readersFull"), "\(late)")
    holders.forEach { $0.finish() }
    held.removeAll()
    #expect(try value.get() == 8)
    let next = try Program("TestWorker", ["hold-snapshot", path])
    #expect(next.line()?.hasPrefix("reading") == true)
    next.finish()
  }

  /// A thread that has read once keeps no slot in the table that all processes share.
  @Test func aProcessWithManyThreadsTakesFewSlots() throws {
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let value = try store.value("v", initial: 7)
    for _ in 0..<30 {
      let group = DispatchGroup()
      for _ in 0..<20 {
        group.enter()
        Thread.detachNewThread {
          #expect((try? value.get()) == 7)
          group.leave()
        }
      }
      group.wait()
    }
    let slots = try store.statistics().readers.count
    #expect(slots <= 160, "\(slots)")
  }

  /// Whatever cannot be opened for lack of descriptors, the error says so, and mentions no owners and modes.
  @Test func missingDescriptorsAreNamed() throws {
    _ = try SharedStore(path: path)
    let worker = try Program("TestWorker", ["few-files", path]).finish()
    #expect(worker.status == 0, "\(worker)")
    let lines = worker.output.split(separator: "\n")
    #expect(lines.count == 24 && lines.last == "works with 23", "\(worker.output)")
    for line in lines where !line.hasPrefix("works") {
      #expect(line.hasPrefix("resourceLimit: ") && line.contains("ulimit -n"), "\(line)")
    }
  }
}
