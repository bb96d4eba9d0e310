internal import CSystemShims
internal import Synchronization

/// A value behind a mutex.
///
/// It is the standard library's `Mutex`, whose locking ThreadSanitizer does not see: programs that are built with
/// `-sanitize=thread` would be told of races that are none. So here it is told of each lock. It knows the lock by the
/// address of the mutex, which is borrowed; to take the address of the value, as one that may be changed, would count as
/// a change of the value, outside of the lock.
package struct Guarded<Value: ~Copyable>: ~Copyable, Sendable {
  private let mutex: Mutex<Value>

  package init(_ value: consuming sending Value) { mutex = Mutex(value) }

  /// Runs `body` while no other thread has the value.
  package borrowing func withLock<Result, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock { value throws(Failure) in
      unsafe withUnsafePointer(to: mutex) { unsafe lms_sanitizer_locked($0) }
      defer { unsafe withUnsafePointer(to: mutex) { unsafe lms_sanitizer_unlocks($0) } }
      return try body(&value)
    }
  }
}
