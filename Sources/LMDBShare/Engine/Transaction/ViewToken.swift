/// What a view of a structure may hold besides the structure. A unique token distinguishes a view through which the store is
/// changed in place from its copies; a snapshot's token keeps the snapshot.
@usableFromInline
class ViewToken {
  @usableFromInline package init() {}
}

extension Transaction {
  /// A token without other holders.
  @inlinable @inline(__always)
  func takeToken() -> ViewToken { fields.value.idleToken.take() ?? ViewToken() }

  /// Keeps a token for reuse, unless a copy of the view still holds it.
  @inlinable @inline(__always)
  func giveBack(_ token: consuming ViewToken?) {
    if isKnownUniquelyReferenced(&token) { fields.value.idleToken = consume token }
  }
}

/// Keeps a read transaction beyond the scope that began it, until the last reference to the pin is released.
@usableFromInline
final class SnapshotPin: ViewToken {
  @usableFromInline let transaction: Transaction
  private let use: UInt64
  private let environment: Environment?
  /// Keeps the environment open.
  private let owner: AnyObject

  package init(_ transaction: Transaction, keeping owner: AnyObject) {
    self.transaction = transaction
    self.owner = owner
    use = transaction.use
    environment = transaction.environment
  }

  deinit { end() }

  /// Ends the transaction, unless it has ended.
  package func end() {
    if transaction.use == use { transaction.end() }
  }
}
