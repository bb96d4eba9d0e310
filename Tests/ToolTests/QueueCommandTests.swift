import Foundation
import LMDBShare
import TestSupport
import Testing

/// The tool's commands for queues, beside programs that consume them.
@Suite(.timeLimit(.minutes(20)))
struct QueueCommandTests {
  let tool = Tool()

  /// The tool does not know the types: whatever is pushed with it, consumers continue, and the tool shows what they could not
  /// take.
  @Test func whatNoConsumerUnderstandsStopsNone() throws {
    try tool.run(#"lmdbshare create store queue jobs 'json(Job)'"#)
    let consumer = try Program("TestWorker", ["consume-jobs", tool.directory.file("store")])
    #expect(consumer.line() == "ready")
    let pushed = try tool.run(
      #"""
      lmdbshare push store jobs '{"path":"a"}' '{"wrong":1}' '{"path":"b"}'; lmdbshare push store jobs '[]' --priority 0
      lmdbshare push store jobs '{"path":"c"}'
      """#)
    #expect(pushed.status == 0, "\(pushed)")
    var seen: Set<String> = []
    while seen.count < 3, let line = consumer.line() { seen.insert(line) }
    #expect(seen == ["did a", "did b", "did c"])
    try SharedStore(path: tool.directory.file("store")).untypedQueue("jobs").close()
    #expect(consumer.line() == "end")
    #expect(consumer.finish().status == 0)
    let letters = try tool.run("lmdbshare dead-letters store jobs --format jsonl").output.split(separator: "\n")
    #expect(letters.count == 2 && letters.allSatisfy { $0.contains("cannot be decoded") }, "\(letters)")
    #expect(letters.first?.contains(#""wrong":1"#) == true && letters.first?.contains(#""sequence":2"#) == true)
    #expect(
      try tool.run("lmdbshare dead-letters store jobs --retry-all; lmdbshare peek store jobs --count 9").output
        == "[]\n{\"wrong\":1}\n")
  }

  /// Bytes that are not of the queue's type, as another program may have written them, are shown as bytes.
  @Test func bytesThatAreNoItemAreShown() throws {
    try tool.run("lmdbshare create store queue numbers i64")
    let raw = try SharedStore(path: tool.directory.file("store")).untypedQueue("numbers")
    try raw.push(StoredBytes([1, 2, 3]))
    let peeked = try tool.run("lmdbshare peek store numbers; lmdbshare peek store numbers --format jsonl")
    #expect(peeked.status == 0 && peeked.output.contains("AQID"), "\(peeked)")
    try raw.reject(try #require(try raw.lease(for: .seconds(60))), reason: "why")
    let letters = try tool.run(
      "lmdbshare dead-letters store numbers; lmdbshare dead-letters store numbers --format jsonl")
    #expect(letters.status == 0 && letters.output.contains("AQID") && letters.output.contains("why"), "\(letters)")
    try raw.retry(1)
    let popped = try tool.run("lmdbshare pop store numbers --format jsonl")
    #expect(popped.status == 0 && popped.output.contains("AQID"), "\(popped)")
  }

  private func attempts() throws -> [Int] {
    let store = try SharedStore(path: tool.directory.file("store"))
    let queue = try store.untypedQueue("jobs")
    return try store.read { txn in txn[queue].storedItems.map(\.attempts) }
  }

  /// Runs `pop --exec` with a command that waits; returns once the command has begun.
  private func popper(_ command: String, _ options: String = "") throws -> Program {
    try tool.run("lmdbshare create store queue jobs i64 --attempts 1; lmdbshare push store jobs 7")
    let popper = try Program(
      path: "/bin/sh",
      ["-c", "cd '\(tool.directory.path)'; exec '\(Tool.path)' pop store jobs \(options) --exec '\(command)'"])
    #expect(popper.line() == "begun")
    return popper
  }

  /// An orderly stop of the tool counts no attempt, and leaves no command behind.
  @Test(arguments: [SIGTERM, SIGINT, SIGHUP]) func anInterruptedPopGivesItsItemBackUntried(signal: Int32) throws {
    let popper = try popper("echo begun; echo $$; exec sleep 60")
    let command = Int32(popper.line() ?? "") ?? 0
    #expect(command > 0)
    popper.signal(signal)
    #expect(popper.finish(within: 20).status == 128 + signal)
    #expect(kill(command, 0) != 0)
    #expect(try attempts() == [0])
    #expect(try tool.run("lmdbshare dead-letters store jobs --format jsonl").output.isEmpty)
  }

  /// A command that succeeds although it was interrupted has done its work.
  @Test func aCommandThatEndsWellIsAcknowledgedAlsoWhenInterrupted() throws {
    let popper = try popper("trap \"exit 0\" TERM; echo begun; while :; do sleep 0.05; done")
    popper.signal(SIGTERM)
    #expect(popper.finish(within: 20).status == 128 + SIGTERM)
    #expect(try attempts() == [])
    #expect(try tool.run("lmdbshare ls store --format jsonl").output.contains("jobs"))
  }

  @Test func aPopThatWaitsEndsWhenItIsInterrupted() throws {
    let popper = try popper("echo begun", "--wait --count 5")
    let store = try SharedStore(path: tool.directory.file("store"))
    let queue = try store.untypedQueue("jobs")
    // Until it has processed the one item, and waits for another.
    #expect(
      try store.waitUntil(timeout: .seconds(20), watching: [queue]) { txn in
        txn[queue].isEmpty && txn[queue].statistics.leases.isEmpty
      })
    popper.signal(SIGTERM)
    #expect(popper.finish(within: 20).status == 128 + SIGTERM)
    #expect(try attempts() == [])
    // A closed queue is not waited for.
    try queue.close()
    #expect(try tool.run("lmdbshare pop store jobs --wait --exec cat", within: 20).status == 4)
  }
}
