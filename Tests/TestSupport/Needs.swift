import Foundation

/// What a test may need in addition to this package; tests whose needs are not met are skipped.
public enum Needs {
  /// Whether there is a terminal for tests.
  public static let tmux = canRun("command -v tmux && command -v pgrep")
  /// Whether there is a server to compare with.
  public static let redis = canRun("command -v redis-server")
  /// Whether `LMDBSHARE_PYTHON` names a Python with py-lmdb.
  public static let python = ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"] != nil
  /// Whether LMDB's own tools are there.
  public static let lmdbTools = canRun("command -v mdb_stat && command -v mdb_dump")
  /// Whether there is a C compiler.
  public static let compiler = canRun("command -v clang || command -v cc || command -v gcc")
  /// Whether there is a shell with completion.
  public static let bash = canRun("command -v bash")
  /// Whether this is root.
  public static let root = geteuid() == 0
  /// Whether a program can be run as another user.
  public static let otherUsers = root && canRun("id nobody && command -v setpriv")
  /// Whether a file system can be mounted.
  public static let mounts = canRun(
    "place=$(mktemp -d) && mount -t tmpfs none $place && umount $place; status=$?; rmdir $place; exit $status")
  /// Whether a process can have mounts of its own, and no /proc.
  public static let withoutProc = canRun(
    "unshare -m sh -c 'mount -t tmpfs none /proc && umount /proc && umount -l /proc'")
  /// Whether a process can have its own PID namespace.
  public static let processNamespaces = canRun("unshare --pid --fork true")

  private static func canRun(_ command: String) -> Bool {
    (try? Program.shell("{ \(command); } >/dev/null 2>&1").status) == 0
  }
}
