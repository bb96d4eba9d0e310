internal import Synchronization
internal import _LMDBShareSystem

/// Places at which a test can have its process killed: `tools/crash` builds with `-D LMDBSHARE_KILL_POINTS`. In any other build
/// `pass` is empty.
///
/// The environment variable `LMDBSHARE_KILL` contains the name of a kill point, a colon, and the number of the pass at which the
/// process dies, counted from 1; the name `any` stands for all kill points together. `LMDBSHARE_KILL_NOTES` names a file in which
/// the process records where it dies. Kills within liblmdb are placed by `tools/crash`, at system calls.
package enum KillPoint: String, CaseIterable, Sendable {
  // In the order in which a store passes them; `LMDBShare.docc/Crashes.md` lists them.
  case beforeNaming, afterNaming
  case ownersLocked, signalMapped
  case gateEntered, writeBegun, beforeCommit, afterCommit, gateLeft, noted, woken
  case partBegun, partEnded
  case beforeGrowth, afterGrowth, beforeAdoption, afterAdoption
  case readBegun
  case backupCopied, backupNamed, compacted, compactedNamed
  case leased, acknowledged, released, reclaimed

  /// The process may die here.
  @inline(__always)
  package static func pass(_ point: KillPoint) {
    #if LMDBSHARE_KILL_POINTS
      chosen?.count(point)
    #endif
  }

  #if LMDBSHARE_KILL_POINTS
    private static let chosen = Chosen()

    private final class Chosen: Sendable {
      private let point: KillPoint?
      private let left: Atomic<Int>

      init?() {
        guard let text = unsafe getenv("LMDBSHARE_KILL") else { return nil }
        let parts = unsafe String(cString: text).split(separator: ":")
        guard parts.count == 2, let number = Int(parts[1]), number > 0 else { return nil }
        point = KillPoint(rawValue: String(parts[0]))
        guard point != nil || parts[0] == "any" else { return nil }
        left = Atomic(number)
      }

      func count(_ passed: KillPoint) {
        guard point == nil || point == passed else { return }
        guard left.subtract(1, ordering: .relaxed).newValue == 0 else { return }
        note(passed)
        kill(getpid(), SIGKILL)
      }

      /// Records the kill point in the file that `LMDBSHARE_KILL_NOTES` names.
      private func note(_ point: KillPoint) {
        guard let path = unsafe getenv("LMDBSHARE_KILL_NOTES") else { return }
        let file = unsafe lms_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let line = Array("\(point.rawValue)\n".utf8)
        if file >= 0 { _ = unsafe write(file, line, line.count) }
      }
    }
  #endif
}
