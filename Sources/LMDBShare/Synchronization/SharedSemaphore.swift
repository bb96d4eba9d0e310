/// So many permits that processes share: who has none waits until somebody gives one back, or dies.
///
///     let downloads = try store.semaphore("downloads", permits: 4)
///     try downloads.withPermit { … }
///
/// A process that dies gives up its permits at once, however it dies. Those who wait are served in the order in which they came,
/// as for ``SharedLock``.
///
/// A handle: it is small and may be used from any thread.
public struct SharedSemaphore: Sendable {
  let permits: Permits

  /// The semaphore's name.
  public var name: String { permits.reference.name }
  /// How many permits there are.
  public var permitCount: Int { permits.count }

  /// A permit that this process has; whoever got it calls ``SharedSemaphore/release(_:)``.
  public struct Permit: Hashable, Sendable {
    let index: Int
    /// Of this acquisition: the same place may have passed on to others since.
    let caller: UInt64
  }

  /// Runs `body` with a permit; waits for one.
  ///
  /// - Throws: What `body` throws; ``StoreError/Code/timedOut``.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func withPermit<R>(timeout: Duration? = nil, _ body: () throws -> R) throws -> R {
    guard let permit = try acquire(timeout: timeout) else { throw StoreError.timedOut("acquire", name) }
    defer { try? release(permit) }
    return try body()
  }

  /// Runs `body` with a permit; waits for one without blocking a thread.
  public nonisolated(nonsending) func withPermit<R>(
    timeout: Duration? = nil, _ body: nonisolated(nonsending) () async throws -> R
  ) async throws -> R {
    guard let permit = try await acquire(timeout: timeout) else { throw StoreError.timedOut("acquire", name) }
    defer { try? release(permit) }
    return try await body()
  }

  /// Waits for a permit; nil when there was none in time.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func acquire(timeout: Duration? = nil) throws -> Permit? {
    let caller = freshNumber()
    return try permits.take(until: timeout.map { .now + $0 }, for: caller)?.index.map {
      Permit(index: $0, caller: caller)
    }
  }

  /// Waits for a permit without blocking a thread; nil when there was none in time.
  public nonisolated(nonsending) func acquire(timeout: Duration? = nil) async throws -> Permit? {
    let caller = freshNumber()
    return try await permits.take(until: timeout.map { .now + $0 }, for: caller)?.index.map {
      Permit(index: $0, caller: caller)
    }
  }

  /// Takes a permit if one is free, whoever waits for one.
  public func tryAcquire() throws -> Permit? {
    let caller = freshNumber()
    return try permits.tryTake(for: caller).index.map { Permit(index: $0, caller: caller) }
  }

  /// Gives a permit back.
  ///
  /// - Throws: ``StoreError/Code/notHeld`` when this process does not have it any more.
  public func release(_ permit: Permit) throws {
    try permits.giveBack(permit.index, of: permit.caller)
  }

  /// How many permits are free at this moment.
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

extension SharedStore {
  /// Opens the semaphore of that name; makes one when there is none.
  ///
  /// - Parameter permits: How many there are, 1 to 256; of an existing semaphore it must be the same.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else, or the number differs.
  public func semaphore(_ name: String, permits count: Int) throws(StoreError) -> SharedSemaphore {
    guard 1...Permits.most ~= count else {
      throw StoreError(
        .outOfRange, "open", structure: name, reason: "a semaphore of \(count) permits",
        advice: "give 1 to \(Permits.most)")
    }
    let wanted = StructureDescription(name, .semaphore, element: "bytes", count: count)
    let reference = try open(wanted) { (core, _) throws(StoreError) in
      core.storeValue([UInt8](), name, self.environment.values)
    }
    return SharedSemaphore(permits: Permits(store: self, reference: reference, count: count, isReentrant: false))
  }
}
