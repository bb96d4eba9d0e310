import Foundation
import LMDBShare
import LMDBShareOperations
import LMDBShareTool
import TestSupport
import Testing

/// The findings of `doctor` and `readers`.
@Suite(.timeLimit(.minutes(20)))
struct DoctorTests {
  let tool = Tool()
  private func doctor(_ options: String = "") throws -> (status: Int32, output: String) {
    try tool.run("lmdbshare doctor store --quick --format jsonl \(options)")
  }

  @Test func aSnapshotThatIsHeldForLong() throws {
    let store = try SharedStore(path: tool.directory.file("store"), options: .durability(.processCrashOnly))
    let list = try store.list("list", of: Int.self)
    try list.append(contentsOf: 0..<10_000)
    let reader = try Program("TestWorker", ["hold-snapshot", tool.directory.file("store")])
    defer { reader.signal(SIGKILL) }
    #expect(reader.line()?.hasPrefix("reading") == true)
    func write(_ commits: Int) throws {
      for number in 0..<commits {
        try list.write { list in for index in stride(from: 0, to: 10_000, by: 500) { list[index] = number } }
      }
    }
    try write(50)
    let lines = try tool.run("lmdbshare readers store --format jsonl").output.split(separator: "\n")
    #expect(lines.count == 1, "\(lines)")
    struct Row: Decodable {
      var processID, snapshot, lag, pinnedPages: Int
      var isAlive: Bool
      var command: String?
      var ageSeconds: Double?
    }
    let row = try JSONDecoder().decode(Row.self, from: Data(lines[0].utf8))
    #expect(row.processID == Int(reader.pid) && row.isAlive && row.lag == 50 && row.pinnedPages > 100, "\(row)")
    #expect(row.command?.contains("TestWorker") == true && row.ageSeconds != nil, "\(row)")
    #expect(try tool.run("lmdbshare readers store").output.contains("TestWorker"))
    // The time since is not yet worth a warning, but the number of commits is, when their times are no longer known.
    #expect(try doctor().output.contains("reader") == false)
    try write(150)
    let found = try doctor()
    #expect(found.status == 2 && found.output.contains("reader \(reader.pid)"), "\(found)")
    #expect(found.output.contains("from being reused") && found.output.contains("end the snapshot"), "\(found)")
    reader.signal(SIGKILL)
    reader.finish(within: 10)
    #expect(try tool.run("lmdbshare readers store --format jsonl").output == "")
    #expect(try !doctor().output.contains("reader"))
  }

  /// Under load a file grows by gigabytes in seconds, so the warning appears before a minute has passed.
  @Test func aSnapshotUnderWhichTheFileGrowsFastIsToldAtOnce() throws {
    let store = try SharedStore(path: tool.directory.file("store"), options: .durability(.processCrashOnly))
    let list = try store.list("list", of: Int.self)
    try list.append(contentsOf: 0..<1_000_000)
    let reader = try Program("TestWorker", ["hold-snapshot", tool.directory.file("store")])
    defer { reader.signal(SIGKILL) }
    #expect(reader.line()?.hasPrefix("reading") == true)
    for number in 0..<12 {
      try list.write { list in for index in stride(from: 0, to: 1_000_000, by: 500) { list[index] = number } }
    }
    let found = try doctor()
    #expect(found.status == 2 && found.output.contains("reader \(reader.pid)"), "\(found)")
    #expect(found.output.contains("(TestWorker)") && found.output.contains("12 transactions behind"), "\(found)")
  }

