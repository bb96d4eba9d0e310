internal import Synchronization

/// A process's copy of a store's clock.
///
/// The store's time is the time since the machine was started plus an offset, which the store keeps for each boot. It is about
/// the time of day, but it never jumps within a boot. The layer above reads and writes the record of the offset; this type keeps
/// what was read.
package final class StoreClock: Sendable {
  private static let unknown = Int64.min
  private let known = Atomic<Int64>(unknown)
  private let pretended = Guarded<String?>(nil)
  /// The number of the last write transaction in which this process stored an offset; it may have been undone since.
  private let stored = Atomic<Int>(-1)

  /// The identifier of this boot; "" where it is not known.
  var boot: String { pretended.withLock { $0 } ?? Boot.name }

  /// The offset of this boot in microseconds; nil until a committed one was seen.
  @inline(__always)
  package var offset: Int64? {
    let offset = known.load(ordering: .relaxed)
    return offset == Self.unknown ? nil : offset
  }

  /// Records that a transaction stores an offset: until it is committed, nothing that it reads is remembered.
  func noteStored(in transaction: Transaction) { stored.store(transaction.snapshotID, ordering: .relaxed) }

  /// Remembers an offset that a transaction has read, unless it may be uncommitted. A later transaction of the same number is
  /// another attempt after an undone one, so it does not see a commit of another process either.
  func noteRead(_ offset: Int64, in transaction: Transaction) {
    if transaction.isWritable, transaction.snapshotID == stored.load(ordering: .relaxed) { return }
    known.store(offset, ordering: .relaxed)
  }

  /// Makes this process treat the present boot as another one: for tests.
  package func pretend(boot: String) {
    pretended.withLock { $0 = boot }
    known.store(Self.unknown, ordering: .relaxed)
    stored.store(-1, ordering: .relaxed)
  }
}
