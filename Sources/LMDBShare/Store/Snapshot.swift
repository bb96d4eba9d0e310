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
  /// - Throws: What `body` throws; ``StoreError`` when something could not be read.
  @inlinable
  public func read<R: ~Copyable>(_ body: (inout ReadTransaction) throws -> R) throws -> R {
    defer { withExtendedLifetime(pin) {} }
    let core = pin.transaction
    core.live(use, "a snapshot")
    var transaction = ReadTransaction(core)
    let result = try body(&transaction)
    if let failure = core.failure { throw failure }
    return result
  }
}