  /// The disk space of a file with mostly free pages can be freed; `doctor` and `top` both report it.
  @Test func aFileThatIsMostlyFree() throws {
    let store = try SharedStore(path: tool.directory.file("store"), options: .durability(.processCrashOnly))
    let list = try store.list("list", of: Int.self)
    try store.write { txn in txn[list].append(contentsOf: 0..<2_000_000) }
    try list.removeAll()
    // Pages of the last commit but one are kept.
    for number in 0..<2 { try list.append(number) }
    let found = try doctor()
    #expect(found.status == 2 && found.output.contains("lmdbshare trim"), "\(found)")
    let trimmed = try tool.run("lmdbshare trim store --format json")
    struct Result: Decodable { var freedBytes, allocatedBytes, fileBytes: Int }
    let numbers = try JSONDecoder().decode(Result.self, from: Data(trimmed.output.utf8))
    #expect(
      numbers.freedBytes > 8 << 20 && numbers.fileBytes > 15 << 20 && numbers.allocatedBytes < numbers.fileBytes / 2)
    // The list of free pages stays; only compaction shortens it.
    let after = try doctor()
    #expect(after.output.contains("are free") && !after.output.contains("trim") && after.output.contains("compact"))
    #expect(
      try tool.run("lmdbshare trim store --format csv").output.hasPrefix("freedBytes,allocatedBytes,fileBytes\n0,"))
    #expect(try store.check().isEmpty)
  }

  @Test func aMapThatIsNearlyFull() throws {
    var options = StoreOptions.durability(.processCrashOnly)
    options.maximumSize = 1 << 20
    let store = try SharedStore(path: tool.directory.file("store"), options: options)
    let words = try store.dictionary("words", of: Int.self, [UInt8].self)
    for number in 0..<100 { try words.updateValue([UInt8](repeating: 1, count: 4000), forKey: number) }
    #expect(try !doctor().output.contains("map"))
    var number = 100
    #expect {
      while true {
        try words.updateValue([UInt8](repeating: 1, count: 4000), forKey: number)
        number += 1
      }
    } throws: {
      ($0 as? StoreError)?.code == .mapFull
    }
    let found = try doctor()
    #expect(found.status == 2 && found.output.contains(#""subject":"map""#), "\(found)")
    #expect(found.output.contains("of 1.0 MiB are used") && found.output.contains("maximumSize"), "\(found)")
    // A change by the tool keeps the map size.
    try words.updateValue([], forKey: 1)
    try tool.run("lmdbshare delete store words 2")
    try tool.run("lmdbshare delete store words 3")
    #expect(try tool.run("lmdbshare info store --format json").output.contains("\"lastTransaction\""))
    #expect(try doctor().output.contains(" MiB are used"))
  }

  @Test(.enabled(if: Needs.root, "only root can give files away"))
  func filesOfOthersAndOpenToEverybody() throws {
    try tool.makeStore("store")
    try tool.run("chmod o+w store/data.mdb")
    let open = try doctor()
    #expect(open.status == 2 && open.output.contains("every user may write to it (mode 0602)"), "\(open)")
    try tool.run("chmod o-w store/data.mdb")
    #expect(try doctor().status == 0)
    try tool.run("chown 12345 store/signal")
    let foreign = try doctor()
    #expect(foreign.status == 2 && foreign.output.contains("it belongs to user 12345"), "\(foreign)")
    #expect(foreign.output.contains("chown 0 "), "\(foreign)")
    // All of it belongs to another user: programs of root are in danger.
    try tool.run("chown -R 12345 store")
    let all = try doctor()
    #expect(all.status == 2 && all.output.contains("the directory belongs to user 12345"), "\(all)")
  }

  @Test(.enabled(if: Needs.processNamespaces, "`unshare --pid` is not allowed here"))
  func aReaderInAnotherNamespaceOfProcesses() throws {
    try tool.makeStore("store")
    // A PID that does not exist in this namespace.
    let number = try #require((40..<2000).first { kill($0, 0) != 0 && errno == ESRCH })
    let worker = Program.directory.appendingPathComponent("TestWorker").path
    let inside = try Program(
      path: "/usr/bin/env",
      [
        "unshare", "--pid", "--fork", "--kill-child", "/bin/sh", "-c",
        "i=2; while [ $i -lt \(number) ]; do /bin/true; i=$((i+1)); done; '\(worker)' hold-snapshot '\(tool.directory.file("store"))'; :",
      ])
    defer { inside.signal(SIGKILL) }
    #expect(inside.line()?.hasPrefix("reading") == true)
    let found = try doctor()
    #expect(found.status == 2 && found.output.contains("\"subject\":\"reader \(number)\""), "\(found)")
    #expect(found.output.contains("another pid namespace"), "\(found)")
  }

  @Test func aStoreThatWasNotSyncedWhenTheMachineWentDown() throws {
    try tool.makeStore("store")
    func reboot() throws { try tool.run("echo 'another boot' > store/unsynced") }
    try reboot()
    for command in ["info store", "dump store", "set store total 1", "backup store copy"] {
      let refused = try tool.run("lmdbshare \(command)")
      #expect(refused.status == 2 && refused.output.contains("doctor --trust"), "\(command): \(refused)")
    }
    let found = try doctor()
    #expect(found.status == 2 && found.output.contains("doctor --trust"), "\(found)")
    // The previous command changed nothing; this one does.
    #expect(try doctor().status == 2)
    #expect(try doctor("--trust").status == 0)
    #expect(try tool.run("lmdbshare get store total").status == 0)
    // With nothing to accept, nothing is wrong.
    #expect(try doctor("--trust").status == 0)
    #expect(try tool.run("lmdbshare doctor nowhere --trust").status == 3)
    // A file that does not belong to a store stays unchanged.
    try tool.run(
      "mkdir foreign; printf 'VERSION=3\\nformat=print\\ntype=btree\\nHEADER=END\\nDATA=END\\n' | mdb_load foreign")
    #expect(try tool.run("lmdbshare doctor foreign --trust").status == 0)
    #expect(try tool.run("ls foreign").output == "data.mdb\nlock.mdb\n")
    // A damaged store is not accepted.
    try reboot()
    let file = tool.directory.file("store/data.mdb")
    var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
    for index in 3 * 4096..<bytes.count { bytes[index] = 0xFF }
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    let damaged = try doctor("--trust")
    #expect(damaged.status == 2 && damaged.output.contains("\"severity\":\"problem\""), "\(damaged)")
    #expect(try tool.run("lmdbshare info store").output.contains("doctor --trust"))
  }

  @Test func versionsOfLMDB() {
    for version in ["0.9.24", "0.9.25", "0.9.32", "0.9.70"] {
      #expect(Examination.finding(ofLibrary: version) == nil, "\(version)")
    }
    for version in ["0.9.26", "0.9.31"] {
      #expect(Examination.finding(ofLibrary: version)?.severity == .warning, "\(version)")
    }
    #expect(Examination.finding(ofLibrary: "1.0.0")?.severity == .problem)
  }
}
