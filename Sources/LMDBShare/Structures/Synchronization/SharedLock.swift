/// A mutex that is shared between processes: one thread or task of all processes holds it at a time.
///
///     let lock = try store.lock("printer")
///     try lock.withLock { acquisition in
///       if acquisition.previousOwnerDied { … }      // repair the resource
///       …
///     }
///
/// The store itself needs no lock, since a write excludes all other writers. A lock is for other resources that processes share,
/// and for work that takes long.
///
/// The locks of a process are released immediately when it dies, however it dies, and the next holder is informed. A lock costs a
/// few system calls and never waits for the disk. Waiting threads sleep. Threads and tasks of all processes are served in the
/// order of their arrival; a holder may acquire the lock again for a millisecond before it has to queue.
///
/// A handle is small and can be used from any thread.
public struct SharedLock: Sendable, CustomStringConvertible {
  let permits: Permits
  /// Whether the thread or task that holds the lock may acquire it again.
  public var isReentrant: Bool { permits.isReentrant }

  /// The lock's name.
  public var name: String { permits.reference.name }
  /// The kind and name of the structure.
  public var description: String { permits.reference.title }

  /// The result of acquiring a lock.
  public struct Acquisition: Hashable, Sendable {
    /// Whether the process that held the lock before died without releasing it, so that the guarded resource may be in an
    /// intermediate state.
    public let previousOwnerDied: Bool
    /// The number of the acquisition, which only grows: a fencing token. A resource that remembers the greatest token it has seen
    /// can refuse late messages of a process that has lost the lock since.
    public let token: UInt64
  }

  /// A call of `withLock` in progress. Numbers of tasks are reused, so such a call gets a number of its own.
  private struct Scope: Sendable {
    let caller: UInt64
    let task: Int?
    @TaskLocal static var current: Scope?
  }

  /// The number of the caller. A task outside of `withLock` gets a new number each time.
  private static var caller: UInt64 {
    guard let task = currentTask() else { return currentThread() }
    if let scope = Scope.current, scope.task == task { return scope.caller }
    return freshNumber()
  }

  private var identity: UInt64 { permits.reference.description.identity }
  private var index: UInt64 { permits.reference.description.index ?? 0 }

  // MARK: Holding the lock for the duration of a closure

  /// Runs `body` while holding the lock, after waiting for it.
  ///
  /// - Parameters:
  ///   - timeout: How long to wait; nil for no limit.
  ///   - body: Runs with the lock held.
  /// - Returns: The result of `body`.
  /// - Throws: The errors of `body`; ``StoreError/Code/timedOut``, whose ``StoreError/processID`` is that of the holder;
  ///   ``StoreError/Code/deadlock`` when the caller holds the lock already and it is not reentrant.
  @_disfavoredOverload  // In a task the other form is taken also for a closure that awaits nothing.
  public func withLock<R>(timeout: Duration? = nil, _ body: (Acquisition) throws -> R) throws -> R {
    let caller = Self.caller
    guard let taken = try permits.take(until: timeout.map { .now + $0 }, for: caller) else {
      throw StoreError.timedOut("lock", name, holder)
    }
    let acquisition = note(taken)
    defer { try? giveBack(of: caller) }
    return try Scope.$current.withValue(Scope(caller: caller, task: currentTask())) { try body(acquisition) }
  }

  /// Runs `body` while holding the lock, after waiting for it without blocking a thread.
  public nonisolated(nonsending) func withLock<R>(
    timeout: Duration? = nil, _ body: nonisolated(nonsending) (Acquisition) async throws -> R
  ) async throws -> R {
    let caller = Self.caller
    guard let taken = try await permits.take(until: timeout.map { .now + $0 }, for: caller) else {
      throw StoreError.timedOut("lock", name, holder)
    }
    let acquisition = note(taken)
    defer { try? giveBack(of: caller) }
    return try await Scope.$current.withValue(Scope(caller: caller, task: currentTask())) {
      try await body(acquisition)
    }
  }

  // MARK: Acquiring and releasing

  /// Acquires the lock, after waiting for it. The caller releases it by ``release()``.
  ///
  /// - Returns: The acquisition; nil when the lock was not free in time.
  public func acquire(timeout: Duration? = nil) throws -> Acquisition? {
    try permits.take(until: timeout.map { .now + $0 }, for: Self.caller).map(note)
  }

  /// Acquires the lock, after waiting without blocking a thread. The caller releases it by ``release()``.
  ///
  /// - Throws: ``StoreError``; `CancellationError`, and then the lock was not acquired.
  public nonisolated(nonsending) func acquire(timeout: Duration? = nil) async throws -> Acquisition? {
    try await permits.take(until: timeout.map { .now + $0 }, for: Self.caller).map(note)
  }

  /// Acquires the lock if it is free, even if others wait for it; returns nil otherwise.
  public func tryAcquire() throws -> Acquisition? {
    let found = try permits.tryTake(for: Self.caller)
    return found.index == nil ? nil : note(found)
  }

  /// Releases the lock. Any thread or task of the process that holds it can do so; a reentrant lock must be released as often
  /// as it was acquired.
  ///
  /// - Throws: ``StoreError/Code/notHeld`` when this process does not hold it.
  public func release() throws { try giveBack(of: 0) }

  private func giveBack(of caller: UInt64) throws {
    let owners = try permits.heldOwners()
    try permits.giveBack(0, of: caller) { owners.noteReleased(index) }
  }

  /// Records the holder. A record of an earlier holder that still exists means that the holder died.
  private func note(_ taken: Permits.Try) -> Acquisition {
    // Throwing an error here would leave the lock acquired.
    guard let owners = permits.environment.owners else {
      return Acquisition(previousOwnerDied: false, token: microsecondsSince1970())
    }
    if taken.isAgain {
      return Acquisition(previousOwnerDied: false, token: owners.noted(index, identity)?.token ?? 0)
    }
    let noted = owners.noteAcquired(index, identity)
    return Acquisition(previousOwnerDied: noted.before.map { $0.owner != .none } ?? false, token: noted.token)
  }

  /// The PID of the process that holds the lock; nil when it is free or the holder is not known.
  public var holder: Int? {
    guard let owners = try? permits.owners() else { return nil }
    if owners.holds(permits.place(0)) { return Int(currentProcessID()) }
    guard owners.isLockedElsewhere(permits.place(0)) else { return nil }
    return owners.holder(index, identity)
  }
}
