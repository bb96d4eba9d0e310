import Foundation
import LMDBShare
import LMDBSharePages
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct PageTests {
  /// The file of a store with every kind of tree and page.
  private func sample() throws -> [UInt8] {
    let directory = TemporaryDirectory()
    do {
      let store = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
      try store.list("numbers", of: Int.self).append(contentsOf: 0..<40_000)
      let texts = try store.list("texts", of: String.self)
      try texts.append(contentsOf: (0..<3000).map { "text \($0)" })
      let dictionary = try store.dictionary("dictionary", of: String.self, [UInt8].self)
      try dictionary.merge((0..<2000).map { ("key \($0)", [UInt8](repeating: 1, count: $0 % 50 == 0 ? 9000 : 20)) }) {
        $1
      }
      for round in 0..<50 { try texts.removeAll { $0.hasSuffix("\(round)") } }
    }
    return try directory.read("data.mdb")
  }

  @Test func soundFilesPass() throws {
    try PageFile(source: Memory(bytes: sample())).check()
  }

  /// Whatever is changed, the reader returns or throws; it does not trap, hang or read elsewhere.
  @Test func damagedFilesAreSurvived() throws {
    var random = SeededGenerator("damagedFilesAreSurvived")
    let whole = try sample()
    let pages = whole.count / 4096
    var found = 0
    let rounds = max(100, SeededGenerator.operations(100_000) / 200)
    for _ in 0..<rounds {
      var bytes = whole
      let page = Int.random(in: 0..<pages, using: &random)
      // Most important data is at the start of a page.
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let offset =
          page * 4096
          + (Bool.random(using: &random)
            ? Int.random(in: 0..<64, using: &random) : Int.random(in: 0..<4096, using: &random))
        bytes[offset] = UInt8.random(in: 0...255, using: &random)
      }
      do {
        try PageFile(source: Memory(bytes: bytes)).check()
      } catch is PageProblem { found += 1 }
    }
    #expect(found > rounds / 10)
  }

  /// A file that a writer may change between any two calls.
  private final class Growing: PageSource {
    let versions: [[UInt8]]
    var now = 0
    var random: SeededGenerator

    init(_ versions: [[UInt8]], _ random: SeededGenerator) { (self.versions, self.random) = (versions, random) }

    private func current() -> [UInt8] {
      defer { now = min(versions.count - 1, now + max(0, Int.random(in: -3...3, using: &random))) }
      return versions[now]
    }
    func read(offset: Int, count: Int) -> [UInt8] { Array(current().dropFirst(offset).prefix(count)) }
    func size() -> Int { current().count }
  }

  @Test func aFileThatIsWrittenMeanwhileIsNotTakenForDamaged() throws {
    let directory = TemporaryDirectory()
    let store = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
    let list = try store.list("numbers", of: Int.self)
    var versions = [try directory.read("data.mdb")]
    var early = 0
    for round in 0..<40 {
      // Pages that a transaction allocates and frees are not written, so the file ends early: the free list is read as well.
      try list.write { numbers in
        numbers.append(contentsOf: 0..<(round * 3000))
        numbers.removeLast(round * 3000)
        numbers.append(contentsOf: 0..<(round % 3 * 1000 + 1))
      }
      let after = try directory.read("data.mdb")
      let last = try Int(PageFile(source: Memory(bytes: after)).newestMeta().lastPage)
      if after.count < (last + 1) * 4096 { early += 1 }
      // A commit writes its pages before the meta page.
      versions.append(Array(versions[versions.count - 1].prefix(8192) + after.dropFirst(8192)))
      versions.append(after)
    }
    #expect(early > 20)
    var random = SeededGenerator("aFileThatIsWrittenMeanwhileIsNotTakenForDamaged")
    for _ in 0..<200 {
      let file = Growing(versions, SeededGenerator(seed: random.next()))
      while file.now < versions.count - 1 {
        let before = file.now
        let meta = try PageFile(source: file).newestMeta()
        #expect(meta.transaction >= before / 2)
      }
    }
  }

  @Test func zeroedPagesInUseAreFound() throws {
    let directory = TemporaryDirectory()
    do {
      let store = try SharedStore(path: directory.path, options: .durability(.processCrashOnly))
      try store.dictionary("d", of: Int.self, Int.self).merge((0..<5000).map { ($0, $0) }) { $1 }
    }
    var bytes = try directory.read("data.mdb")
    let last = bytes.count / 4096 - 1
    bytes.replaceSubrange(last * 4096..<(last + 1) * 4096, with: [UInt8](repeating: 0, count: 4096))
    var middle = try directory.read("data.mdb")
    middle.replaceSubrange(10 * 4096..<11 * 4096, with: [UInt8](repeating: 0xAA, count: 4096))
    var options = StoreOptions.durability(.processCrashOnly)
    options.verification = .pages
    var refused = 0
    for damaged in [bytes, middle] {
      try directory.write(damaged, to: "data.mdb")
      do {
        _ = try SharedStore(path: directory.path, options: options)
      } catch let error as StoreError {
        #expect(error.code == .damaged || error.code == .truncated || error.code == .notAStore)
        refused += 1
      }
    }
    #expect(refused >= 1)
  }

  @Test func networkFileSystemsAreKnown() {
    #expect(StoreDirectory.networkFileSystems[0x6969] == "NFS")
    #expect(StoreDirectory.networkFileSystems[0x0102_1997] == "9P")
    // ext4, xfs, btrfs, tmpfs, overlayfs
    for local: UInt64 in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630] {
      #expect(StoreDirectory.networkFileSystems[local] == nil)
    }
  }
}
