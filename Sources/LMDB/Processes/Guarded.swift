internal import CSystemShims
internal import Synchronization

/// A value behind a mutex.
///
/// It is the standard library's `Mutex`, whose locking ThreadSanitizer does not see: programs that are built with
/// `-sanitize=thread` would be told of races that are none. So here it is told of each lock.
package struct Guarded<Value: ~Copyable>: ~Copyable, Sendable {
  private let mutex: Mutex<Value>

  package init(_ value: consuming sending Value) { mutex = Mutex(value) }

  /// Runs `body` while nobody else has the value.
  package borrowing func withLock<Result, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock { value throws(Failure) in
      unsafe withUnsafePointer(to: &value) { unsafe lms_sanitizer_locked($0) }
      defer { unsafe withUnsafePointer(to: &value) { unsafe lms_sanitizer_unlocks($0) } }
      return try body(&value)
    }
  }
}
