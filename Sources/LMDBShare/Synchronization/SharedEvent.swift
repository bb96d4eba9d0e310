/// Something that happens once and stays so: processes wait until one of them sets it.
///
///     let ready = try store.event("ready")
///     try ready.wait(timeout: .seconds(10))         // in one process
///     try ready.set()                               // in another
///
/// All who wait when it is set go on, also when it is cleared at once: so `set()` and `clear()` wake everybody once.
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
  public func set() throws { try value.store.writeNow { txn in txn.set(self) } }
  /// Takes it back.
  public func clear() throws { try value.set(false) }

  /// Waits until it is set, whether or not it is cleared since.
  ///
  /// - Returns: Whether it was set in time.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  @discardableResult
  public func wait(timeout: Duration) throws -> Bool {
    var before: UInt64?
    return try value.store.waitUntil(timeout: timeout, watching: [value]) { txn in hasHappened(txn, since: &before) }
  }

  /// Waits until it is set, without blocking a thread.
  @discardableResult
  public nonisolated(nonsending) func wait(timeout: Duration) async throws -> Bool {
    var before: UInt64?
    return try await value.store.waitUntil(timeout: timeout, watching: [value]) { txn in
      hasHappened(txn, since: &before)
    }
  }

  /// Whether it is set, or was since the first call.
  ///
  /// - Parameter before: How often it had been set at the first call; nil before it.
  private func hasHappened(_ txn: borrowing ReadTransaction, since before: inout UInt64?) -> Bool {
    if txn[value] { return true }
    let count = txn.core.timesSet(value.reference)
    defer { before = before ?? count }
    return before.map { $0 != count } ?? false
  }
}

/// How often an event was set lies beside its value, which stays a `bool`: programs that do not know the count read and write
/// that as before.
extension Transaction {
  private static func key(_ reference: StructureReference) -> String {
    SharedEvent.countKey(reference.description.identity)
  }

  fileprivate func timesSet(_ reference: StructureReference) -> UInt64 {
    withUTF8(of: Self.key(reference)) { get(use(reference), $0)?.littleEndian(UInt64.self) ?? 0 }
  }

  fileprivate func countSet(_ reference: StructureReference) {
    let count = timesSet(reference) &+ 1
    let database = useForWriting(reference)
    withUTF8(of: Self.key(reference)) { key in
      _ = withBytes(of: count.littleEndian) { put(database, key, $0) }
    }
  }
}

extension SharedEvent {
  /// Under which key the count of an event with this identity lies among the values.
  static func countKey(_ identity: UInt64) -> String { ".sets." + String(identity, radix: 16) }
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
  public func set(_ event: SharedEvent) {
    if !self[event.value] { core.countSet(event.value.reference) }
    self[event.value] = true
  }
  /// Takes an event back as part of this transaction.
  public func clear(_ event: SharedEvent) { self[event.value] = false }
}

extension ReadTransaction {
  /// Whether an event is set.
  public func isSet(_ event: SharedEvent) -> Bool { self[event.value] }
}
