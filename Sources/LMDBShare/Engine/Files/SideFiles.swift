internal import _LMDBShareSystem

// The files beside the data. Each has the mode, the group and, if this process may set it, the owner of the data file, whatever
// umask and user the creating process has: a user with access to the data has access to the whole store.

extension StoreDirectory {
  /// Opens a file beside the data for reading and writing; creates an empty one if it is missing.
  ///
  /// Never for `lock.mdb`: closing a descriptor of it drops LMDB's locks.
  func sideFile(_ name: String, mayCreate: Bool = true) throws(StoreError) -> FileDescriptor {
    while true {
      do throws(StoreError) {
        let file = try descriptor.open(name, O_RDWR)
        try checkKind(file.status(), of: name)
        return file
      } catch  where error.underlying == ENOENT && mayCreate {
        try makeSideFile(name)
      }
    }
  }

  /// Creates an empty file beside the data, unless it exists.
  func makeSideFile(_ name: String) throws(StoreError) {
    if let file = try descriptor.unnamed(mode: 0o600) {
      try likenToData(file)
      _ = try file.link(into: descriptor, as: name)
      return
    }
    let temporary = Self.temporaryName()
    do throws(StoreError) {
      try likenToData(descriptor.open(temporary, O_RDWR | O_CREAT | O_EXCL, mode: 0o600))
      if unsafe lms_rename_exclusive(descriptor.number, temporary, name) != 0, lms_errno() != EEXIST {
        throw StoreError(returnCode: lms_errno(), "create \(path)/\(name)")
      }
    } catch {
      try? descriptor.remove(temporary)
      throw error
    }
    try descriptor.remove(temporary)
  }

  /// Sets the owner, group and mode of a file to those of the data file.
  func likenToData(_ file: FileDescriptor) throws(StoreError) {
    guard let data = try descriptor.status(of: Self.dataFile) else { return }
    let made = try file.status()
    if made.owner != data.owner || made.group != data.group { file.setOwner(of: data) }
    let mode = data.mode & 0o777
    if made.mode != mode { try file.setMode(mode) }
  }

  /// A name that no other file has; a killed process may leave such a file behind.
  static func temporaryName() -> String { "\(dataFile).\(getpid()).\(UInt32.random(in: 0...UInt32.max))" }
}
