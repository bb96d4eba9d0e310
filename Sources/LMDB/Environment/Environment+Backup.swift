internal import CLMDB
internal import CSystemShims

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension Environment {
  /// Copies the environment, as of now, into another directory, while others read and write.
  package func backup(to path: String, compacting: Bool) throws(StoreError) {
    try checkFork()
    guard !isWriting else {
      throw StoreError(
        .nestedWrite, "back up", reason: "this thread is inside a write of the same store",
        advice: "back up before or afterwards")
    }
    let target = try StoreDirectory(
      path: path, create: true, directoryMode: options.directoryMode, allowNetwork: true)
    guard try !target.hasData() else {
      throw StoreError(
        .structureExists, "back up to \(path)", reason: "there is a store already", advice: "give a new directory")
    }
    try target.checkVacant()
    let name = "\(StoreDirectory.dataFile).\(getpid()).\(UInt32.random(in: 0...UInt32.max))"
    let number = unsafe openat(
      target.descriptor.number, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_t(options.fileMode))
    let file = FileDescriptor(try checkErrno(number, "create \(path)/\(name)"))
    do throws(StoreError) {
      try enterReaders()
      let code = unsafe mdb_env_copyfd2(handle, file.number, compacting ? UInt32(MDB_CP_COMPACT) : 0)
      readers.leave()
      try check(code, "back up to \(path)")
      try file.sync()
      KillPoint.pass(.backupCopied)
      // Until here nobody takes it for a backup.
      try checkErrno(
        unsafe lms_rename_exclusive(target.descriptor.number, name, StoreDirectory.dataFile), "back up to \(path)")
      KillPoint.pass(.backupNamed)
      try target.descriptor.sync()
    } catch {
      try? target.descriptor.remove(name)
      throw error
    }
  }
}
