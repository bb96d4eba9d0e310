/// Options for opening a store.
public struct StoreOptions: Hashable, Sendable {
  /// The events that committed transactions survive.
  public enum Durability: Hashable, Sendable {
    /// A committed transaction survives every event, including power loss. Each commit waits for the disk.
    case durable
    /// Power loss can undo the last transaction, but never damages the store. A commit waits half as long.
    case relaxed
    /// A committed transaction survives any process crash; power loss can lose or damage the store. If the machine goes
    /// down before the last process has closed it, the next opening reports it: see ``StoreOptions/unsyncedAfterReboot``. For
    /// data that can be recreated.
    case processCrashOnly
  }

  /// What opening does with a store whose last commits were not synced when the machine went down.
  public enum Unsynced: Hashable, Sendable {
    /// Opening throws ``StoreError/Code/unsynced``.
    case refuse
    /// Every page is checked, and the store is opened if all are sound. After an orderly shutdown nothing is missing. After
    /// a power cut, sound pages may belong to different commits, which no check can find.
    case check
    /// The store is removed, and a new one created. For caches.
    case discard
  }

  /// How a process uses the store.
  public enum Access: Hashable, Sendable {
    /// Reading and writing.
    case readWrite
    /// Only reading; the store must exist. The process enters itself in `lock.mdb`, which it must be able to write. On
    /// read-only media, where no process can write, it reads without an entry.
    case readOnly
    /// Only reading, without an entry in `lock.mdb`: for a user without permission to write any file of the store. No process
    /// may write to the store meanwhile, since it would reuse pages that are being read: reads would then return wrong
    /// data, or end the process.
    case readOnlyUnlocked
  }

  /// The checks at opening.
  public enum Verification: Hashable, Sendable {
    /// Both meta pages and the file's size are checked.
    case meta
    /// Every page is checked before anything is read through the map; that takes as long as reading the file. LMDB can read and
    /// change a file that passes without a crash, whatever its bytes. Pages are also checked when the store is already open in
    /// this process.
    case pages
  }

  /// The events that committed transactions survive; `.durable` by default.
  public var durability: Durability = .durable
  /// What opening does with a store that was written with `.processCrashOnly`, when the machine went down before the last process
  /// had closed it, or exited.
  public var unsyncedAfterReboot: Unsynced = .refuse
  /// How this process uses the store; for reading and writing by default.
  public var access: Access = .readWrite
  /// Whether to create a missing store.
  public var createIfMissing: Bool = true
  /// The maximum size of the store in bytes, or nil for the limit of the disk.
  public var maximumSize: Int?
  /// The initial reservation of address space, in bytes. It costs neither memory nor disk, and grows when needed.
  public var mapReservation: Int = 1 << 40
  /// The number of bytes by which the file may grow while any process holds one snapshot; nil for no limit. Pages that a snapshot
  /// sees cannot be reused, so that the file grows with each commit. At the limit, writes of this process throw
  /// ``StoreError/Code/snapshotInTheWay``, which names the process that holds the snapshot, until the snapshot ends. The growth
  /// is counted from the first commit that this process has seen.
  ///
  /// So each process has its own limit, and the limits add up: a process that opens the store later, or is restarted, allows the
  /// same growth again. ``maximumSize`` bounds the file for all processes.
  public var maximumSnapshotGrowth: Int?
  /// The number of reads and snapshots that all processes together can have open. The first process to open a store
  /// decides. A slot takes 64 bytes of `lock.mdb`, and costs writers nothing before its first use.
  public var maximumReaders: Int = 4096
  /// The number of structures that one write transaction can use; at most 32,000. Readers, and a process in successive
  /// transactions, can use any number of structures.
  ///
  /// LMDB keeps the table of the largest transaction while the store is open, and copies it for each later one: after
  /// a transaction with 10,000 structures each write costs about 70 µs more, each read 35 µs.
  public var maximumStructures: Int = 1024
  /// How long opening waits for other processes; 30 seconds by default, nil for no limit.
  ///
  /// This limits the opening of the store, which waits while another process compacts it, and of a structure that does not exist
  /// yet: creating it is a write, and waits for other writers. When the time is over, the error is
  /// ``StoreError/Code/busy`` or ``StoreError/Code/writerBusy`` with the PID of the process in the way. While a program writes
  /// without this library, opening can take longer: see ``SharedStore/write(timeout:_:)``.
  public var openingTimeout: Duration? = .seconds(30)
  /// The mode of a new directory, independent of the umask. Nil for 0700 less the umask.
  public var directoryMode: UInt32?
  /// The mode of a new data file, independent of the umask. Nil for 0600 less the umask. The files beside it get its mode, group
  /// and owner, whenever and by whichever user they are created, as far as that user has the permission.
  public var fileMode: UInt32?
  /// Whether to open a store on a network file system. Only one machine may use it then.
  public var allowNetworkFileSystem: Bool = false
  /// Whether a process of root opens a store whose directory or files belong to another user, or are writable for others or for
  /// a group other than root's. Such a user can end the process by truncating a file. A program of root that sets a
  /// `directoryMode` or `fileMode` with access for others does not need this option.
  public var allowForeignOwner: Bool = false
  /// What opening checks.
  public var verification: Verification = .meta

  /// Whether the map gets the size that the file records, instead of `maximumSize` or `mapReservation`.
  package var keepsMapSize = false

  /// Creates options with the default values.
  public init() {}

  /// Returns the default options with another durability.
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
