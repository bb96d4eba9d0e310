extension SharedStore {
  /// Opens a store in shared memory, which exists until the machine restarts.
  ///
  /// The store is in a directory of the effective user, which other users cannot enter, in `/dev/shm` or else in the temporary
  /// directory. It survives any process crash. Remove it with ``removeEphemeral(named:)``.
  ///
  /// Every program of this user that uses the same name opens the same store. If two runs of a program must not meet, open it
  /// as `exclusive`, or use ``ephemeral()``.
  ///
  /// - Parameters:
  ///   - name: The name of the store: letters, digits, `.`, `-` and `_`.
  ///   - exclusive: Whether the store must be a new one. It is an error when this or another process has a store of that name
  ///     open; the store of an earlier run is removed. Processes that join later must not pass true.
  /// - Throws: ``StoreError/Code/busy``, whose ``StoreError/processID`` has the store open; ``StoreError/Code/invalidName``;
  ///   the errors of opening.
  public static func ephemeral(named name: String, exclusive: Bool = false) throws -> SharedStore {
    try checkEphemeralName(name)
    return try StoreDirectory.inSharedMemory { directory in
      let path = ephemeralPath(name, in: directory)
      if exclusive { try StoreDirectory.removeUnlessInUse(path) }
      return try openEphemeral(path)
    }
  }

  /// Opens a new store in shared memory that has no name and is removed with its last process.
  ///
  /// Other processes join it by its ``path``, as ``WorkerProcess`` does; no other run of the program meets it. It is removed when
  /// the last process that has it open closes it or exits. When that process is killed, the next program of this user that opens
  /// a store in shared memory removes it.
  public static func ephemeral() throws -> SharedStore {
    try StoreDirectory.inSharedMemory { directory in
      try openEphemeral(StoreDirectory.anonymous(in: directory))
    }
  }

  /// Removes the files of an ephemeral store, if it exists.
  ///
  /// Processes that have it open can still read, and their next write throws ``StoreError/Code/replaced``. The name is
  /// free at once. Several processes can do this at the same time: at every moment the name leads to the whole store or to none,
  /// even if a process dies.
  ///
  /// - Throws: ``StoreError/Code/notAStore``, which names a file in the directory that does not belong to a store; such files
  ///   are kept.
  public static func removeEphemeral(named name: String) throws {
    try checkEphemeralName(name)
    try StoreDirectory.inSharedMemory { directory in
      try StoreDirectory.remove(ephemeralPath(name, in: directory))
    }
  }

  private static func openEphemeral(_ path: String) throws -> SharedStore {
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
        .invalidName, "open an ephemeral store", reason: "'\(name)' is not a valid name",
        advice: "use letters, digits, '.', '-' and '_', and no leading dot")
    }
  }
}
