internal import LMDBSharePages
internal import Synchronization
internal import _LMDBShareLMDB
internal import _LMDBShareSystem

/// Replaces a store that no process has open by a compacted copy.
///
/// LMDB holds a lock on the first byte of `lock.mdb` for each process that has the environment open, and an opening waits for it.
/// A process that holds this lock exclusively keeps all others out. The rename of the new file to the old one's name is the only
/// change; a process that dies before or after it loses nothing.
package enum Compaction {
  /// The size of the file in bytes before and after.
  package struct Result: Sendable {
    package let before: Int
    package let after: Int
  }

  /// Compacts the store in a directory.
  ///
  /// - Parameter progress: Called ten times a second with the number of bytes of the copy that are written.
  /// - Throws: `.busy`, with the process that has the store open.
  package static func run(
    path: String, progress: (@Sendable (Int) -> Void)? = nil
  ) throws(StoreError) -> Result {
    lms_registry_lock()
    defer { lms_registry_unlock() }
    let directory = try StoreDirectory(path: path, create: false, allowNetwork: false)
    let seen = try directory.descriptor.status(of: StoreDirectory.dataFile)
    guard seen != nil else { throw StoreError(returnCode: ENOENT, "compact \(path)") }
    try Environment.makeLockFile(directory)
    let lock = try directory.holdAlone(
      "compact \(path)", advice: "end all processes that use it; or make a compacting backup, which needs no such thing"
    )
    defer { withExtendedLifetime(lock) {} }
    // Not earlier: until now another process could have committed, and closed the store.
    if try directory.isSuspect() { throw directory.suspect }
    let data = try directory.descriptor.status(of: StoreDirectory.dataFile)
    let meta = try directory.inspectData()
    // LMDB follows every page next.
    try directory.checkAllPages()
    let copy = try Copy(in: directory, mode: nil)
    do throws(StoreError) {
      try directory.likenToData(copy.file)
      try copy.fill(from: directory, meta: meta, progress)
      try copy.keepNumbers(of: meta)
      try copy.verify()
      KillPoint.pass(.compacted)
      try copy.replaceData()
    } catch {
      copy.discard()
      throw error
    }
    KillPoint.pass(.compactedNamed)
    return Result(before: data?.size ?? 0, after: try copy.file.status().size)
  }
}

/// A file that becomes a data file. It has no name until it is complete, where the system supports that.
struct Copy {
  let file: FileDescriptor
  private let directory: StoreDirectory
  private let name: String?

  /// - Parameter mode: The file's mode; nil for 0600 less the umask.
  init(in directory: StoreDirectory, mode: UInt32?) throws(StoreError) {
    self.directory = directory
    if let unnamed = try directory.descriptor.unnamed(mode: mode ?? 0o600) {
      file = unnamed
      name = nil
    } else {
      let name = StoreDirectory.temporaryName()
      file = try directory.descriptor.open(name, O_RDWR | O_CREAT | O_EXCL, mode: mode ?? 0o600)
      self.name = name
    }
    if let mode { try file.setMode(mode) }
  }

  /// Copies a store that no process writes to.
  func fill(
    from directory: StoreDirectory, meta: Meta, _ progress: (@Sendable (Int) -> Void)?
  ) throws(StoreError) {
    var handle: OpaquePointer?
    try check(unsafe mdb_env_create(&handle), "compact")
    defer { unsafe mdb_env_close(handle) }
    // The copy records the same map size, which other programs may use.
    let used = Int(meta.lastPage + 1) * meta.pageSize
    let size = Int(clamping: meta.mapSize)
    try check(unsafe mdb_env_set_mapsize(handle, size > used && Environment.fits(size) ? size : used), "compact")
    try check(
      unsafe Environment.openFiles(handle, directory.place, UInt32(MDB_RDONLY | MDB_NOLOCK | MDB_NORDAHEAD)),
      "open \(directory.path)")
    try unsafe write(handle!, compacting: true, progress)
  }

  /// Lets LMDB write the environment into the file.
  func write(
    _ handle: OpaquePointer, compacting: Bool, _ progress: (@Sendable (Int) -> Void)?
  ) throws(StoreError) {
    let watcher = progress.map { Watcher(file, $0) }
    let code = unsafe mdb_env_copyfd2(handle, file.number, compacting ? UInt32(MDB_CP_COMPACT) : 0)
    watcher?.stop()
    try check(code, "copy \(directory.path)")
    try file.sync()
  }

