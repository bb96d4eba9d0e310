internal import _LMDBShareSystem

/// The last 128 commits: when they were made and which channels they touched, in shared memory.
///
/// An entry has 32 bytes: the transaction's number, its time in nanoseconds since 1970, its channels, and a stamp by which its
/// age is measured (`u64` each). A commit without an entry (by a program that does not know the log, or by one that was killed
/// right after it) counts as one that touched everything.
///
/// The stamp holds the time since the machine was started in milliseconds (40 bits), the transaction's number divided by 128 (8
/// bits), and above them 16 bits that identify the boot. So a stamp of another boot can be distinguished from a current one, and
/// so can a stamp of an earlier transaction, which stays there when a program writes no stamps.
@safe struct CommitLog {
  private static let count = 128
  private static let stride = 32
  private let base: UnsafeMutableRawPointer

  init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

  private func entry(_ transaction: Int) -> UnsafeMutableRawPointer {
    // A damaged file can contain any number.
    unsafe base + Int(UInt(bitPattern: transaction) % UInt(Self.count)) * Self.stride
  }

  /// Records a commit that has just been made.
  func note(_ transaction: Int, _ channels: Channels) {
    let entry = unsafe entry(transaction)
    unsafe lms_store64(entry, 0)
    unsafe entry.storeBytes(of: UInt64(bitPattern: lms_time_of_day()), toByteOffset: 8, as: UInt64.self)
    unsafe entry.storeBytes(of: channels.rawValue, toByteOffset: 16, as: UInt64.self)
    unsafe entry.storeBytes(of: Self.stamp(transaction), toByteOffset: 24, as: UInt64.self)
    unsafe lms_store64(entry, UInt64(truncatingIfNeeded: transaction))
  }

  /// The channels that a commit touched, or nil when that is not known.
  private func channels(_ transaction: Int) -> Channels? {
    let entry = unsafe entry(transaction)
    guard unsafe lms_load64(entry) == UInt64(truncatingIfNeeded: transaction) else { return nil }
    let channels = unsafe Channels(rawValue: lms_load64(entry + 16))
    return unsafe lms_load64(entry) == UInt64(truncatingIfNeeded: transaction) ? channels : nil
  }

  /// The channels that the commits after `first` up to `last` touched; all channels when that is not known.
  func touched(after first: Int, upTo last: Int) -> Channels {
    guard first >= 0, last > first else { return [] }
    guard last - first <= Self.count else { return .all }
    var touched: Channels = .everyCommit
    for transaction in first + 1...last {
      var known = channels(transaction)
      if known == nil, transaction == last {
        // The commit may be in progress: its writer adds the entry next.
        for _ in 0..<20 where known == nil {
          sched_yield()
          known = channels(transaction)
        }
      }
      touched.formUnion(known ?? .all)
    }
    return touched
  }

  // MARK: Ages

  private static let timeBits: UInt64 = 1 << 40 - 1
  /// Identifies this boot; 0 where its name is not known.
  private static let boot: UInt64 = {
    // FNV-1a.
    let hash = Boot.name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return Boot.name.isEmpty ? 0 : max(1, (hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48) & 0xFFFF)
  }()

  private static func stamp(_ transaction: Int) -> UInt64 {
    boot << 48 | UInt64(transaction / count & 0xFF) << 40 | UInt64(max(0, Boot.time / 1000)) & timeBits
  }

  /// The time since a transaction was committed, if that is still known.
  ///
  /// Within one boot, setting the clock does not affect it; across boots it is based on the time of day.
  func age(of transaction: Int) -> Duration? {
    guard transaction >= 0 else { return nil }
    let entry = unsafe entry(transaction)
    guard unsafe lms_load64(entry) == UInt64(truncatingIfNeeded: transaction) else { return nil }
    let (committed, stamp) = unsafe (lms_load64(entry + 8), lms_load64(entry + 24))
    guard unsafe lms_load64(entry) == UInt64(truncatingIfNeeded: transaction) else { return nil }
    let now = Self.stamp(transaction)
    if Self.boot != 0, stamp >> 40 == now >> 40, stamp <= now { return .milliseconds(Int64(now - stamp)) }
    let today = lms_time_of_day()
    guard let past = Int64(exactly: committed), past > 0, past <= today else { return nil }
    return .nanoseconds(today - past)
  }
}
