import Foundation
import LMDBShare
import TestSupport
import Testing

/// The tool behind a writer that stands still: nothing hangs, and reading does not wait at all.
@Suite(.timeLimit(.minutes(20)))
struct TimeLimitTests {
  let tool = Tool()

  static let changing = [
    "set STORE total 1", "append STORE names x", "insert STORE names 0 x", "increment STORE total",
    "delete STORE names 0", "apply STORE < change", "push STORE jobs '{}'", "pop STORE jobs", "pop STORE jobs --wait",
    "pop STORE jobs --exec cat", "dead-letters STORE jobs --retry-all", "create STORE value fresh i64 --initial 1",
    "drop STORE names --yes", "rename STORE names x", "clear STORE names --yes", "load STORE --merge < dump",
    "compact STORE",
  ]
  static let reading = [
    "info STORE", "ls STORE", "show STORE names", "get STORE total", "peek STORE jobs", "leases STORE jobs",
    "dead-letters STORE jobs", "dump STORE", "readers STORE", "backup STORE COPY", "backup STORE COPY --compact",
    "diff STORE STORE", "doctor STORE", "watch STORE",
  ]

  /// A process that stands still inside of a write.
  private func stoppedWriter(_ store: String) throws -> Program {
    let writer = try Program("TestWorker", ["stop-in-write", tool.directory.file(store)])
    #expect(writer.line() == "writing")
    return writer
  }

  private func line(_ command: String, _ copy: String) -> String {
    "lmdbshare \(command) ".replacing("STORE", with: "team.lmdb").replacing("COPY", with: copy)
      .replacing(" < ", with: " --timeout 300ms < ") + (command.contains(" < ") ? "" : " --timeout 300ms")
  }

  @Test func everyCommandIsPutToTheTest() {
    let named = Set((Self.changing + Self.reading).map { String($0.prefix { $0 != " " }) })
    // One needs a terminal, the other no store.
    #expect(Set(SnapshotTests.commands).subtracting(named) == ["top", "manual"])
  }

