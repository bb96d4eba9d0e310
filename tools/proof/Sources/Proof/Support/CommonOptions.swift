import ArgumentParser
import Foundation

/// The options of all proofs.
struct CommonOptions: ParsableArguments {
  @Option(help: "The seed of the random choices; by default a new one each time.") var seed: UInt64?
  @Option(help: "The directory to work in; shared memory by default.") var directory: String?
  @Flag(help: "Report progress.") var verbose = false

  /// Prints how to repeat the run.
  func begin(_ name: String) -> UInt64 {
    let seed = seed ?? UInt64.random(in: 1..<1 << 48)
    print("\(name): --seed \(seed)")
    fflush(nil)
    return seed
  }

  func progress(_ text: String) {
    if verbose { FileHandle.standardError.write(Data((text + "\n").utf8)) }
  }
}
