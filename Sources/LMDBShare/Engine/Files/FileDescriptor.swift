internal import _LMDBShareSystem

/// An open file or directory, closed with its last reference. It is always close-on-exec, and never has the number of a standard
/// stream: such a file would receive what the program prints.
///
/// Never used for `lock.mdb`: closing any descriptor of it would drop LMDB's locks of this process.
package final class FileDescriptor: Sendable {
  package let number: Int32
  /// The actual names of the store's files in this directory, where they differ.
  private let aliases: [String: String]

  init(_ number: Int32, aliases: [String: String] = [:]) {
    self.number = number
    self.aliases = aliases
  }
  deinit { _ = close(number) }

  /// Opens a directory.
  package static func directory(
    _ path: String, aliases: [String: String] = [:]
  ) throws(StoreError) -> FileDescriptor {
    FileDescriptor(
      try checkErrno(unsafe lms_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0), "open \(path)"), aliases: aliases)
  }

  /// The status of `name` in this directory, without following a link; nil when it does not exist.
  package func status(of name: String) throws(StoreError) -> FileStatus? {
    if let status = FileStatus(at: aliases[name] ?? name, in: number) { return status }
    let code = lms_errno()
    if code == ENOENT { return nil }
    throw StoreError(returnCode: code, "look at \(name)")
  }

  /// Opens a file of this directory for reading: neither follows a link nor waits on a FIFO.
  package func file(_ name: String) throws(StoreError) -> FileDescriptor { try open(name, O_RDONLY) }

  /// Opens a file of this directory with flags of open(2); neither follows a link nor waits on a FIFO.
  ///
  /// - Parameter mode: The mode of a file that is created, less the umask.
  func open(_ name: String, _ flags: Int32, mode: UInt32 = 0) throws(StoreError) -> FileDescriptor {
    FileDescriptor(
      try checkErrno(
        unsafe lms_open(number, aliases[name] ?? name, flags | O_NOFOLLOW | O_NONBLOCK, mode_t(mode)), "open \(name)"))
  }

  /// Creates a file in this directory that has no name yet; nil where the system does not support that.
  func unnamed(mode: UInt32) throws(StoreError) -> FileDescriptor? {
    let file = lms_open_unnamed(number, mode_t(mode))
    if file >= 0 { return FileDescriptor(file) }
    guard lms_errno() == EOPNOTSUPP else { throw StoreError(returnCode: lms_errno(), "create a file") }
    return nil
  }

  /// Gives an unnamed file a name in a directory.
  ///
  /// - Returns: False when the name is taken.
  func link(into directory: FileDescriptor, as name: String) throws(StoreError) -> Bool {
    if unsafe lms_link_unnamed(number, directory.number, name) == 0 { return true }
    guard lms_errno() == EEXIST else { throw StoreError(returnCode: lms_errno(), "create \(name)") }
    return false
  }

  /// Sets the mode of the open file, ignoring the umask.
  func setMode(_ mode: UInt32) throws(StoreError) { try checkErrno(fchmod(number, mode_t(mode)), "set a mode") }

  /// Sets the owner and the group of the open file to those of another file, as far as this process may.
  func setOwner(of other: FileStatus) {
    // Root may set both; the owner may set a group that it belongs to.
    if fchown(number, other.owner, other.group) != 0 { _ = fchown(number, .max, other.group) }
  }

  /// The open file's own status.
  package func status() throws(StoreError) -> FileStatus {
    guard let status = FileStatus(of: number) else { throw StoreError(returnCode: lms_errno(), "look at an open file") }
    return status
  }

  /// Up to `count` bytes from `offset`; fewer at the end of the file.
  package func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while initialized < count {
        let got = unsafe pread(
          number, buffer.baseAddress! + initialized, count - initialized, off_t(offset + initialized))
        if got > 0 {
          initialized += got
        } else if got == 0 {
          return
        } else if lms_errno() != EINTR {
          failure = lms_errno()
          return
        }
      }
    }
    try check(failure, "read a file")
    return bytes
  }

  /// Replaces the contents of `bytes` by `count` bytes from `offset`; returns how many were read.
  package func read(at offset: Int, count: Int, into bytes: inout [UInt8]) throws(StoreError) -> Int {
    if bytes.count != count { bytes = Array(repeating: 0, count: count) }
    var done = 0
    while done < count {
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe pread(number, buffer.baseAddress! + done, count - done, off_t(offset + done))
      }
      if got > 0 {
        done += got
      } else if got == 0 {
        break
      } else if lms_errno() != EINTR {
        throw StoreError(returnCode: lms_errno(), "read a file")
      }
    }
    return done
  }

  /// The names in this directory, without `.` and `..`.
  package func names() throws(StoreError) -> [String] {
    // Uses a separate descriptor: reading a directory moves its position.
    let copy = try checkErrno(unsafe lms_open(number, ".", O_RDONLY | O_DIRECTORY, 0), "list a directory")
    guard let stream = unsafe fdopendir(copy) else {
      let code = lms_errno()
      _ = close(copy)
      throw StoreError(returnCode: code, "list a directory")
    }
    defer { _ = unsafe closedir(stream) }
    var names: [String] = []
    while let text = unsafe lms_next_name(stream) {
      let name = unsafe String(cString: text)
      if name != "." && name != ".." { names.append(name) }
    }
    try check(lms_errno(), "list a directory")
    return names
  }

  /// Forces the data of this file, or the entries of this directory, to the disk.
  func sync() throws(StoreError) {
    try checkErrno(fsync(number), "sync")
  }

  /// Removes a name from this directory; succeeds if it does not exist.
  package func remove(_ name: String) throws(StoreError) {
    if unsafe unlinkat(number, name, 0) != 0, lms_errno() != ENOENT {
      throw StoreError(returnCode: lms_errno(), "remove \(name)")
    }
  }
}

