import Foundation
import LMDBShare
import TestSupport
import Testing

/// A real terminal: tmux runs a shell in it, and returns the contents of its screen.
final class Terminal {
  private let tool: Tool
  private let name = "lmdbshare-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"

  init(_ tool: Tool, environment: String = "") throws {
    self.tool = tool
    let shell =
      "env -u NO_COLOR TERM=screen-256color PS1='ready> ' \(environment) PATH='\(Program.directory.path)':\"$PATH\" sh"
    let started = try tool.run(
      "tmux -L \(name) -f /dev/null new-session -d -x 120 -y 60 \"\(shell.replacing("\"", with: "\\\""))\"")
    guard started.status == 0 else { throw Tool.Failed(description: started.output) }
    // Everything that is sent to the terminal, unchanged.
    _ = try tool.run("tmux -L \(name) pipe-pane -o 'cat >> \(tool.directory.file("raw"))'")
    try expect("ready>")
  }

  deinit { _ = try? tool.run("tmux -L \(name) kill-server") }

  func type(_ text: String) throws {
    let quoted = text.replacing("'", with: "'\\''")
    _ = try tool.run("tmux -L \(name) send-keys -l '\(quoted)'; tmux -L \(name) send-keys Enter")
  }
  func press(_ key: String) throws { _ = try tool.run("tmux -L \(name) send-keys \(key)") }
  func screen(withColours: Bool = false) throws -> String {
    try tool.run("tmux -L \(name) capture-pane -p\(withColours ? " -e" : "")").output
  }
  var raw: String {
    get throws {
      String(decoding: try Data(contentsOf: URL(fileURLWithPath: tool.directory.file("raw"))), as: UTF8.self)
    }
  }

  /// Waits until a program runs in this terminal; by default the tool.
  func expectProgram(_ name: String = "lmdbshare", _ location: SourceLocation = #_sourceLocation) throws {
    let runs = try eventually {
      try tool.run("pgrep -x '\(name)' -s $(tmux -L \(self.name) list-panes -F '#{pane_pid}')").status == 0
    }
    if !runs { try fail("\(name) does not run in the terminal", try screen(), location) }
  }

  /// Waits until the screen shows this text.
  ///
  /// - Parameter reason: What was done before.
  func expect(_ text: String, _ reason: String = "", _ location: SourceLocation = #_sourceLocation) throws {
    try expect("'\(text)'", reason, location) { $0.contains(text) }
  }

  /// Waits until the screen meets a condition.
  func expect(
    _ what: String, _ reason: String = "", _ location: SourceLocation = #_sourceLocation, _ isRight: (String) -> Bool
  ) throws {
    var last = ""
    let isThere = try eventually {
      last = try screen()
      return isRight(last)
    }
    if !isThere { try fail("\(what) is not on the screen\(reason.isEmpty ? "" : " after \(reason)")", last, location) }
  }

  /// Fails the test, and reports the screen's contents and the programs in the terminal.
  private func fail(_ text: String, _ screen: String, _ location: SourceLocation) throws -> Never {
    let programs = try tool.run(
      "ps -o pid,ppid,stat,wchan,args -s $(tmux -L \(name) list-panes -F '#{pane_pid}')"
    ).output
    Issue.record("\(text):\n\(screen)\n\(programs)", sourceLocation: location)
    throw Tool.Failed(description: text)
  }
}

@Suite(.timeLimit(.minutes(20)), .serialized, .enabled(if: Needs.tmux, "there is no tmux, or no pgrep"))
struct TerminalTests {
  let tool = Tool()

  @Test func coloursAreForTerminalsAlone() throws {
    try tool.makeStore()
    let terminal = try Terminal(tool)
    try terminal.type("lmdbshare ls team.lmdb; echo end''ed")
    try terminal.expect("ended")
    #expect(try terminal.screen(withColours: true).contains("\u{1B}[2m"))
    try terminal.type("clear; NO_COLOR=1 lmdbshare ls team.lmdb; lmdbshare ls team.lmdb | cat; echo end''ed again")
    try terminal.expect("ended again")
    #expect(try !terminal.screen(withColours: true).contains("\u{1B}["))
    // Wide characters are aligned.
    try terminal.type(
      "clear; lmdbshare create team.lmdb dictionary 'w' string i64; lmdbshare set team.lmdb w 日本語 1; lmdbshare set team.lmdb w abcdef 2; lmdbshare show team.lmdb w; echo end''ed last"
    )
    try terminal.expect("ended last")
    #expect(try terminal.screen().contains("abcdef  2\n日本語  1\n"))
  }

