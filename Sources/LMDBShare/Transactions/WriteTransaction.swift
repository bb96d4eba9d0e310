/// A change of the store, inside of ``SharedStore/write(_:)-(_)``.
///
/// Ask it for views of structures and change them: `txn[names].append("Ada")`. It cannot be copied, kept or passed to
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
