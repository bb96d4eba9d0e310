internal import LMDBSharePages
internal import _LMDBShareSystem

extension StoreDirectory {
  /// Removes a store that this process has created for an operation that then failed. Does nothing when another process has the
  /// store open, or has written to it.
  ///
  /// - Parameters:
  ///   - lastTransaction: The number of the last transaction when the store was created.
  ///   - removingDirectory: Whether its directory is removed, too, if it is then empty.
  package static func takeBack(path: String, lastTransaction: Int, removingDirectory: Bool) {
    lms_registry_lock()
    defer { lms_registry_unlock() }
    guard let directory = try? StoreDirectory(path: path, create: false, allowNetwork: true),
      let data = try? directory.descriptor.status(of: dataFile),
      unsafe !registry.contains(where: { $0.dataIdentity == data.identity })
    else { return }
    // As for compaction: this process has no LMDB environment open here, and holding this lock keeps all others out.
    guard let lock = try? directory.descriptor.open(lockFile, O_RDWR) else { return }
    var holder: Int32 = 0
    guard unsafe lms_lock_alone(lock.number, &holder) == 0,
      let meta = try? directory.inspectData(), Int(clamping: meta.transaction) == lastTransaction
    else { return }
    for name in [signalFile, ownersFile, unsyncedFile, dataFile, lockFile] { try? directory.descriptor.remove(name) }
    withExtendedLifetime(lock) {}
    if removingDirectory { _ = unsafe rmdir(path) }
  }
}
