/// One snapshot of the store, inside of ``SharedStore/read(_:)``.
///
/// Ask it for views of structures: `txn[names]`. It cannot be copied, kept or passed to another task.
public struct ReadTransaction: ~Copyable {
  @usableFromInline let core: Transaction

  @inlinable init(_ core: Transaction) { self.core = core }

  /// The number of the transaction whose result is read; it grows with every commit.
  public var snapshotID: Int { core.snapshotID }
}
