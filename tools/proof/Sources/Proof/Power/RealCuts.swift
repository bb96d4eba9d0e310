import CProof
import Foundation
import LMDBShare

/// Cuts of a real file system: it is shut down without writing its pending data, while a process writes to a store in it, and
/// mounted again.
struct RealCuts {
  let scratch: Scratch
  let seed: UInt64
  private(set) var cuts = 0
  private(set) var commits = 0

  init(_ scratch: Scratch, seed: UInt64) {
    self.scratch = scratch
    self.seed = seed
  }

  private struct System {
    let name: String
    /// The size of its image, and the command that creates it.
    let size: String
    let make: [String]
  }
  private static let systems = [
    System(name: "ext4", size: "64M", make: ["mkfs.ext4", "-q", "-F"]),
    System(name: "xfs", size: "320M", make: ["mkfs.xfs", "-q", "-f"]),
  ]

  /// Makes that many cuts on each available file system; returns which.
  mutating func run(_ count: Int, _ progress: (String) -> Void) throws -> [String] {
    var done: [String] = []
    for system in Self.systems {
      let image = scratch.file("image-\(system.name)")
      guard Mount.call("truncate", ["-s", system.size, image]),
        Mount.call(system.make[0], Array(system.make.dropFirst()) + [image]),
        let mount = Mount(scratch.file("mounted-\(system.name)"), ["-o", "loop", image])
      else {
        print("skipped: \(system.name): it needs root, mount, loop devices and \(system.make[0])")
        continue
      }
      try cut(system.name, mount, image, count, progress)
      done.append(system.name)
    }
    return done
  }

  private mutating func cut(
    _ name: String, _ mount: Mount, _ image: String, _ count: Int, _ progress: (String) -> Void
  ) throws {
    var random = Random(seed)
    let path = mount.path
    let board = scratch.file("board-\(name)")
    let other = try SharedStore(path: scratch.file("other-\(name)"))
    let assignment = Writer.Assignment(
      board: board, slot: 0, seed: seed, durability: .durable, store: path + "/store")
    let oracle = try Board(board)
    var replay = Replay(seed: seed)
    for number in 0..<count {
      oracle.setPhase(0, 0)
      let writer = try WorkerProcess(
        role: "writer", store: other, arguments: [try assignment.text],
        environment: ["SWIFT_BACKTRACE": "enable=no"])
      // In the first cuts, also while the store is created.
      let begun = proof_now()
      while number > 3, oracle.phase(0) == 0, writer.isRunning, proof_now() - begun < 10_000_000_000 { usleep(100) }
      usleep(UInt32(random.number(0..<30_000)))
      guard proof_shutdown(path) == 0 else { throw Problem("\(name) cannot be shut down: errno \(proof_errno())") }
      writer.kill()
      writer.wait()
      guard Mount.call("umount", [path]), Mount.call("mount", ["-o", "loop", image, path]) else {
        throw Problem("\(name) cannot be mounted again")
      }
      do {
        let store = try SharedStore(path: path + "/store", options: assignment.options)
        try replay.take(oracle, store)
        try replay.compare(store)
      }
      cuts += 1
      if number % 20 == 19 { progress("\(name): \(number + 1) cuts, \(replay.commits) commits") }
    }
    commits += replay.commits
  }
}
