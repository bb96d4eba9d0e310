import Foundation
import LMDBShare
import TestSupport
import Testing

/// The tool on damaged files, and on dumps that declare more than they contain.
@Suite(.timeLimit(.minutes(20)))
struct DamagedStoreTests {
  let tool = Tool()

  private func bytes(_ store: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: tool.directory.file("\(store)/data.mdb"))))
  }

  /// Every command ends by itself, and reports an error when it cannot do its work.
  @Test func noCommandDiesOfADamagedFile() throws {
    try tool.makeStore("sound")
    let sound = try bytes("sound")
    var random = SeededGenerator("noCommandDiesOfADamagedFile")
    let commands = [
      "info s", "ls s", "dump s", "doctor s", "backup s copy --compact", "diff s sound", "compact s",
      "set s total 3", "show s names", "dump s --format mdb", "load s --merge < d.jsonl",
    ]
    try tool.run("lmdbshare dump sound names > d.jsonl")
    for round in 0..<12 {
      var damaged = sound
      for _ in 0..<3 {
        let page = Int.random(in: 2..<sound.count / 4096, using: &random) * 4096
        // The positions of a page's bounds, pointers, and last node.
        let offset = [10, 12, 14, 16, 17, 4040, 4080].randomElement(using: &random) ?? 10
        damaged[page + offset] ^= UInt8.random(in: 1...255, using: &random)
      }
      let text = try tool.run(
        commands.map { command in
          "rm -rf s copy; mkdir -m 700 s; cp bad.mdb s/data.mdb; lmdbshare \(command) >out 2>err; echo \"$? \(command.prefix(9))\""
        }.joined(separator: "; ").withDamage(damaged, in: tool), within: 120
      ).output
      let statuses = text.split(separator: "\n").compactMap { Int($0.split(separator: " ")[0]) }
      #expect(statuses.count == commands.count, "round \(round): \(text)")
      #expect(statuses.allSatisfy { (0..<5).contains($0) }, "round \(round): \(text)")
    }
  }

  /// A structure's output is as sound as its check says: a dump only exits with 0 if doctor finds nothing in the structure.
  @Test func aDumpOfWhatIsDamagedDoesNotEndWithZero() throws {
    try tool.makeStore("sound")
    // Its keys cannot be decoded, which a dump does not need.
    try tool.run("lmdbshare drop sound broken --yes")
    #expect(try tool.run("lmdbshare compact sound; lmdbshare doctor sound").status == 0)
    let sound = try bytes("sound")
    var random = SeededGenerator("aDumpOfWhatIsDamagedDoesNotEndWithZero")
    var (damaged, silent) = (0, 0)
    for round in 0..<150 {
      var bad = sound
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        let page = Int.random(in: 2..<sound.count / 4096, using: &random) * 4096
        // The position of a page's bounds and pointers; or any position among its nodes.
        let upper = Int(bad[page + 14]) | Int(bad[page + 15]) << 8
        let isNode = Int.random(in: 0..<4, using: &random) > 0 && (16..<4096).contains(upper)
        let offset = isNode ? Int.random(in: upper..<4096, using: &random) : Int.random(in: 8..<32, using: &random)
        bad[page + offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      let text = try tool.run(
        ("rm -rf s; mkdir -m 700 s; cp bad.mdb s/data.mdb; lmdbshare dump s >dump 2>err; echo $?; "
          + "lmdbshare doctor s >found 2>&1; echo $?").withDamage(bad, in: tool), within: 120
      ).output
      let statuses = text.split(separator: "\n").compactMap { Int($0) }
      #expect(statuses.count == 2 && statuses.allSatisfy { (0..<5).contains($0) }, "round \(round): \(text)")
      guard statuses.last == 2 else { continue }
      damaged += 1
      if statuses.first == 0 {
        silent += 1
        Issue.record("round \(round): \(try tool.run("cat found").output)")
      }
    }
    #expect(damaged > 20 && silent == 0, "\(damaged) \(silent)")
  }

  /// A database whose flags are wrong has its keys in another order than its structure needs.
  @Test func aDatabaseWithWrongFlagsIsNotDumped() throws {
    try tool.makeStore("sound")
    var bad = try bytes("sound")
    // In LMDB's record of a database, the flags follow the name and four bytes; 8 means integer keys.
    let name = Array("numbers".utf8)
    var changed = 0
    for position in 0..<bad.count - 20 where bad[position] == name[0] && Array(bad[position..<position + 7]) == name {
      let flags = position + name.count + 4
      guard bad[flags] == 8, bad[flags + 1] == 0 else { continue }
      bad[flags] = 0
      changed += 1
    }
    try #require(changed > 0)
    for command in ["dump s", "doctor s"] {
      let result = try tool.run(
        "rm -rf s; mkdir -m 700 s; cp bad.mdb s/data.mdb; lmdbshare \(command) 2>&1".withDamage(bad, in: tool))
      #expect(result.output.contains("flags 0 instead of 8"), "\(command): \(result)")
      #expect(result.status != 0, "\(command): \(result)")
    }
  }

  @Test func aLargeFileIsCheckedOnDemandAndADumpChecksAlways() throws {
    try tool.run(
      "lmdbshare create s dictionary d string bytes; lmdbshare create s array a i64 --count 9000000")
    var damaged = try bytes("s")
    #expect(damaged.count > 64 << 20)
    // A page of the array near the end of the file has the number of another page.
    damaged[(damaged.count / 4096 - 50) * 4096] ^= 0xFF
    try Data(damaged).write(to: URL(fileURLWithPath: tool.directory.file("s/data.mdb")))
    #expect(try tool.run("lmdbshare ls s").status == 0)
    #expect(try tool.run("lmdbshare ls s --check").status == 2)
    for command in ["dump s", "doctor s", "backup s b", "compact s", "diff s s"] {
      let result = try tool.run("lmdbshare \(command) > out")
      #expect(result.status == 2, "\(command): \(result)")
    }
    #expect(try tool.run("cat out").output == "")
  }

  /// The pages are sound, but their contents are not.
  @Test(.enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with py-lmdb"))
  func aWalkThatSeesOtherThanIsCountedEndsWithTwo() throws {
    let python = try #require(ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"])
    try tool.run("lmdbshare create s queue q string; lmdbshare create s list l string")
    for index in 0..<5 { try tool.run("lmdbshare push s q item\(index)") }
    try tool.run("lmdbshare append s l $(seq -f element%05g 1 2000)")
    let harm = """
      import lmdb, sys
      env = lmdb.open(sys.argv[1], max_dbs=30)
      with env.begin(write=True) as txn:
          cursor = txn.cursor(env.open_db(sys.argv[2].encode(), txn=txn, integerkey=True, create=False))
          entries = [(k, v) for k, v in cursor]
          # Of a queue a record with items, of a list a block in the middle.
          items = [k for k, v in entries if b"item" in v]
          cursor.set_key(items[0] if sys.argv[2] == "q" else entries[2][0])
          cursor.delete()
      """
    try Data(harm.utf8).write(to: URL(fileURLWithPath: tool.directory.file("harm.py")))
    for name in ["l", "q"] {
      try tool.run("rm -rf d; cp -r s d")
      let done = try tool.run("'\(python)' harm.py d \(name)")
      #expect(done.status == 0, "\(done)")
      for command in ["dump d \(name)", "show d \(name)"] {
        let result = try tool.run("lmdbshare \(command)")
        #expect(result.status == 2, "\(command): \(result)")
        #expect(result.output.contains("'\(name)'"), "\(command): \(result)")
      }
    }
  }

  @Test func aDumpThatClaimsMoreThanItHoldsFillsNoDisk() throws {
    let dump = """
      {"dump":"lmdbshare","version":1}
      {"structure":"a","kind":"array","element":"i64","layout":"packed","size":8,"count":1099511627776,"identity":"a1"}
      {"value":1}
      {"end":"a","entries":1}
      {"end":null,"structures":1}

      """
    try Data(dump.utf8).write(to: URL(fileURLWithPath: tool.directory.file("d.jsonl")))
    let loaded = try tool.run("ulimit -f 100000; lmdbshare load new < d.jsonl", within: 20)
    #expect(loaded.status == 1 && loaded.output.contains("1 of 1099511627776 elements"), "\(loaded)")
    #expect(loaded.output.contains("line 4"), "\(loaded)")
    // Nothing is left of what was created for it.
    #expect(try tool.run("ls").output == "d.jsonl\n")
    try tool.run("mkdir -m 700 empty")
    #expect(try tool.run("lmdbshare load empty < d.jsonl").status == 1)
    #expect(try tool.run("ls empty").output == "")
    // Existing files stay.
    try tool.makeStore("store")
    let before = try tool.run("lmdbshare dump store").output
    #expect(try tool.run("lmdbshare load store < d.jsonl").status == 1)
    #expect(try tool.run("lmdbshare dump store").output == before)
    let made = try tool.run("lmdbshare create huge array a i64 --count 1000000000000", within: 20)
    #expect(made.status == 1 && made.output.contains("8000000000000 bytes"), "\(made)")
    #expect(try tool.run("ls -d huge").status != 0)
  }
}

extension String {
  /// The same commands, beside a file with these bytes.
  fileprivate func withDamage(_ bytes: [UInt8], in tool: Tool) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: tool.directory.file("bad.mdb")))
    return self
  }
}
