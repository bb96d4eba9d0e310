public import Synchronization
internal import _LMDBShareSystem

/// A value behind a mutex.
///
/// It is the standard library's `Mutex`, whose locking ThreadSanitizer does not see: in programs built with `-sanitize=thread` it
/// would report data races that do not exist. So this type notifies it of each lock. ThreadSanitizer identifies the lock by the
/// address of the mutex, which is borrowed; taking the address of the mutable value would count as a change of the value outside
/// of the lock.
@frozen @usableFromInline
package struct Guarded<Value: ~Copyable>: ~Copyable, Sendable {
  @usableFromInline let mutex: Mutex<Value>

  @inlinable
  package init(_ value: consuming sending Value) { mutex = Mutex(value) }

  /// Runs `body` while no other thread has access to the value.
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
