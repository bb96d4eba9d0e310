/// The task of a process that another process has started as a worker: see ``WorkerProcess``.
///
/// A program that starts itself as a worker checks this first:
///
///     if let worker = Worker.current {
///       try work(worker.openStore(), worker.arguments)
///       return
///     }
///     let pool = try WorkerPool(4, role: "count", store: store)
///
/// A worker can start workers, which cannot start further ones. A process that was started as a worker and has not read
/// ``current`` cannot start any: otherwise a program that never reads it would start itself endlessly.
public struct Worker: Sendable {
  /// The role that the starter gave it.
  public let role: String
  /// The path of the store that the worker shares with its starter.
  public let storePath: String
  /// The arguments that the starter passed.
  public var arguments: [String] { ProgramArguments.all ?? [] }

  static let roleVariable = "LMDBSHARE_WORKER_ROLE"
  static let storeVariable = "LMDBSHARE_WORKER_STORE"
  static let linkVariable = "LMDBSHARE_WORKER_LINK"
  static let levelVariable = "LMDBSHARE_WORKER_LEVEL"
  /// The maximum number of generations of workers.
  static let mostLevels = 2

  /// The task of this process; nil when it was not started as a worker.
  ///
  /// The first access removes the mark from the environment, so that processes that this one starts do not count as workers. From
  /// then on the process gets SIGTERM when its starter ends.
  public static let current: Worker? = seen.worker

  /// The worker's task from the environment, which the first access removes from there.
  private static let seen: (worker: Worker?, level: Int) = {
    let level = ChildProcess.takeVariable(levelVariable).flatMap { Int($0) } ?? 0
    let role = ChildProcess.takeVariable(roleVariable)
    let store = ChildProcess.takeVariable(storeVariable)
    if let link = ChildProcess.takeVariable(linkVariable).flatMap({ Int32($0) }) { ChildProcess.end(with: link) }
    guard let role, let store else { return (nil, level) }
    return (Worker(role: role, storePath: store), level)
  }()

  /// The number of generations above this process's own workers.
  ///
  /// - Throws: ``StoreError/Code/workerRecursion`` when this process must not start workers.
  static func levelBelow() throws(StoreError) -> Int {
    func refusal(_ reason: String, _ advice: String) -> StoreError {
      StoreError(.workerRecursion, "start a worker", reason: reason, advice: advice)
    }
    if let role = ChildProcess.variable(roleVariable) {
      throw refusal(
        "this process is itself a worker (role '\(role)'), but has not read Worker.current",
        "read Worker.current at the beginning of the program, and do the worker's work if it is not nil")
    }
    let level = seen.level + 1
    guard level <= mostLevels else {
      throw refusal(
        "this process is a worker of a worker", "let the first process start all workers, or give the work to a queue")
    }
    return level
  }

  /// Opens the store that the worker shares with its starter.
  ///
  /// - Parameter options: The options for this process. The store is never created.
  /// - Throws: ``StoreError/Code/storeNotFound`` when the store no longer exists.
  public func openStore(options: StoreOptions = StoreOptions()) throws -> SharedStore {
    var options = options
    options.createIfMissing = false
    return try SharedStore(path: storePath, options: options)
  }
}