  @Test func whatChangesEndsInTimeAndNamesTheWriter() throws {
    try tool.makeStore()
    try tool.run(
      #"echo '{"op":"increment","name":"total"}' > change; lmdbshare dump team.lmdb total > dump; lmdbshare dump team.lmdb > before"#
    )
    let writer = try stoppedWriter("team.lmdb")
    for command in Self.changing {
      let start = ContinuousClock.now
      let result = try tool.run(line(command, "copy"), within: 20)
      #expect(result.status == 4, "\(command): \(result)")
      #expect(result.output.contains("\(writer.pid)"), "\(command): \(result)")
      #expect(start.duration(to: .now) < .seconds(5), "\(command)")
      if command != "compact STORE" {
        #expect(
          result.output.contains("process \(writer.pid) (TestWorker, stopped) is writing"), "\(command): \(result)")
      }
    }
    writer.signal(SIGCONT)
    #expect(writer.finish().output == "written\n")
    // Nothing of it was done, then or later.
    #expect(try tool.run("lmdbshare dump team.lmdb | cmp before -") == (0, ""))
  }

  @Test func whatReadsDoesNotWaitAtAll() throws {
    try tool.makeStore()
    var before: [Int32] = []
    for (number, command) in Self.reading.enumerated() {
      before.append(try tool.run(line(command, "a\(number)"), within: 20).status)
    }
    let writer = try stoppedWriter("team.lmdb")
    for (number, command) in Self.reading.enumerated() {
      let start = ContinuousClock.now
      let result = try tool.run(line(command, "b\(number)"), within: 20)
      #expect(result.status == before[number], "\(command): \(result)")
      #expect(start.duration(to: .now) < .seconds(5), "\(command)")
    }
    #expect(try tool.run("for copy in b*; do lmdbshare diff team.lmdb $copy || echo $copy; done") == (0, ""))
    writer.signal(SIGKILL)
    writer.finish()
  }

  @Test func withoutATimeItWaitsForTenSeconds() throws {
    try tool.makeStore()
    let writer = try stoppedWriter("team.lmdb")
    defer { writer.signal(SIGKILL) }
    let start = ContinuousClock.now
    let result = try tool.run("lmdbshare set team.lmdb total 1", within: 30)
    let taken = start.duration(to: .now)
    #expect(result.status == 4 && taken > .seconds(9) && taken < .seconds(15), "\(result) \(taken)")
    // Not at all, and for as long as it takes.
    let none = ContinuousClock.now
    #expect(try tool.run("lmdbshare set team.lmdb total 1 --timeout 0", within: 30).status == 4)
    #expect(none.duration(to: .now) < .seconds(5))
    let waiting = try Program(
      path: Tool.path, ["set", tool.directory.file("team.lmdb"), "total", "77", "--timeout", "none"])
    usleep(500_000)
    #expect(waiting.isRunning)
    writer.signal(SIGCONT)
    #expect(waiting.finish(within: 30).status == 0)
    #expect(try tool.run("lmdbshare get team.lmdb total") == (0, "77\n"))
  }

  /// A program that writes without this library knows of no gate: LMDB's own lock has no time limit.
  @Test func behindAProgramWithoutThisLibraryItEndsToo() throws {
    guard let python = ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"] else {
      return print("skipped: LMDBSHARE_PYTHON names no Python with py-lmdb")
    }
    try tool.makeStore()
    let script = """
      import lmdb, os, signal, sys
      environment = lmdb.open(sys.argv[1], max_dbs=64, map_size=1 << 30)
      transaction = environment.begin(write=True)
      print("writing", flush=True)
      os.kill(os.getpid(), signal.SIGSTOP)
      """
    let writer = try Program(path: python, ["-c", script, tool.directory.file("team.lmdb")])
    defer { writer.signal(SIGKILL) }
    #expect(writer.line() == "writing")
    for command in ["set STORE total 1", "push STORE jobs '{}'", "rename STORE names x"] {
      let result = try tool.run(line(command, ""), within: 20)
      #expect(result.status == 4 && result.output.contains("without this library"), "\(command): \(result)")
      #expect(result.output.contains("\(writer.pid) (python"), "\(command): \(result)")
    }
    #expect(try tool.run("lmdbshare get team.lmdb total").status == 0)
    #expect(try tool.run("lmdbshare backup team.lmdb copy && lmdbshare diff team.lmdb copy") == (0, ""))
  }

  @Test func openingEndsWhileAnotherProcessHasTheStoreForItself() throws {
    try tool.makeStore()
    let holder = try Program("TestWorker", ["stop-with-lock-file", tool.directory.file("team.lmdb")])
    #expect(holder.line() == "locked")
    for command in ["get STORE total", "set STORE total 1", "backup STORE COPY", "doctor STORE"] {
      let result = try tool.run(line(command, "copy"), within: 20)
      let isTold = result.output.contains("process \(holder.pid) has the store for itself")
      #expect(result.status == (command.hasPrefix("doctor") ? 2 : 4) && isTold, "\(command): \(result)")
    }
    holder.signal(SIGCONT)
    holder.finish()
    #expect(try tool.run("lmdbshare get team.lmdb total").status == 0)
  }

  @Test(arguments: [
    ("0", "0"), ("1.5", "1.5 s"), ("250ms", "250 ms"), ("10s", "10.0 s"), ("2m", "2.0 min"), ("1h", "60.0 min"),
  ])
  func timesAreWrittenInOneWay(text: String, shown: String) throws {
    try tool.run("lmdbshare create s queue q i64")
    for option in ["pop s q --lease \(text)", "push s q 1 --delay \(text)", "ls s --timeout \(text)"] {
      #expect(try tool.run("lmdbshare \(option)").status != 64 || text == "0", "\(option)")
    }
    for wrong in ["-1", "1x", "x", "nan", "1e300", ""] {
      #expect(try tool.run("lmdbshare ls s --timeout '\(wrong)'").status == 64, "\(wrong)")
    }
  }
}
