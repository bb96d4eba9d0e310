import LMDBShare
import TestSupport
import Testing

/// A store of a test's own, which goes with its last reference.
struct TestStore {
  let directory: TemporaryDirectory
  let store: SharedStore
  var path: String { directory.file("test.lmdb") }

  init(_ options: StoreOptions = .durability(.processCrashOnly), inMemory: Bool = true) throws {
    directory = TemporaryDirectory(inMemory: inMemory)
    store = try SharedStore(path: directory.file("test.lmdb"), options: options)
  }
}

/// Expects a store's error of this code.
func code(_ body: () throws -> Void) -> StoreError.Code? {
  do {
    try body()
    return nil
  } catch {
    return (error as? StoreError)?.code
  }
}

/// A key and its value, comparable as a tuple is not.
struct Pair<Key: Equatable, Value: Equatable>: Equatable {
  let key: Key
  let value: Value
}

/// What a test throws to have a transaction undone.
struct Undo: Error {}

/// `#expect(a == b)` for calls that change what they are called on, which the macro cannot take.
func same<T: Equatable>(_ a: T, _ b: T, _ location: SourceLocation = #_sourceLocation) {
  #expect(a == b, sourceLocation: location)
}
