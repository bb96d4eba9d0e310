import Foundation
import LMDBShare
import TestSupport
import Testing

/// The tool on unusual files: single files, and stores with very many structures.
@Suite(.timeLimit(.minutes(20)))
struct LookingTests {
  let tool = Tool()

  /// A data file with its lock file beside it, instead of a directory (`MDB_NOSUBDIR`).
  @Test func oneFileOfAnotherProgram() throws {
    let made = try tool.run(
      """
      mkdir files; for n in 1 2; do
        printf 'VERSION=3\nformat=print\ndatabase=words\ntype=btree\nHEADER=END\n k\n v%s\n same\n x\nDATA=END\n' $n | mdb_load -n files/$n
      done
      """)
    try #require(made.status == 0, "\(made.output)")
    let listed = try tool.run("ls files").output
    #expect(try tool.run("lmdbshare ls files/1 --format csv").output.contains("words,database,,,,2,"))
    #expect(try tool.run("lmdbshare show files/1 words") == (0, "k     v1\nsame  x\n"))
    #expect(try tool.run("lmdbshare get files/1 words k same") == (0, "v1\nx\n"))
    #expect(try tool.run("lmdbshare get files/1 words nothing").status == 3)
    #expect(
      try tool.run("lmdbshare dump files/1 --format mdb | grep -v mapsize").output
        == tool.run("mdb_dump -a -n files/1 | grep -v mapsize").output)
    #expect(try tool.run("lmdbshare diff files/1 files/2 --format jsonl").output.split(separator: "\n").count == 1)
    #expect(try tool.run("lmdbshare diff files/1 files/2") == (2, "~ words  k  v1 → v2\n"))
    #expect(try tool.run("lmdbshare diff files/1 files/1") == (0, ""))
    for command in ["info", "readers", "doctor"] {
      let result = try tool.run("lmdbshare \(command) files/1")
      #expect(result.status == 0, "\(command): \(result)")
    }
    #expect(try tool.run("lmdbshare backup files/1 copy && lmdbshare diff files/1 copy") == (0, ""))
    for command in [
      "set files/1 words x", "watch files/1", "create files/1 value total i64 --initial 0", "peek files/1 q",
    ] {
      let refused = try tool.run("lmdbshare \(command)")
      #expect(
        refused.status == 1 && refused.output.contains("a single file of another program"), "\(command): \(refused)")
    }
    // The name that ls shows for the unnamed database works in the other commands, too.
    #expect(try tool.run("lmdbshare ls files/1 --format csv").output.contains("(main),database"))
    try tool.run(
      "printf 'VERSION=3\nformat=print\ntype=btree\nHEADER=END\n k1\n v1\n k2\n v2\nDATA=END\n' | mdb_load -n files/1")
    #expect(try tool.run("lmdbshare show files/1 '(main)' --keys").output == "k1\nk2\nwords\n")
    #expect(try tool.run("lmdbshare get files/1 '(main)' k1") == (0, "v1\n"))
    #expect(try tool.run("lmdbshare get files/1 k1 k2") == (0, "v1\nv2\n"))
    #expect(try tool.run("lmdbshare get files/1 k1 k2 --format csv") == (0, "key,value\nk1,v1\nk2,v2\n"))
    #expect(try tool.run("lmdbshare get files/1 k1 nothing").status == 3)
    #expect(try tool.run("lmdbshare get files/1 words").status == 64)
    let main = try tool.run("lmdbshare dump files/1 '(main)' --format mdb | grep '^ '")
    #expect(main == (0, " 6b31\n 7631\n 6b32\n 7632\n"))
    #expect(try tool.run("lmdbshare show files/1 words --unlocked") == (0, "k     v1\nsame  x\n"))
    // The data file of a store is not a single file: its readers are registered elsewhere.
    try tool.makeStore("ours")
    let inside = try tool.run("lmdbshare ls ours/data.mdb")
    #expect(inside.status == 1 && inside.output.contains("give its directory, ours"), "\(inside)")
    #expect(try !tool.run("ls ours").output.contains("data.mdb-lock"))
    // No files of this library were added beside them.
    #expect(try tool.run("ls files").output == listed)
  }

  /// The cost per structure does not grow with their number, and more structures can be shown than may be in use.
  @Test func aStoreOfManyStructuresIsListedInLinearTime() throws {
    var options = StoreOptions.durability(.processCrashOnly)
    options.maximumStructures = 8000
    func time(_ count: Int) throws -> Duration {
      let store = try SharedStore(path: tool.directory.file("store\(count)"), options: options)
      try store.write { txn in
        for number in 0..<count { _ = try txn.list("list \(number)", of: Int.self) }
      }
      var best = Duration.seconds(1000)
      for _ in 0..<3 {
        let start = ContinuousClock.now
        let result = try tool.run("lmdbshare ls store\(count) | wc -l")
        best = min(best, start.duration(to: .now))
        #expect(Int(result.output.trimmingCharacters(in: .whitespaces.union(.newlines))) == count + 1)
      }
      return best
    }
    let (few, many) = (try time(1000), try time(8000))
    #expect(many < few * 24, "\(few), \(many)")
    // A store that was opened for fewer structures.
    options.maximumStructures = 8
    let limited = try SharedStore(path: tool.directory.file("store1000"), options: options)
    #expect(try limited.statistics().structures.count == 1000)
    let counts = try limited.read { txn in
      try txn.structures(of: limited).map { try txn.withContents(of: $0, in: limited) { $0.count } }
    }
    #expect(counts == Array(repeating: 0, count: 1000))
  }
}
