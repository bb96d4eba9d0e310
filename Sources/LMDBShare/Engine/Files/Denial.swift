internal import _LMDBShareSystem

extension StoreDirectory {
  /// Reports what exactly this user may not do, when an opening was denied.
  func denial(_ error: StoreError, _ options: EnvironmentOptions) -> StoreError {
    let user = "user \(geteuid())"
    func denied(_ reason: String, _ advice: String) -> StoreError {
      StoreError(.permissionDenied, "open \(path)", reason: reason, advice: advice, underlying: error.underlying)
    }
    if !may(R_OK, Self.dataFile) {
      return denied("\(Self.dataFile) cannot be read by \(user)", "give it the permission (chmod, chown)")
    }
    if !options.isReadOnly, !may(W_OK, Self.dataFile) {
      return denied(
        "\(Self.dataFile) cannot be written by \(user)",
        "open the store with access: .readOnly, or give it the permission (chmod, chown)")
    }
    let hasLock = (try? descriptor.status(of: Self.lockFile)) ?? nil != nil
    guard !may(W_OK, hasLock ? Self.lockFile : ".") else { return error }
    return denied(
      "\(hasLock ? "" : "there is no \(Self.lockFile), and ")\(hasLock ? Self.lockFile : "the directory") cannot be "
        + "written by \(user); LMDB's readers, too, register themselves in \(Self.lockFile), so that no writer reuses the pages "
        + "that they read",
      options.isReadOnly
        ? "give the permission (for two users: a group, and mode 0660); or, if no process writes to the store meanwhile, "
          + "open it with access: .readOnlyUnlocked"
        : "give it the permission (chmod, chown)")
  }

  private func may(_ what: Int32, _ name: String) -> Bool {
    unsafe faccessat(descriptor.number, name, what, AT_EACCESS) == 0 || lms_errno() == ENOENT
  }
}
