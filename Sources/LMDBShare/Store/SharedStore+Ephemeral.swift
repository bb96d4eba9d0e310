#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension SharedStore {
  /// Opens a store in shared memory: what processes share while the machine runs, and a reboot forgets.
  ///
  /// It lies in a directory of this user alone, in `/dev/shm` where there is one, else in the temporary directory. It
  /// survives any process crash. Remove it with ``removeEphemeral(named:)``.
  ///
  /// - Parameter name: Tells stores apart: letters, digits, `.`, `-` and `_`.
  public static func ephemeral(named name: String) throws(StoreError) -> SharedStore {
    let path = try ephemeralPath(name)
    var options = StoreOptions.durability(.processCrashOnly)
    options.unsyncedAfterReboot = .discard
    return try SharedStore(path: path, options: options)
  }

  /// Removes an ephemeral store's files. Processes that have it open keep what they see; nobody else can join them.
  public static func removeEphemeral(named name: String) throws(StoreError) {
    try StoreDirectory.remove(ephemeralPath(name))
  }

  private static func ephemeralPath(_ name: String) throws(StoreError) -> String {
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
    return try StoreDirectory.sharedMemory(user: getuid()) + "/" + name + ".lmdb"
  }
}
