import Foundation
import LMDBShare
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct CommitTokenTests {
  @Test func aTokenTellsWhetherItsTransactionWasCommitted() throws {
    let test = try TestStore()
    let value = try test.store.value("value", initial: 0)
    let token = try test.store.commitToken()
    let other = try test.store.commitToken()
    #expect(token != other)
    #expect(try !test.store.wasCommitted(token))
    #expect(throws: Undo.self) {
      try test.store.write(token: token) { txn in
        txn[value] = 1
        throw Undo()
      }
    }
    #expect(try !test.store.wasCommitted(token))
    #expect(
      try test.store.write(token: token) { txn in
        txn[value] += 1; return txn[value]
      } == 1)
    #expect(try test.store.wasCommitted(token))
    #expect(try !test.store.wasCommitted(other))
  }

  @Test func whatHasBeenCommittedIsNotDoneAgain() throws {
    let test = try TestStore()
    let value = try test.store.value("value", initial: 0)
    let token = try test.store.commitToken()
    for round in 0..<3 {
      let refusal = code { try test.store.write(token: token) { txn in txn[value] += 1 } }
      #expect(refusal == (round == 0 ? nil : .alreadyCommitted))
      #expect(try value.get() == 1 && test.store.wasCommitted(token))
    }
  }

  @Test func tasksThatShareACommitHaveTokensOfTheirOwn() async throws {
    let test = try TestStore()
    let value = try await test.store.value("value", initial: 0)
    let tokens = try (0..<40).map { _ in try test.store.commitToken() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (number, token) in tokens.enumerated() {
        group.addTask {
          do {
            try await test.store.write(token: token) { txn in
              txn[value] += 1
              if number % 4 == 0 { throw Undo() }
            }
          } catch is Undo {}
        }
      }
      try await group.waitForAll()
    }
    #expect(try value.get() == 30)
    for (number, token) in tokens.enumerated() {
      #expect(try await test.store.wasCommitted(token) == (number % 4 != 0))
    }
  }

  @Test func aTokenIsItsText() throws {
    let test = try TestStore()
    let token = try test.store.commitToken()
    #expect(CommitToken("\(token)") == token)
    #expect(try JSONDecoder().decode(CommitToken.self, from: JSONEncoder().encode(token)) == token)
    for text in ["", "-", "1", "1-", "-1", "1-0", "x-1", "1-2-3", "1-10000000000000000"] {
      #expect(CommitToken(text) == nil, "\(text)")
    }
  }

  @Test func aProcessThatDiedLearnsTheOutcome() throws {
    let test = try TestStore()
    let value = try test.store.value("value", initial: 0)
    for isCommitted in [false, true] {
      let token = try test.store.commitToken()
      let worker = try Program("TestWorker", ["write-token", test.path, isCommitted ? "1" : "0", "\(token)"])
      #expect(worker.line() == "there")
      worker.signal(SIGKILL)
      worker.finish()
      #expect(try test.store.wasCommitted(token) == isCommitted)
      #expect(try value.get() == (isCommitted ? 1 : 0))
    }
  }

  /// The tokens' database is opened immediately after another process has let the file grow beyond the map.
  @Test func growthByAnotherProcessIsAdopted() throws {
    var options = StoreOptions.durability(.processCrashOnly)
    options.mapReservation = 1 << 20
    let test = try TestStore(options)
    let token = try test.store.commitToken()
    #expect(try Program("TestWorker", ["fill", test.path, "\(20 << 20)"]).finish().status == 0)
    let worker = try Program("TestWorker", ["write-token", test.path, "1", "\(token)"])
    #expect(worker.line() == "there")
    worker.release()
    #expect(worker.finish().status == 0)
    #expect(try test.store.wasCommitted(token))
  }

  @Test func theOldestAreForgottenAndSaySo() throws {
    let test = try TestStore()
    let first = try test.store.commitToken()
    try test.store.write(token: first) { _ in }
    var unused: [CommitToken] = []
    for round in 0..<66 {
      unused.append(try test.store.commitToken())
      let tokens = try (0..<1000).map { _ in try test.store.commitToken() }
      for token in tokens { try test.store.write(token: token) { _ in } }
      if round < 65 { #expect(try test.store.wasCommitted(first)) }
    }
    // 66,001 are more than it remembers.
    #expect(code { _ = try test.store.wasCommitted(first) } == .outcomeUnknown)
    #expect(code { _ = try test.store.wasCommitted(unused[0]) } == .outcomeUnknown)
    #expect(code { try test.store.write(token: first) { _ in } } == .outcomeUnknown)
    #expect(try !test.store.wasCommitted(unused[65]))
    // In a compacted copy LMDB's transaction numbers start at 1 again.
    let copy = test.directory.file("copy.lmdb")
    try test.store.backup(to: copy, compacting: true)
    let restored = try SharedStore(path: copy)
    #expect(try restored.read { $0.snapshotID } < 10)
    #expect(code { _ = try restored.wasCommitted(first) } == .outcomeUnknown)
    let new = try restored.commitToken()
    #expect(try !restored.wasCommitted(new))
    try restored.write(token: new) { _ in }
    #expect(try restored.wasCommitted(new))
    #expect(code { try restored.write(token: new) { _ in } } == .alreadyCommitted)
  }

  @Test func aReaderDoesNotSayNo() throws {
    let test = try TestStore()
    let (done, open) = (try test.store.commitToken(), try test.store.commitToken())
    try test.store.write(token: done) { _ in }
    let worker = try Program("TestWorker", ["was-committed", test.path, "\(done)", "\(open)"])
    #expect(worker.line() == "true")
    #expect(worker.line() == "outcomeUnknown")
    worker.finish()
    // Nor does it wait longer than its limit.
    let writer = try Program("TestWorker", ["write-and-stop", test.path])
    _ = writer.line()
    do {
      _ = try test.store.wasCommitted(open, timeout: .milliseconds(50))
      Issue.record("an answer while another process writes")
    } catch let error as StoreError {
      #expect(error.code == .writerBusy)
    }
    writer.finish()
  }
}
