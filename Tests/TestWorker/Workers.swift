import Foundation
import LMDBShare

/// A program that starts itself as a worker and does not read `Worker.current`.
func startUnaware() throws {
  let isWorker = ProcessInfo.processInfo.environment["LMDBSHARE_WORKER_ROLE"] != nil
  let path = CommandLine.arguments[2]
  do {
    let store = try SharedStore(path: path)
    let worker = try WorkerProcess(role: "unaware", store: store, arguments: ["start-unaware", path])
    say("\(worker.wait())")
  } catch let error as StoreError {
    say(isWorker ? "worker: \(error.code)" : "\(error.code)")
    exit(9)
  }
}

/// The workers that tests start.
func workAs(_ role: String, _ path: String) throws {
  let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
  switch role {
  case "start-below": try startBelow(store)
  case "exit-or-sleep":
    // The first one sleeps, the others die.
    let count = try store.value("count", initial: 0)
    try count.update { $0 += 1 }
    if try count.get() > 1 { exit(3) }
    while true { sleep(60) }
  case "end-slowly": try endSlowly(store)
  default:
    signal(SIGTERM, SIG_IGN)
    try store.list("ended", of: Int.self).append(0)
    while true { sleep(60) }
  }
}

/// Starts a worker that does the same.
private func startBelow(_ store: SharedStore) throws {
  let levels = try store.list("levels", of: String.self)
  do {
    let below = try WorkerProcess(role: "start-below", store: store)
    try levels.append("started")
    exit(below.wait().isSuccess ? 0 : 1)
  } catch let error as StoreError {
    try levels.append("\(error.code)")
  }
}

/// Ends at SIGTERM, but takes its time.
private func endSlowly(_ store: SharedStore) throws {
  let ended = try store.list("ended", of: Int.self)
  var signals = sigset_t()
  sigemptyset(&signals)
  sigaddset(&signals, SIGTERM)
  sigprocmask(SIG_BLOCK, &signals, nil)
  try ended.append(0)
  var signal: Int32 = 0
  sigwait(&signals, &signal)
  usleep(1_500_000)
  try ended.append(1)
}
