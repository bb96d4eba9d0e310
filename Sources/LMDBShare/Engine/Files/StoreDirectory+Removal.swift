internal import _LMDBShareSystem

extension StoreDirectory {
  /// The prefix of directories that are being removed.
  static let removedPrefix = ".removed-"

  /// Removes a store: its files and its directory.
  ///
  /// The directory is first renamed to a name that cannot be guessed, so that at every moment the path leads to the whole store
  /// or to none, whatever dies. Processes that have the store open keep their files. Nothing happens when there is no store.
  ///
  /// - Throws: `.notAStore`, which names a file that does not belong to a store; such files stay at the path.
  package static func remove(_ path: String) throws(StoreError) {
    let (parentPath, name) = split(path)
    let parent: FileDescriptor
    do throws(StoreError) {
      parent = try FileDescriptor.directory(parentPath)
    } catch  where error.underlying == ENOENT {
      return
    }
    guard let status = try parent.status(of: name) else { return }
    guard status.isDirectory else {
      throw StoreError(
        .wrongFileKind, "remove \(path)", reason: "this is \(status.kind), not a directory",
        advice: "give the directory of the store")
    }
    let removed = removedPrefix + randomName()
    if unsafe renameat(parent.number, name, parent.number, removed) != 0 {
      // Another process was faster.
      if lms_errno() == ENOENT { return }
      throw StoreError(returnCode: lms_errno(), "remove \(path)")
    }
    let stranger: String?
    do throws(StoreError) {
      stranger = try clear(removed, in: parent)
    } catch {
      // Moves the remaining files back to the path, unless a new store has been created there.
      _ = unsafe lms_rename_exclusive(parent.number, removed, name)
      throw error
    }
    if let stranger {
      let isBack = unsafe lms_rename_exclusive(parent.number, removed, name) == 0
      let place = isBack ? path : "\(parentPath)/\(removed)"
      throw StoreError(
        .notAStore, "remove \(path)",
        reason: "the store's files are removed, but \(place) holds other files, for example \(stranger)",
        advice: "move them elsewhere, and remove the directory")
    }
  }

  /// Completes removals that a process began before it died.
  static func finishRemovals(in parent: FileDescriptor) throws(StoreError) {
    for name in try parent.names() where name.hasPrefix(removedPrefix) { _ = try? clear(name, in: parent) }
  }

  /// Removes a store's files in a directory, and the directory if it is then empty. Returns the name of a file that does not
  /// belong to a store, if there is one.
  private static func clear(_ name: String, in parent: FileDescriptor) throws(StoreError) -> String? {
    let directory: FileDescriptor
    do throws(StoreError) {
      directory = try parent.open(name, O_RDONLY | O_DIRECTORY)
    } catch  where error.underlying == ENOENT {
      return nil
    }
    // A process that has the store open may create a side file meanwhile.
    for _ in 0..<100 {
      var stranger: String?
      for file in try directory.names() {
        if isOwn(file), try directory.status(of: file)?.isDirectory != true {
          try directory.remove(file)
        } else {
          stranger = min(stranger ?? file, file)
        }
      }
      if let stranger { return stranger }
      if unsafe unlinkat(parent.number, name, AT_REMOVEDIR) == 0 || lms_errno() == ENOENT { return nil }
      guard lms_errno() == ENOTEMPTY || lms_errno() == EEXIST else { break }
    }
    throw StoreError(returnCode: lms_errno(), "remove \(name)")
  }

  /// 32 hexadecimal digits that cannot be guessed.
  static func randomName() -> String {
    (0..<2).map { _ in
      let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// The parent directory of a path, and its last component.
  static func split(_ path: String) -> (parent: String, name: String) {
    var trimmed = Substring(path)
    while trimmed.utf8.count > 1, trimmed.utf8.last == UInt8(ascii: "/") { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return (".", String(trimmed)) }
    let name = trimmed[trimmed.index(after: slash)...]
    return (slash == trimmed.startIndex ? "/" : String(trimmed[..<slash]), String(name))
  }

  /// Takes LMDB's lock on the store exclusively, until the returned file is closed. The caller holds the registry's lock.
  ///
  /// LMDB holds a lock on the first byte of `lock.mdb` for each process that has the environment open, and an opening waits for
  /// it.
  ///
  /// The lock file is not sufficient: it may have been removed, and processes that only read may not use it.
  ///
  /// - Returns: Nil when there is no lock file, and no process has the store open.
  /// - Throws: `.busy`, with the process that has the store open, which may be this one.
  @discardableResult
  func holdAlone(_ operation: String, advice: String) throws(StoreError) -> FileDescriptor? {
    let files = [
      try descriptor.status(of: Self.dataFile)?.identity, try descriptor.status(of: Self.lockFile)?.identity,
    ]
    func busy(_ holder: Int?) -> StoreError {
      StoreError(
        .busy, operation, reason: "\(holder.map { "process \($0)" } ?? "a process") has the store open",
        advice: advice, processID: holder)
    }
    // Opened and closed explicitly, which is allowed only because this process has no LMDB environment open here: closing the
    // file drops this process's locks on it.
    guard
      unsafe !registry.contains(where: {
        $0.isOfThisProcess && (files.contains($0.dataIdentity) || files.contains($0.lockIdentity))
      })
    else { throw busy(Int(getpid())) }
    let lock: FileDescriptor
    do throws(StoreError) {
      lock = try descriptor.open(Self.lockFile, O_RDWR)
    } catch  where error.underlying == ENOENT {
      if let other = Owners.another(in: self) { throw busy(other > 0 ? other : nil) }
      return nil
    }
    var holder: Int32 = 0
    guard unsafe lms_lock_alone(lock.number, &holder) == 0 else { throw busy(holder > 0 ? Int(holder) : nil) }
    if let other = Owners.another(in: self) { throw busy(other > 0 ? other : nil) }
    return lock
  }
}
