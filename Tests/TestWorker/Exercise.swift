import CTestShims
import Foundation

/// Exercises LMDB files with plain liblmdb: reads their paths line by line, and prints an answer for each.
func exerciseFiles() {
  while let line = readLine() {
    let parts = line.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, let seed = UInt64(parts[0]) else { return say("a seed and a path expected") }
    var report = [CChar](repeating: 0, count: 300)
    // SIGALRM ends a hang.
    alarm(60)
    let code = test_exercise(String(parts[1]), seed, &report, report.count)
    alarm(0)
    let text = report.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    say(code == 0 ? "sound" : "wrong: \(text)")
    // What LMDB has opened stays open.
    if code != 0 { exit(1) }
  }
}
