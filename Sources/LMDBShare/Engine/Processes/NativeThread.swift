internal import _LMDBShareSystem

/// A thread of the operating system, for code that sleeps in a system call.
enum NativeThread {
  /// Runs `body` on a new thread, which has to be joined or detached; nil when the system has no more threads.
  static func start(_ body: @escaping @Sendable () -> Void) -> UInt64? {
    let start = unsafe Unmanaged.passRetained(Start(body))
    var thread: UInt64 = 0
    let code = unsafe lms_thread_start(
      &thread,
      { argument in
        guard let argument = unsafe argument else { return }
        unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
      }, start.toOpaque())
    if code == 0 { return thread }
    unsafe start.release()
    return nil
  }

  /// Runs `body` on a new, detached thread.
  static func detached(
    _ operation: String, _ body: @escaping @Sendable () -> Void
  ) throws(StoreError) {
    guard let thread = start(body) else { throw noMore(operation) }
    lms_thread_detach(thread)
  }

  /// The error when the system has no more threads.
  static func noMore(_ operation: String) -> StoreError {
    StoreError(
      .resourceLimit, operation, reason: "the system has no more threads", advice: "raise its limit (ulimit -u)")
  }

  private final class Start {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
