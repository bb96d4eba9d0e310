/// A state of the store that can be held across calls.
///
///     let before = try store.snapshot()
///     try names.append("Eve")
///     print(try before[names].count)   // as it was
///
/// A snapshot ends with ``end()``, or with its last reference; its views hold one.
public final class Snapshot {
  @usableFromInline let pin: SnapshotPin
  @usableFromInline let use: UInt64
  /// The number of the transaction after which the snapshot was taken.
  public let id: Int

  init(_ core: Transaction, of store: SharedStore) {
    pin = SnapshotPin(core, keeping: store)
    use = core.use
    id = core.snapshotID
  }

  /// Ends the snapshot, so that its pages can be reused. Its views must not be used afterwards.
  public func end() { pin.end() }

  /// Runs `body` in a read transaction on this snapshot.
  ///
  /// - Throws: The errors of `body`; ``StoreError`` when something could not be read, here or by a view before. Each such error
  ///   is thrown once; the snapshot remains usable.
  @inlinable
  public func read<R: ~Copyable>(_ body: (inout ReadTransaction) throws -> R) throws -> R {
    defer { withExtendedLifetime(pin) {} }
    let core = pin.transaction
    core.live(use, "a snapshot")
    if let failure = core.takeFailure() { throw failure }
    var transaction = ReadTransaction(core)
    defer { _ = core.takeFailure() }
    let result = try body(&transaction)
    if let failure = core.failure { throw failure }
    return result
  }

  /// Throws the first error of a view since the last call, or the last read.
  ///
  /// A view that is taken as `snapshot[names]` has no end at which it could throw: an iteration ends at an element that cannot be
  /// decoded. Call this method after such an iteration, or iterate within ``read(_:)``, which throws by itself.
  public func check() throws { try read { _ in } }
}
