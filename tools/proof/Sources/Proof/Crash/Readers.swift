import ArgumentParser
import CProof
import Foundation
import LMDBShare

/// Readers that die with a snapshot.
struct Readers: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Readers die with a snapshot: the file does not grow because of them, and their slots are reused.")

  @Option(help: "How many die while the store is overwritten.") var readers = 100
  @Option(help: "How often it is overwritten.") var overwrites = 100_000
  @Option(help: "How many die with the default table of readers.") var count = 2000
  @OptionGroup var common: CommonOptions

  private static let most = 1 << 20

  func run() throws {
    _ = common.begin("readers")
    let alone = try overwrite(0)
    let beside = try overwrite(readers)
    let grown = beside - alone
    let slots = try dieInTurn()
    print(
      "readers \(readers) killed in \(overwrites) overwrites: the file is \(grown) bytes larger than without "
        + "(\(beside) and \(alone)); \(slots) killed with the default table, 0 times full")
    if grown > Self.most { throw Problem("GROWN: by \(grown) bytes, more than \(Self.most)") }
  }

  /// Overwrites a store of 256 KiB while readers are killed; returns its file's size.
  private func overwrite(_ readers: Int) throws -> Int {
    let scratch = try Scratch("readers-\(readers)", in: common.directory)
    defer { scratch.remove() }
    let store = try SharedStore(path: scratch.file("store"), options: .durability(.processCrashOnly))
    let values = try store.dictionary("values", of: Int.self, [UInt8].self)
    try store.write { txn in for key in 0..<2048 { txn[values][key] = [UInt8](repeating: 0, count: 100) } }
    let board = try Board(scratch.file("board"))
    for number in 0..<overwrites {
      if readers > 0, number % max(1, overwrites / readers) == 0 { try kill(store, scratch, board) }
      try store.write { txn in txn[values][number % 2048] = [UInt8](repeating: UInt8(number & 255), count: 100) }
    }
    return try store.statistics().fileBytes
  }

  private func dieInTurn() throws -> Int {
    let scratch = try Scratch("readers", in: common.directory)
    defer { scratch.remove() }
    let store = try SharedStore(path: scratch.file("store"), options: .durability(.processCrashOnly))
    let value = try store.value("value", initial: 0)
    let board = try Board(scratch.file("board"))
    for number in 0..<count {
      try kill(store, scratch, board)
      guard try value.get() == number / 100 else { throw Problem("DIVERGED: the value is \(try value.get())") }
      if number % 100 == 99 { try value.update { $0 += 1 } }
    }
    return count
  }

  /// Starts a reader, and kills it once it has a snapshot.
  private func kill(_ store: SharedStore, _ scratch: Scratch, _ board: Board) throws {
    board.setPhase(0, 0)
    let reader = try WorkerProcess(role: "reader", store: store, arguments: [scratch.file("board")])
    while board.phase(0) == 0 {
      if let end = reader.termination { throw Problem("CRASHED: a reader ended with \(end)") }
      usleep(100)
    }
    reader.kill()
    reader.wait()
  }
}
