import Foundation
import LMDBShare

/// Processes that stop while others wait for them, until they are continued.
enum Standing {
  /// Stops inside a write, as by a debugger.
  static func inWrite(_ path: String) throws {
    let store = try SharedStore(path: path)
    try store.write { _ in
      say("writing")
      kill(getpid(), SIGSTOP)
    }
    say("written")
  }

  /// Stops while it holds LMDB's lock file exclusively, as a process does that compacts the store.
  static func withLockFile(_ path: String) {
    let file = open(path + "/lock.mdb", O_RDWR | O_CREAT, 0o600)
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_len = 1
    say(fcntl(file, F_SETLK, &lock) == 0 ? "locked" : "not locked")
    kill(getpid(), SIGSTOP)
    close(file)
  }
}

/// Opens that many stores, truncates the signal file of each, and writes to all of them.
func truncateMany(_ path: String, _ number: Int) throws {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  var options = StoreOptions.durability(.processCrashOnly)
  options.mapReservation = 1 << 24
  let stores = try (0..<number).map { try SharedStore(path: "\(path)/\($0)", options: options) }
  let values = try stores.map { try $0.value("value", initial: 0) }
  for store in stores { truncate(store.path + "/signal", 0) }
  for value in values { try value.set(1) }
  say("\(try values.reduce(0) { try $0 + $1.get() })")
}
