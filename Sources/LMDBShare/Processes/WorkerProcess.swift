internal import Dispatch

/// A process that this one has started to work on the same store: this program once more, or another one.
///
///     let worker = try WorkerProcess(role: "count", store: store, arguments: ["a.txt"])
///     …
///     print(worker.wait())           // exited(0)
///
/// In it, ``Worker/current`` tells the role. It has the standard streams of this process and none of its other files. It gets
/// SIGTERM when this process ends, however that comes about.
public final class WorkerProcess: Sendable {
  /// How a process ended.
  public enum Termination: Hashable, Sendable, CustomStringConvertible {
    /// It ended by itself, with this status.
    case exited(Int)
    /// A signal ended it.
    case signaled(Int)
    /// Somebody else of this process has waited for it before.
    case unknown

    /// Whether it ended by itself and reported success.
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

  /// The process's number.
  public let processID: Int
  private let ending = Ending()

  /// Starts a process.
  ///
  /// - Parameters:
  ///   - role: What it is to do.
  ///   - store: The store that it works on.
  ///   - arguments: What it gets as arguments.
  ///   - executable: The path of the program; nil for this one.
  ///   - environment: Variables beyond those of this process.
  /// - Throws: ``StoreError/Code/workerRecursion`` in a process that was started as a worker and has not looked at
  ///   ``Worker/current``, or whose starter is a worker, too; ``StoreError`` when it cannot be started.
  public init(
    role: String, store: SharedStore, arguments: [String] = [], executable: String? = nil,
    environment: [String: String] = [:]
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
      // The worker sees the end of this process by the end of the pipe.
      try NativeThread.detached("start a process") { [ending, link = pipe.writing] in
        ChildProcess.waitForEnd(of: process)
        ChildProcess.willClose(link)
        // In one with the knowledge of its end, so that no signal is sent to a number that is somebody else's by then.
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

  /// How it ended; nil while it runs.
  public var termination: Termination? { ending.value }
  /// Whether it has not ended yet.
  public var isRunning: Bool { termination == nil }

  /// Sends it a signal, SIGTERM unless told otherwise; nothing happens when it has ended.
  public func signal(_ number: Int32 = 15) { ending.ifRunning { ChildProcess.send(number, to: Int32(processID)) } }
  /// Ends it at once, as by `kill -9`.
  public func kill() { signal(9) }

  /// Waits for its end.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  @discardableResult
  public func wait() -> Termination { ending.wait(until: .distantFuture) ?? .unknown }

  /// Waits for its end, so long at most.
  ///
  /// - Returns: How it ended; nil when it still runs.
  @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
  public func wait(timeout: Duration) -> Termination? {
    let (seconds, attoseconds) = min(max(timeout, .zero), .seconds(1 << 30)).components
    return ending.wait(until: .now() + Double(seconds) + Double(attoseconds) / 1e18)
  }

  /// Waits for its end, without blocking a thread.
  ///
  /// - Throws: `CancellationError` when the task is cancelled; the process goes on.
  @discardableResult
  public func wait() async throws -> Termination { try await ending.wait() }

  /// Calls `body` once it has ended, on some thread.
  func whenEnded(_ body: @escaping @Sendable (Termination) -> Void) { ending.then(body) }

  /// What those who wait for the end have in common.
  private final class Ending: Sendable {
    private struct State {
      var value: Termination?
      var actions: [UInt64: @Sendable (Termination) -> Void] = [:]
      var waits: [UInt64: CheckedContinuation<Termination, any Error>] = [:]
      var cancelled: Set<UInt64> = []
      var nextNumber: UInt64 = 0
    }
    private let state = Guarded(State())
    private let group = DispatchGroup()

    init() { group.enter() }

    var value: Termination? { state.withLock { $0.value } }

    func ifRunning(_ body: () -> Void) { state.withLock { if $0.value == nil { body() } } }

    func set(_ ask: () -> Termination) {
      let (value, actions, waits) = state.withLock { state in
        let value = ask()
        state.value = value
        defer { (state.actions, state.waits) = ([:], [:]) }
        return (value, Array(state.actions.values), Array(state.waits.values))
      }
      group.leave()
      for wait in waits { wait.resume(returning: value) }
      for action in actions { action(value) }
    }

    func then(_ body: @escaping @Sendable (Termination) -> Void) {
      let value = state.withLock { state in
        state.nextNumber += 1
        if state.value == nil { state.actions[state.nextNumber] = body }
        return state.value
      }
      if let value { body(value) }
    }

    func wait(until end: DispatchTime) -> Termination? {
      _ = group.wait(timeout: end)
      return value
    }

    func wait() async throws -> Termination {
      let number = state.withLock { state in
        state.nextNumber += 1
        return state.nextNumber
      }
      defer { state.withLock { _ = $0.cancelled.remove(number) } }
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          let result = state.withLock { state -> Result<Termination, any Error>? in
            if let value = state.value { return .success(value) }
            if state.cancelled.contains(number) { return .failure(CancellationError()) }
            state.waits[number] = continuation
            return nil
          }
          if let result { continuation.resume(with: result) }
        }
      } onCancel: {
        let wait = state.withLock { state in
          let wait = state.waits.removeValue(forKey: number)
          if wait == nil { state.cancelled.insert(number) }
          return wait
        }
        wait?.resume(throwing: CancellationError())
      }
    }
  }
}
