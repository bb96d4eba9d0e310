/// One state of the store, to be held across calls.
///
///     let before = try store.snapshot()
///     try names.append("Eve")
///     print(try before[names].count)   // as it was
///
/// It ends with ``end()``, or with its last reference: views taken from it hold one.
public final class Snapshot {
  @usableFromInline let core: Transaction

  init(_ core: Transaction, of store: SharedStore) {
    self.core = core
    core.detach(keeping: store)
  }

  /// The number of the transaction whose result this is.
  public var id: Int { core.snapshotID }

  /// Ends the snapshot, so that the pages it holds can be used again. Views of it must not be used any more.
  public func end() { core.endDetached() }

  /// A read transaction on this snapshot, for what takes one.
  ///
  /// - Throws: What `body` throws; ``StoreError`` when something could not be read.
  @inlinable
  public func read<R: ~Copyable>(_ body: (inout ReadTransaction) throws -> R) throws -> R {
    core.live("a snapshot")
    var transaction = ReadTransaction(core)
    let result = try body(&transaction)
    if let failure = core.failure { throw failure }
    return result
  }
}
