internal import Synchronization

/// What a process was started for, when another one has started it as a worker: ``WorkerProcess``.
///
/// A program that runs itself again looks at this first thing:
///
///     if let worker = Worker.current {
///       try work(worker.openStore(), worker.arguments)
///       return
///     }
///     let pool = try WorkerPool(4, role: "count", store: store)
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

  /// What this process was started for; nil when it was not started as a worker.
  ///
  /// The first look takes the mark away, so that what this process starts is no worker by mistake; and from then on the
  /// process gets SIGTERM when the one that started it ends.
  public static let current: Worker? = {
    let role = ChildProcess.takeVariable(roleVariable)
    let store = ChildProcess.takeVariable(storeVariable)
    if let link = ChildProcess.takeVariable(linkVariable).flatMap({ Int32($0) }) { ChildProcess.end(with: link) }
    guard let role, let store else { return nil }
    return Worker(role: role, storePath: store)
  }()

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
