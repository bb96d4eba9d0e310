extension SharedStore {
  /// Opens a store in shared memory: what processes share while the machine runs, and a reboot forgets.
  ///
  /// It lies in a directory of this user alone (the effective one), in `/dev/shm` where there is one, else in the temporary
  /// directory. It survives any process crash. Remove it with ``removeEphemeral(named:)``.
  ///
  /// Every program of this user that gives the same name gets the same store. Where two runs of a program must not meet, let
  /// each ask for it `exclusive`, or use ``ephemeral()``.
  ///
  /// - Parameters:
  ///   - name: Tells stores apart: letters, digits, `.`, `-` and `_`.
  ///   - exclusive: Whether the store must be a new one: while another process has one of that name open, or this one, it is
  ///     an error; what an earlier run has left is removed. Processes that join it later do not ask for it `exclusive`.
  /// - Throws: ``StoreError/Code/busy``, whose ``StoreError/processID`` has the store open; ``StoreError/Code/invalidName``;
  ///   what opening throws.
  public static func ephemeral(named name: String, exclusive: Bool = false) throws(StoreError) -> SharedStore {
    try checkEphemeralName(name)
    return try StoreDirectory.inSharedMemory { (directory) throws(StoreError) in
      let path = ephemeralPath(name, in: directory)
      if exclusive { try StoreDirectory.removeUnlessInUse(path) }
      return try openEphemeral(path)
    }
  }

  /// Opens a new store in shared memory that has no name and goes with its last process.
  ///
  /// Others join it by its ``path``, as ``WorkerProcess`` does; no other run of the program meets it. It is removed when the
  /// last process that has it open closes it or ends; when that one is killed, by the next program of this user that opens a
  /// store in shared memory.
  public static func ephemeral() throws(StoreError) -> SharedStore {
    try StoreDirectory.inSharedMemory { (directory) throws(StoreError) in
      try openEphemeral(StoreDirectory.anonymous(in: directory))
    }
  }

  /// Removes an ephemeral store's files; nothing happens when there is none.
  ///
  /// Processes that have it open keep what they see, and are told ``StoreError/Code/replaced`` at their next write. The name is
  /// free at once. It may be repeated, and done by several processes at the same time: at every moment the name leads to the
  /// whole store or to none, whatever dies.
  ///
  /// - Throws: ``StoreError/Code/notAStore``, which names a file in its directory that is not one of a store's: such files
  ///   stay.
  public static func removeEphemeral(named name: String) throws(StoreError) {
    try checkEphemeralName(name)
    try StoreDirectory.inSharedMemory { (directory) throws(StoreError) in
      try StoreDirectory.remove(ephemeralPath(name, in: directory))
    }
  }

  private static func openEphemeral(_ path: String) throws(StoreError) -> SharedStore {
    var options = StoreOptions.durability(.processCrashOnly)
    options.unsyncedAfterReboot = .discard
    return try SharedStore(path: path, options: options)
  }

  private static func ephemeralPath(_ name: String, in directory: String) -> String { "\(directory)/\(name).lmdb" }

  private static func checkEphemeralName(_ name: String) throws(StoreError) {
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isPlain, !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 200 else {
      throw StoreError(
        .invalidName, "open an ephemeral store", reason: "'\(name)' is no name for one",
        advice: "use letters, digits, '.', '-' and '_', and no leading dot")
    }
  }
}
