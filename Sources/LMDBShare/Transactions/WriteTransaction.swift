/// A write to the store within ``SharedStore/write(_:)``.
///
/// It returns views of structures, which can be changed: `txn[names].append("Ada")`. It cannot be copied, kept or passed to
/// another task.
public struct WriteTransaction: ~Copyable {
  /// The same transaction for reading.
  @usableFromInline let reading: ReadTransaction
  @usableFromInline let store: SharedStore
  @inlinable var core: Transaction { reading.core }

  @inlinable init(_ core: Transaction, _ store: SharedStore) {
    reading = ReadTransaction(core)
    self.store = store
  }

  /// The number that a commit of this transaction will have.
  public var snapshotID: Int { core.snapshotID }
}
