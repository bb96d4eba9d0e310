import Foundation

private let doomed = Locked<[String]>([])

/// A directory that is removed when the process exits: not earlier, since optimised code releases an object after its last use,
/// while the files in its directory are still in use.
public final class TemporaryDirectory: Sendable {
  /// Its path.
  public let path: String

  /// - Parameter inMemory: Whether to use shared memory, where syncs are free; false for tests of the disk.
  public init(inMemory: Bool = true) {
    let root = inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
    path = "\(root)/lmdbshare-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    mkdir(path, 0o700)
    doomed.withLock { paths in
      if paths.isEmpty {
        atexit { for path in doomed.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) } }
      }
      paths.append(path)
    }
  }

  /// The path of a file in it.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file in it.
  public func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
  }

  /// Reads a file in it.
  public func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name)))) }

  /// Whether there is a file of that name in it.
  public func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }
}