/// The fields of `stat` that a store needs.
package struct FileStatus: Sendable {
  let device: UInt64
  let inode: UInt64
  let size: Int
  let allocated: Int
  package let mode: UInt32
  package let owner: UInt32
  let group: UInt32
  /// How many names the file has.
  let links: Int
  let format: UInt32

  private init(_ status: lms_status) {
    device = status.device
    inode = status.inode
    size = Int(status.size)
    allocated = Int(status.allocated)
    format = status.format
    mode = status.permissions
    owner = status.owner
    group = status.group
    links = Int(status.links)
  }

  /// The status of an open file; nil leaves the reason in `lms_errno`.
  init?(of file: Int32) {
    var status = lms_status()
    guard unsafe lms_status_of(file, &status) == 0 else { return nil }
    self.init(status)
  }

  /// The status of a name, without following a link unless requested; nil leaves the reason in `lms_errno`.
  init?(at path: String, in directory: Int32 = AT_FDCWD, followingLinks: Bool = false) {
    var status = lms_status()
    guard unsafe lms_status_at(directory, path, followingLinks, &status) == 0 else { return nil }
    self.init(status)
  }

  var identity: FileIdentity { FileIdentity(device: device, inode: inode) }
  var isRegular: Bool { format == UInt32(S_IFREG) }
  var isDirectory: Bool { format == UInt32(S_IFDIR) }

  /// The file's kind in words.
  package var kind: String {
    switch format {
    case UInt32(S_IFREG): "a regular file"
    case UInt32(S_IFDIR): "a directory"
    case UInt32(S_IFLNK): "a symbolic link"
    case UInt32(S_IFIFO): "a FIFO"
    case UInt32(S_IFCHR), UInt32(S_IFBLK): "a device"
    case UInt32(S_IFSOCK): "a socket"
    default: "something unknown"
    }
  }
}

/// Identifies a file independently of its path.
package struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64
}
