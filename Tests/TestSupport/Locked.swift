import Foundation

/// A value behind a lock that ThreadSanitizer understands; it reports false races for `Mutex` on Linux.
public final class Locked<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var value: Value

  /// Keeps a value.
  public init(_ value: Value) { self.value = value }

  /// Calls `body` with the value, which no other thread uses meanwhile.
  public func withLock<R>(_ body: (inout Value) throws -> R) rethrows -> R {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}
