internal import CSystemShims

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The last 128 commits: when they were made and which channels they touched, in shared memory.
///
/// An entry has 32 bytes: the transaction's number, its time in nanoseconds since 1970, its channels (`u64` each), and 8
/// unused ones. A commit without an entry (by a program that does not know of the log, or by one that was killed right
/// after it) counts as one that touched everything.
@safe struct CommitLog {
  private static let count = 128
  private static let stride = 32
  private let base: UnsafeMutableRawPointer

  init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

  private func entry(_ transaction: Int) -> UnsafeMutableRawPointer {
    unsafe base + transaction % Self.count * Self.stride
  }

  /// Notes a commit that has just been made.
  func note(_ transaction: Int, _ channels: UInt64) {
    let entry = unsafe entry(transaction)
    unsafe lms_store64(entry, 0)
    unsafe entry.storeBytes(of: UInt64(bitPattern: lms_time_of_day()), toByteOffset: 8, as: UInt64.self)
    unsafe entry.storeBytes(of: channels, toByteOffset: 16, as: UInt64.self)
    unsafe lms_store64(entry, UInt64(transaction))
  }

  /// The channels that a commit touched, or nil when that is not known.
  private func channels(_ transaction: Int) -> UInt64? {
    let entry = unsafe entry(transaction)
    guard unsafe lms_load64(entry) == UInt64(transaction) else { return nil }
    let channels = unsafe lms_load64(entry + 16)
    return unsafe lms_load64(entry) == UInt64(transaction) ? channels : nil
  }

  /// The channels that the commits after `first` up to `last` touched; all of them when that is not known.
  func touched(after first: Int, upTo last: Int) -> UInt64 {
    guard first >= 0, last > first else { return 0 }
    guard last - first <= Self.count else { return .max }
    var touched = Channels.everyCommit
    for transaction in first + 1...last {
      var known = channels(transaction)
      if known == nil, transaction == last {
        // It may be made this moment: its writer notes it next.
        for _ in 0..<20 where known == nil {
          sched_yield()
          known = channels(transaction)
        }
      }
      touched |= known ?? .max
    }
    return touched
  }

  /// How long ago a transaction was committed, if that is still known.
  func age(of transaction: Int) -> Duration? {
    guard transaction >= 0 else { return nil }
    let entry = unsafe entry(transaction)
    guard unsafe lms_load64(entry) == UInt64(transaction) else { return nil }
    let committed = unsafe lms_load64(entry + 8)
    let now = lms_time_of_day()
    guard let past = Int64(exactly: committed), past <= now else { return .zero }
    return .nanoseconds(now - past)
  }
}
