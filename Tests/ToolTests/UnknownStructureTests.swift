import Foundation
import LMDBShare
import TestSupport
import Testing

/// The tool on stores with a structure that it does not understand, and on two whose structures only differ in form.
@Suite(.timeLimit(.minutes(20)))
struct UnknownStructureTests {
  let tool = Tool()

  @Test func aKindThatIsNotKnown() throws {
    try tool.makeStore()
    do {
      let store = try SharedStore(path: tool.directory.file("team.lmdb"))
      let core = try store.environment.beginWrite()
      let catalogue = try #require(try store.environment.database(".catalogue"))
      withUTF8(of: "later") { key in
        withUTF8(of: "kind graph\nidentity 5c1d\nelement \u{1B}[31mred") { _ = core.put(catalogue, key, $0) }
      }
      try store.environment.commit(core)
    }
    func run(_ line: String, _ status: Int32, _ texts: String...) throws {
      let result = try tool.run(line)
      #expect(result.status == status, "\(line): \(result)")
      for text in texts { #expect(result.output.contains(text), "\(line): \(result.output)") }
      #expect(!result.output.contains("\u{1B}"), "\(line)")
    }
    try run("lmdbshare ls team.lmdb", 0, "later", "unknown", "names")
    try run("lmdbshare info team.lmdb", 0)
    try run("lmdbshare show team.lmdb names", 0)
    try run("lmdbshare dump team.lmdb > dump.jsonl", 1, "'later'", "left out", "1 structure")
    // Everything that it understands is there.
    try run("lmdbshare load copy.lmdb < dump.jsonl && lmdbshare show copy.lmdb names", 0)
    try run("lmdbshare dump team.lmdb names > one.jsonl", 0)
    try run("lmdbshare doctor team.lmdb", 2, "later", "not understood")
    try run("lmdbshare diff team.lmdb copy.lmdb", 2, "later", "not compared")
    try run("lmdbshare diff team.lmdb copy.lmdb names", 0)
    try run("lmdbshare create team.lmdb list later string", 1, "not understood")
    try run("lmdbshare drop team.lmdb later --yes", 1, "not understood")
    try run("lmdbshare ls team.lmdb", 0, "later")
  }

  @Test func diffTellsOfOtherLimits() throws {
    let make = """
      for store in a b; do lmdbshare create $store list same string; done
      lmdbshare create a list names string --maximum 5; lmdbshare create b list names string --maximum 6
      lmdbshare create a queue jobs string; lmdbshare create b queue jobs string --attempts 3
      lmdbshare create a list types i32; lmdbshare create b list types i64
      """
    #expect(try tool.run(make).status == 0)
    let result = try tool.run("lmdbshare diff a b")
    #expect(result.status == 2)
    #expect(
      result.output == """
        ~ jobs: a queue of string (packed) became a queue of string (packed, 3 attempts)
        ~ names: a list of string (slotted, at most 5) became a list of string (slotted, at most 6)
        ~ types: a list of i32 (packed) became a list of i64 (packed)

        """, "\(result.output)")
    #expect(try tool.run("lmdbshare diff a b same").status == 0)
    #expect(try tool.run("lmdbshare diff a a").status == 0)
  }
}
