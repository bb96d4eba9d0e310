import LMDBShare

/// Commits with a token, or waits before the commit when `number` is 0.
func writeToken(_ path: String, _ number: Int) throws {
  let shared = try Shared(path)
  guard let token = CommitToken(CommandLine.arguments[4]) else { return say("no token") }
  try shared.store.write(token: token) { txn in
    txn[shared.value] += 1
    if number == 0 {
      say("there")
      _ = readLine()
    }
  }
  say("there")
  _ = readLine()
}

/// What a store that is open for reading knows about two tokens.
func lookForTokens(_ path: String) throws {
  var options = StoreOptions()
  options.access = .readOnly
  let store = try SharedStore(path: path, options: options)
  for text in CommandLine.arguments[3...4] {
    guard let token = CommitToken(text) else { return say("no token") }
    do {
      say("\(try store.wasCommitted(token))")
    } catch let error as StoreError {
      say("\(error.code)")
    }
  }
}
