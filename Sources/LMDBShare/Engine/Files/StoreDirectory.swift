package import LMDBSharePages
internal import _LMDBShareSystem

/// A store's directory, checked before LMDB touches any of its files.
package struct StoreDirectory: Sendable {
  package static let dataFile = "data.mdb"
  package static let lockFile = "lock.mdb"
  static let signalFile = "signal"
  static let ownersFile = "owners"
  /// The names of all files of a store, for all code that checks, removes or recognises them.
  package static let files = [dataFile, lockFile, signalFile, ownersFile, unsyncedFile]

  /// The names of these files for a data file without a directory of its own.
  private static func aliases(of data: String) -> [String: String] {
    var names = Dictionary(uniqueKeysWithValues: files.map { ($0, "\(data)-\($0)") })
    names[dataFile] = data
    names[lockFile] = data + "-lock"
    return names
  }

  /// Whether a file of this name belongs to a store, or is an unfinished data file of a process that died.
  static func isOwn(_ name: String) -> Bool { files.contains(name) || isUnfinished(name) }

  /// Whether a name has the form of ``temporaryName()``.
  package static func isUnfinished(_ name: String) -> Bool {
    guard name.hasPrefix(dataFile + ".") else { return false }
    let parts = name.utf8.dropFirst(dataFile.utf8.count + 1).split(
      separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return parts.count == 2
      && parts.allSatisfy { part in
        !part.isEmpty && part.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
      }
  }

  /// Absolute, so that later changes of the working directory do not matter. Links in it are kept.
  package let path: String
  package let descriptor: FileDescriptor
  /// Whether this opening created the directory.
  let wasMade: Bool
  /// Whether the path leads to a data file of another program, whose lock file has the same name followed by `-lock`.
  package let isFile: Bool

  /// Opens the directory at `path`, creates it if `create` says so, and checks the file system and the kind of each file of a
  /// store in it.
  ///
  /// - Parameters:
  ///   - directoryMode: The mode of a directory that is created; nil for 0700 less the umask.
  ///   - mayBeFile: Whether the path may lead to a data file without a directory of its own.
  package init(
    path: String, create: Bool, directoryMode: UInt32? = nil, allowNetwork: Bool, allowForeignOwner: Bool = true,
    mayBeFile: Bool = false
  ) throws(StoreError) {
    let path = try Self.absolute(path)
    isFile = mayBeFile && Self.isFile(path)
    if isFile {
      self.path = path
      wasMade = false
      let name = String(path.split(separator: "/").last ?? "")
      // This library's own files have no such names there.
      descriptor = try FileDescriptor.directory(Self.split(path).parent, aliases: Self.aliases(of: name))
      if !allowNetwork { try refuseNetwork() }
      return
    }
    var made = false
    if create {
      if unsafe mkdir(path, mode_t(directoryMode ?? 0o700)) == 0 {
        made = true
      } else if lms_errno() != EEXIST {
        throw StoreError(returnCode: lms_errno(), "create \(path)")
      }
    }
    do throws(StoreError) {
      descriptor = try FileDescriptor.directory(path)
    } catch  where error.underlying == ENOTDIR || error.underlying == ELOOP {
      throw StoreError(
        .wrongFileKind, "open \(path)", reason: "this is not a directory", advice: "give the directory of the store",
        underlying: error.underlying)
    }
    self.path = path
    wasMade = made
    if made {
      // The system has applied the umask.
      if let directoryMode { try descriptor.setMode(directoryMode) }
      try syncName()
    }
    if !allowNetwork { try refuseNetwork() }
    if !allowForeignOwner { try refuseForeignOwner() }
    for name in Self.files {
      if let status = try descriptor.status(of: name) { try checkKind(status, of: name) }
    }
  }

  /// Checks that a file is of a kind to which a store may write.
  func checkKind(_ status: FileStatus, of name: String) throws(StoreError) {
    guard status.isRegular else {
      throw StoreError(
        .wrongFileKind, "open \(path)/\(name)", reason: "\(name) is \(status.kind), not a regular file",
        advice: "remove it, or give another path")
    }
    // A write here would change the other file, too.
    if status.links > 1, try !hasOneName(name) {
      throw StoreError(
        .wrongFileKind, "open \(path)/\(name)", reason: "\(name) is a hard link: it is a file of another name, too",
        advice: "copy the store with lmdbshare backup, or remove the other name")
    }
  }

  /// Whether a file that had two names has only one after a while. It may have just been created on a file system where that
  /// takes a link, and which caches the link count for a second (FUSE).
  private func hasOneName(_ name: String) throws(StoreError) -> Bool {
    let start = ContinuousClock.now
    while start.duration(to: .now) < .milliseconds(1500) {
      usleep(20_000)
      if (try descriptor.status(of: name)?.links ?? 1) <= 1 { return true }
    }
    return false
  }

  /// The absolute form of a path.
  private static func absolute(_ path: String) throws(StoreError) -> String {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw StoreError(
        .storeNotFound, "open", reason: "the path is empty or holds a NUL byte", advice: "give another path")
    }
    if path.utf8.first == UInt8(ascii: "/") { return path }
    guard let here = unsafe getcwd(nil, 0) else {
      throw StoreError(
        .storeNotFound, "open \(path)", reason: "the working directory of this process is gone or cannot be reached",
        advice: "give an absolute path", underlying: lms_errno())
    }
    defer { unsafe free(here) }
    // The system returns the working directory without links, so that `..` in it needs no directory that may be removed.
    var place = unsafe String(cString: here).split(separator: "/")
    var steps = path.split(separator: "/")[...]
    while let step = steps.first, step == "." || step == ".." {
      if step == "..", !place.isEmpty { place.removeLast() }
      steps.removeFirst()
    }
    return "/" + (place + steps).joined(separator: "/")
  }

  /// Removes the directory again if this opening created it and it is empty.
  package func undoMaking() {
    if wasMade { unsafe _ = rmdir(path) }
  }

  /// The path by which LMDB opens the files: it leads to this very directory, even if that was renamed.
  var place: String {
    if isFile { return path }
    let link = "/proc/self/fd/\(descriptor.number)"
    return unsafe access(link, F_OK) == 0 ? link : path
  }

  /// Whether there is a data file.
  package func hasData() throws(StoreError) -> Bool { try descriptor.status(of: Self.dataFile) != nil }

  /// Checks that a directory without a store is empty, except for files that an earlier creation may have left. A wrong path must
  /// not fill, say, a home directory with store files, and a store whose data file is gone must not become an empty one.
  func checkVacant() throws(StoreError) {
    let names = try descriptor.names()
    let beside = [Self.lockFile, Self.ownersFile, Self.signalFile].filter(names.contains)
    guard beside.isEmpty else {
      throw StoreError(
        .storeNotFound, "open \(path)",
        reason: "\(Self.dataFile) is missing, though files of a store are there: \(beside.joined(separator: ", "))",
        advice: "restore \(Self.dataFile) from a backup; or, to begin with an empty store, end all processes that have "
          + "this one open and remove these files")
    }
    if let stranger = names.filter({ !Self.isOwn($0) }).min() {
      throw StoreError(
        .notAStore, "create \(path)", reason: "the directory holds other files, for example \(stranger)",
        advice: "give a new or an empty directory")
    }
  }

  /// The size of the largest map with which a process has written.
  package func storedMapSize() throws(StoreError) -> Int { Int(clamping: try inspectData().mapSize) }

  /// Checks both meta pages and the size of the data file by reading, before it is mapped.
  package func inspectData() throws(StoreError) -> Meta {
    let file = try descriptor.file(Self.dataFile)
    do {
      return try PageFile(source: file).newestMeta()
    } catch let problem as PageProblem {
      throw StoreError(problem, "open \(path)", of: isFile ? path : nil)
    } catch let error as StoreError {
      throw error
    } catch {
      throw StoreError(.system, "open \(path)", reason: "\(error)", advice: "check the path")
    }
  }

  /// The meta page of one transaction; nil once a later one has overwritten it.
  func metaPage(of transaction: UInt64) throws(StoreError) -> MetaPage? {
    let file = try descriptor.file(Self.dataFile)
    do {
      return try PageFile(source: file).metaPage(of: transaction)
    } catch let problem as PageProblem {
      throw StoreError(problem, "read \(path)")
    } catch {
      throw error as? StoreError ?? StoreError(.system, "read \(path)", reason: "\(error)", advice: "check the path")
    }
  }

  /// Walks every page of the data file; throws what it finds.
  func checkAllPages() throws(StoreError) {
    PageChecks.begin()
    defer { PageChecks.end() }
    let file = try descriptor.file(Self.dataFile)
    do {
      try PageFile(source: file).check()
    } catch let problem as PageProblem {
      throw StoreError(problem, "check \(path)")
    } catch let error as StoreError {
      throw error
    } catch {
      throw StoreError(.system, "check \(path)", reason: "\(error)", advice: "check the path")
    }
  }

  /// The free bytes of the file system, if it reports them.
  func freeBytes() -> UInt64? {
    var type: UInt64 = 0
    var free: UInt64 = 0
    return unsafe lms_file_system(descriptor.number, &type, &free) == 0 ? free : nil
  }

  private func refuseNetwork() throws(StoreError) {
    var type: UInt64 = 0
    var free: UInt64 = 0
    try checkErrno(unsafe lms_file_system(descriptor.number, &type, &free), "look at the file system of \(path)")
    var name = Self.networkFileSystems[type]
    if type == Self.fuse, try !liesOnBlockDevice() { name = "FUSE (sshfs, VirtioFS and the like)" }
    if let name {
      throw StoreError(
        .networkFileSystem, "open \(path)", reason: "the path lies on \(name), where locks and shared maps fail",
        advice: "use a local disk; or pass allowNetworkFileSystem: true, if only one machine uses it")
    }
  }

  /// `f_type` of file systems in user space. Locks and maps of the processes of one kernel work there, unless the file system
  /// uses direct I/O. But many of them show files of other machines, or of a virtual machine's host.
  private static let fuse: UInt64 = 0x6573_5546

  /// Whether it is such a file system on a disk of this machine (NTFS, exFAT), which Linux calls `fuseblk`.
  ///
  /// Both kinds have the same type. But files on a block device have its number, and other ones have numbers without a device,
  /// whose major part is 0.
  private func liesOnBlockDevice() throws(StoreError) -> Bool {
    let device = try descriptor.status().device
    // Composed as `makedev` does.
    return (device >> 8 & 0xFFF | device >> 32 & 0xFFFF_F000) != 0
  }

  /// Refuses, for a process of root, a store of another user, who can terminate every process that has it open by truncating a
  /// file, and a store in which other users can truncate or replace files.
  private func refuseForeignOwner() throws(StoreError) {
    guard let danger = try dangerToRoot() else { return }
    throw StoreError(
      .foreignOwner, "open \(path)", reason: "\(danger), who could end this process of root at any time",
      advice: "run as the owner of the store; or pass allowForeignOwner: true, when its users can be trusted")
  }

  /// Describes which users besides root can change the store's files, as the beginning of a sentence; nil when there are none,
  /// and when this process does not run as root.
  package func dangerToRoot() throws(StoreError) -> String? {
    guard geteuid() == 0 else { return nil }
    var found = [("the directory", try descriptor.status())]
    for name in Self.files {
      // A name that is not a regular file is refused elsewhere.
      if let status = try descriptor.status(of: name), status.isRegular { found.append((name, status)) }
    }
    for (name, status) in found {
      if status.owner != 0 { return "\(name) belongs to user \(status.owner)" }
      if status.mode & 0o002 != 0 { return "\(name) may be changed by every user" }
      if status.mode & 0o020 != 0, status.group != 0 { return "\(name) may be changed by group \(status.group)" }
    }
    return nil
  }

  /// `f_type` of file systems that several machines may share (statfs(2)).
  package static let networkFileSystems: [UInt64: String] = [
    0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x5346_414F: "AFS", 0x00C3_6400: "Ceph",
    0x0102_1997: "9P", 0x0BD0_0BD0: "Lustre", 0x4750_4653: "GPFS", 0x7461_636F: "OCFS2", 0x0116_1970: "GFS2",
    0x6B41_4653: "AFS", 0x564C: "NCP", 0x7375_7245: "Coda", 0x1980_0202: "BeeGFS",
  ]

  /// Forces the directory's own name to the disk before it contains data. The directory may have been created by an earlier
  /// opening that failed, or died, before it did that.
  func syncName() throws(StoreError) {
    do throws(StoreError) {
      try FileDescriptor.directory(Self.split(path).parent).sync()
    } catch {
      // A process that may not read the parent directory has not created this one, either.
      guard error.code == .permissionDenied, !wasMade else { throw error }
    }
  }

  /// Whether there is a regular file at the path.
  package static func isFile(_ path: String) -> Bool { fileSize(path) != nil }

  /// The size of the regular file at the path in bytes; nil when there is none.
  package static func fileSize(_ path: String) -> Int? {
    guard let status = FileStatus(at: path), status.isRegular else { return nil }
    return status.size
  }

  /// The error for an environment that does not belong to this library.
  var notOurs: StoreError {
    StoreError(
      .notAStore, "open \(path)",
      reason: "this is an LMDB environment, but not one of lmdbshare (it has no catalogue)",
      advice: "give another directory; the file was left as it is")
  }
}

