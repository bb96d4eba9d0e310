// The commands that tests run as other processes: TestWorker COMMAND STORE [NUMBER].

import CTestShims
import Foundation
import LMDBShare

/// What a process does with the store at a path.
typealias Command = @Sendable (_ path: String, _ number: Int) throws -> Void

/// The structures that the commands work on.
struct Shared {
  let store: SharedStore
  let value: SharedValue<Int>
  let dictionary: SharedDictionary<String, Int>
  let list: SharedList<Int>
  let names: SharedList<String>
  let array: SharedArray<Int>
  let queue: SharedQueue<[UInt8]>

  init(_ path: String, _ options: StoreOptions = .durability(.processCrashOnly)) throws {
    store = try SharedStore(path: path, options: options)
    value = try store.value("value", initial: 0)
    dictionary = try store.dictionary("dictionary", of: String.self, Int.self)
    list = try store.list("list", of: Int.self)
    names = try store.list("names", of: String.self)
    array = try store.array("array", of: Int.self, count: 4)
    queue = try store.queue("queue", of: [UInt8].self)
  }
}

/// Dies as by kill -9, with a probability of one in that many; 0 for never.
func dieByChance(_ odds: Int) {
  if odds > 0, Int.random(in: 0..<odds) == 0 { kill(getpid(), SIGKILL) }
}

func say(_ text: String) {
  FileHandle.standardOutput.write(Data((text + "\n").utf8))
}

@main
struct TestWorker {
  static func main() {
    do {
      if CommandLine.arguments.dropFirst().first == "start-unaware" { return try startUnaware() }
      if let worker = Worker.current {
        return try run(worker.role, worker.storePath, Int(worker.arguments.first ?? "") ?? 0)
      }
      let arguments = CommandLine.arguments
      let number = arguments.count > 3 ? Int(arguments[3]) ?? 0 : 0
      try run(arguments[1], arguments[2], number)
    } catch let error as StoreError {
      say("error \(error.code): \(error)")
      exit(3)
    } catch {
      say("error: \(error)")
      exit(4)
    }
  }

  private static let commands = [
    openingCommands, writingCommands, readingCommands, queueCommands, coordinationCommands, versionCommands,
  ].reduce(into: [:]) { all, some in all.merge(some) { _, _ in fatalError("a command is there twice") } }

  static func run(_ command: String, _ path: String, _ number: Int) throws {
    if let known = commands[command] { return try known(path, number) }
    if try Inherited.run(command, path, number) { return }
    if try Growth.run(command, path, number) { return }
    if try runOther(command, path, number) { return }
    say("unknown command \(command)")
    exit(64)
  }
}
