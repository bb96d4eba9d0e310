internal import LMDBSharePages
internal import _LMDBShareLMDB
internal import _LMDBShareSystem

/// The environments that this process has open, guarded by the registry's lock.
nonisolated(unsafe) var registry: [Environment] = []

/// Registers, once, a function that is called at the end of the process.
private let settlesAtExit: Int32 = atexit { Environment.settleAtExit() }

extension Environment {
  /// Opens the environment of the directory at `path`, or adds a reference to the one that is already open.
  ///
  /// - Parameter firstCommit: Makes the first commit of a new environment.
  package static func open(
    path: String, options: EnvironmentOptions, firstCommit: (_ transaction: Transaction) throws(StoreError) -> Void
  ) throws(StoreError) -> Environment {
    let deadline = options.openingDeadline
    lms_registry_lock()
    defer { lms_registry_unlock() }
    var options = options
    options.fileLimit = try fileLimit()
    // A program that gives files a mode with which others can write thereby says that it trusts them.
    let trusts = options.allowForeignOwner || ((options.directoryMode ?? 0) | (options.fileMode ?? 0)) & 0o022 != 0
    let directory = try StoreDirectory(
      path: path, create: options.createIfMissing && !options.isReadOnly, directoryMode: options.directoryMode,
      allowNetwork: options.allowNetworkFileSystem, allowForeignOwner: trusts,
      mayBeFile: options.mayBeFile && options.isReadOnly)
    if let known = try find(directory) {
      guard known.options.essentials == options.essentials else {
        throw StoreError(
          .optionsConflict, "open \(path)",
          reason: "the store is open in this process with another \(known.options.differences(from: options))",
          advice: "use the same options everywhere in a process")
      }
      // The caller relies on the check, even if an earlier opening in this process skipped it.
      if options.checkPages { try known.checkPages() }
      known.references += 1
      return known
    }
    if try directory.isSuspect(), try directory.hasData() {
      if options.unsynced == .discard, !options.isReadOnly {
        try directory.discardSuspect(mode: options.fileMode, firstCommit: firstCommit)
      } else if options.unsynced != .check {
        throw directory.suspect
      }
    }
    if try !directory.hasData() {
      guard options.createIfMissing, !options.isReadOnly else {
        throw StoreError(
          .storeNotFound, "open \(directory.path)", reason: "there is no store in this directory",
          advice: "check the path")
      }
      do throws(StoreError) {
        try directory.checkVacant()
        try directory.syncName()
        try directory.createData(mode: options.fileMode, firstCommit: firstCommit)
        // A mark from an earlier store says nothing about this one.
        if try directory.isSuspect() { try directory.noteSynced() }
        // The new file has LMDB's smallest map size, which no program has chosen.
        options.keepsMapSize = false
      } catch {
        directory.undoMaking()
        throw error
      }
    }
    let environment: Environment
    do throws(StoreError) {
      environment = try Environment.map(directory, options, until: deadline)
    } catch  where error.code == .permissionDenied && error.underlying != EROFS {
      throw directory.denial(error, options)
    }
    unsafe registry.append(environment)
    if options.durability == .processCrashOnly && !options.isReadOnly || StoreDirectory.isAnonymous(directory.path) {
      _ = settlesAtExit
    }
    return environment
  }

  /// The system's limit on the size of files, if this process has one.
  private static func fileLimit() throws(StoreError) -> Int? {
    guard let limit = Optional(lms_file_limit()), limit < 1 << 50 else { return nil }
    guard limit >= 1 << 20 else {
      throw StoreError(
        .resourceLimit, "open", reason: "files of this process may have \(limit) bytes at most (ulimit -f)",
        advice: "allow 1 MiB at least")
    }
    return Int(limit)
  }

  /// Removes one reference; the last one closes the environment.
  package func close() {
    // Not under the registry's lock, which comes after the one on the directory.
    if closeLast(), StoreDirectory.isAnonymous(directory.path) { StoreDirectory.removeClosed(directory.path) }
  }

