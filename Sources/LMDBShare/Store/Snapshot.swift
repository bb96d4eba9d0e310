/// One state of the store, to be held across calls.
///
///     let before = try store.snapshot()
///     try names.append("Eve")
///     print(try before[names].count)   // as it was
///
/// It ends with ``end()``, or with its last reference: views taken from it hold one.
public final class Snapshot {
  @usableFromInline let pin: SnapshotPin
  @usableFromInline let use: UInt64
  /// The number of the transaction whose result this is.
  public let id: Int

  init(_ core: Transaction, of store: SharedStore) {
    pin = SnapshotPin(core, keeping: store)
    use = core.use
    id = core.snapshotID
  }

  /// Ends the snapshot, so that the pages it holds can be used again. Views of it must not be used any more.
  public func end() { pin.end() }

  /// A read transaction on this snapshot, for what takes one.
  ///
  /// - Throws: What `body` throws; ``StoreError`` when something could not be read, here or by a view before. Each such failure is
  ///   thrown once; the snapshot can be used further.
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

  /// Throws the first thing that a view could not read since the last call, or the last read.
  ///
  /// A view that is taken as `snapshot[names]` has no end of its own at which it could throw: a walk that meets an element which
  /// cannot be decoded ends there. Call this after such a walk, or walk inside of ``read(_:)``, which throws by itself.
  public func check() throws { try read { _ in } }
}
