/// How a store is opened.
public struct StoreOptions: Hashable, Sendable {
  /// What survives which event.
  public enum Durability: Hashable, Sendable {
    /// A committed transaction survives everything, power loss included. Each commit waits for the disk.
    case durable
    /// Power loss may undo the last transaction, and never damages. Half the waiting.
    case relaxed
    /// A committed transaction survives any process crash; power loss may lose or damage the store. If the machine goes
    /// down before the last process has closed it, the next opening says so: see ``StoreOptions/unsyncedAfterReboot``. For
    /// data that can be made again.
    case processCrashOnly
  }

  /// What becomes of a store whose last commits were not synced when the machine went down.
  public enum Unsynced: Hashable, Sendable {
    /// Opening throws ``StoreError/Code/unsynced``.
    case refuse
    /// Every page is checked, and if they are sound the store is opened. After an orderly shutdown everything is there. After
    /// a power cut sound pages may be of different commits, which nobody can tell.
    case check
    /// The store is removed, and a new one made. For caches.
    case discard
  }

  /// What the store is opened for.
  public enum Access: Hashable, Sendable {
    /// Reading and writing.
    case readWrite
    /// Only reading; the store must exist. The process enters itself in `lock.mdb`, which it must be able to write; on
    /// read-only media, where nothing can be written by any process, it reads without.
    case readOnly
    /// Only reading, without entry in `lock.mdb`: for a user who has no permission to write any file of the store. No process
    /// may write to the store meanwhile, since it would use pages again that are being read: reads would then return wrong
    /// data, or end the process.
    case readOnlyUnlocked
  }

  /// What is checked at opening beyond the meta pages.
  public enum Verification: Hashable, Sendable {
    /// Both meta pages and the file's size.
    case meta
    /// Every page, before anything is read through the map; takes as long as reading the file. What passes, LMDB can read and
    /// change without dying, whatever bytes it is. Where the store is open in this process already, they are checked all
    /// the same.
    case pages
  }

  /// What survives which event; `.durable` unless told otherwise.
  public var durability: Durability = .durable
  /// What becomes of a store that was written with `.processCrashOnly` when the machine went down before the last process had
  /// closed it, or ended.
  public var unsyncedAfterReboot: Unsynced = .refuse
  /// Reading and writing unless told otherwise.
  public var access: Access = .readWrite
  /// Whether to make a store where there is none.
  public var createIfMissing: Bool = true
  /// The most bytes that the store may take on disk, or nil for as many as the disk has.
  public var maximumSize: Int?
  /// The address space, in bytes, to reserve at first; it costs neither memory nor disk, and grows by itself.
  public var mapReservation: Int = 1 << 40
  /// By how many bytes the file may grow while one snapshot is held, by any process; nil for no limit. Pages that a snapshot sees
  /// are not used again, so that the file grows with each commit. At the limit, writes of this process are refused with
  /// ``StoreError/Code/snapshotInTheWay``, which names the process that holds the snapshot, until it has ended. The growth is
  /// counted from the first commit on that this process has seen.
  ///
  /// So the limit is each process's own, and multiplies with the processes: one that opens the store later, or is started
  /// again, allows as much once more. What bounds the file for all of them is ``maximumSize``.
  public var maximumSnapshotGrowth: Int?
  /// The number of reads and snapshots that all processes together may have open. The first process to open a store
  /// decides. A slot takes 64 bytes of `lock.mdb`, and costs writers nothing before it was used for the first time.
  public var maximumReaders: Int = 4096
  /// The number of structures that this process may use; at most 32,000.
  public var maximumStructures: Int = 1024
  /// How long opening waits for other processes; 30 seconds unless told otherwise, nil for no limit.
  ///
  /// That is the opening of the store, which waits while another process compacts it, and of a structure: one that is not there
  /// yet has to be made, which is a write, and waits for the process that writes. When the time is up, the error is
  /// ``StoreError/Code/busy`` or ``StoreError/Code/writerBusy`` with the number of the process in the way. Behind a program that
  /// writes without this library opening may take longer: see ``SharedStore/write(timeout:_:)-(Duration,_)``.
  public var openingTimeout: Duration? = .seconds(30)
  /// The mode of the directory, if it is made: exactly this one, whatever the umask is. Nil for 0700 less the umask.
  public var directoryMode: UInt32?
  /// The mode of the data file, if it is made: exactly this one, whatever the umask is. Nil for 0600 less the umask. The files
  /// beside it get its mode, group and owner, at any time and by any user, as far as that one may give them.
  public var fileMode: UInt32?
  /// Whether to open a store on a network file system, where only one machine may use it.
  public var allowNetworkFileSystem: Bool = false
  /// Whether a process of root opens a store of which the directory or a file belongs to another user, or may be written to by
  /// others or by a group that is not root's. Such a user can end the process by truncating a file. A program of root that names
  /// a `directoryMode` or `fileMode` for others needs no such word.
  public var allowForeignOwner: Bool = false
  /// What is checked at opening.
  public var verification: Verification = .meta

  /// Whether the map is to be as large as the file tells, instead of `maximumSize` or `mapReservation`.
  package var keepsMapSize = false

  /// The defaults.
  public init() {}

  /// The defaults with another durability.
  public static func durability(_ durability: Durability) -> StoreOptions {
    var options = StoreOptions()
    options.durability = durability
    return options
  }

  func forEnvironment() throws(StoreError) -> EnvironmentOptions {
    var options = EnvironmentOptions()
    options.durability =
      switch durability {
      case .durable: .durable
      case .relaxed: .relaxed
      case .processCrashOnly: .processCrashOnly
      }
    options.unsynced =
      switch unsyncedAfterReboot {
      case .refuse: .refuse
      case .check: .check
      case .discard: .discard
      }
    options.isReadOnly = access != .readWrite
    options.isUnlocked = access == .readOnlyUnlocked
    options.createIfMissing = createIfMissing
    options.maximumSize = maximumSize
    options.mapReservation = mapReservation
    options.maximumSnapshotGrowth = maximumSnapshotGrowth
    options.maximumReaders = maximumReaders
    options.maximumStructures = maximumStructures
    options.directoryMode = directoryMode
    options.fileMode = fileMode
    options.allowNetworkFileSystem = allowNetworkFileSystem
    options.allowForeignOwner = allowForeignOwner
    options.checkPages = verification == .pages
    options.openingTimeout = openingTimeout
    options.keepsMapSize = keepsMapSize
    options.mark = Catalogue.database
    try check(maximumSize ?? 1 << 20, in: 1 << 16...1 << 46, "maximumSize")
    try check(maximumSnapshotGrowth ?? 1 << 20, in: 1 << 16...1 << 46, "maximumSnapshotGrowth")
    try check(mapReservation, in: 1 << 16...1 << 46, "mapReservation")
    try check(maximumReaders, in: 1...1 << 16, "maximumReaders")
    try check(maximumStructures, in: 1...32_000, "maximumStructures")
    return options
  }

  private func check(_ value: Int, in range: ClosedRange<Int>, _ name: String) throws(StoreError) {
    guard range.contains(value) else {
      throw StoreError(
        .outOfRange, "open", reason: "\(name) is \(value)",
        advice: "give a number from \(range.lowerBound) to \(range.upperBound)")
    }
  }
}
