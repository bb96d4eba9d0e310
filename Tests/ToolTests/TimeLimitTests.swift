import Foundation
import LMDBShare
import LMDBShareOperations
import LMDBShareTool
import TestSupport
import Testing

/// The tool behind a stopped writer: nothing hangs, and reads do not wait at all.
@Suite(.timeLimit(.minutes(20)))
struct TimeLimitTests {
  let tool = Tool()

  static let changing = [
    "set STORE total 1", "append STORE names x", "insert STORE names 0 x", "increment STORE total",
    "delete STORE names 0", "apply STORE < change", "push STORE jobs '{}'", "pop STORE jobs", "pop STORE jobs --wait",
    "pop STORE jobs --exec cat", "dead-letters STORE jobs --retry-all", "create STORE value fresh i64 --initial 1",
    "drop STORE names --yes", "rename STORE names x", "clear STORE names --yes", "load STORE --merge < dump",
    "compact STORE", "trim STORE",
  ]
  static let reading = [
    "info STORE", "ls STORE", "show STORE names", "get STORE total", "peek STORE jobs", "leases STORE jobs",
    "dead-letters STORE jobs", "dump STORE", "readers STORE", "backup STORE COPY", "backup STORE COPY --compact",
    "diff STORE STORE", "doctor STORE", "watch STORE",
  ]

  /// A process that is stopped inside a write.
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
    // Nothing was done, then or later.
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
    // Without waiting, and without a limit.
    let none = ContinuousClock.now
    #expect(try tool.run("lmdbshare set team.lmdb total 1 --timeout 0", within: 30).status == 4)
    #expect(none.duration(to: .now) < .seconds(5))
    let waiting = try Program(
      path: Tool.path, ["set", tool.directory.file("team.lmdb"), "total", "77", "--timeout", "none"])
    #expect(waiting.opens(tool.directory.file("team.lmdb/lock.mdb")) && waiting.reaches("S"))
    writer.signal(SIGCONT)
    #expect(waiting.finish(within: 30).status == 0)
    #expect(try tool.run("lmdbshare get team.lmdb total") == (0, "77\n"))
  }

  /// A program that writes without this library ignores the gate: LMDB's own lock has no time limit.
  @Test(.enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with py-lmdb"))
  func behindAProgramWithoutThisLibraryItEndsToo() throws {
    let python = try #require(ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"])
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
      let isTold = result.output.contains("process \(holder.pid) has exclusive access to the store")
      #expect(result.status == 4 && isTold, "\(command): \(result)")
    }
    holder.signal(SIGCONT)
    holder.finish()
    #expect(try tool.run("lmdbshare get team.lmdb total").status == 0)
  }

  /// Loading databases respects its time limit, too, if another process writes to the new store before it.
  @Test func aLoadOfDatabasesNamesWhoWrites() throws {
    try tool.makeStore()
    let writer = try stoppedWriter("team.lmdb")
    defer { writer.signal(SIGKILL) }
    var options = EnvironmentOptions()
    options.createIfMissing = false
    let environment = try Environment.open(path: tool.directory.file("team.lmdb"), options: options) {
      (_) throws(StoreError) in
    }
    defer { environment.close() }
    #expect {
      try Mdb.load(.input, into: environment, within: .milliseconds(300))
    } throws: {
      ($0 as? StoreError)?.code == .writerBusy && ($0 as? StoreError)?.processID == Int(writer.pid)
    }
  }

  /// Page checks are work, and do not count as waiting; the process in the way is named only if it is known.
  @Test(.enabled(if: Needs.compiler, "there is no C compiler")) func aSlowCheckOfPagesIsNoWriter() throws {
    let store = try SharedStore(path: tool.directory.file("store"), options: .durability(.processCrashOnly))
    let words = try store.dictionary("words", of: Int.self, [UInt8].self)
    try store.write { txn in
      for number in 0..<2000 { txn[words][number] = [UInt8](repeating: 1, count: 300) }
    }
    let slow = """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <sys/stat.h>
      #include <unistd.h>
      ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
        ssize_t (*next)(int, void *, size_t, off_t) = (ssize_t (*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread");
        struct stat info;
        if (fstat(file, &info) == 0 && info.st_size > 500000) usleep(20000);
        return next(file, bytes, count, offset);
      }
      ssize_t pread64(int file, void *bytes, size_t count, off_t offset) { return pread(file, bytes, count, offset); }
      """
    try slow.write(toFile: tool.directory.file("slow.c"), atomically: true, encoding: .utf8)
    let built = try tool.run(
      "for c in clang cc gcc; do command -v $c >/dev/null && exec $c -shared -fPIC -o slow.so slow.c -ldl; done; exit 1"
    )
    try #require(built.status == 0, "\(built.output)")
    let start = ContinuousClock.now
    let result = try tool.run(
      "LD_PRELOAD=$PWD/slow.so '\(Tool.path)' get store words 7 --check --timeout 0 | head -c 20")
    #expect(start.duration(to: .now) > .seconds(1), "the check was not slow")
    #expect(result.output.hasPrefix("0x0101"), "\(result)")
  }

  /// Finished work is not repeated because another process writes: the time limit only applies to getting an item.
  @Test func anItemThatIsDoneIsAcknowledgedHoweverLongOthersWrite() throws {
    try tool.run("lmdbshare create team.lmdb queue jobs i64 --attempts 1; lmdbshare push team.lmdb jobs 7 8")
    let worker = Program.directory.appendingPathComponent("TestWorker").path
    let stop =
      "\(worker) stop-in-write team.lmdb > said 2> /dev/null & echo $! > pid; until grep -q writing said; do sleep 0.02; done"
    func writer() throws -> Int32 {
      let isThere = eventually {
        ((try? String(contentsOfFile: tool.directory.file("said"), encoding: .utf8)) ?? "").contains("writing")
      }
      try #require(isThere)
      let text = try String(contentsOfFile: tool.directory.file("pid"), encoding: .utf8)
      return try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
    func pop() throws -> Program {
      try tool.run("rm -f said pid")
      return try Program(
        path: "/bin/sh",
        [
          "-c",
          "cd '\(tool.directory.path)'; exec '\(Tool.path)' pop team.lmdb jobs --timeout 200ms --exec '\(stop)' 2>&1",
        ])
    }
    let first = try pop()
    let blocked = try writer()
    // Nothing happens for longer than the limit, and than the grace period of the watchdog.
    usleep(2_000_000)
    #expect(first.isRunning)
    kill(blocked, SIGCONT)
    let end = first.finish(within: 20)
    #expect(end.status == 0, "\(end)")
    #expect(
      try tool.run("lmdbshare peek team.lmdb jobs --count 9; lmdbshare dead-letters team.lmdb jobs") == (0, "8\n"))
    // When asked to end, it gives up after a while, and reports the consequence.
    let second = try pop()
    let other = try writer()
    defer { kill(other, SIGKILL) }
    // Until the command has ended, and the tool has noticed it.
    #expect(second.losesItsChildren())
    second.signal(SIGTERM)
    let last = second.finish(within: 40)
    #expect(last.status == 4 && last.output.contains("item 2 is done but was not acknowledged"), "\(last)")
    #expect(
      last.output.contains("will be tried again") && last.output.contains("process \(other) (TestWorker, stopped)"),
      "\(last)")
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
