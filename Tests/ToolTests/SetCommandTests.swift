import LMDBShare
import TestSupport
import Testing

/// Sets in each command of the tool.
@Suite(.timeLimit(.minutes(20)))
struct SetCommandTests {
  let tool = Tool()

  private func run(_ line: String, _ status: Int32 = 0) throws -> String {
    let result = try tool.run(line)
    #expect(result.status == status, "\(line): \(result)")
    return result.output
  }

  @Test func setsAreKnownToAllCommands() throws {
    _ = try run("lmdbshare create store set tags string && lmdbshare create store set numbers i64")
    for tag in ["new", "old", "other"] { _ = try run("lmdbshare set store tags \(tag)") }
    _ = try run("lmdbshare set store numbers 7 && lmdbshare set store numbers -3 && lmdbshare set store numbers 7")
    #expect(try run("lmdbshare show store tags") == "new\nold\nother\n")
    #expect(try run("lmdbshare show store numbers --format csv") == "key\n-3\n7\n")
    #expect(
      try run("lmdbshare show store tags --prefix o --format jsonl") == "{\"key\":\"old\"}\n{\"key\":\"other\"}\n")
    #expect(try run("lmdbshare ls store").contains(/tags +set +string/))
    _ = try run("lmdbshare set store tags a b", 64)
    _ = try run("lmdbshare set store numbers seven", 1)
    _ = try run("lmdbshare create store set x string i64", 64)
    _ = try run("lmdbshare delete store tags old")
    _ = try run("lmdbshare delete store tags old", 3)
    _ = try run("lmdbshare doctor store")
    // A copy by a dump is equal, and differences are reported.
    _ = try run("lmdbshare dump store > dump && lmdbshare load copy < dump && lmdbshare diff store copy")
    #expect(try run("cat dump").contains("{\"key\":\"new\"}"))
    _ = try run("lmdbshare set copy tags more")
    #expect(try run("lmdbshare diff store copy", 2).contains("more"))
    _ = try run("echo '{\"op\":\"set\",\"name\":\"tags\",\"key\":\"applied\"}' | lmdbshare apply store")
    #expect(try run("lmdbshare show store tags") == "applied\nnew\nother\n")
    // The library reads what the tool has written.
    let store = try SharedStore(path: tool.directory.file("store"))
    #expect(try store.set("tags", of: String.self).read { Array($0) } == ["applied", "new", "other"])
    #expect(try store.set("numbers", of: Int.self).read { Array($0) } == [-3, 7])
    #expect(try store.check() == [])
    _ = try run("lmdbshare clear store tags --yes && lmdbshare drop store numbers --yes")
    #expect(try run("lmdbshare show store tags") == "")
  }
}
