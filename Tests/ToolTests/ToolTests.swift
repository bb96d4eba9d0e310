import Foundation
import LMDBShare
import TestSupport
import Testing

/// The tool on stores that are not as they should be, and beside other processes that use them.
@Suite(.timeLimit(.minutes(20)))
struct ToolTests {
  let tool = Tool()

  private static let reading = [
    "info STORE", "ls STORE", "show STORE names", "get STORE total", "peek STORE jobs", "leases STORE jobs",
    "dead-letters STORE jobs", "dump STORE", "readers STORE", "backup STORE copy", "diff STORE STORE", "doctor STORE",
    "watch STORE --timeout 0.05",
  ]
  private static let changing = [
    "set STORE total 1", "append STORE names x", "insert STORE names 0 x", "increment STORE total",
    "delete STORE names 0",
    "apply STORE", "push STORE jobs 1", "pop STORE jobs", "drop STORE names --yes", "rename STORE names x",
    "clear STORE names --yes", "compact STORE", "trim STORE",
  ]

  /// Runs every command on a path; returns those with an unexpected exit status.
  private func wrong(
    _ commands: [String], _ store: String, _ mayBe: [Int32], _ saying: String = ""
  ) throws -> [String] {
    try commands.compactMap { command in
      let line = "lmdbshare \(command.replacing("STORE", with: store)) < /dev/null"
      let result = try tool.run(line, within: 20)
      let isTold = result.status == 0 || !result.output.isEmpty
      let hasTrace = result.output.contains("Fatal error") || result.output.contains("Thread 0")
      return mayBe.contains(result.status) && isTold && !hasTrace
        && (result.status == 0 || saying.isEmpty || result.output.contains(saying))
        ? nil : "\(line): \(result.status) \(result.output)"
    }
  }

  @Test func whereThereIsNone() throws {
    let all = Self.reading + Self.changing
    #expect(try wrong(all, "nowhere", [3]) == [])
    try FileManager.default.createDirectory(atPath: tool.directory.file("empty"), withIntermediateDirectories: true)
    #expect(try wrong(all, "empty", [3]) == [])
    // The commands created nothing.
    #expect(try tool.run("ls -A . empty").output.contains("data.mdb") == false)
    try Data("x".utf8).write(to: URL(fileURLWithPath: tool.directory.file("file")))
    #expect(try wrong(all, "file", [1]) == [])
  }

  @Test func aDamagedOne() throws {
    try tool.makeStore("sound")
    let sound = try Data(contentsOf: URL(fileURLWithPath: tool.directory.file("sound/data.mdb")))
    let all = Self.reading + Self.changing
    for (name, bytes) in [
      ("truncated", sound.prefix(9000)), ("nothing", Data()), ("noise", Data((0..<9000).map { UInt8($0 & 0xFF) })),
    ] {
      let path = tool.directory.file(name)
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try bytes.write(to: URL(fileURLWithPath: path + "/data.mdb"))
      #expect(try wrong(all, name, [1, 2], "data.mdb") == [])
      #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/data.mdb")) == bytes)
    }
  }

