/// What a process was started for, when another one has started it as a worker: ``WorkerProcess``.
///
/// A program that runs itself again looks at this first thing:
///
///     if let worker = Worker.current {
///       try work(worker.openStore(), worker.arguments)
///       return
///     }
///     let pool = try WorkerPool(4, role: "count", store: store)
///
/// A worker may start workers of its own, and these no others. A process that was started as a worker and has not looked at
/// ``current`` cannot start any: else a program that never looks would start itself without end.
public struct Worker: Sendable {
  /// What it is to do, as the starter named it.
  public let role: String
  /// The path of the store that it shares with the starter.
  public let storePath: String
  /// What the starter passed on.
  public var arguments: [String] { Array(CommandLine.arguments.dropFirst()) }

  static let roleVariable = "LMDBSHARE_WORKER_ROLE"
  static let storeVariable = "LMDBSHARE_WORKER_STORE"
  static let linkVariable = "LMDBSHARE_WORKER_LINK"
  static let levelVariable = "LMDBSHARE_WORKER_LEVEL"
  /// How many generations of workers there may be.
  static let mostLevels = 2

  /// What this process was started for; nil when it was not started as a worker.
  ///
  /// The first look takes the mark away, so that what this process starts is no worker by mistake; and from then on the
  /// process gets SIGTERM when the one that started it ends.
  public static let current: Worker? = seen.worker

  /// What the environment of this process said, which is taken out of it at the first look.
  private static let seen: (worker: Worker?, level: Int) = {
    let level = ChildProcess.takeVariable(levelVariable).flatMap { Int($0) } ?? 0
    let role = ChildProcess.takeVariable(roleVariable)
    let store = ChildProcess.takeVariable(storeVariable)
    if let link = ChildProcess.takeVariable(linkVariable).flatMap({ Int32($0) }) { ChildProcess.end(with: link) }
    guard let role, let store else { return (nil, level) }
    return (Worker(role: role, storePath: store), level)
  }()

  /// How many starters of workers stand above this process's own workers.
  ///
  /// - Throws: ``StoreError/Code/workerRecursion`` when this process must not start any.
  static func levelBelow() throws(StoreError) -> Int {
    func refusal(_ reason: String, _ advice: String) -> StoreError {
      StoreError(.workerRecursion, "start a worker", reason: reason, advice: advice)
    }
    if let role = ChildProcess.variable(roleVariable) {
      throw refusal(
        "this process is itself a worker (role '\(role)'), but has not looked at Worker.current",
        "look at Worker.current first thing in the program, and do a worker's work when it is not nil")
    }
    let level = seen.level + 1
    guard level <= mostLevels else {
      throw refusal(
        "this process is a worker of a worker", "let the first process start all workers, or give the work to a queue")
    }
    return level
  }

  /// Opens the store that it shares with the starter.
  ///
  /// - Parameter options: Those of the starter, as far as they matter to it. The store is never made anew.
  /// - Throws: ``StoreError/Code/storeNotFound`` when the store is gone.
  public func openStore(options: StoreOptions = StoreOptions()) throws(StoreError) -> SharedStore {
    var options = options
    options.createIfMissing = false
    return try SharedStore(path: storePath, options: options)
  }
}