  /// Removes one reference. Returns whether it was this process's last one, and the environment is closed.
  private func closeLast() -> Bool {
    lms_registry_lock()
    defer { lms_registry_unlock() }
    references -= 1
    guard references == 0 else { return false }
    settle()
    unsafe registry.removeAll { $0 === self }
    // After fork the environment is the parent's: closing it here would end the parent's readers.
    guard isOfThisProcess else { return false }
    waiters.stop(self)
    readers.endAll()
    // The writer's remembered states keep the environment alive.
    writer?.forget()
    closeHandle()
    ownersFile.leave()
    return true
  }

  /// Finds the open environment of the same data file, by inode and not by path.
  private static func find(_ directory: StoreDirectory) throws(StoreError) -> Environment? {
    let data = try directory.descriptor.status(of: StoreDirectory.dataFile)?.identity
    let lock = try directory.descriptor.status(of: StoreDirectory.lockFile)?.identity
    let mine = unsafe registry.filter { $0.forkCount == lms_fork_count() }
    guard
      let known = mine.first(where: { $0.dataIdentity == data || $0.lockIdentity == lock && lock != nil })
    else { return nil }
    guard known.dataIdentity == data, known.lockIdentity == lock else {
      throw StoreError(
        .replaced, "open \(directory.path)",
        reason: "data.mdb or lock.mdb belongs to a store that is open in this process, the other one does not",
        advice: "close that store first; never link, remove or replace a file of an open store")
    }
    return known
  }

  private static func map(
    _ directory: StoreDirectory, _ options: EnvironmentOptions, until deadline: ContinuousClock.Instant?
  ) throws(StoreError) -> Environment {
    let meta = try directory.inspectData()
    let used = Int(meta.lastPage + 1) * meta.pageSize
    var options = options
    if options.keepsMapSize { options.maximumSize = min(max(Int(clamping: meta.mapSize), 1 << 16), 1 << 46) }
    let size = try reservation(options, used: used)
    let ownersFile = OwnersFile(directory: directory, isReadOnly: options.isReadOnly)
    if !options.isUnlocked, !directory.isFile {
      do throws(StoreError) {
        try makeLockFile(directory)
      } catch  where options.isReadOnly && error.underlying == EROFS {
        // There LMDB reads without a lock file, since no process can write.
      }
    }
    let lock = try directory.descriptor.status(of: StoreDirectory.lockFile)?.identity
    let before = try directory.descriptor.status(of: StoreDirectory.dataFile)?.identity
    let handle = unsafe try openHandle(directory, options, size: size, until: deadline)
    let made = unsafe madeByOpening(handle, before: before)
    var map = PageMap.none
    do throws(StoreError) {
      if made != nil { throw vanished(directory) }
      map = unsafe try checkedMap(directory, options, handle)
      // From here on others see that this process has the store open. The files that it opened must be the ones that they find.
      ownersFile.enter()
      let data = unsafe dataFile(of: handle)
      guard let data, try directory.descriptor.status(of: StoreDirectory.dataFile)?.identity == data,
        try directory.descriptor.status(of: StoreDirectory.lockFile)?.identity == lock
      else {
        throw vanished(directory)
      }
      return unsafe Environment(
        directory: directory, options: options, handle: handle, map: map, owners: ownersFile,
        data: data, lock: lock)
    } catch {
      map.unmap()
      unsafe mdb_env_close(handle)
      if let made, (try? directory.descriptor.status(of: StoreDirectory.dataFile))??.identity == made {
        try? directory.descriptor.remove(StoreDirectory.dataFile)
      }
      throw error
    }
  }

  private static func vanished(_ directory: StoreDirectory) -> StoreError {
    StoreError(
      .replaced, "open \(directory.path)", reason: "a file vanished or was replaced during the opening",
      advice: "try again")
  }

  /// The data file that LMDB has created because the previous one is gone: the opening may have waited long for the lock file. A
  /// file that another process has put in its place has commits.
  private static func madeByOpening(_ handle: OpaquePointer, before: FileIdentity?) -> FileIdentity? {
    guard let opened = unsafe dataFile(of: handle), opened != before else { return nil }
    var info = unsafe MDB_envinfo()
    return unsafe mdb_env_info(handle, &info) == 0 && info.me_last_txnid == 0 ? opened : nil
  }

