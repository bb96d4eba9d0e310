import CTestShims
import Foundation
import LMDBShare
import Synchronization
import TestSupport
import Testing
import _LMDBShareSystem

@Suite(.timeLimit(.minutes(20)), .serialized)
struct EnvironmentTests {
  let directory = TemporaryDirectory()
  var path: String { directory.file("store") }

  private func open(_ path: String) throws -> SharedStore {
    try SharedStore(path: path, options: .durability(.processCrashOnly))
  }

  // MARK: One environment per file

  @Test func everyPathLeadsToOneEnvironment() throws {
    let first = try open(path)
    let value = try first.value("v", initial: 0)
    symlink(path, directory.file("link"))
    var paths = [path, directory.file("link"), "\(directory.path)/./store/", "\(directory.path)/store/../store"]
    let before = FileManager.default.currentDirectoryPath
    #expect(FileManager.default.changeCurrentDirectoryPath(path))
    defer { _ = FileManager.default.changeCurrentDirectoryPath(before) }
    paths += [".", "/proc/self/cwd"]
    for other in paths {
      let second = try open(other)
      #expect(second.environment === first.environment, "\(other)")
      // A second environment would admit a second writer, or lose the first one's locks.
      try first.write { txn in
        txn[value] += 1
        #expect(throws: StoreError.self) { try second.value("v", initial: 0).set(5) }
      }
    }
    #expect(try value.get() == paths.count)
    let moved = directory.file("moved")
    rename(path, moved)
    #expect(try open(moved).environment === first.environment)
    try value.set(3)
    #expect(try value.get() == 3)
  }

