// Blocking: each method opens or creates a structure. `tools/pairs` generates the forms for tasks.

extension SharedStore {
  /// Opens the lock of that name, and creates it when it is missing.
  ///
  /// - Parameters:
  ///   - name: The lock's name.
  ///   - reentrant: Whether a thread that holds the lock may acquire it again, and releases it as often; likewise a task within
  ///     `withLock`. A child task counts as another task.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func lock(_ name: String, reentrant: Bool = false) throws -> SharedLock {
    let wanted = StructureDescription(name, .lock, element: "bytes")
    return SharedLock(permits: Permits(try link(to: wanted, initial: []), count: 1, isReentrant: reentrant))
  }

  /// Opens the semaphore of that name, and creates it when it is missing.
  ///
  /// - Parameters:
  ///   - name: The semaphore's name.
  ///   - count: The number of permits, 1 to 256; for an existing semaphore it must match.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else, or the number differs.
  public func semaphore(_ name: String, permits count: Int) throws -> SharedSemaphore {
    guard 1...Permits.most ~= count else {
      throw StoreError(
        .outOfRange, "open", structure: name, reason: "a semaphore of \(count) permits",
        advice: "give 1 to \(Permits.most)")
    }
    let wanted = StructureDescription(name, .semaphore, element: "bytes", count: count)
    return SharedSemaphore(permits: Permits(try link(to: wanted, initial: []), count: count, isReentrant: false))
  }

  /// Opens the barrier of that name, and creates it when it is missing.
  ///
  /// - Parameters:
  ///   - name: The barrier's name.
  ///   - parties: The number of parties, 1 to 65,536; for an existing barrier it must match.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else, or the number differs.
  public func barrier(_ name: String, parties: Int) throws -> SharedBarrier {
    guard 1...65_536 ~= parties else {
      throw StoreError(
        .outOfRange, "open", structure: name, reason: "a barrier of \(parties) parties", advice: "give 1 to 65,536")
    }
    let wanted = StructureDescription(name, .barrier, element: "bytes", count: parties)
    return SharedBarrier(value: SharedValue(link: try link(to: wanted, initial: []), initial: []), parties: parties)
  }

  /// Opens the event of that name, and creates one that is not set when it is missing.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func event(_ name: String) throws -> SharedEvent {
    let wanted = StructureDescription(name, .event, element: "bool")
    return SharedEvent(
      value: SharedValue(link: try link(to: wanted, initial: encoded(false, name)), initial: false))
  }
}