  /// Whatever a store contains: no escape sequence, no control character, nothing that changes the direction of text.
  @Test func hostileContentsAreShownHarmlessly() throws {
    try tool.makeStore()
    let long = String(repeating: "\u{1B}[2J\u{7}", count: 2_000_000)
    let store = try SharedStore(path: tool.directory.file("team.lmdb"))
    try store.list("long", of: String.self).append(long)
    try store.dictionary("long keys", of: String.self, Int.self).updateValue(1, forKey: "\u{9B}2J" + long.prefix(2000))
    let terminal = try Terminal(tool, environment: "NO_COLOR=1")
    let names = try store.structures().map(\.name)
    for (index, command) in ["show", "dump", "show --format csv", "show --raw", "show --format json"].enumerated() {
      // CSV is exact unless it goes to the terminal; long values take long to show.
      let isTable = command.hasSuffix("csv")
      let lines = names.filter { !isTable || $0 != "long" }.map { name in
        let words = command.split(separator: " ", maxSplits: 1)
        return
          "lmdbshare \(words[0]) team.lmdb '\(name)' \(words.dropFirst().joined())\(isTable ? "" : " | cut -c1-400")"
      }
      let script =
        (lines + ["lmdbshare \(command) team.lmdb nothing", "lmdbshare get team.lmdb 'long' 0 | head -c 300"]).joined(
          separator: "\n")
      try script.write(toFile: tool.directory.file("script\(index)"), atomically: true, encoding: .utf8)
      try terminal.type("sh ./script\(index); echo end''ed \(index)")
      try terminal.expect("ended \(index)")
    }
    for command in ["ls", "info", "doctor", "diff team.lmdb", "readers", "dead-letters", "get"] {
      let words = command.split(separator: " ")
      let more =
        command == "dead-letters"
        ? " jobs"
        : command == "get" ? " long 0 --format json | cut -c1-300" : words.dropFirst().map { " \($0)" }.joined()
      try terminal.type("lmdbshare \(words[0]) team.lmdb\(more); echo end''ed \(words[0])")
      try terminal.expect("ended \(words[0])")
    }
    // The shell's own escape sequences are for editing lines.
    let text = try terminal.raw.replacing("\u{1B}[?2004h", with: "").replacing("\u{1B}[?2004l", with: "")
    for scalar in text.unicodeScalars {
      let isHarmless =
        switch scalar.properties.generalCategory {
        case .control: ["\n", "\r", "\t"].contains(scalar)
        case .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
      if !isHarmless {
        Issue.record("U+\(String(scalar.value, radix: 16)) reached the terminal")
        return
      }
    }
    #expect(text.contains("\\u{1b}]0;owned\\u{7}") && text.contains("\\u{202e}gnp"))
  }

  @Test func destructiveCommandsAsk() throws {
    try tool.makeStore()
    let terminal = try Terminal(tool)
    try terminal.type("lmdbshare drop team.lmdb names")
    try terminal.expect("Remove list 'names' with 5 entries? [y/N]")
    try terminal.type("n")
    try terminal.expect("nothing was changed")
    #expect(try tool.run("lmdbshare show team.lmdb names | wc -l").output.contains("5"))
    try terminal.type("clear; lmdbshare clear team.lmdb names; echo end''ed $?")
    try terminal.expect("Remove all 5 entries of list 'names'? [y/N]")
    try terminal.type("y")
    try terminal.expect("ended 0")
    #expect(try tool.run("lmdbshare show team.lmdb names").output == "")
  }

  @Test(arguments: ["q", "C-c", "TERM"])
  func topLeavesTheTerminalAsItWas(end: String) throws {
    try tool.makeStore()
    let terminal = try Terminal(tool)
    try terminal.type("echo before; stty -g > stty1")
    try terminal.expect("before")
    try terminal.type("lmdbshare top team.lmdb --interval 0.1; stty -g > stty2; echo end''ed $?")
    try terminal.expect("commits/s")
    try tool.run("lmdbshare push team.lmdb idle 1 2 3")
    try terminal.expect("the queue with its items") { screen in
      screen.contains(/idle +3 +0 +0 +0/) && screen.contains("transaction")
    }
    if end == "TERM" {
      try tool.run("pkill -TERM -f 'lmdbshare top team.lmdb --interval 0.1'")
    } else {
      try terminal.press(end)
    }
    try terminal.expect("ended 0")
    #expect(try terminal.screen().contains("before") && !terminal.screen().contains("commits/s"))
    #expect(try tool.run("cmp stty1 stty2").status == 0)
    #expect(try terminal.raw.contains("\u{1B}[?25h"))
  }

  @Test func topNamesWhoMakesTheFileGrow() throws {
    let store = try SharedStore(path: tool.directory.file("store"), options: .durability(.processCrashOnly))
    let list = try store.list("list", of: Int.self)
    try list.append(contentsOf: 0..<10_000)
    let reader = try Program("TestWorker", ["hold-snapshot", tool.directory.file("store")])
    defer { reader.signal(SIGKILL) }
    #expect(reader.line()?.hasPrefix("reading") == true)
    for number in 0..<200 {
      try list.write { list in for index in stride(from: 0, to: 10_000, by: 500) { list[index] = number } }
    }
    let terminal = try Terminal(tool, environment: "NO_COLOR=1")
    try terminal.type("lmdbshare top store --interval 100ms; echo end''ed")
    try terminal.expect("reader \(reader.pid): its snapshot (TestWorker)")
    // The file has grown during the snapshot; after its end most of that is free.
    for number in 0..<50 {
      try list.write { list in for index in stride(from: 0, to: 10_000, by: 100) { list[index] = number } }
    }
    reader.signal(SIGKILL)
    reader.finish(within: 10)
    try list.append(1)
    try terminal.expect("are free")
    try terminal.expect("lmdbshare trim gives their disk space back")
    try terminal.press("q")
    try terminal.expect("ended")
  }

  @Test func whatIsInterruptedIsNotHalfDone() throws {
    try tool.makeStore()
    let terminal = try Terminal(tool)
    let before = try tool.run("lmdbshare dump team.lmdb").output
    try tool.run("lmdbshare dump team.lmdb names scores | sed 's/\"al\"/\"changed\"/' | head -9 > part")
    try terminal.type("(cat part; sleep 60) | lmdbshare load team.lmdb --replace; echo end''ed $?")
    // Until it has the writer's lock, and the shell has started the last program: dash loses a signal that arrives before.
    let store = try SharedStore(path: tool.directory.file("team.lmdb"))
    try #require(try eventually { try store.tryWrite { _ in } == nil })
    try terminal.expectProgram("sleep")
    try terminal.press("C-c")
    // This ends the whole line.
    try terminal.type("echo end''ed")
    try terminal.expect("ended", "C-c in load")
    #expect(try tool.run("lmdbshare dump team.lmdb").output == before)
    for command in ["watch team.lmdb", "pop team.lmdb idle --wait", "pop team.lmdb idle --wait --exec 'sleep 60'"] {
      try terminal.type("clear; lmdbshare \(command); echo end''ed $?")
      try terminal.expectProgram()
      if command.contains("exec") {
        try tool.run("lmdbshare push team.lmdb idle 7")
        // Until the command itself runs. If dash gets SIGINT just before it starts a program, it records the signal, does not
        // pass it on, and waits for the end of that program: here for a minute, and so does the tool, as it should.
        try terminal.expectProgram("sleep")
        #expect(try store.untypedQueue("idle").statistics().leases.count == 1)
      }
      try terminal.press("C-c")
      try terminal.type("echo end''ed now")
      try terminal.expect("ended now", "C-c in \(command)")
    }
    // The item in progress is still there.
    #expect(try tool.run("lmdbshare pop team.lmdb idle --timeout 5").output == "7\n")
  }

  @Test func progressIsShownAndTakenAway() throws {
    let store = try SharedStore(path: tool.directory.file("store"), options: .durability(.processCrashOnly))
    let list = try store.list("list", of: Int.self)
    try store.write { txn in txn[list].append(contentsOf: 0..<3_000_000) }
    let terminal = try Terminal(tool)
    try terminal.type("lmdbshare dump store > out; echo end''ed")
    try terminal.expect("entries  ")
    try terminal.expect("ended")
    #expect(try !terminal.screen().contains("/s"))
    try terminal.type("clear; lmdbshare load copy < out; echo end''ed again")
    try terminal.expect("% ")
    try terminal.expect("ended again")
    #expect(try !terminal.screen().contains("/s") && terminal.screen().contains("3000000 entries"))
    #expect(try tool.run("lmdbshare dump store 2>&1 >/dev/null | wc -c").output.contains("0"))
  }
}
