// The sharing example of Python's multiprocessing: a child process changes a list, a dictionary and a value, and a message
// travels to it and back.

import Foundation
import LMDBShare

struct Message: Codable, Storable {
  var list: [Int]
  var dictionary: [String: String]
}

/// What the parent and the child share.
struct Shared {
  let store: SharedStore
  let list: SharedList<Int>
  let dictionary: SharedDictionary<String, String>
  let value: SharedValue<Int>
  let toChild: SharedQueue<Message>
  let toParent: SharedQueue<Message>

  init(_ name: String) throws {
    store = try SharedStore.ephemeral(named: name)
    list = try store.list("list", of: Int.self)
    dictionary = try store.dictionary("dictionary", of: String.self, String.self)
    value = try store.value("value", initial: 0)
    toChild = try store.queue("to child", of: Message.self)
    toParent = try store.queue("to parent", of: Message.self)
  }
}

func child(_ name: String) throws {
  let shared = try Shared(name)
  try shared.store.write { txn in
    txn[shared.list][0] = 42
    txn[shared.dictionary]["key"] = "value"
    txn[shared.value] = 100
  }
  guard var message = try shared.toChild.pop(timeout: .seconds(10)) else { exit(1) }
  message.list[0] = 42
  message.dictionary["key"] = "value"
  try shared.toParent.push(message)
}

func parent() throws {
  let name = "shared-state-\(ProcessInfo.processInfo.processIdentifier)"
  defer { try? SharedStore.removeEphemeral(named: name) }
  let shared = try Shared(name)
  try shared.list.append(contentsOf: [1, 2, 3])

  let process = Process()
  process.executableURL = Bundle.main.executableURL
  process.arguments = ["child", name]
  try process.run()
  try shared.toChild.push(Message(list: [1, 2, 3], dictionary: [:]))
  let answer = try shared.toParent.pop(timeout: .seconds(10))
  process.waitUntilExit()
  guard let answer, process.terminationStatus == 0 else {
    FileHandle.standardError.write(Data("the child process did not answer\n".utf8))
    exit(1)
  }

  try shared.store.read { txn in
    print("shared list: \(txn[shared.list])")
    print("shared dictionary: \(txn[shared.dictionary])")
    print("shared value: \(txn[shared.value])")
  }
  print("message: list \(answer.list), dictionary \(answer.dictionary)")
}

do {
  let arguments = CommandLine.arguments
  if arguments.count == 3, arguments[1] == "child" { try child(arguments[2]) } else { try parent() }
} catch {
  FileHandle.standardError.write(Data("shared-state: \(error)\n".utf8))
  exit(1)
}
