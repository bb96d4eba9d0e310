/// What went wrong, where, and what to do about it.
///
/// Compare ``code`` to distinguish errors; print the error itself for people:
///
///     do { try store.write { txn in … } }
///     catch let error as StoreError where error.code == .mapFull { … }
public struct StoreError: Error, Hashable, Sendable {
  /// The kind of an error. Open: later versions add codes.
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The code's stable name.
    public let rawValue: String
    /// A code of that name.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// The code's stable name.
    public var description: String { rawValue }
  }

  /// The kind of error.
  public let code: Code
  /// The operation that failed, for example `open` or `write`.
  public let operation: String
  /// The name of the structure concerned, unescaped; nil when no structure is concerned.
  public let structure: String?
  /// What is wrong. Control characters in quoted names and bytes are escaped.
  public let reason: String
  /// What the user can do about it.
  public let advice: String
  /// The code of LMDB (negative) or of the operating system (`errno`) behind it, or nil.
  public let underlying: Int32?
  /// The process that is in the way, if its number is known: for ``Code/writerBusy`` the one that writes.
  public let processID: Int?

  package init(
    _ code: Code, _ operation: String, structure: String? = nil, reason: String, advice: String,
    underlying: Int32? = nil, processID: Int? = nil
  ) {
    self.code = code
    self.operation = operation.withoutControls
    self.structure = structure
    self.reason = reason.withoutControls
    self.advice = advice.withoutControls
    self.underlying = underlying
    self.processID = processID
  }

  /// The same error with the name of a structure.
  package func about(_ structure: String) -> StoreError {
    guard self.structure == nil else { return self }
    return StoreError(
      code, operation, structure: structure, reason: reason, advice: advice, underlying: underlying,
      processID: processID)
  }
}

extension StoreError: CustomStringConvertible {
  /// One line: operation, structure, reason, advice. Control characters are escaped, and backslashes in the structure's name.
  public var description: String {
    let place = structure.map { " '\($0.escapedName)'" } ?? ""
    return "\(operation)\(place): \(reason); \(advice)"
  }
}

extension StoreError.Code {
  // MARK: Opening

  /// There is no store at the path, and it was not to be created.
  public static let storeNotFound = Self(rawValue: "storeNotFound")
  /// A store exists already where a new one was to be created, by a backup for example.
  public static let storeExists = Self(rawValue: "storeExists")
  /// `data.mdb` is not an LMDB file, or the directory is not a store.
  public static let notAStore = Self(rawValue: "notAStore")
  /// `data.mdb` is empty.
  public static let emptyFile = Self(rawValue: "emptyFile")
  /// `data.mdb` is shorter than its own meta pages say.
  public static let truncated = Self(rawValue: "truncated")
  /// Commits that were not synced were made before the machine was restarted, so that the data may be inconsistent.
  public static let unsynced = Self(rawValue: "unsynced")
  /// Stored bytes contradict the format.
  public static let damaged = Self(rawValue: "damaged")
  /// Written by LMDB 1.0 or a later format of this library.
  public static let newerFormat = Self(rawValue: "newerFormat")
  /// Written by a variant of LMDB with a file format of its own, for example lmdb-js.
  public static let foreignFormat = Self(rawValue: "foreignFormat")
  /// A directory, FIFO, device, socket or symbolic link is in the place of a file.
  public static let wrongFileKind = Self(rawValue: "wrongFileKind")
  /// The operating system denies access.
  public static let permissionDenied = Self(rawValue: "permissionDenied")
  /// The store belongs to another user, or every user may replace its files, and this process runs as root.
  public static let foreignOwner = Self(rawValue: "foreignOwner")
  /// The path lies on a network file system, where LMDB's locks and maps do not work.
  public static let networkFileSystem = Self(rawValue: "networkFileSystem")
  /// The store is open in this process with other options.
  public static let optionsConflict = Self(rawValue: "optionsConflict")
  /// A file of the store was removed or replaced while the store was open.
  public static let replaced = Self(rawValue: "replaced")

  // MARK: Transactions