  /// Creates `lock.mdb` if it is missing, unless a process has the store open: that process has another lock file, which was
  /// removed, and both would write at the same time.
  static func makeLockFile(_ directory: StoreDirectory) throws(StoreError) {
    func isThere() throws(StoreError) -> Bool {
      try directory.descriptor.status(of: StoreDirectory.lockFile) != nil
    }
    if try isThere() { return }
    // Of two processes that open a new store at the same time, the slower one finds the file by now.
    if Owners.isAnyAlive(in: directory), try !isThere() {
      throw StoreError(
        .replaced, "open \(directory.path)",
        reason: "lock.mdb was removed while a process has the store open, which continues with the removed one",
        advice: "end all processes that have the store open, then open it again")
    }
    try directory.makeSideFile(StoreDirectory.lockFile)
  }

  /// Maps the file for this process's readers. If that is requested or required, every page is checked first, before LMDB follows
  /// any of them.
  ///
  /// The pages are read from the file. A read transaction, for which LMDB only reads the meta pages, keeps other processes from
  /// overwriting them meanwhile.
  private static func checkedMap(
    _ directory: StoreDirectory, _ options: EnvironmentOptions, _ handle: OpaquePointer
  ) throws(StoreError) -> PageMap {
    let pin = unsafe try beginReading(handle, "open \(directory.path)", isAlone: true)
    defer { unsafe mdb_txn_abort(pin) }
    let isSuspect = try directory.isSuspect()
    if options.checkPages || isSuspect { try directory.checkAllPages() }
    let map = unsafe try map(handle, checking: options.mark, directory)
    // From now on the store counts as sound.
    guard isSuspect, !options.isReadOnly else { return map }
    do throws(StoreError) {
      try check(unsafe mdb_env_sync(handle, 1), "sync")
      try directory.trustSuspect()
    } catch {
      map.unmap()
      throw error
    }
    return map
  }

  /// Maps the file for readers, as large as LMDB's map.
  ///
  /// - Parameter mark: A key that the main database of a store must have; checked before anything is created in the directory.
  private static func map(
    _ handle: OpaquePointer, checking mark: String?, _ directory: StoreDirectory
  ) throws(StoreError) -> PageMap {
    guard let mark else { return unsafe try PageMap(handle) }
    let operation = "open \(directory.path)"
    for _ in 0..<100 {
      // LMDB's map follows the file here, which other processes may let grow at any time; the readers' map follows LMDB's.
      let reader = unsafe try beginReading(handle, operation, isAlone: true)
      defer { unsafe mdb_txn_abort(reader) }
      let map = unsafe try PageMap(handle)
      switch unsafe map.wholeSnapshot(reader) {
      case .failed(let code):
        map.unmap()
        guard code == MDB_MAP_RESIZED || isPassing(code) else { throw StoreError(beginning: code, operation) }
      case .taken(let pages, _):
        let found = unsafe Array(mark.utf8).withUnsafeBytes { unsafe pages.pages.find(pages.main, BytesKey($0)) }
        if case .entry = found { return map }
        map.unmap()
        if case .none = found { throw directory.notOurs }
        throw StoreError(returnCode: MDB_CORRUPTED, operation)
      }
    }
    throw StoreError(
      .busy, operation, reason: "other processes commit too fast to read the meta page", advice: "try again")
  }

  /// Checks every page of the open environment; throws what it finds.
  package func checkPages() throws(StoreError) {
    // Keeps pages from being reused meanwhile.
    let pin = try beginRead()
    defer { pin.end() }
    try directory.checkAllPages()
  }