  /// Copies the pages of a snapshot that the caller holds. Both meta pages of the file describe this snapshot.
  func fill(
    from directory: StoreDirectory, _ meta: MetaPage, _ progress: (@Sendable (Int) -> Void)?
  ) throws(StoreError) {
    let watcher = progress.map { Watcher(file, $0) }
    defer { watcher?.stop() }
    let size = meta.bytes.count
    let source = try directory.descriptor.file(StoreDirectory.dataFile)
    // The last pages may never have been written: those that were allocated and freed in one transaction.
    let end = min((Int(meta.meta.lastPage) + 1) * size, try source.status().size)
    var offset = 2 * size
    while offset < end {
      let bytes = try source.read(at: offset, count: min(1 << 20, end - offset))
      guard !bytes.isEmpty else { break }
      try write(bytes, at: offset)
      offset += bytes.count
    }
    try writeMetas(meta.bytes, of: meta.meta.transaction)
    try file.sync()
  }

  private func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) {
    let written = unsafe pwrite(file.number, bytes, bytes.count, off_t(offset))
    if written != bytes.count {
      throw StoreError(returnCode: written < 0 ? lms_errno() : ENOSPC, "copy \(directory.path)")
    }
  }

  /// Writes both meta pages. They describe the same tree, also the one with the previous transaction's number, so that either can
  /// be used.
  private func writeMetas(_ newest: [UInt8], of last: UInt64) throws(StoreError) {
    for page in 0..<2 {
      var bytes = newest
      let number = last % 2 == UInt64(page) ? last : last - (last > 0 ? 1 : 0)
      bytes.replaceSubrange(0..<8, with: UInt64(page).bytes)
      bytes.replaceSubrange(PageLayout.transaction..<PageLayout.transaction + 8, with: number.bytes)
      try write(bytes, at: page * newest.count)
    }
  }

  /// Compaction restarts the transaction numbers at 1. The lock file, and the memory of processes that may be about to open the
  /// store, continue from the old numbers, so the copy does the same.
  func keepNumbers(of meta: Meta) throws(StoreError) {
    try writeMetas(try file.read(at: meta.pageSize, count: meta.pageSize), of: meta.transaction)
    try file.sync()
  }

  /// Checks every page.
  func verify() throws(StoreError) {
    do {
      try PageFile(source: file).check()
    } catch {
      let problem = error as? PageProblem
      throw error as? StoreError ?? problem.map { StoreError($0, "check the copy") }
        ?? StoreError(returnCode: EIO, "check")
    }
  }

  /// Gives the file its name, unless a file of that name exists.
  func takeName() throws(StoreError) {
    if let name {
      let code = unsafe lms_rename_exclusive(directory.descriptor.number, name, StoreDirectory.dataFile)
      try checkErrno(code, "copy to \(directory.path)")
    } else if try !file.link(into: directory.descriptor, as: StoreDirectory.dataFile) {
      throw StoreError(returnCode: EEXIST, "copy to \(directory.path)")
    }
    KillPoint.pass(.backupNamed)
    try directory.descriptor.sync()
  }

  /// Replaces the data file by this file.
  func replaceData() throws(StoreError) {
    let temporary = name ?? StoreDirectory.temporaryName()
    if name == nil { _ = try file.link(into: directory.descriptor, as: temporary) }
    try directory.replaceData(by: temporary)
    try directory.descriptor.sync()
  }

  /// Removes the file, unless it has taken its name.
  func discard() { if let name { try? directory.descriptor.remove(name) } }
}

/// Reports the size of a file ten times a second.
private final class Watcher: Sendable {
  private let thread: UInt64?
  private let ended = Ended()

  private final class Ended: Sendable {
    let flag = Atomic<Bool>(false)
  }

  init(_ file: FileDescriptor, _ progress: @escaping @Sendable (Int) -> Void) {
    thread = NativeThread.start { [ended] in
      while !ended.flag.load(ordering: .relaxed) {
        progress((try? file.status().size) ?? 0)
        usleep(100_000)
      }
    }
  }

  func stop() {
    ended.flag.store(true, ordering: .relaxed)
    if let thread { lms_thread_join(thread) }
  }
}

extension UInt64 {
  fileprivate var bytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}