  /// A write was begun inside a write of the same thread.
  public static let nestedWrite = Self(rawValue: "nestedWrite")
  /// Another process or thread was still writing at the end of the time limit.
  public static let writerBusy = Self(rawValue: "writerBusy")
  /// A store opened before `fork` was used in the child.
  public static let usedAfterFork = Self(rawValue: "usedAfterFork")
  /// A transaction of this process is in the way, or another process uses the store or structure.
  public static let busy = Self(rawValue: "busy")
  /// A commit failed, and it is not known whether it is on disk.
  public static let outcomeUnknown = Self(rawValue: "outcomeUnknown")
  /// A transaction with the same token has been committed before.
  public static let alreadyCommitted = Self(rawValue: "alreadyCommitted")
  /// A snapshot is older than this process's first use of the structure.
  public static let snapshotTooOld = Self(rawValue: "snapshotTooOld")

  // MARK: Room

  /// The file has grown by as much as ``StoreOptions/maximumSnapshotGrowth`` allows while one snapshot is held.
  public static let snapshotInTheWay = Self(rawValue: "snapshotInTheWay")
  /// The store has reached its maximum size.
  public static let mapFull = Self(rawValue: "mapFull")
  /// The disk or quota is full.
  public static let diskFull = Self(rawValue: "diskFull")
  /// All reader slots are taken by live transactions.
  public static let readersFull = Self(rawValue: "readersFull")
  /// More structures are in use than the store was opened for.
  public static let structuresFull = Self(rawValue: "structuresFull")
  /// One transaction touched more pages than LMDB can hold.
  public static let transactionTooLarge = Self(rawValue: "transactionTooLarge")
  /// Memory, address space or file descriptors ran out.
  public static let resourceLimit = Self(rawValue: "resourceLimit")

  // MARK: Structures and values

  /// There is no structure of that name.
  public static let structureNotFound = Self(rawValue: "structureNotFound")
  /// The structure was removed, renamed or created again since it was opened.
  public static let structureRemoved = Self(rawValue: "structureRemoved")
  /// A structure of that name exists already.
  public static let structureExists = Self(rawValue: "structureExists")
  /// The structure's kind, types or shape differ from the requested ones.
  public static let typeMismatch = Self(rawValue: "typeMismatch")
  /// The name is not a valid name for a structure.
  public static let invalidName = Self(rawValue: "invalidName")
  /// The value is larger than 1 GiB.
  public static let valueTooLarge = Self(rawValue: "valueTooLarge")
  /// Stored bytes are not a valid value of the expected type.
  public static let undecodable = Self(rawValue: "undecodable")
  /// A value cannot be stored.
  public static let unencodable = Self(rawValue: "unencodable")
  /// A key or index is out of the permitted range.
  public static let outOfRange = Self(rawValue: "outOfRange")
  /// The keys of a bulk load do not ascend.
  public static let notSorted = Self(rawValue: "notSorted")

  // MARK: Queues

  /// The queue holds as many items as it may.
  public static let queueFull = Self(rawValue: "queueFull")
  /// The queue was closed and accepts no more items.
  public static let queueClosed = Self(rawValue: "queueClosed")
  /// The lease is no longer current: it expired, or its item was acknowledged, released or removed.
  public static let leaseLost = Self(rawValue: "leaseLost")

  // MARK: Synchronization

  /// A lock was not free, or an event not set, at the end of the time limit.
  public static let timedOut = Self(rawValue: "timedOut")
  /// A lock or permit was released that this process does not hold.
  public static let notHeld = Self(rawValue: "notHeld")
  /// A thread asked again for a lock that it holds.
  public static let deadlock = Self(rawValue: "deadlock")
  /// A participant that waited at the barrier died or gave up, so that the barrier cannot open.
  public static let barrierBroken = Self(rawValue: "barrierBroken")

  // MARK: Workers

  /// A process that was started as a worker starts itself again, without having run its work.
  public static let workerRecursion = Self(rawValue: "workerRecursion")
  /// Workers died, more of them or sooner than a pool replaces.
  public static let workersDied = Self(rawValue: "workersDied")

  // MARK: System

  /// Reading or writing the disk failed.
  public static let inputOutput = Self(rawValue: "inputOutput")
  /// This process's place among the readers was given away: by a program in another PID namespace, which takes this process for
  /// dead, or because `lock.mdb` was replaced.
  public static let readerLost = Self(rawValue: "readerLost")
  /// Two processes with the same PID, from two PID namespaces, have the store open.
  public static let processNumberTaken = Self(rawValue: "processNumberTaken")
  /// Anything else that LMDB or the system reports.
  public static let system = Self(rawValue: "system")
}
