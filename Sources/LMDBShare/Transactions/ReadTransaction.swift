/// A snapshot of the store within ``SharedStore/read(_:)``.
///
/// It returns views of structures: `txn[names]`. It cannot be copied, kept or passed to another task.
public struct ReadTransaction: ~Copyable {
  @usableFromInline let core: Transaction

  @inlinable init(_ core: Transaction) { self.core = core }

  /// The number of the last transaction that the snapshot contains; it grows with every commit.
  public var snapshotID: Int { core.snapshotID }
}
