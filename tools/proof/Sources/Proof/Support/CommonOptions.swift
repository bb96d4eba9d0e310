import ArgumentParser
import Foundation

/// What all proofs take.
struct CommonOptions: ParsableArguments {
  @Option(help: "What the random choices depend on; another one each time unless given.") var seed: UInt64?
  @Option(help: "Where to work; shared memory unless given.") var directory: String?
  @Flag(help: "Tell how far it is.") var verbose = false

  /// Prints how to have the same run again.
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
