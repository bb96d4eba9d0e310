internal import Dispatch

/// A process that this one has started to work on the same store. It runs this program again, or another one.
///
///     let worker = try WorkerProcess(role: "count", store: store, arguments: ["a.txt"])
///     …
///     print(worker.wait())           // exited(0)
///
/// In the new process, ``Worker/current`` has the role. It inherits the standard streams of this process and none of its other
/// files. It gets SIGTERM when this process ends, however it ends.
public final class WorkerProcess: Sendable {
  /// The way in which a process ended.
  public enum Termination: Hashable, Sendable, CustomStringConvertible {
    /// The process exited with this status.
    case exited(Int)
    /// A signal ended the process.
    case signaled(Int)
    /// Unknown: other code of this process has waited for it before.
    case unknown

    /// Whether the process exited with status 0.
    public var isSuccess: Bool { self == .exited(0) }

    /// For example `exited(0)`.
    public var description: String {
      switch self {
      case .exited(let status): "exited(\(status))"
      case .signaled(let signal): "signaled(\(signal))"
      case .unknown: "unknown"
      }
    }
  }

  /// The PID of the process.
  public let processID: Int
  private let ending = Ending<Termination>()

  /// Starts a process.
  ///
  /// - Parameters:
  ///   - role: The role of the process: its ``Worker/role``.
  ///   - store: The store that the process works on.
  ///   - arguments: The arguments of the process.
  ///   - executable: The path of the program; nil for this one.
  ///   - environment: Variables in addition to those of this process.
  /// - Throws: ``StoreError/Code/workerRecursion`` in a process that was started as a worker and has not read
  ///   ``Worker/current``, or whose starter is a worker, too; ``StoreError`` when the process cannot be started.
  public convenience init(
    role: String, store: SharedStore, arguments: [String] = [], executable: String? = nil,
    environment: [String: String] = [:]
  ) throws {
    try self.init(role, store, arguments, executable, environment)
  }

  init(
    _ role: String, _ store: SharedStore, _ arguments: [String], _ executable: String?, _ environment: [String: String]
  ) throws(StoreError) {
    let level = try Worker.levelBelow()
    var path = executable ?? ""
    if executable == nil { path = try ChildProcess.thisExecutable() }
    let pipe = try ChildProcess.pipe()
    var variables = environment
    variables[Worker.roleVariable] = role
    variables[Worker.storeVariable] = store.path
    variables[Worker.levelVariable] = "\(level)"
    variables[Worker.linkVariable] = "\(ChildProcess.keptFile)"
    let process: Int32
    do throws(StoreError) {
      process = try ChildProcess.spawn(path, arguments, environment: variables, keeping: pipe.reading)
    } catch {
      ChildProcess.willClose(pipe.writing)
      throw error
    }
    processID = Int(process)
    do throws(StoreError) {
      // The worker detects the end of this process by the end of the pipe.
      try NativeThread.detached("start a process") { [ending, link = pipe.writing] in
        ChildProcess.waitForEnd(of: process)
        ChildProcess.willClose(link)
        // Signals are sent under the same lock: once the status is collected, the PID may belong to another process.
        ending.set {
          let end = ChildProcess.wait(for: process)
          return end.map { $0.signal == 0 ? .exited(Int($0.status)) : .signaled(Int($0.signal)) } ?? .unknown
        }
      }
    } catch {
      ChildProcess.willClose(pipe.writing)
      ChildProcess.send(9, to: process)
      _ = ChildProcess.wait(for: process)
      throw error
    }
  }

  /// The way in which the process ended; nil while it runs.
  public var termination: Termination? { ending.value }
  /// Whether the process is running.
  public var isRunning: Bool { termination == nil }

  /// Sends a signal to the process, SIGTERM by default; does nothing when the process has ended.
  public func signal(_ number: Int32 = 15) { ending.ifRunning { ChildProcess.send(number, to: Int32(processID)) } }
  /// Ends the process immediately, as `kill -9` does.
  public func kill() { signal(9) }

  /// Waits until the process has ended.
  @discardableResult
  public func wait() -> Termination { ending.wait(until: .distantFuture) ?? .unknown }

  /// Waits until the process has ended, at most for `timeout`.
  ///
  /// - Returns: The way in which it ended; nil when it still runs.
  public func wait(timeout: Duration) -> Termination? {
    let (seconds, attoseconds) = min(max(timeout, .zero), .seconds(1 << 30)).components
    return ending.wait(until: .now() + Double(seconds) + Double(attoseconds) / 1e18)
  }

  /// Waits until the process has ended, without blocking a thread.
  ///
  /// - Throws: `CancellationError` when the task is cancelled; the process continues.
  @discardableResult
  public func wait() async throws -> Termination { try await ending.wait() }

  /// Waits until the process has ended, at most for `timeout`, without blocking a thread.
  ///
  /// - Returns: The way in which it ended; nil when it still runs.
  /// - Throws: `CancellationError` when the task is cancelled; the process continues.
  public func wait(timeout: Duration) async throws -> Termination? {
    if let end = ending.value { return end }
    return try await withThrowingTaskGroup(of: Termination?.self) { group in
      group.addTask { [ending] in try await ending.wait() }
      group.addTask {
        try await Task.sleep(for: min(max(timeout, .zero), .seconds(1 << 30)))
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }

  /// Calls `body` when the process has ended, on an unspecified thread.
  func whenEnded(_ body: @escaping @Sendable (Termination) -> Void) { ending.then(body) }
}
