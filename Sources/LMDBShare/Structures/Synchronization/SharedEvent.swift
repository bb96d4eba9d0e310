// Blocking methods, each one transaction. `tools/pairs` generates the forms for tasks.

/// An event that is shared between processes: processes wait until one of them sets it, and it stays set.
///
///     let ready = try store.event("ready")
///     try ready.wait(timeout: .seconds(10))         // in one process
///     try ready.set()                               // in another
///
/// All waiters return when the event is set, even if it is cleared immediately: so `set()` followed by `clear()` wakes all
/// waiters once.
///
/// An event is stored: it can be set as part of a transaction, `txn.set(ready)`, and is still set after a crash.
///
/// A handle is small, holds no transaction, and can be used from any thread.
public struct SharedEvent: Sendable, CustomStringConvertible {
  let value: SharedValue<Bool>

  /// The event's name.
  public var name: String { value.name }
  /// The kind and name of the structure.
  public var description: String { value.reference.title }
  /// Whether the event is set.
  public var isSet: Bool { get throws { try value.get() } }

  /// Sets the event, and wakes all waiters.
  public func set() throws { try value.store.writeNow { txn in txn.set(self) } }
  /// Clears the event.
  public func clear() throws { try value.set(false) }

  /// Waits until the event is set, even if it is cleared afterwards.
  ///
  /// - Returns: Whether the event was set in time.
  @discardableResult
  public func wait(timeout: Duration) throws -> Bool {
    var before: UInt64?
    return try value.store.waitUntil(timeout: timeout, watching: [value]) { txn in hasHappened(txn, since: &before) }
  }

  /// Waits until the event is set, without blocking a thread.
  @discardableResult
  public nonisolated(nonsending) func wait(timeout: Duration) async throws -> Bool {
    var before: UInt64?
    return try await value.store.waitUntil(timeout: timeout, watching: [value]) { txn in
      hasHappened(txn, since: &before)
    }
  }

  /// Returns whether the event is set, or has been set since the first call.
  ///
  /// - Parameter before: How often it had been set at the first call; nil before that.
  private func hasHappened(_ txn: borrowing ReadTransaction, since before: inout UInt64?) -> Bool {
    if txn[value] { return true }
    let count = txn.core.timesSet(value.reference)
    defer { before = before ?? count }
    return before.map { $0 != count } ?? false
  }
}

/// The number of times that an event was set is stored beside its value. The value stays a `bool`, so programs that do not know
/// the count can still read and write it.
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
  /// Returns the key under which the count of an event with this identity is stored among the values.
  static func countKey(_ identity: UInt64) -> String { ".sets." + String(identity, radix: 16) }
}

extension WriteTransaction {
  /// Sets an event as part of this transaction.
  public func set(_ event: SharedEvent) {
    if !self[event.value] { core.countSet(event.value.reference) }
    self[event.value] = true
  }
  /// Clears an event as part of this transaction.
  public func clear(_ event: SharedEvent) { self[event.value] = false }
}

extension ReadTransaction {
  /// Returns whether an event is set.
  public func isSet(_ event: SharedEvent) -> Bool { self[event.value] }
}
