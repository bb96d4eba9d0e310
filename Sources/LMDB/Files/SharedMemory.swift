internal import CSystemShims

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension StoreDirectory {
  /// The user's own directory in shared memory, made by need; somebody else's in its place is refused.
  package static func sharedMemory(user: UInt32) throws(StoreError) -> String {
    let root = unsafe access("/dev/shm", W_OK) == 0 ? "/dev/shm" : temporaryDirectory
    let path = "\(root)/lmdbshare-\(user)"
    if unsafe mkdir(path, 0o700) != 0, lms_errno() != EEXIST {
      throw StoreError(returnCode: lms_errno(), "create \(path)")
    }
    var info = stat()
    try checkErrno(unsafe lstat(path, &info), "look at \(path)")
    guard UInt32(info.st_mode) & UInt32(S_IFMT) == UInt32(S_IFDIR), info.st_uid == user, info.st_mode & 0o077 == 0
    else {
      throw StoreError(
        .permissionDenied, "open \(path)", reason: "it is not a directory of this user alone",
        advice: "remove it, or give it mode 0700")
    }
    return path
  }

  private static var temporaryDirectory: String {
    if let value = unsafe getenv("TMPDIR") { return unsafe String(cString: value) }
    return "/tmp"
  }

  /// Removes the files of a store and its directory.
  package static func remove(_ path: String) throws(StoreError) {
    let directory: FileDescriptor
    do throws(StoreError) {
      directory = try FileDescriptor.directory(path)
    } catch  where error.code == .storeNotFound {
      return
    }
    for name in [dataFile, lockFile, signalFile, ownersFile] { try directory.remove(name) }
    if unsafe rmdir(path) != 0, lms_errno() != ENOENT {
      throw StoreError(returnCode: lms_errno(), "remove \(path)")
    }
  }
}