  /// An LMDB handle with a map of `size` bytes.
  ///
  /// - Parameter deadline: Until when to wait for a process that holds the lock file exclusively; nil for no limit.
  static func openHandle(
    _ directory: StoreDirectory, _ options: EnvironmentOptions, size: Int, until deadline: ContinuousClock.Instant?
  ) throws(StoreError) -> OpaquePointer {
    try waitForLockFile(directory, until: deadline)
    var handle: OpaquePointer?
    try check(unsafe mdb_env_create(&handle), "open \(directory.path)")
    do throws(StoreError) {
      try check(unsafe mdb_env_set_mapsize(handle, size), "reserve the map")
      try check(unsafe mdb_env_set_maxreaders(handle, UInt32(options.maximumReaders)), "set the number of readers")
      // The databases of one write transaction, besides the catalogue, the values, the tokens, and those that are still open from
      // earlier.
      try check(
        unsafe mdb_env_set_maxdbs(handle, UInt32(options.maximumStructures + OpenDatabases.usual + 8)),
        "set the number of structures")
      // Never WRITEMAP (SIGBUS when the disk is full), MAPASYNC, NOMEMINIT or FIXEDMAP.
      var flags = MDB_NOTLS | MDB_NORDAHEAD
      if options.isReadOnly { flags |= MDB_RDONLY }
      if options.isUnlocked { flags |= MDB_NOLOCK }
      if directory.isFile { flags |= MDB_NOSUBDIR }
      switch options.durability {
      case .durable: break
      case .relaxed: flags |= MDB_NOMETASYNC
      case .processCrashOnly: flags |= MDB_NOSYNC
      }
      var attempts = 0
      var code: Int32
      repeat {
        code = unsafe openFiles(handle, directory.place, UInt32(flags))
        attempts += 1
        // Of two processes that open the lock file at the same time, one may get this error.
      } while code == EAGAIN && attempts < 100 && sched_yield() == 0
      if code == MDB_INVALID || code == MDB_VERSION_MISMATCH { throw try directory.lockFileProblem(code) }
      if code != 0 { throw StoreError(beginning: code, "open \(directory.path)") }
      // A process that died while reading holds pages, and a slot, until another process clears it.
      var dead: Int32 = 0
      try check(unsafe mdb_reader_check(handle, &dead), "check for dead readers")
      unsafe try openMain(handle!, "open \(directory.path)")
      return unsafe handle!
    } catch {
      unsafe mdb_env_close(handle)
      throw error
    }
  }

  /// Lets LMDB open the main database, before anything is looked up.
  private static func openMain(_ handle: OpaquePointer, _ operation: String) throws(StoreError) {
    let transaction = unsafe try beginReading(handle, operation, isAlone: true)
    defer { unsafe mdb_txn_abort(transaction) }
    var main: MDB_dbi = 0
    try check(unsafe mdb_dbi_open(transaction, nil, 0, &main), operation)
  }

  /// Lets LMDB open its files: none gets the number of a standard stream, and none stays open in programs that are started.
  static func openFiles(_ handle: OpaquePointer?, _ path: String, _ flags: UInt32) -> Int32 {
    guard lms_occupy_streams() == 0 else { return lms_errno() }
    let code = unsafe mdb_env_open(handle, path, flags, 0o600)
    guard code == 0 else { return code }
    var file: Int32 = -1
    _ = unsafe mdb_env_get_fd(handle, &file)
    // LMDB opens the data file without this flag.
    guard lms_close_on_exec(file) >= 0 else { return lms_errno() }
    // Another thread may have closed a stream meanwhile.
    var ours: [FileIdentity] = []
    for name in [
      path, "\(path)-lock", "\(path)/\(StoreDirectory.dataFile)", "\(path)/\(StoreDirectory.lockFile)",
    ] {
      if let status = FileStatus(at: name, followingLinks: true) { ours.append(status.identity) }
    }
    for stream: Int32 in 0..<3 {
      if let status = FileStatus(of: stream), status.isRegular, ours.contains(status.identity) { return EBADF }
    }
    return 0
  }

  /// The data file that LMDB has open.
  private static func dataFile(of handle: OpaquePointer) -> FileIdentity? {
    var file: Int32 = -1
    guard unsafe mdb_env_get_fd(handle, &file) == 0 else { return nil }
    return FileStatus(of: file)?.identity
  }
}
