import Foundation
import LMDBShare
import TestSupport
import Testing

/// The state after a failed command, and its message.
@Suite(.timeLimit(.minutes(20)))
struct FailureTests {
  let tool = Tool()

  /// When a command fails or is interrupted, it removes what it has created, and nothing else.
  @Test(arguments: [SIGINT, SIGTERM]) func anInterruptedLoadLeavesNoStore(signal: Int32) throws {
    try tool.makeStore()
    try tool.run("lmdbshare dump team.lmdb | head -5 > part; mkdir there")
    try tool.run("printf 'VERSION=3\nformat=print\ntype=btree\nHEADER=END\n k\n v\n' > mdb")
    for (place, format, input) in [
      ("new", "jsonl", "part"), ("there", "jsonl", "part"), ("new", "mdb", "mdb"), ("there", "mdb", "mdb"),
    ] {
      try tool.run("mkfifo input")
      // While this end is open, the input has no end.
      let pipe = open(tool.directory.file("input"), O_RDWR)
      defer { close(pipe) }
      try FileHandle(fileDescriptor: pipe).write(
        contentsOf: Data(contentsOf: URL(fileURLWithPath: tool.directory.file(input))))
      let loader = try Program(
        path: "/bin/sh",
        ["-c", "cd '\(tool.directory.path)'; exec '\(Tool.path)' load \(place) --format \(format) < input 2>&1"])
      // Until it has created the store and read the available input: then it waits for more.
      let isWaiting = try eventually {
        var unread: Int32 = 1
        try #require(ioctl(pipe, UInt(FIONREAD), &unread) == 0)
        return unread == 0 && tool.directory.exists("\(place)/data.mdb")
      }
      try #require(isWaiting)
      loader.signal(signal)
      let end = loader.finish(within: 20)
      #expect(end.status == 128 + signal && end.output.contains("interrupted"), "\(place) \(format): \(end)")
      #expect(try tool.run("ls -A new there 2>/dev/null").output == "there:\n")
      try tool.run("rm input")
    }
  }

  @Test(.enabled(if: Needs.mounts, "no file system can be mounted here"))
  func aBackupThatFailsLeavesNoDirectory() throws {
    try tool.makeStore()
    let mounted = try tool.run(
      "mkdir small && mount -t tmpfs -o size=64k none small && mkdir small/there && echo mounted")
    try #require(mounted.output.contains("mounted"), "\(mounted)")
    defer { _ = try? tool.run("umount small") }
    for options in ["", "--compact"] {
      let failed = try tool.run("lmdbshare backup team.lmdb small/copy \(options)")
      #expect(failed.status == 1 && failed.output.contains("space"), "\(failed)")
      #expect(try tool.run("lmdbshare backup team.lmdb small/there \(options)").status == 1)
      #expect(try tool.run("ls -A small small/there").output == "small:\nthere\n\nsmall/there:\n")
    }
  }

  /// On Linux the arguments come from /proc, which may not exist.
  @Test(.enabled(if: Needs.withoutProc, "/proc cannot be hidden here"))
  func withoutProcTheArgumentsAreFoundAllTheSame() throws {
    try tool.makeStore()
    let hidden = "unshare -m sh -c 'mount -t tmpfs none /proc;"
    #expect(try tool.run("\(hidden) \(Tool.path) show team.lmdb names --head 1'") == (0, "first\n"))
    #expect(try tool.run("\(hidden) \(Tool.path) show team.lmdb $(printf \"\\377\")'").status == 64)
  }

  /// Names and paths in errors are escaped once, as they are in lists.
  @Test func namesInErrorsAreEscapedOnce() throws {
    let name = "a\\b\tc\u{1B}"
    let error = StoreError(.damaged, "open \(name)", structure: name, reason: "it is \(name)", advice: "look")
    #expect("\(error)" == "open a\\b\\tc\\u{1B} 'a\\\\b\\tc\\u{1B}': it is a\\b\\tc\\u{1B}; look", "\(error)")
    #expect("\(error.about("x"))" == "\(error)")
    try tool.run("lmdbshare create s list l string")
    let missing = try tool.run("lmdbshare show s \"$(printf 'a\\\\b\\tc')\"")
    #expect(missing.status == 3 && missing.output.contains(#"'a\\b\tc'"#), "\(missing)")
    #expect(!missing.output.contains(#"\\\\"#) && !missing.output.contains(#"\\t"#), "\(missing)")
    let nowhere = try tool.run("lmdbshare ls \"$(printf 'no\\\\w\\there')\"")
    #expect(nowhere.output.contains(#"no\w\there"#), "\(nowhere)")
  }
}