  @Test func oneOfAnotherProgram() throws {
    let made = try tool.run(
      """
      mkdir foreign && printf 'VERSION=3\\nformat=bytevalue\\ndatabase=words\\ntype=btree\\nHEADER=END\\n 6b\\n 1b5b33316d\\nDATA=END\\n' \
        | mdb_load foreign
      """)
    try #require(made.status == 0, "\(made.output)")
    for command in ["info", "ls", "readers"] {
      #expect(try tool.run("lmdbshare \(command) foreign").status == 0, "\(command)")
    }
    #expect(try tool.run("lmdbshare show foreign words").output == "k  0x1b5b33316d\n")
    #expect(try tool.run("lmdbshare show foreign words --raw --format jsonl").output.contains("\"keyBytes\":\"aw==\""))
    // The output equals that of mdb_dump, and mdb_load reads it.
    let dump = try tool.run("lmdbshare dump foreign --format mdb | grep -v mapsize").output
    #expect(dump == (try tool.run("mdb_dump -a foreign | grep -v mapsize").output))
    #expect(
      try tool.run(
        "mkdir f2; lmdbshare dump foreign --format mdb | mdb_load f2 2>&1 | grep -v db_pagesize; mdb_dump -s words f2"
      )
      .output.contains(" 1b5b33316d"))
    #expect(try tool.run("lmdbshare dump foreign").output.contains("--format mdb"))
    #expect(try wrong(["set STORE total 1", "compact STORE"], "foreign", [0, 1]) == [])
    #expect(try tool.run("lmdbshare doctor foreign").status == 0)
  }

  /// Reading works where nothing can be written; errors of changes say why.
  @Test(.enabled(if: Needs.mounts, "no file system can be mounted here")) func readOnlyMedia() throws {
    try tool.makeStore("team.lmdb")
    let mounted = try tool.run(
      "mkdir ro && mount -t tmpfs none ro && cp -r team.lmdb ro/ && mount -o remount,ro ro && echo mounted")
    try #require(mounted.output.contains("mounted"), "\(mounted)")
    defer { _ = try? tool.run("umount ro") }
    #expect(
      try wrong(Self.reading.filter { !$0.hasPrefix("doctor") && !$0.hasPrefix("watch") }, "ro/team.lmdb", [0]) == [])
    #expect(try tool.run("lmdbshare show ro/team.lmdb names --head 1").output == "first\n")
    #expect(try wrong(Self.changing, "ro/team.lmdb", [1], "read-only") == [])
  }

  /// A store of another user: the system denies reading, and the error explains it.
  @Test(.enabled(if: Needs.otherUsers, "this needs root, and setpriv")) func anothersStore() throws {
    try tool.makeStore("team.lmdb")
    let open = "chmod a+rx . && setpriv --reuid nobody --regid nogroup --clear-groups sh -c"
    let refused = try tool.run("\(open) '\(Tool.path) show team.lmdb names'")
    #expect(refused.status == 1 && refused.output.contains("denied"), "\(refused)")
    // If the system allows it, it works.
    let allowed = try tool.run(
      "chmod 755 team.lmdb; chmod 644 team.lmdb/*; \(open) '\(Tool.path) show team.lmdb names --head 1'")
    #expect(allowed.output == "first\n" || allowed.output.contains("cannot be written by user"), "\(allowed)")
    // Without its lock file it works while no process writes.
    for command in [
      "info STORE", "ls STORE", "show STORE names", "get STORE total", "peek STORE jobs", "leases STORE jobs",
      "dead-letters STORE jobs", "dump STORE", "diff STORE STORE",
    ] {
      let line = command.replacing("STORE", with: "team.lmdb")
      let wanted = try tool.run("lmdbshare \(line) | grep -v '^reader slots'")
      let found = try tool.run("\(open) '\(Tool.path) \(line) --unlocked | grep -v ^reader.slots'")
      #expect(found == wanted && !found.output.contains("lmdbshare:"), "\(line): \(found)")
    }
    let hint = try tool.run("\(open) '\(Tool.path) show team.lmdb names'")
    #expect(hint.status == 1 && hint.output.contains("read it with --unlocked"), "\(hint)")
    try tool.run("mkdir -m 777 copies")
    #expect(try tool.run("\(open) '\(Tool.path) backup team.lmdb copies/a --unlocked'").status == 0)
    #expect(try tool.run("lmdbshare diff team.lmdb copies/a") == (0, ""))
    #expect(try tool.run("lmdbshare dead-letters team.lmdb jobs --retry-all --unlocked").status == 64)
    let write = try tool.run("\(open) '\(Tool.path) set team.lmdb total 1'")
    #expect(write.status == 1 && write.output.contains("cannot be written by user"), "\(write)")
  }

  @Test func compactingNeedsTheStoreForItself() throws {
    let store = try SharedStore(path: tool.directory.file("store"))
    let list = try store.list("list", of: Int.self)
    try list.append(1)
    let refused = try tool.run("lmdbshare compact store")
    #expect(refused.status == 4 && refused.output.contains("process \(getpid()) has the store open"), "\(refused)")
    // A process with another library does not take part in our files; LMDB's own lock reveals it.
    let reader = try Program(path: Tool.path, ["watch", tool.directory.file("store"), "--timeout", "20"])
    defer { reader.signal(SIGKILL) }
    #expect(try tool.run("lmdbshare compact store").status == 4)
  }

  /// With a store in the environment the message is about the arguments as typed, and not about another interpretation.
  @Test func theFirstErrorIsToldAlsoWithAStoreInTheEnvironment() throws {
    try tool.makeStore()
    func told(_ line: String) throws -> String {
      try tool.run("export LMDBSHARE_STORE=team.lmdb; lmdbshare \(line)").output
    }
    // A store is given, and something else is missing: no structure has the name of the store.
    for line in ["set team.lmdb total", "delete team.lmdb names", "append team.lmdb names", "rename team.lmdb names"] {
      let without = try tool.run("lmdbshare \(line)")
      #expect(without.status == 64 && !without.output.contains("there is no structure"), "\(line): \(without)")
      #expect(try told(line) == without.output, "\(line)")
    }
    // The store is omitted, and something else is missing: the next argument does not count as the store.
    for (line, full) in [
      ("set total", "set team.lmdb total"), ("insert names 0", "insert team.lmdb names 0"),
      ("create list more", "create team.lmdb list more"), ("info --timeout x", "info team.lmdb --timeout x"),
      ("delete names", "delete team.lmdb names"),
    ] {
      let wanted = try tool.run("lmdbshare \(full)")
      #expect(wanted.status == 64)
      #expect(try told(line) == wanted.output, "\(line)")
    }
    #expect(try told("nonsense") == tool.run("lmdbshare nonsense").output)
    #expect(try told("diff team.lmdb") == "")
    #expect(try told("get total") == "17\n")
  }

  @Test func closingAQueueIsAChange() throws {
    try tool.makeStore("new")
    try tool.run("lmdbshare backup new old")
    let queue = try SharedStore(path: tool.directory.file("new")).queue("idle", of: Int.self)
    let watch = try Program(
      path: Tool.path, ["watch", tool.directory.file("new"), "idle", "--timeout", "60", "--format", "jsonl"])
    defer { watch.signal(SIGKILL) }
    #expect(try tool.run("lmdbshare diff old new").status == 0)
    // Items, until one is reported: then it has begun to wait.
    let pushing = try Program(
      path: "/bin/sh",
      ["-c", "cd '\(tool.directory.path)'; while :; do '\(Tool.path)' push new idle 1; sleep 0.02; done"])
    defer { pushing.signal(SIGKILL) }
    #expect(watch.line()?.contains("inserted") == true)
    pushing.signal(SIGKILL)
    try queue.close()
    while let line = watch.line(), !line.contains("\"closed\"}") { #expect(line.contains("inserted"), "\(line)") }
    try queue.reopen()
    #expect(watch.line()?.contains("\"reopened\"}") == true)
    // Between two stores.
    try queue.removeAll()
    try queue.close()
    #expect(try tool.run("lmdbshare diff old new") == (2, "~ idle: closed\n"))
    let reopened = try tool.run("lmdbshare diff new old --format jsonl")
    #expect(reopened == (2, "{\"structure\":\"idle\",\"change\":\"reopened\"}\n"))
  }

  @Test func whatIsNoStoreGetsNoFilesOfOurs() throws {
    try tool.run(
      "mkdir foreign; printf 'VERSION=3\\nformat=print\\ntype=btree\\nHEADER=END\\n a\\n b\\nDATA=END\\n' | mdb_load foreign"
    )
    for command in [
      "set foreign total 1", "apply foreign < /dev/null", "drop foreign total --yes", "load foreign < dump",
    ] {
      try tool.run("echo '{\"dump\":\"lmdbshare\",\"version\":1}' > dump")
      let refused = try tool.run("lmdbshare \(command)")
      #expect(refused.status == 1 && refused.output.contains("not one of lmdbshare"), "\(command): \(refused)")
      #expect(try tool.run("ls foreign").output == "data.mdb\nlock.mdb\n", "\(command)")
    }
  }

  /// A round trip of all contents, and of trees of several levels that grew in random order.
  @Test func theSameDumpMakesTheSameStoreToTheByte() throws {
    try tool.makeStore("original")
    let store = try SharedStore(path: tool.directory.file("original"))
    let big = try store.dictionary("big", of: Int.self, String.self)
    let numbers = try store.list("numbers", of: Int.self)
    for _ in 0..<20 {
      try store.write { txn in
        for _ in 0..<500 {
          txn[big][Int.random(in: 0..<5000)] = String(repeating: "x", count: .random(in: 0..<300))
          txn[numbers].insert(.random(in: 0...9), at: .random(in: 0...txn[numbers].count))
        }
      }
      try store.write { txn in for _ in 0..<100 { txn[big][Int.random(in: 0..<5000)] = nil } }
    }
    try tool.run("lmdbshare dump original > 1; lmdbshare load a < 1; lmdbshare dump a > 2; lmdbshare load b < 2")
    #expect(try tool.run("cmp 1 2; lmdbshare dump b | cmp - 2").output == "")
    #expect(try tool.run("lmdbshare compact a >/dev/null && lmdbshare compact b >/dev/null").output == "")
    #expect(try tool.run("cmp a/data.mdb b/data.mdb") == (0, ""))
    #expect(try Data(contentsOf: URL(fileURLWithPath: tool.directory.file("a/data.mdb"))).count > 300_000)
    // An item that was returned, or that replaced another one, is still a different item.
    try tool.run("lmdbshare dump original numbers > n; lmdbshare drop original numbers --yes")
    #expect(removed { try numbers.count })
    #expect(try tool.run("lmdbshare load original < n").status == 0)
    #expect(removed { try numbers.count })
    try tool.run("lmdbshare dump original big | lmdbshare load original --replace")
    #expect(removed { try big.count })
  }

  private func removed(_ body: () throws -> Int) -> Bool {
    do { return try body() < 0 } catch { return (error as? StoreError)?.code == .structureRemoved }
  }

  @Test func aCompactedStoreGoesOnWithItsNumbers() throws {
    try tool.makeStore("store")
    for _ in 0..<3 { try tool.run("lmdbshare increment store total") }
    let before = try tool.run("lmdbshare dump store").output
    let transaction = "lmdbshare info store --format json | sed 's/.*lastTransaction\":\\([0-9]*\\).*/\\1/'"
    for _ in 0..<2 {
      let number = Int(try tool.run(transaction).output.trimmingCharacters(in: .whitespacesAndNewlines))
      #expect(try tool.run("lmdbshare compact store").status == 0)
      #expect(try tool.run("lmdbshare dump store").output == before)
      #expect(try tool.run("mdb_stat -a store > /dev/null").status == 0)
      #expect(Int(try tool.run(transaction).output.trimmingCharacters(in: .whitespacesAndNewlines)) == number)
      try tool.run("lmdbshare set store scores x 1; lmdbshare delete store scores x")
      #expect(
        Int(try tool.run(transaction).output.trimmingCharacters(in: .whitespacesAndNewlines)) == (number ?? 0) + 2)
    }
    #expect(try SharedStore(path: tool.directory.file("store")).check().map(\.structure) == ["broken"])
  }

  /// A reader can tell which items belong to dead processes.
  @Test func theLeasesOfTheDeadAreSeen() throws {
    try tool.run("lmdbshare create store queue jobs i64; lmdbshare push store jobs 1")
    try tool.run("lmdbshare pop store jobs --exec 'kill -9 $PPID'")
    let leases = try tool.run("lmdbshare leases store jobs --format jsonl").output
    #expect(leases.contains("\"isAlive\":false"), "\(leases)")
    let doctor = try tool.run("lmdbshare doctor store")
    #expect(doctor.status == 2 && doctor.output.contains("leased by processes that died"), "\(doctor)")
    #expect(try tool.run("lmdbshare pop store jobs").output == "1\n")
    #expect(try tool.run("lmdbshare doctor store").status == 0)
  }

  /// Long keys are in a different order after their first bytes; ranges and prefixes are correct nevertheless.
  @Test func rangesOfLongKeys() throws {
    let store = try SharedStore(path: tool.directory.file("store"), options: .durability(.processCrashOnly))
    let words = try store.dictionary("words", of: String.self, Int.self)
    let stem = String(repeating: "k", count: 500)
    var keys =
      (0..<40).map { "\(stem)\(String(repeating: "ab", count: $0 % 4 * 20))\($0)" } + [
        "a", "z", String(stem.dropLast(30)),
      ]
    try store.write { txn in for (index, key) in keys.enumerated() { txn[words][key] = index } }
    keys.sort()
    for prefix in [stem, "\(stem)abab", "\(stem)1", String(stem.dropLast(25))] {
      let found = try tool.run("lmdbshare show store words --keys --full --prefix '\(prefix)'").output.split(
        separator: "\n"
      ).map(String.init)
      #expect(found.sorted() == keys.filter { $0.hasPrefix(prefix) })
    }
    for (low, high) in [(keys[3], keys[30]), ("a", keys[12]), (keys[20], "z")] {
      let open = try tool.run("lmdbshare show store words --keys --full --range '\(low)..<\(high)'").output.split(
        separator: "\n"
      ).map(String.init)
      #expect(open.sorted() == keys.filter { $0 >= low && $0 < high })
      let closed = try tool.run("lmdbshare show store words --keys --full --reverse --range '\(low)...\(high)'").output
        .split(separator: "\n").map(String.init)
      #expect(closed.sorted() == keys.filter { $0 >= low && $0 <= high })
    }
  }

  /// Ten million elements pass through constant memory.
  @Test func showTakesLittleMemory() throws {
    let elements = Int(ProcessInfo.processInfo.environment["LMDBSHARE_OPERATIONS"] ?? "") ?? 10_000_000
    let store = try SharedStore(path: tool.directory.file("store"), options: .durability(.processCrashOnly))
    let list = try store.list("list", of: Int.self)
    try store.write { txn in txn[list].append(contentsOf: 0..<elements) }
    for line in ["show store list", "show store list --reverse --format jsonl", "dump store"] {
      // Only private memory: mapped parts of the file belong to the page cache.
      let result = try tool.run(
        """
        '\(Tool.path)' \(line) > out & pid=$!; most=0
        while now=$(sed -n 's/^RssAnon:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$pid/status 2>/dev/null) && [ -n "$now" ]; do
          if [ "$now" -gt "$most" ]; then most=$now; fi
          sleep 0.05
        done
        wait $pid; echo "$? $most $(wc -l < out)"
        """, within: 120)
      let numbers = result.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
      try #require(numbers.count == 3, "\(result)")
      #expect(numbers[0] == 0 && numbers[1] < 64 << 10 && numbers[2] >= elements, "\(line): \(numbers)")
    }
    // When its reader goes away, it ends silently.
    let cut = try tool.run("{ lmdbshare show store list; echo ended $? >&2; } 2>end | head -1; cat end")
    #expect(cut.output == "0\nended 0\n", "\(cut)")
  }

  /// Shells get names and keys from the store.
  @Test(.enabled(if: Needs.bash, "there is no bash")) func completionKnowsTheStore() throws {
    try tool.makeStore()
    let script = """
      export PATH='\(Program.directory.path)':$PATH
      source <(lmdbshare --generate-completion-script bash)
      try() {
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
        _lmdbshare lmdbshare "${COMP_WORDS[$COMP_CWORD]}"; echo "${COMPREPLY[*]}"
      }
      try lmdbshare dead
      try lmdbshare show team.lmdb n
      try lmdbshare get team.lmdb scores a
      try lmdbshare drop team.lmdb b
      try lmdbshare show te
      export LMDBSHARE_STORE=team.lmdb
      try lmdbshare show na
      try lmdbshare get scores a
      try lmdbshare get team.lmdb scores a
      try lmdbshare ls te
      """
    try script.write(toFile: tool.directory.file("complete"), atomically: true, encoding: .utf8)
    #expect(
      try tool.run("bash complete").output
        == "dead-letters\nnames numbers\nal\nbroken bytes\nteam.lmdb\nnames\nal\nal\nteam.lmdb\n")
    for shell in ["zsh", "fish"] {
      #expect(try tool.run("lmdbshare --generate-completion-script \(shell)").output.count > 1000)
    }
  }
}
