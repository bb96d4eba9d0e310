/// A write to the store within ``SharedStore/write(_:)``.
///
/// It gives views of structures, which can be changed: `txn[names].append("Ada")`. It cannot be copied, kept or passed to
/// another task.
public struct WriteTransaction: ~Copyable {
  @usableFromInline let core: Transaction
  @usableFromInline let store: SharedStore

  @inlinable init(_ core: Transaction, _ store: SharedStore) {
    self.core = core
    self.store = store
  }

  /// The number that a commit of this transaction will have.
  public var snapshotID: Int { core.snapshotID }
}
