/// Something that happens once and stays so: processes wait until one of them sets it.
///
///     let ready = try store.event("ready")
///     try ready.wait(timeout: .seconds(10))         // in one process
///     try ready.set()                               // in another
///
/// It lies in the store: it can be set as part of a transaction, `txn.set(ready)`, and is still set after a crash.
///
/// A handle: it is small, holds no transaction, and may be used from any thread.
public struct SharedEvent: Sendable {
  let value: SharedValue<Bool>

  /// The event's name.
  public var name: String { value.name }
  /// Whether it is set.
  public var isSet: Bool { get throws { try value.get() } }

  /// Sets it, and wakes all who wait.
  public func set() throws { try value.set(true) }
  /// Takes it back.
  public func clear() throws { try value.set(false) }

  /// Waits until it is set.
  ///
  /// - Returns: Whether it was in time.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  @discardableResult
  public func wait(timeout: Duration) throws -> Bool {
    try value.store.waitUntil(timeout: timeout, watching: [value]) { txn in txn[value] }
  }

  /// Waits until it is set, without blocking a thread.
  @discardableResult
  public nonisolated(nonsending) func wait(timeout: Duration) async throws -> Bool {
    try await value.store.waitUntil(timeout: timeout, watching: [value]) { txn in txn[value] }
  }
}

extension SharedStore {
  /// Opens the event of that name; makes one that is not set when there is none.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func event(_ name: String) throws(StoreError) -> SharedEvent {
    let reference = try open(StructureDescription(name, .event, element: "bool")) { (core, _) throws(StoreError) in
      core.storeValue(false, name, self.environment.values)
    }
    return SharedEvent(value: SharedValue(self, reference, false))
  }
}

extension WriteTransaction {
  /// Sets an event as part of this transaction.
  public func set(_ event: SharedEvent) { self[event.value] = true }
  /// Takes an event back as part of this transaction.
  public func clear(_ event: SharedEvent) { self[event.value] = false }
}

extension ReadTransaction {
  /// Whether an event is set.
  public func isSet(_ event: SharedEvent) -> Bool { self[event.value] }
}
