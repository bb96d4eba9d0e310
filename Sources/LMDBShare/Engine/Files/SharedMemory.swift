internal import _LMDBShareSystem

// Stores in shared memory are in one directory for each user. Processes that create or remove one there do so one after the
// other: they hold a lock on the directory, which the kernel drops when they die. Each first removes what dead processes have
// left. A process takes this lock before it takes the registry's.

extension StoreDirectory {
  /// The prefix of the directories of stores that are removed with their last process.
  private static let anonymousPrefix = ".anonymous-"
  /// How long an opening waits for another process that creates or removes a store.
  private static let patience = Duration.seconds(10)
  /// How long a process that closes its last store there waits for it. What it leaves, the next opening removes.
  private static let patienceAtEnd = Duration.seconds(1)

  /// Runs `body` with the path of the user's directory in shared memory, while no other process creates or removes a store there.
  static func inSharedMemory<R>(_ body: (_ directory: String) throws -> R) throws -> R {
    try withSharedMemory(patience) { path, directory in
      try finishRemovals(in: directory)
      try removeAbandoned(in: directory, path)
      return try body(path)
    }
  }

  private static func removeAbandoned(in directory: FileDescriptor, _ path: String) throws(StoreError) {
    for name in try directory.names() where name.hasPrefix(anonymousPrefix) {
      try? removeUnlessInUse("\(path)/\(name)")
    }
  }

  /// Removes a store without a name that this process has closed, unless other processes have it open.
  static func removeClosed(_ path: String) {
    try? withSharedMemory(patienceAtEnd) { _, _ in
      let start = ContinuousClock.now
      while try !removeOrKeep(path), start.duration(to: .now) < patienceAtEnd { usleep(1000) }
    }
  }

  /// Removes a store, or keeps it for the processes that have it open. Returns false if that is not known yet: a process that ends
  /// has left and still has LMDB's lock, or one is opening the store.
  private static func removeOrKeep(_ path: String) throws(StoreError) -> Bool {
    do throws(StoreError) {
      try removeUnlessInUse(path)
    } catch  where error.code == .busy {
      return Owners.isAnyAlive(in: try StoreDirectory(path: path, create: false, allowNetwork: true))
    }
    return true
  }

  /// At the end of the process, removes the stores without a name that it still has open, unless other processes have them open.
  ///
  /// Processes that end at the same time do this one after the other: each shows that it has left, so that the last one finds
  /// itself alone.
  static func leaveAnonymous() {
    try? withSharedMemory(patienceAtEnd) { _, _ in
      guard lms_registry_try_lock() else { return }
      defer { lms_registry_unlock() }
      for environment in unsafe registry
      where environment.isOfThisProcess && isAnonymous(environment.directory.path) {
        environment.ownersFile.leave()
        if !Owners.isAnyAlive(in: environment.directory) { try? remove(environment.directory.path) }
      }
    }
  }

  /// Runs `body` with the user's directory in shared memory, while this process holds the lock on it.
  private static func withSharedMemory<R>(
    _ patience: Duration, _ body: (_ path: String, _ directory: FileDescriptor) throws -> R
  ) throws -> R {
    let path = try sharedMemory()
    let directory = try FileDescriptor.directory(path)
    // A forked child must not keep the lock.
    lms_close_after_fork(directory.number)
    defer { lms_keep_after_fork(directory.number) }
    let start = ContinuousClock.now
    while flock(directory.number, LOCK_EX | LOCK_NB) != 0 {
      guard lms_errno() == EWOULDBLOCK || lms_errno() == EINTR else {
        throw StoreError(returnCode: lms_errno(), "lock \(path)")
      }
      guard start.duration(to: .now) < patience else {
        throw StoreError(
          .busy, "lock \(path)", reason: "another process of this user is making or removing a store in shared memory",
          advice: "look for one that is stopped; then try again")
      }
      usleep(1000)
    }
    defer { withExtendedLifetime(directory) {} }
    return try body(path, directory)
  }

  /// A path for a store that is removed with its last process.
  static func anonymous(in directory: String) -> String {
    "\(directory)/\(anonymousPrefix)\(randomName()).lmdb"
  }

  /// Whether the path belongs to such a store.
  static func isAnonymous(_ path: String) -> Bool { path.contains("/lmdbshare-\(geteuid())/\(anonymousPrefix)") }

  /// Removes a store that no process has open.
  ///
  /// - Throws: `.busy`, with the process that has it open.
  static func removeUnlessInUse(_ path: String) throws(StoreError) {
    lms_registry_lock()
    defer { lms_registry_unlock() }
    let directory: StoreDirectory
    do throws(StoreError) {
      directory = try StoreDirectory(path: path, create: false, allowNetwork: true)
    } catch  where error.underlying == ENOENT {
      return
    }
    // Processes that open the store meanwhile wait for the lock, and then find that the store is gone.
    let lock = try directory.holdAlone(
      "remove \(path)", advice: "end it first; or use another name, or a store without one")
    defer { withExtendedLifetime(lock) {} }
    try remove(path)
  }

  /// The user's own directory in shared memory, created if necessary. A directory of another user in its place is refused.
  ///
  /// The user is the effective one, which owns the directory: what a program with another user's rights creates belongs to that
  /// user, and has its name.
  private static func sharedMemory() throws(StoreError) -> String {
    let user = geteuid()
    let isWritable = unsafe faccessat(AT_FDCWD, "/dev/shm", W_OK, AT_EACCESS) == 0
    let path = "\(isWritable ? "/dev/shm" : temporaryDirectory)/lmdbshare-\(user)"
    if unsafe mkdir(path, 0o700) != 0, lms_errno() != EEXIST {
      throw StoreError(returnCode: lms_errno(), "create \(path)")
    }
    guard let status = FileStatus(at: path) else { throw StoreError(returnCode: lms_errno(), "look at \(path)") }
    guard status.isDirectory, status.owner == user, status.mode & 0o077 == 0 else {
      throw StoreError(
        .permissionDenied, "open \(path)", reason: "it is not a private directory of this user (user \(user))",
        advice: "remove it, or give it mode 0700")
    }
    return path
  }

  private static var temporaryDirectory: String {
    // A user who starts a program with another user's rights must not choose where it writes.
    if getuid() == geteuid(), let value = unsafe getenv("TMPDIR") { return unsafe String(cString: value) }
    return "/tmp"
  }
}
