/// A counting semaphore that is shared between processes.
///
///     let downloads = try store.semaphore("downloads", permits: 4)
///     try downloads.withPermit { … }
///
/// The permits of a process are released immediately when it dies, however it dies. Waiters are served in the order of their
/// arrival, as for ``SharedLock``.
///
/// A handle is small and can be used from any thread.
public struct SharedSemaphore: Sendable, CustomStringConvertible {
  let permits: Permits

  /// The semaphore's name.
  public var name: String { permits.reference.name }
  /// The kind and name of the structure.
  public var description: String { permits.reference.title }
  /// The number of permits.
  public var permitCount: Int { permits.count }

  /// A permit that this process holds, until ``SharedSemaphore/release(_:)``.
  public struct Permit: Hashable, Sendable {
    let index: Int
    /// The number of this acquisition: the place may have passed to other holders since.
    let caller: UInt64
  }

  /// Runs `body` while holding a permit, after waiting for one.
  ///
  /// - Throws: The errors of `body`; ``StoreError/Code/timedOut``.
  @_disfavoredOverload  // In a task the other form is taken also for a closure that awaits nothing.
  public func withPermit<R>(timeout: Duration? = nil, _ body: () throws -> R) throws -> R {
    guard let permit = try acquire(timeout: timeout) else { throw StoreError.timedOut("acquire", name) }
    defer { try? release(permit) }
    return try body()
  }

  /// Runs `body` while holding a permit, after waiting without blocking a thread.
  public nonisolated(nonsending) func withPermit<R>(
    timeout: Duration? = nil, _ body: nonisolated(nonsending) () async throws -> R
  ) async throws -> R {
    guard let permit = try await acquire(timeout: timeout) else { throw StoreError.timedOut("acquire", name) }
    defer { try? release(permit) }
    return try await body()
  }

  /// Acquires a permit, after waiting for one; returns nil when there was none in time.
  public func acquire(timeout: Duration? = nil) throws -> Permit? {
    let caller = freshNumber()
    return try permits.take(until: timeout.map { .now + $0 }, for: caller)?.index.map {
      Permit(index: $0, caller: caller)
    }
  }

  /// Acquires a permit, after waiting without blocking a thread; returns nil when there was none in time.
  public nonisolated(nonsending) func acquire(timeout: Duration? = nil) async throws -> Permit? {
    let caller = freshNumber()
    return try await permits.take(until: timeout.map { .now + $0 }, for: caller)?.index.map {
      Permit(index: $0, caller: caller)
    }
  }

  /// Acquires a permit if one is free, even if others wait for one; returns nil otherwise.
  public func tryAcquire() throws -> Permit? {
    let caller = freshNumber()
    return try permits.tryTake(for: caller).index.map { Permit(index: $0, caller: caller) }
  }

  /// Releases a permit.
  ///
  /// - Throws: ``StoreError/Code/notHeld`` when this process no longer holds it.
  public func release(_ permit: Permit) throws {
    try permits.giveBack(permit.index, of: permit.caller)
  }

  /// The number of permits that are free at this moment.
  ///
  /// - Complexity: O(*permits*).
  public var available: Int {
    get throws {
      let owners = try permits.owners()
      return (0..<permits.count).count {
        !owners.holds(permits.place($0)) && !owners.isLockedElsewhere(permits.place($0))
      }
    }
  }
}
