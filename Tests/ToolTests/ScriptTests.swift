import Foundation
import TestSupport
import Testing

/// What scripts rely on: several values in one call, one opening per call, exact text, the notations of other programs.
@Suite(.timeLimit(.minutes(20)))
struct ScriptTests {
  let tool = Tool()

  @Test func severalValuesInOneCallAreOneTransaction() throws {
    try tool.run("lmdbshare create s list l string; lmdbshare create s dictionary d string i64")
    let before = try tool.run("lmdbshare info s --format csv").output
    #expect(try tool.run("lmdbshare append s l a b c").status == 0)
    #expect(try tool.run("lmdbshare get s l 0 2").output == "a\nc\n")
    #expect(try tool.run("lmdbshare increment s d x y --by 3").output == "3\n3\n")
    #expect(try tool.run("lmdbshare get s d x y").output == "3\n3\n")
    // One invalid value: none of them is stored.
    #expect(try tool.run("lmdbshare create s list n i64; lmdbshare append s n 1 2 three").status != 0)
    #expect(try tool.run("lmdbshare show s n").output == "")
    #expect(try tool.run("lmdbshare info s --format csv").output != before)
  }

  @Test func ifEqualsComparesWhatJSONMeansAndNotItsBytes() throws {
    try tool.run("lmdbshare create s dictionary d string 'json(Job)'")
    try tool.run(#"lmdbshare set s d key '{"a":1,"b":[1,"A"]}'"#)
    let refused = try tool.run(#"lmdbshare set s d key 2 --if-equals '{"a":1,"b":["A",1]}'"#)
    #expect(refused.status != 0 && refused.output.contains("nothing was changed"), "\(refused)")
    let done = try tool.run(#"lmdbshare set s d key 2 --if-equals '{ "b": [1.0, "\u0041"], "a": 10e-1 }'"#)
    #expect(done.status == 0, "\(done)")
    #expect(try tool.run("lmdbshare get s d key").output == "2\n")
    // JSON of several lines, too.
    let lines = try tool.run(
      "lmdbshare set s d key '[1,\n2]' && lmdbshare set s d key 3 --if-equals '[ 1,2]' && lmdbshare set s d key 4 --if-equals '3\n'"
    )
    #expect(lines.status == 0, "\(lines)")
  }

  @Test func csvThatGoesToAFileIsExact() throws {
    try tool.run(#"lmdbshare create s list l string; lmdbshare append s l "$(printf 'a\033[1mb\nc"\tend')""#)
    let expected = "value\n\"a\u{1B}[1mb\nc\"\"\tend\"\n"
    for command in ["show s l", "dump s l"] {
      let result = try tool.run("lmdbshare \(command) --format csv > out; cat out")
      #expect(result.output == expected, "\(command): \(result)")
    }
  }

  @Test func datesWithOffsetsAndNumbersAsOtherProgramsWriteThem() throws {
    try tool.run("lmdbshare create s dictionary t string date; lmdbshare create s dictionary f string f64")
    try tool.run("lmdbshare set s t a 2024-02-29T12:00:00+02:00; lmdbshare set s t b 2024-02-29T04:30:00-05:30")
    #expect(try tool.run("lmdbshare get s t a b").output == "2024-02-29T10:00:00Z\n2024-02-29T10:00:00Z\n")
    for (text, shown) in [("NaN", "nan"), ("nan", "nan"), ("Infinity", "inf"), ("-Infinity", "-inf"), ("inf", "inf")] {
      let set = try tool.run(
        "lmdbshare set s f key -- '\(text)'; lmdbshare set s f key '\(text)'; lmdbshare get s f key")
      #expect(set.output.hasSuffix("\(shown)\n"), "\(text): \(set)")
    }
  }

  #if os(Linux)
    /// The environment is opened once, without a separate check before.
    @Test func settingOpensTheStoreOnce() throws {
      try tool.run("lmdbshare create s value v i64 --initial 1")
      let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdio.h>
        #include <stdlib.h>
        int mdb_env_open(void *environment, const char *path, unsigned flags, unsigned mode) {
          FILE *log = fopen(getenv("TEST_OPENINGS"), "a");
          if (log) fputs("opened\\n", log), fclose(log);
          int (*next)(void *, const char *, unsigned, unsigned) =
              (int (*)(void *, const char *, unsigned, unsigned))dlsym(RTLD_NEXT, "mdb_env_open");
          return next(environment, path, flags, mode);
        }
        """
      try Data(source.utf8).write(to: URL(fileURLWithPath: tool.directory.file("openings.c")))
      let built = try tool.run(
        "for c in clang cc gcc; do command -v $c >/dev/null && exec $c -shared -fPIC -o openings.so openings.c -ldl; done; exit 1"
      )
      try #require(built.status == 0, "no C compiler, or: \(built.output)")
      for command in ["set s v 2", "get s v", "increment s v"] {
        let result = try tool.run(
          "rm -f log; TEST_OPENINGS=log LD_PRELOAD=$PWD/openings.so lmdbshare \(command) >/dev/null; cat log")
        #expect(result.output == "opened\n", "\(command): \(result)")
      }
    }
  #endif
}
