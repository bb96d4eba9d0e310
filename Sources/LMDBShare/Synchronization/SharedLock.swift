/// A lock that processes share: one thread or task at a time holds it, in all processes together.
///
///     let lock = try store.lock("printer")
///     try lock.withLock { acquisition in
///       if acquisition.previousOwnerDied { … }      // put right what it left behind
///       …
///     }
///
/// For what lies in the store itself no lock is needed: a write is alone among all processes. A lock is for other things that
/// processes share, and for work that takes long.
///
/// A process that dies gives up its locks at once, however it dies, and the next holder is told. It costs a few system calls
/// and never waits for the disk. Threads that wait sleep. Who came first is served first, among the threads and tasks of all
/// processes; one that was served may take the lock again for a millisecond before it stands in line.
///
/// A handle: it is small and may be used from any thread.
public struct SharedLock: Sendable {
  let permits: Permits
  /// Whether the thread or task that has it may ask for it again.
  public var isReentrant: Bool { permits.isReentrant }

  /// The lock's name.
  public var name: String { permits.reference.name }

  /// How the lock was got.
  public struct Acquisition: Hashable, Sendable {
    /// Whether the process that held the lock before died without giving it back, so that what the lock guards may be half
    /// done.
    public let previousOwnerDied: Bool
  }

  /// Who is inside of `withLock`: tasks have no number that no later one gets, so they get one for as long as that lasts.
  private struct Scope: Sendable {
    let caller: UInt64
    let task: Int?
    @TaskLocal static var current: Scope?
  }

  /// Who asks for the lock. A task outside of `withLock` is somebody new each time.
  private static var caller: UInt64 {
    guard let task = currentTask() else { return currentThread() }
    if let scope = Scope.current, scope.task == task { return scope.caller }
    return freshNumber()
  }

  private var identity: UInt64 { permits.reference.description.identity }
  private var index: UInt64 { permits.reference.description.index ?? 0 }

  // MARK: For as long as a closure runs

  /// Runs `body` while holding the lock; waits for it.
  ///
  /// - Parameter timeout: How long to wait; nil for as long as it takes.
  /// - Throws: What `body` throws; ``StoreError/Code/timedOut``, whose ``StoreError/processID`` is who has it;
  ///   ``StoreError/Code/deadlock`` when the caller has it already and it is not reentrant.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func withLock<R>(timeout: Duration? = nil, _ body: (Acquisition) throws -> R) throws -> R {
    let caller = Self.caller
    guard let taken = try permits.take(until: timeout.map { .now + $0 }, for: caller) else {
      throw StoreError.timedOut("lock", name, holder)
    }
    let acquisition = try note(taken)
    defer { try? giveBack(of: caller) }
    return try Scope.$current.withValue(Scope(caller: caller, task: currentTask())) { try body(acquisition) }
  }

  /// Runs `body` while holding the lock; waits for it without blocking a thread.
  public nonisolated(nonsending) func withLock<R>(
    timeout: Duration? = nil, _ body: nonisolated(nonsending) (Acquisition) async throws -> R
  ) async throws -> R {
    let caller = Self.caller
    guard let taken = try await permits.take(until: timeout.map { .now + $0 }, for: caller) else {
      throw StoreError.timedOut("lock", name, holder)
    }
    let acquisition = try note(taken)
    defer { try? giveBack(of: caller) }
    return try await Scope.$current.withValue(Scope(caller: caller, task: currentTask())) {
      try await body(acquisition)
    }
  }

  // MARK: By hand

  /// Waits for the lock; whoever gets it calls ``release()``.
  ///
  /// - Returns: How it was got; nil when it was not free in time.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func acquire(timeout: Duration? = nil) throws -> Acquisition? {
    try permits.take(until: timeout.map { .now + $0 }, for: Self.caller).map(note)
  }

  /// Waits for the lock without blocking a thread; whoever gets it calls ``release()``.
  ///
  /// - Throws: ``StoreError``; `CancellationError`, and then the lock was not got.
  public nonisolated(nonsending) func acquire(timeout: Duration? = nil) async throws -> Acquisition? {
    try await permits.take(until: timeout.map { .now + $0 }, for: Self.caller).map(note)
  }

  /// Takes the lock if it is free, whoever waits for it.
  public func tryAcquire() throws -> Acquisition? {
    let found = try permits.tryTake(for: Self.caller)
    return found.index == nil ? nil : try note(found)
  }

  /// Gives the lock back: any thread or task of the process that has it may; a reentrant one as often
  /// as it was acquired.
  ///
  /// - Throws: ``StoreError/Code/notHeld`` when this process does not have it.
  public func release() throws { try giveBack(of: 0) }

  private func giveBack(of caller: UInt64) throws {
    let owners = try permits.heldOwners()
    try permits.giveBack(0, of: caller) { owners.note(false, index, identity) }
  }

  /// Notes the holder; tells whether the one before is dead, since he would have taken his note away.
  private func note(_ taken: Permits.Try) throws -> Acquisition {
    if taken.isAgain { return Acquisition(previousOwnerDied: false) }
    guard let owners = permits.environment.owners else { return Acquisition(previousOwnerDied: false) }
    let before = owners.noted(index, identity)
    owners.note(true, index, identity)
    return Acquisition(previousOwnerDied: before != nil)
  }

  /// The number of the process that has the lock; nil when nobody has it, or that is not known.
  public var holder: Int? {
    guard let owners = try? permits.owners() else { return nil }
    if owners.holds(permits.place(0)) { return Int(currentProcessID()) }
    guard owners.isLockedElsewhere(permits.place(0)) else { return nil }
    return owners.noted(index, identity)?.processID
  }
}

extension SharedStore {
  /// Opens the lock of that name; makes one when there is none.
  ///
  /// - Parameter reentrant: Whether a thread that has it may ask for it again, and gives it back as often; and a task within
  ///   `withLock`, of which a child task is another one.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func lock(_ name: String, reentrant: Bool = false) throws(StoreError) -> SharedLock {
    let reference = try open(StructureDescription(name, .lock, element: "bytes")) { (core, _) throws(StoreError) in
      core.storeValue([UInt8](), name, self.environment.values)
    }
    return SharedLock(permits: Permits(store: self, reference: reference, count: 1, isReentrant: reentrant))
  }
}
