/// How an environment is opened.
package struct EnvironmentOptions: Hashable, Sendable {
  enum Durability: UInt8, Sendable { case durable, relaxed, processCrashOnly }
  enum Unsynced: UInt8, Sendable { case refuse, check, discard }

  var durability = Durability.durable
  package var isReadOnly = false
  /// Whether to read without LMDB's lock file, and so without protection from writers.
  package var isUnlocked = false
  package var createIfMissing = true
  /// The maximum size of the data file in bytes, or nil for no limit.
  var maximumSize: Int?
  /// The initial address space of the map; it takes no memory and no disk space.
  var mapReservation = 1 << 40
  /// The system's limit on the size of files of this process, or nil for no limit. Writing beyond it raises a signal, so the map
  /// is not larger.
  var fileLimit: Int?
  /// By how many bytes the file may grow while one snapshot is held; nil for no limit.
  var maximumSnapshotGrowth: Int?
  var maximumReaders = 4096
  package var maximumStructures = 1024
  /// The mode of a directory that is created; nil for 0700 less the umask.
  var directoryMode: UInt32?
  /// The mode of a data file that is created, and of the files beside it; nil for 0600 less the umask.
  var fileMode: UInt32?
  var allowNetworkFileSystem = false
  /// Whether a process of root opens files that belong to another user, or that others may replace.
  package var allowForeignOwner = false
  package var checkPages = false
  var unsynced = Unsynced.refuse
  /// How long to wait for this process's own transactions when the map has to move.
  var patience = Duration.seconds(5)

  /// How long an opening waits for other processes, or nil for no limit.
  package var openingTimeout: Duration?

  /// Whether the map gets the size that the file records, which other programs may use.
  package var keepsMapSize = false
  /// A key that the main database must have; an environment without it does not belong to this library, and no files are added to
  /// it.
  var mark: String?
  /// Whether the path may lead to a data file with its lock file beside it (`MDB_NOSUBDIR`). For reading only.
  package var mayBeFile = false

  package init() {}

  /// Until when an opening that begins now may wait; nil for no limit.
  var openingDeadline: ContinuousClock.Instant? { openingTimeout.map { .now + min($0, .seconds(1 << 30)) } }

  /// The maximum size of the data file in bytes, for either reason.
  var sizeLimit: Int? {
    guard let maximumSize, let fileLimit else { return maximumSize ?? fileLimit }
    return min(maximumSize, fileLimit)
  }

  /// The names of the differing options among those that two openings of one environment must agree on.
  func differences(from other: EnvironmentOptions) -> String {
    zip(Mirror(reflecting: essentials).children, Mirror(reflecting: other.essentials).children)
      .filter { String(describing: $0.value) != String(describing: $1.value) }.compactMap(\.0.label)
      .joined(separator: ", ")
  }

  /// The options that two openings of one environment must agree on.
  var essentials: EnvironmentOptions {
    var copy = self
    copy.createIfMissing = true
    copy.checkPages = false
    copy.unsynced = .refuse
    copy.fileLimit = nil
    copy.directoryMode = nil
    copy.fileMode = nil
    copy.allowForeignOwner = false
    copy.openingTimeout = nil
    copy.mark = nil
    return copy
  }
}
