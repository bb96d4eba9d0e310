import Foundation
import LMDBShare
import TestSupport
import Testing

/// The output of every command, compared with `Fixtures/tool/snapshots`; `LMDBSHARE_RECORD=1 tools/test --filter SnapshotTests`
/// records it again.
@Suite(.timeLimit(.minutes(20)))
struct SnapshotTests {
  static let commands = [
    "info", "ls", "show", "get", "watch", "top", "set", "append", "insert", "increment", "delete", "apply", "push",
    "pop",
    "peek", "leases", "dead-letters", "dump", "load", "backup", "compact", "trim", "readers", "doctor", "diff",
    "create",
    "drop",
    "rename", "clear", "manual",
  ]

  /// Sessions: sequences of commands, each on a new store.
  static let sessions: [(name: String, lines: [String])] = [
    ("help", ["lmdbshare --help", "lmdbshare --version"] + commands.map { "lmdbshare \($0) --help" }),
    (
      "info",
      [
        "lmdbshare info team.lmdb", "lmdbshare info team.lmdb --format json",
        "lmdbshare info team.lmdb --format csv | cut -d, -f1-5",
      ]
    ),
    (
      "ls",
      [
        "lmdbshare ls team.lmdb", "lmdbshare ls team.lmdb --sort count",
        "lmdbshare ls team.lmdb --sort kind --format jsonl",
        "lmdbshare ls team.lmdb --format csv | cat -v",
        "lmdbshare ls team.lmdb --format json | python3 -m json.tool | head -12",
      ]
    ),
    (
      "show",
      [
        "names", "names --reverse", "names --head 2", "names --tail 2 --format jsonl", "names --range '1..<3' --keys",
        "numbers --range 2...", "scores --keys --range a...b", "scores --prefix k --keys --format csv",
        "scores --head 2 --format json",
        "scores --tail 1 --values", "scores --reverse --head 2", "places", "places --prefix Ber --format jsonl",
        "dates",
        "flags --format csv", "colors", "bytes", "bytes --format jsonl", "floats", "samples --range '..<2'", "points",
        "jobs",
        "jobs --format jsonl", "jobs --format csv", "jobs --head 1", "total", "go", "doors", "mystery",
        "mystery --format jsonl",
        "broken", "broken --format jsonl", "scores --raw --head 2", "--raw --head 3 --keys", "nothing",
        "names --prefix A",
        "names --range x", "names --head 1 --tail 1",
      ].map { "lmdbshare show team.lmdb \($0)" }
    ),
    (
      "get",
      [
        "total", "total --format json", "names 0", "names -1", "names 99", "names", "scores al",
        "scores al --format csv",
        "scores nobody", "dates 2000-12-31T23:59:59.5Z", "places '[\"Berlin\",-1]'", "flags true", "bytes 0x00ff",
        "jobs",
        "total 1", "nothing", "samples 0", "broken 2 --format json",
      ].map { "lmdbshare get team.lmdb \($0)" } + ["LMDBSHARE_STORE=team.lmdb lmdbshare get total"]
    ),
    (
      "changing",
      [
        "lmdbshare set team.lmdb total 18", "lmdbshare get team.lmdb total",
        "lmdbshare set team.lmdb total 19 --if-equals 17", "lmdbshare set team.lmdb total -19 --if-equals 18",
        "lmdbshare set team.lmdb total many", "lmdbshare set team.lmdb total 9223372036854775808",
        "lmdbshare set team.lmdb scores Zoë 5 --if-absent", "lmdbshare set team.lmdb scores al 5 --if-absent",
        "lmdbshare set team.lmdb names -1 Last", "lmdbshare set team.lmdb names 7 Last",
        "lmdbshare set team.lmdb names Last",
        "lmdbshare set team.lmdb names 0 -- --dashes", "lmdbshare set team.lmdb names 0 --dashes",
        "lmdbshare append team.lmdb names 'Ada Lovelace'", "lmdbshare append team.lmdb log d",
        "lmdbshare show team.lmdb log",
        "lmdbshare append team.lmdb scores 5", "lmdbshare insert team.lmdb names 1 Grace",
        "lmdbshare insert team.lmdb names 50 Grace", "lmdbshare show team.lmdb names",
        "lmdbshare increment team.lmdb total",
        "lmdbshare increment team.lmdb scores al --by -10", "lmdbshare increment team.lmdb scores new",
        "lmdbshare increment team.lmdb samples 0 --by 2147483647", "lmdbshare increment team.lmdb floats 2.25 --by 0.5",
        "lmdbshare increment team.lmdb names 0", "lmdbshare delete team.lmdb names 0",
        "lmdbshare delete team.lmdb scores al --if-equals 7", "lmdbshare delete team.lmdb scores al",
        "lmdbshare delete team.lmdb scores al", "lmdbshare delete team.lmdb total x",
        "lmdbshare delete team.lmdb samples 0",
        "lmdbshare set team.lmdb dates 2026-11-24 5", "lmdbshare set team.lmdb go false",
        "lmdbshare set team.lmdb bytes 0x01 base64:AAE=",
        "lmdbshare get team.lmdb bytes 0x01",
      ]
    ),
    (
      "apply",
      [
        #"printf '%s\n' '{"op":"set","name":"scores","key":"al","value":3,"ifEquals":1}' '{"op":"append","name":"names","value":"x"}' '' '{"op":"push","name":"jobs","value":{"path":"new"},"priority":0}' '{"op":"increment","name":"total","by":2}' '{"op":"insert","name":"names","position":0,"value":"y"}' '{"op":"delete","name":"names","position":-1}' '{"op":"clear","name":"numbers"}' | lmdbshare apply team.lmdb"#,
        "lmdbshare show team.lmdb names", "lmdbshare get team.lmdb total", "lmdbshare peek team.lmdb jobs",
        #"printf '%s\n' '{"op":"set","name":"total","value":99}' '{"op":"set","name":"scores","key":"al","value":4,"ifEquals":1}' | lmdbshare apply team.lmdb"#,
        #"echo '{"op":"set","name":"total"}' | lmdbshare apply team.lmdb"#,
        #"echo '{"op":"set","name":"total","value":1,"colour":2}' | lmdbshare apply team.lmdb"#,
        #"echo '{"op":"drop","name":"total"}' | lmdbshare apply team.lmdb"#,
        #"echo '{"op":"set","name":"nothing","value":1}' | lmdbshare apply team.lmdb"#,
        "echo '{' | lmdbshare apply team.lmdb",
        "lmdbshare get team.lmdb total",
      ]
    ),
    (
      "queues",
      [
        "lmdbshare peek team.lmdb jobs --count 2", "lmdbshare pop team.lmdb jobs",
        "lmdbshare pop team.lmdb jobs --format jsonl",
        "lmdbshare push team.lmdb jobs '{\"path\":\"b\"}' --priority 1", "lmdbshare push team.lmdb jobs '{'",
        "lmdbshare pop team.lmdb jobs --exec 'cat; echo attempt $LMDBSHARE_ATTEMPT'",
        "lmdbshare pop team.lmdb jobs --exec 'exit 7'",
        "lmdbshare pop team.lmdb jobs --exec 'kill -9 $$'", "lmdbshare show team.lmdb jobs",
        "lmdbshare dead-letters team.lmdb jobs --format json | sed 's/\"ageSeconds\":[0-9.e+]*/\"ageSeconds\":AGE/'",
        "lmdbshare dead-letters team.lmdb jobs --retry 3", "lmdbshare dead-letters team.lmdb jobs --remove 3",
        "seq 1 3 | lmdbshare push team.lmdb idle", "printf '1\\nx\\n' | lmdbshare push team.lmdb idle",
        "lmdbshare push team.lmdb idle 9 --delay 0.2", "lmdbshare pop team.lmdb idle --count 10",
        "lmdbshare pop team.lmdb idle", "lmdbshare pop team.lmdb idle --timeout 5",
        "lmdbshare pop team.lmdb idle --timeout 0.05",
        "lmdbshare leases team.lmdb idle", "lmdbshare leases team.lmdb names", "lmdbshare push team.lmdb names x",
        "lmdbshare push team.lmdb idle 1 --priority 9",
      ]
    ),
    (
      "structures",
      [
        "lmdbshare create team.lmdb list tags string --maximum 2", "lmdbshare create team.lmdb list tags string",
        "lmdbshare create new.lmdb dictionary ages '(string,i64)' 'u8?'",
        "lmdbshare create new.lmdb array cells f64 --count 3 --initial 1.5",
        "lmdbshare create new.lmdb value when date --initial 2026-01-31T12:00:00.25Z",
        "lmdbshare create new.lmdb queue q i64 --maximum 1",
        "lmdbshare push new.lmdb q 1 2", "lmdbshare push new.lmdb q 1", "lmdbshare push new.lmdb q 2",
        "lmdbshare create new.lmdb list x point",
        "lmdbshare create new.lmdb array x string --count 1", "lmdbshare create new.lmdb dictionary x f64? i8",
        "lmdbshare create new.lmdb value x i8", "lmdbshare create new.lmdb list .x i8", "lmdbshare ls new.lmdb",
        "lmdbshare show new.lmdb cells",
        "lmdbshare rename team.lmdb names people", "lmdbshare rename team.lmdb names people",
        "lmdbshare rename team.lmdb people scores",
        "lmdbshare clear team.lmdb people", "lmdbshare clear team.lmdb people --yes",
        "lmdbshare clear team.lmdb total --yes",
        "lmdbshare drop team.lmdb people", "lmdbshare drop team.lmdb people --yes",
        "lmdbshare drop team.lmdb people --yes",
        "lmdbshare show team.lmdb people",
      ]
    ),
    (
      "copies",
      [
        "lmdbshare dump team.lmdb scores places jobs", "lmdbshare dump team.lmdb scores --format csv | cat -v",
        "lmdbshare dump team.lmdb --format csv",
        "lmdbshare dump team.lmdb | lmdbshare load copy.lmdb", "lmdbshare diff team.lmdb copy.lmdb",
        "lmdbshare dump team.lmdb names | lmdbshare load copy.lmdb",
        "lmdbshare dump team.lmdb names | lmdbshare load copy.lmdb --merge", "lmdbshare show copy.lmdb names",
        "lmdbshare dump team.lmdb names | lmdbshare load copy.lmdb --replace", "lmdbshare diff team.lmdb copy.lmdb",
        "lmdbshare dump team.lmdb names | head -3 | lmdbshare load copy.lmdb --replace",
        "echo nonsense | lmdbshare load other.lmdb", "ls other.lmdb",
        "lmdbshare load other.lmdb < /dev/null", "lmdbshare dump team.lmdb nothing",
        "lmdbshare dump team.lmdb names --format mdb | grep -v mapsize",
        "lmdbshare dump team.lmdb --format mdb | lmdbshare load raw.lmdb --format mdb",
        "lmdbshare diff team.lmdb raw.lmdb",
        "lmdbshare backup team.lmdb b", "lmdbshare backup team.lmdb b", "lmdbshare backup team.lmdb c --compact",
        "lmdbshare diff b c",
        "lmdbshare clear copy.lmdb scores --yes", "lmdbshare compact copy.lmdb", "lmdbshare set copy.lmdb total 5",
        "lmdbshare append copy.lmdb names Eve",
        "lmdbshare diff team.lmdb copy.lmdb names total scores",
        "lmdbshare diff team.lmdb copy.lmdb names total --format jsonl",
      ]
    ),
    (
      "refined",
      [
        // A condition that would be ignored is refused.
        #"echo '{"op":"clear","name":"scores","ifEquals":5}' | lmdbshare apply team.lmdb"#,
        #"echo '{"op":"set","name":"scores","key":"al","value":2,"ifAbsent":false}' | lmdbshare apply team.lmdb"#,
        #"echo '{"op":"push","name":"idle","value":1,"delay":1e300}' | lmdbshare apply team.lmdb"#,
        #"echo '{"op":"insert","name":"names","value":"x"}' | lmdbshare apply team.lmdb"#,
        // A list keeps its own maximum, whatever the maximum in the dump was.
        "lmdbshare create a.lmdb list l i64 --maximum 2; lmdbshare append a.lmdb l 7; lmdbshare append a.lmdb l 8",
        "lmdbshare create b.lmdb list l i64; for i in 1 2 3; do lmdbshare append b.lmdb l $i; done; lmdbshare dump b.lmdb > b.jsonl",
        "lmdbshare dump a.lmdb | lmdbshare load b.lmdb --merge; lmdbshare show b.lmdb l",
        "lmdbshare load a.lmdb --merge < b.jsonl; lmdbshare show a.lmdb l",
        // Items keep their history.
        "lmdbshare create a.lmdb queue jobs 'json(Job)' --maximum 4; lmdbshare dump team.lmdb jobs | lmdbshare load a.lmdb --merge",
        "lmdbshare show a.lmdb jobs --format jsonl; lmdbshare doctor a.lmdb; lmdbshare dead-letters a.lmdb jobs --retry-all; lmdbshare pop a.lmdb jobs --count 9",
        #"lmdbshare dump team.lmdb jobs | sed 's/"sequence":5/"sequence":2/' | lmdbshare load c.lmdb"#,
        // Queues of two stores.
        "lmdbshare backup team.lmdb d.lmdb; lmdbshare push team.lmdb idle 1; lmdbshare push d.lmdb idle 2; lmdbshare diff d.lmdb team.lmdb",
        // JSON stays JSON, and text stays text.
        #"lmdbshare push team.lmdb jobs '{"p":"a\nb \"q\""}' --priority 0; lmdbshare peek team.lmdb jobs; lmdbshare pop team.lmdb jobs --exec cat"#,
        #"lmdbshare create e.lmdb list aa '[string]'; lmdbshare append e.lmdb aa '["a\"b\\"]'; lmdbshare show e.lmdb aa"#,
        #"lmdbshare create e.lmdb list t string; lmdbshare append e.lmdb t "$(printf 'a\\b\nc"\033')"; lmdbshare show e.lmdb t; lmdbshare show e.lmdb t --format csv | cat -v"#,
        "lmdbshare set team.lmdb names 0 \"$(printf 'a\\377')\"; lmdbshare get team.lmdb names 0",
        "LMDBSHARE_STORE=$(printf 's\\377') lmdbshare create value x i64 --initial 1",
        "lmdbshare create e.lmdb value x i64 --initial 0; lmdbshare drop e.lmdb x --yes; lmdbshare ls e.lmdb --format csv; lmdbshare readers e.lmdb --format csv",
        "lmdbshare create e.lmdb dictionary empty string i64; lmdbshare show e.lmdb empty --format csv; lmdbshare dump e.lmdb empty --format csv",
        // Names that do not exist, or do not fit.
        "lmdbshare create e.lmdb list d date; lmdbshare append e.lmdb d 2026-02-29; lmdbshare append e.lmdb d 2024-02-29; lmdbshare append e.lmdb d 0000-01-01; lmdbshare append e.lmdb d inf; lmdbshare show e.lmdb d",
        "lmdbshare create e.lmdb list f f32; lmdbshare append e.lmdb f 1e39; lmdbshare append e.lmdb f nan:7fc00001; lmdbshare append e.lmdb f -inf; lmdbshare show e.lmdb f",
        #"lmdbshare create e.lmdb list deep "$(printf '[%.0s' $(seq 60000))" 2>&1 | head -c 60"#,
        "lmdbshare append e.lmdb t; lmdbshare append e.lmdb t -- --; lmdbshare peek team.lmdb jobs --count 0",
        "lmdbshare show team.lmdb jobs --range 1... --head 1; lmdbshare show team.lmdb scores --prefix '' --head 1 --keys --format csv",
        // Names of structures with a slash, with a store from the environment.
        "export LMDBSHARE_STORE=team.lmdb; lmdbshare create value a/b string --initial x; lmdbshare get a/b; lmdbshare show a/b",
        // After a failure another attempt is possible.
        "lmdbshare dump team.lmdb --format mdb > m.mdb; head -5 m.mdb | lmdbshare load m.lmdb --format mdb; lmdbshare load m.lmdb --format mdb < m.mdb",
      ]
    ),
    (
      "several",
      [
        "lmdbshare append team.lmdb numbers 1 2 -3; lmdbshare show team.lmdb numbers",
        "lmdbshare append team.lmdb numbers 4 x; lmdbshare show team.lmdb numbers",
        "lmdbshare insert team.lmdb numbers 1 10 11; lmdbshare insert team.lmdb numbers -1 20 21; lmdbshare show team.lmdb numbers",
        "lmdbshare delete team.lmdb numbers 0 -1 1 0; lmdbshare show team.lmdb numbers",
        "lmdbshare delete team.lmdb numbers 0 99; lmdbshare show team.lmdb numbers",
        "lmdbshare get team.lmdb numbers 0 -1; lmdbshare get team.lmdb numbers 0 -1 --format jsonl",
        "lmdbshare set team.lmdb scores al 1; lmdbshare increment team.lmdb scores al new --by 2",
        "lmdbshare get team.lmdb scores al new", "lmdbshare get team.lmdb scores al new --format json",
        "lmdbshare get team.lmdb scores al new --format csv", "lmdbshare get team.lmdb scores al nobody",
        "lmdbshare delete team.lmdb scores al nobody; lmdbshare get team.lmdb scores al",
        "lmdbshare delete team.lmdb scores al new; lmdbshare get team.lmdb scores al",
        // JSON is compared by its meaning.
        #"lmdbshare create v.lmdb value job 'json(Job)' --initial '{"a":1,"b":[1.50,"\u0041"]}'"#,
        #"lmdbshare set v.lmdb job '{"a":2}' --if-equals '{ "b": [15e-1, "A"], "a": 1.0 }'; lmdbshare get v.lmdb job"#,
        #"lmdbshare set v.lmdb job 3 --if-equals '{"a":3}'; lmdbshare set v.lmdb job 3 --if-equals '{"a":2,"b":null}'"#,
        #"echo '{"op":"set","name":"job","value":4,"ifEquals":{"a":20e-1}}' | lmdbshare apply v.lmdb"#,
        // CBOR is JSON for people.
        #"lmdbshare create c.lmdb dictionary jobs string 'cbor(Job)'; lmdbshare set c.lmdb jobs a '{"path":"x","tries":1,"at":{"$date":"2026-01-31T12:00:00+01:00"},"rest":[1.0,{"$bytes":"AAE="},null]}'"#,
        #"lmdbshare set c.lmdb jobs b '{"$map":[[1,"one"],[-1,{"$float":"nan"}]]}'; lmdbshare show c.lmdb jobs; lmdbshare show c.lmdb jobs --format jsonl; lmdbshare get c.lmdb jobs a"#,
        #"lmdbshare set c.lmdb jobs b 2 --if-equals '{"$map":[[-1,{"$float":"nan"}],[1,"one"]]}'; lmdbshare get c.lmdb jobs b; lmdbshare set c.lmdb jobs b 3 --if-equals 2.0; lmdbshare get c.lmdb jobs b"#,
        #"lmdbshare dump c.lmdb > c.jsonl; lmdbshare load c2.lmdb < c.jsonl; lmdbshare dump c2.lmdb | diff - c.jsonl | grep -v '"lmdbshare"' | grep -c '[<>] .*"value"'; lmdbshare diff c.lmdb c2.lmdb"#,
        #"lmdbshare set c.lmdb jobs c x; lmdbshare set c.lmdb jobs c '{"$byte":"AA=="}'; lmdbshare set c.lmdb jobs c '{"a":1,"a":2}'; lmdbshare set c.lmdb jobs c '{"$date":"soon"}'"#,
        // Values in the notation of other languages.
        "lmdbshare create v.lmdb list d date; lmdbshare append v.lmdb d 2026-01-02T03:04:05+01:00 2026-01-02T03:04:05.5-0330 2026-01-02T03:04+01; lmdbshare show v.lmdb d",
        "lmdbshare append v.lmdb d '2026-11-26 10:00:00 -05:30' '2026-11-26 10:00 +01' '2026-11-26 10:00:00 Z'; lmdbshare show v.lmdb d --tail 3",
        "for date in '2026-11-26 10:00:00 05:30' '2026-11-26 10:00:00 - 05:30' '2026-11-26 10:00Z +01'; do lmdbshare append v.lmdb d \"$date\"; done",
        "for date in 2026-01-02T03:04:05+24:00 2026-01-02T03:04:05+1 2026-01-02+01:00; do lmdbshare append v.lmdb d $date; done",
        "lmdbshare create v.lmdb list f f64; lmdbshare append v.lmdb f nan NaN inf Infinity -inf -Infinity +inf 1.5; lmdbshare show v.lmdb f",
        #"echo '{"op":"append","name":"f","value":-Infinity}' | lmdbshare apply v.lmdb; lmdbshare get v.lmdb f -1"#,
        #"lmdbshare create v.lmdb list fs '[f32]'; lmdbshare append v.lmdb fs '[1, NaN, -Infinity, "inf"]'; lmdbshare show v.lmdb fs"#,
        "lmdbshare set v.lmdb job NaN; lmdbshare set v.lmdb job notjson; lmdbshare set v.lmdb job '\"text\"'",
        "lmdbshare create v.lmdb list z strin",
        // Data formats are exact unless the output is a terminal.
        #"lmdbshare create v.lmdb list t string; lmdbshare append v.lmdb t "$(printf 'a\033\302\205b')"; lmdbshare show v.lmdb t --format csv | od -An -c; lmdbshare show v.lmdb t"#,
        // Arguments are escaped before they are sent to the terminal.
        #"lmdbshare show team.lmdb "$(printf 'a\033[31m')" more; lmdbshare ls "$(printf -- '--x\033[31m')"; lmdbshare "$(printf 'x\033\r')"; lmdbshare ls team.lmdb --timeout "$(printf '\033')""#,
        "lmdbshare watch team.lmdb nothing", "lmdbshare watch team.lmdb nothing --wait --timeout 50ms",
      ]
    ),
    (
      "looking-after",
      [
        "lmdbshare readers team.lmdb", "lmdbshare readers team.lmdb --format json",
        "lmdbshare readers team.lmdb --clear-stale",
        "lmdbshare doctor team.lmdb", "lmdbshare doctor team.lmdb --quick --format jsonl",
        "touch team.lmdb/notes.txt; chmod 777 team.lmdb; lmdbshare doctor team.lmdb --quick",
        "lmdbshare watch team.lmdb --timeout 0.05", "lmdbshare top team.lmdb < /dev/null",
        "lmdbshare trim team.lmdb | cut -c1-10", "lmdbshare trim nowhere",
        "lmdbshare trim team.lmdb --format json | sed 's/:[0-9]*/:N/g'",
      ]
    ),
    (
      "usage",
      [
        "lmdbshare", "lmdbshare nonsense", "lmdbshare show", "lmdbshare show team.lmdb",
        "lmdbshare show team.lmdb names --format xml",
        "lmdbshare info team.lmdb more", "lmdbshare info nowhere",
        "LMDBSHARE_STORE=team.lmdb lmdbshare ls --format csv | head -2",
        "LMDBSHARE_STORE=team.lmdb lmdbshare show names --head 1",
        "LMDBSHARE_STORE=nowhere lmdbshare show team.lmdb names --head 1",
        "LMDBSHARE_STORE=team.lmdb lmdbshare set total", "LMDBSHARE_STORE=team.lmdb lmdbshare set team.lmdb total",
      ]
    ),
  ]