  @Test func openingAndClosingAgainKeepsTheLocks() throws {
    let first = try open(path)
    let snapshot = try first.snapshot()
    for _ in 0..<10 { _ = try open(path) }
    // Another process must still see this one's reader.
    let seen = try Program(path: "/bin/sh", ["-c", "mdb_stat -r -r '\(path)' 2>&1"]).finish()
    if seen.status == 0 { #expect(seen.output.contains("\(getpid())"), "\(seen.output)") }
    withExtendedLifetime(snapshot) {}
  }

  @Test func otherOptionsAreRefused() throws {
    let first = try open(path)
    #expect(throws: StoreError.self) { _ = try SharedStore(path: path) }
    do {
      _ = try SharedStore(path: path, options: .durability(.relaxed))
    } catch let error as StoreError {
      #expect(error.code == .optionsConflict)
    }
    withExtendedLifetime(first) {}
  }

  @Test func replacedFilesAreNoticed() throws {
    let store = try open(path)
    let value = try store.value("v", initial: 0)
    // Immediately, and after the directory has been unchanged for long enough to rely on its time.
    for pause in [0, 1_200_000] {
      usleep(UInt32(pause))
      for file in ["lock.mdb", "data.mdb"] {
        try value.set(0)
        try value.set(1)
        rename("\(path)/\(file)", "\(path)/old")
        do {
          try value.set(2)
          Issue.record("written without \(file)")
        } catch {
          #expect((error as? StoreError)?.code == .replaced)
        }
        #expect(throws: StoreError.self) { _ = try open(path) }
        try? FileManager.default.removeItem(atPath: "\(path)/\(file)")
        rename("\(path)/old", "\(path)/\(file)")
        #expect(try value.get() == 1)
        try value.set(3)
      }
    }
  }

  @Test func invalidOptionsAreRefused() {
    for change: (inout StoreOptions) -> Void in [
      { $0.maximumReaders = 0 }, { $0.maximumStructures = 1 << 20 }, { $0.maximumSize = 5 }, { $0.mapReservation = -1 },
    ] {
      var options = StoreOptions()
      change(&options)
      do {
        _ = try SharedStore(path: path, options: options)
        Issue.record("opened")
      } catch {
        #expect((error as? StoreError)?.code == .outOfRange)
      }
    }
  }

  // MARK: Fork

  @Test func useAfterForkIsAnErrorAndTheParentStaysWhole() throws {
    let store = try open(path)
    let list = try store.list("list", of: Int.self)
    try list.append(contentsOf: 0..<1000)
    let snapshot = try store.snapshot()
    // Its thread, which waits for room, does not exist in the child.
    let full = try store.queue("full", of: Int.self, capacity: 1)
    let producer = full.producer()
    try producer.push(contentsOf: [1, 2])
    final class Box {
      var store: SharedStore?
      let list: SharedList<Int>
      let snapshot: Snapshot
      let producer: SharedQueue<Int>.Producer
      init(
        _ store: SharedStore, _ list: SharedList<Int>, _ snapshot: Snapshot, _ producer: SharedQueue<Int>.Producer
      ) {
        (self.store, self.list, self.snapshot, self.producer) = (store, list, snapshot, producer)
      }
    }
    let box = Box(store, list, snapshot, producer)
    let status = test_fork(
      { context in
        let box = Unmanaged<Box>.fromOpaque(context!).takeUnretainedValue()
        func isRefused(_ body: () throws -> Void) -> Bool {
          do {
            try body()
            return false
          } catch {
            return (error as? StoreError)?.code == .usedAfterFork
          }
        }
        guard isRefused({ _ = try box.list.count }) else { return 1 }
        guard isRefused({ try box.list.append(1) }) else { return 2 }
        guard isRefused({ _ = try box.store?.snapshot() }) else { return 3 }
        guard isRefused({ try box.store?.sync() }) else { return 4 }
        guard isRefused({ _ = try box.store?.list("other", of: Int.self) }) else { return 5 }
        guard isRefused({ try box.producer.push(3) }) else { return 6 }
        guard isRefused({ try box.producer.flush() }) else { return 7 }
        // The ends in the child do not end anything of the parent.
        box.snapshot.end()
        box.store = nil
        return 0
      }, Unmanaged.passUnretained(box).toOpaque())
    #expect(status == 0)
    #expect(try full.pop(atMost: 1, timeout: .seconds(20)) == [1])
    try producer.flush()
    #expect(try full.pop() == 2)
    // The snapshot still holds its pages while everything is rewritten.
    for round in 0..<50 { try list.write { for index in $0.indices { $0[index] = round } } }
    #expect(try Array(snapshot[list]) == Array(0..<1000))
  }

  @Test func aChildMayOpenTheStoreAnew() throws {
    let store = try open(path)
    let value = try store.value("v", initial: 1)
    final class Box { let path: String; init(_ path: String) { self.path = path } }
    let box = Box(path)
    let status = test_fork(
      { context in
        let path = Unmanaged<Box>.fromOpaque(context!).takeUnretainedValue().path
        do {
          let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
          try store.value("v", initial: 0).update { $0 += 41 }
          return 0
        } catch { return 1 }
      }, Unmanaged.passUnretained(box).toOpaque())
    #expect(status == 0)
    #expect(try value.get() == 42)
    try value.set(7)
  }

  /// A lock of this library that another thread holds at the moment of a fork is free in the child.
  @Test func aChildFindsTheTableOfMapsFree() {
    let start = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
    defer { start.deallocate() }
    final class Flag: Sendable { let isSet = Atomic(false) }
    let isOver = Flag()
    let ended = DispatchSemaphore(value: 0)
    let thread = Thread {
      let own = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
      defer { own.deallocate() }
      while !isOver.isSet.load(ordering: .relaxed) {
        _ = lms_survive_truncation(own, 1)
        lms_forget_map(own)
      }
      ended.signal()
    }
    thread.start()
    for _ in 0..<100 {
      let status = test_fork(
        { start in
          // Ends the child if the lock is not free. Threads of Dispatch, and their children, block the signal.
          var alarms = sigset_t()
          sigemptyset(&alarms)
          sigaddset(&alarms, SIGALRM)
          sigprocmask(SIG_UNBLOCK, &alarms, nil)
          alarm(5)
          guard lms_survive_truncation(start, 1) else { return 1 }
          lms_forget_map(start)
          return 0
        }, start)
      #expect(status == 0)
      if status != 0 { break }
    }
    isOver.isSet.store(true, ordering: .relaxed)
    ended.wait()
  }

  // MARK: Threads

  @Test func manyThreadsReadWhileOneWrites() async throws {
    let store = try open(path)
    let list = try await store.list("list", of: Int.self)
    try await list.append(contentsOf: Array(repeating: 0, count: 2000))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<200 {
            do {
              try list.read { contents in
                let first = contents[0]
                #expect(contents.allSatisfy { $0 == first })
              }
            } catch { Issue.record(error) }
          }
        }
      }
      group.addTask {
        for round in 1...100 {
          do {
            try await store.write { txn in for index in txn[list].indices { txn[list][index] = round } }
          } catch { Issue.record(error) }
        }
      }
    }
    #expect(try list[1999] == 100)
  }
}
