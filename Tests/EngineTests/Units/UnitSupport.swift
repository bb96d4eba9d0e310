#if DEBUG
  import Foundation
  import Synchronization
  import TestSupport

  @testable import LMDBShare

  // The unit tests see the engine's internal declarations, which only the debug configuration exports.

  /// Runs `body` in that many threads at the same time, and waits for all of them.
  func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for number in 0..<count {
      group.enter()
      Thread.detachNewThread {
        body(number)
        group.leave()
      }
    }
    group.wait()
  }

  /// A number that threads change.
  final class Counter: Sendable {
    private let atomic = Atomic(0)
    var value: Int { atomic.load(ordering: .sequentiallyConsistent) }

    /// Adds to the number; returns the sum.
    @discardableResult
    func add(_ difference: Int) -> Int { atomic.add(difference, ordering: .sequentiallyConsistent).newValue }
  }

  /// The code of the error that `body` throws.
  func errorCode(_ body: () throws -> Void) -> StoreError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? StoreError)?.code
    }
  }

  extension TemporaryDirectory {
    /// The directory as that of a store.
    func forStore() throws -> StoreDirectory { try StoreDirectory(path: path, create: false, allowNetwork: true) }
  }

  extension Array where Element == UInt8 {
    /// Random bytes.
    static func random(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
      (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// The bytes in hexadecimal.
    var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
  }
#endif
