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
  ///
  /// - Parameters:
  ///   - verifying: Whether every page of the copy is checked before it gets its name.
  ///   - progress: Gets, ten times a second, how many bytes are written.
  package func backup(
    to path: String, compacting: Bool, verifying: Bool = false, progress: (@Sendable (Int) -> Void)? = nil
  ) throws(StoreError) {
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
        .storeExists, "back up to \(path)", reason: "there is a store already", advice: "give a new directory")
    }
    try target.checkVacant()
    let copy = try Copy(in: target, mode: options.fileMode)
    do throws(StoreError) {
      try enterReaders()
    } catch {
      copy.discard()
      throw error
    }
    defer { readers.leave() }
    try unsafe copy.write(handle, compacting: compacting, progress)
    if verifying { try copy.verify() }
    KillPoint.pass(.backupCopied)
    // Until here nobody takes it for a backup.
    try copy.takeName()
  }
}