  @Test(arguments: sessions.map(\.name))
  func printsWhatItDid(session name: String) throws {
    let tool = Tool()
    try tool.makeStore()
    let session = try #require(Self.sessions.first { $0.name == name })
    var text = ""
    for line in session.lines {
      let result = try tool.run(line)
      text += "$ \(line)\n\(result.output)"
      if !text.hasSuffix("\n") { text += "\n" }
      if result.status != 0 { text += "[\(result.status)]\n" }
      text += "\n"
    }
    text = text.replacingOccurrences(of: tool.directory.path + "/", with: "/HERE/")
    text = text.replacingOccurrences(of: Environment.libraryVersion, with: "VERSION")
    text = text.replacing(/(allocatedBytes":|on disk {7})[0-9.]+( [KM]iB)?/) { "\($0.1)SIZE" }
    // What must never reach a terminal.
    #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
    let file = Tool.fixtures.appendingPathComponent("snapshots/\(name).txt")
    if ProcessInfo.processInfo.environment["LMDBSHARE_RECORD"] != nil {
      try text.write(to: file, atomically: true, encoding: .utf8)
      return
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    guard text != expected else { return }
    let (found, wanted) = (text.split(separator: "\n"), expected.split(separator: "\n"))
    for (a, b) in zip(found, wanted) where a != b {
      Issue.record("found: \(a)\nexpected: \(b)")
      return
    }
    Issue.record("\(found.count) lines instead of \(wanted.count)")
  }

  @Test func theManualIsThatOfTheTool() throws {
    let committed = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources/LMDBShareTool/lmdbshare.1")
    let text = try Tool().run("lmdbshare manual").output
    #expect(
      try String(contentsOf: committed, encoding: .utf8) == text,
      "lmdbshare manual > Sources/LMDBShareTool/lmdbshare.1 writes it anew")
    for command in Self.commands {
      #expect(text.contains(".SS \(command)\n"), "\(command)")
    }
  }
}
