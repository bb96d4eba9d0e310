import Foundation
import LMDBShare
import TestSupport
import Testing

/// A store of a test, which is removed with its last reference.
struct TestStore {
  let directory: TemporaryDirectory
  let store: SharedStore
  var path: String { directory.file("test.lmdb") }

  init(_ options: StoreOptions = .durability(.processCrashOnly), inMemory: Bool = true) throws {
    directory = TemporaryDirectory(inMemory: inMemory)
    store = try SharedStore(path: directory.file("test.lmdb"), options: options)
  }

  /// Where the signal file records the channels of waiters.
  private static let waitersPlace = 328

  /// Calls `body` in another thread when a thread of this process, or another process, waits for a commit from now on.
  func whenAWaiterIsThere(_ body: @escaping @Sendable () -> Void) throws {
    let signals = try FileHandle(forUpdating: URL(fileURLWithPath: path + "/signal"))
    // There are no waiters now: the marks of earlier ones are removed.
    try signals.seek(toOffset: UInt64(Self.waitersPlace))
    try signals.write(contentsOf: Data(count: 8))
    Thread.detachNewThread { [directory] in
      let isWaitedFor = eventually {
        (try? directory.read("test.lmdb/signal"))?.dropFirst(Self.waitersPlace).prefix(8).contains { $0 != 0 } == true
      }
      if !isWaitedFor { Issue.record("there are no waiters") }
      body()
    }
  }
}

/// Expects a store's error with this code.
func code(_ body: () throws -> Void) -> StoreError.Code? {
  do {
    try body()
    return nil
  } catch {
    return (error as? StoreError)?.code
  }
}

/// A key and its value; unlike a tuple it is `Equatable`.
struct Pair<Key: Equatable, Value: Equatable>: Equatable {
  let key: Key
  let value: Value
}

/// An error that a test throws to undo a transaction.
struct Undo: Error {}

/// `#expect(a == b)` for mutating calls, which the macro does not accept.
func same<T: Equatable>(_ a: T, _ b: T, _ location: SourceLocation = #_sourceLocation) {
  #expect(a == b, sourceLocation: location)
}
