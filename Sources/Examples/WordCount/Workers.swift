import Foundation

/// This program, run again as worker processes.
final class Workers {
  private let store: String
  private var processes: [Process] = []
  private(set) var killed = 0

  init(_ count: Int, store: String) throws {
    self.store = store
    for _ in 0..<count { try start() }
  }

  private func start() throws {
    let process = Process()
    process.executableURL = Bundle.main.executableURL
    process.arguments = ["--worker-of", store]
    try process.run()
    processes.append(process)
  }

  /// Kills one of the workers, and starts another in its place.
  func killOne() throws {
    guard let index = processes.indices.randomElement() else { return }
    let victim = processes.remove(at: index)
    kill(victim.processIdentifier, SIGKILL)
    victim.waitUntilExit()
    killed += 1
    try start()
  }

  /// Starts another worker for each that died by itself; tells how many did.
  func replaceDead() throws -> Int {
    let dead = processes.filter { !$0.isRunning }
    processes.removeAll { process in dead.contains { $0 === process } }
    for _ in dead { try start() }
    return dead.count
  }

  func wait() {
    for process in processes { process.waitUntilExit() }
  }
}