extension FileDescriptor: PageSource {
  package func read(offset: Int, count: Int) throws -> [UInt8] { try read(at: offset, count: count) }
  package func read(offset: Int, count: Int, into bytes: inout [UInt8]) throws -> Int {
    try read(at: offset, count: count, into: &bytes)
  }
  package func size() throws -> Int { try status().size }
}

extension StoreError {
  /// Converts what the page reader found, and adds advice.
  ///
  /// - Parameter file: The file, if it is not `data.mdb`.
  package init(_ problem: PageProblem, _ operation: String, of file: String? = nil) {
    let (code, advice): (Code, String) =
      switch problem.kind {
      case .empty: (.emptyFile, "remove data.mdb if nothing was ever stored here, or restore a backup")
      case .notLMDB: (.notAStore, "check the path; the file was left as it is")
      case .newerLMDB: (.newerFormat, "open it with a program for LMDB 1.0, or dump and load it")
      case .foreignLMDB: (.foreignFormat, "open it with the library that wrote it, or dump and load it")
      case .truncated: (.truncated, "restore a backup; the file was left as it is")
      case .damaged: (.damaged, "restore a backup; the file was left as it is")
      }
    let reason = file.map { problem.description.replacing(StoreDirectory.dataFile, with: $0) } ?? problem.description
    self.init(code, operation, reason: reason, advice: advice)
  }
}
