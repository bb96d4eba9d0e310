public import Synchronization
internal import _LMDBShareSystem

/// A value behind a mutex.
///
/// It is the standard library's `Mutex`, whose locking ThreadSanitizer does not see: programs that are built with
/// `-sanitize=thread` would be told of races that are none. So here it is told of each lock. It knows the lock by the
/// address of the mutex, which is borrowed; to take the address of the value, as one that may be changed, would count as
/// a change of the value, outside of the lock.
@frozen @usableFromInline
package struct Guarded<Value: ~Copyable>: ~Copyable, Sendable {
  @usableFromInline let mutex: Mutex<Value>

  @inlinable
  package init(_ value: consuming sending Value) { mutex = Mutex(value) }

  /// Runs `body` while no other thread has the value.
  @inlinable @inline(__always)
  package borrowing func withLock<Result, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock { value throws(Failure) in
      unsafe withUnsafePointer(to: mutex) { unsafe sanitizerLocked($0) }
      defer { unsafe withUnsafePointer(to: mutex) { unsafe sanitizerUnlocks($0) } }
      return try body(&value)
    }
  }
}

@usableFromInline func sanitizerLocked(_ mutex: UnsafeRawPointer) { unsafe lms_sanitizer_locked(mutex) }
@usableFromInline func sanitizerUnlocks(_ mutex: UnsafeRawPointer) { unsafe lms_sanitizer_unlocks(mutex) }
