import LMDBShare
import TestSupport
import Testing

/// Readers look up entries by themselves; the writer lets LMDB do so.
@Suite(.timeLimit(.minutes(20)), .serialized)
struct TreeReaderTests {
  let directory = TemporaryDirectory()

  private func open(
    _ name: String = "store", structures: Int = 1024, access: StoreOptions.Access = .readWrite
  ) throws -> SharedStore {
    var options = StoreOptions.durability(.processCrashOnly)
    options.access = access
    options.maximumStructures = structures
    return try SharedStore(path: directory.file(name), options: options)
  }

  /// The results of both.
  private struct Place: Equatable {
    var isThere: Bool
    var key: [UInt8] = []
    var value: [UInt8] = []

    init(_ isThere: Bool, _ cursor: Cursor) {
      self.isThere = isThere
      if isThere { (key, value) = (cursor.key.copied(), cursor.value.copied()) }
    }
  }

  /// A reader's walk through a tree reaches the same places as LMDB's, for any sequence of moves.
  @Test func walksAsLMDBDoes() throws {
    let store = try open()
    let environment = store.environment
    var random = SeededGenerator("TreeReaderTests.walksAsLMDBDoes")
    for tree in 0..<40 {
      let hasIntegerKeys = tree % 2 == 0
      let name = "tree\(tree)"
      let count = [0, 1, 3, 40, 700, 6000][tree / 2 % 6]
      func key() -> [UInt8] {
        if hasIntegerKeys {
          let number = UInt64.random(in: 0..<UInt64(count * 3 + 5), using: &random) << UInt64(tree % 5 * 13)
          return withUnsafeBytes(of: number) { Array($0) }
        }
        let size = Int.random(in: 1...(tree % 3 == 0 ? 3 : 300), using: &random)
        return (0..<size).map { _ in UInt8.random(in: 96...99, using: &random) }
      }
      let writer = try environment.beginWrite()
      #expect(try writer.createDatabase(name, hasIntegerKeys ? .integerKeys : []))
      let number = environment.number(name)
      for _ in 0..<count {
        let size = Int.random(in: 0...(Int.random(in: 0..<20, using: &random) == 0 ? 9000 : 60), using: &random)
        let value = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: size)
        withBytes(of: key()) { key in withBytes(of: value) { _ = writer.put(number, key, $0) } }
      }
      for _ in 0..<count / 3 { withBytes(of: key()) { _ = writer.delete(number, $0) } }
      try environment.commit(writer)

      let theirs = try environment.beginWrite()
      defer { environment.abort(theirs) }
      let ours = try environment.beginRead()
      defer { ours.end() }
      #expect(ours.count(number) == theirs.count(number))
      #expect(ours.statistics(number) == theirs.statistics(number))
      #expect(ours.layout(number) == theirs.layout(number))
      for _ in 0..<5 {
        let (a, b) = (Cursor(ours, number), Cursor(theirs, number))
        // The position of a cursor after a search that found no key is unspecified.
        var isPlaced = true
        for _ in 0..<400 {
          switch Int.random(in: 0..<12, using: &random) {
          case 0: #expect(Place(a.move(.first), a) == Place(b.move(.first), b))
          case 1: #expect(Place(a.move(.last), a) == Place(b.move(.last), b))
          case 2...5 where isPlaced: #expect(Place(a.move(.next), a) == Place(b.move(.next), b))
          case 6...8 where isPlaced: #expect(Place(a.move(.previous), a) == Place(b.move(.previous), b))
          case 9:
            withBytes(of: key()) { #expect(Place(a.seek($0), a) == Place(b.seek($0), b)) }
            isPlaced = true
          case 10:
            withBytes(of: key()) { key in
              let (found, expected) = (Place(a.find(key), a), Place(b.find(key), b))
              #expect(found == expected)
              isPlaced = expected.isThere
            }
          default:
            withBytes(of: key()) { key in
              #expect(ours.get(number, key)?.copied() == theirs.get(number, key)?.copied())
            }
          }
          if !isPlaced {
            #expect(Place(a.move(.first), a) == Place(b.move(.first), b))
            isPlaced = true
          }
        }
      }
      var steps = 0
      let (a, b) = (Cursor(ours, number), Cursor(theirs, number))
      var isThere = a.move(.first)
      while isThere {
        steps += 1
        #expect(b.move(.next) && a.key.hasSameBytes(as: b.key) && a.value.hasSameBytes(as: b.value))
        isThere = a.move(.next)
      }
      #expect(steps == theirs.count(number) && ours.failure == nil && theirs.failure == nil)
    }
  }

  /// A reader of damaged pages gets a typed error, also when the pages were not checked at the opening.
  @Test func aReaderFollowsNoDamage() throws {
    var store: SharedStore? = try open()
    var made = try store?.dictionary("entries", of: String.self, [UInt8].self)
    try made?.write { contents in
      for number in 0..<2000 {
        contents["entry \(number)"] = [UInt8](repeating: 7, count: number % 50 == 0 ? 9000 : 20)
      }
    }
    (made, store) = (nil, nil)
    let sound = try directory.read("store/data.mdb")
    let size = 4096
    func half(_ offset: Int) -> Int { Int(sound[offset]) | Int(sound[offset + 1]) << 8 }
    /// The offsets of the pages of a kind.
    func pages(_ flags: Int) -> [Int] {
      stride(from: 2 * size, to: sound.count, by: size).filter { page in
        half(page + 10) == flags && half(page) | half(page + 2) << 16 == page / size
      }
    }
    let (branches, leaves, overflows) = (pages(1), pages(2), pages(4))
    #expect(!branches.isEmpty && leaves.count > 10 && overflows.count > 10)
    /// The entries of a page.
    func entries(_ page: Int) -> [Int] {
      (0..<(half(page + 12) - 16) / 2).map { page + half(page + 16 + 2 * $0) }.filter { $0 + 8 <= page + size }
    }
    let own = leaves.filter { page in
      entries(page).first.map { sound[$0 + 8..<$0 + 14].elementsEqual("entry ".utf8) } ?? false
    }
    #expect(own.count > 10 && own.count < leaves.count)
    var random = SeededGenerator("TreeReaderTests.aReaderFollowsNoDamage")
    typealias Change = (inout [UInt8], Int) -> Void
    func bytes(_ offset: Int, _ new: [UInt8]) -> Change {
      { $0.replaceSubrange($1 + offset..<$1 + offset + new.count, with: new) }
    }
    func eachEntry(_ offset: Int, _ new: [UInt8]) -> Change {
      { file, page in
        for entry in entries(page) { file.replaceSubrange(entry + offset..<entry + offset + new.count, with: new) }
      }
    }
    let toItself: Change = { file, page in
      for entry in entries(page) { file.replaceSubrange(entry..<entry + 2, with: sound[page..<page + 2]) }
    }
    let outOfThePage: Change = { file, page in
      for index in 0..<(half(page + 12) - 16) / 2 { file[page + 17 + 2 * index] = 0xFF }
    }
    let changes: [(String, [Int], Change)] = [
      ("children beyond the file", branches, eachEntry(0, [255, 255, 255, 127, 0, 0])),
      ("children far beyond the file", branches, eachEntry(0, [255, 255, 255, 255, 255, 127])),
      ("children that are meta pages", branches, eachEntry(0, [1, 0, 0, 0, 0, 0])),
      ("children that are their own page", branches, toItself), ("entries beyond the page", leaves, outOfThePage),
      ("own entries beyond the page", own, outOfThePage), ("keys beyond the page", leaves, eachEntry(6, [255, 255])),
      ("own keys beyond the page", own, eachEntry(6, [255, 255])),
      ("values beyond the page", leaves, eachEntry(0, [255, 255, 1, 0, 0, 0])),
      ("values elsewhere", leaves, eachEntry(4, [1, 0])),
      ("a lower bound beyond the page", leaves + branches, bytes(12, [0xFE, 0xFF])),
      ("a lower bound within the header", leaves + branches, bytes(12, [2, 0])),
      ("no flags", leaves + branches, bytes(10, [0, 0])),
      ("other numbers", leaves + branches, bytes(0, [9, 9, 9])),
      ("overflow pages without a count", overflows, bytes(12, [0, 0, 0, 0])),
      ("overflow pages beyond the file", overflows, bytes(12, [255, 255, 255, 255])),
      ("overflow pages without flags", overflows, bytes(10, [0, 0])),
    ]
    // A walk also detects that keys do not ascend, or are too few; a search for one key only checks bounds.
    func use(_ what: String, walking: Bool) -> StoreError? {
      let error = #expect(throws: StoreError.self, "\(what) \(walking)") {
        // LMDB would do a write.
        let store = try open(access: .readOnly)
        let entries = try store.dictionary("entries", of: String.self, [UInt8].self)
        try entries.read { contents in
          if walking { _ = contents.reduce(0) { $0 + $1.value.count } }
          for number in 0..<2000 { _ = contents["entry \(number)"] }
        }
      }
      return error
    }
    for (what, pages, change) in changes {
      var file = sound
      for page in pages { change(&file, page) }
      try directory.write(file, to: "store/data.mdb")
      for walking in [true, false] {
        let error = use(what, walking: walking)
        // Damage may hide a name.
        let codes: [StoreError.Code] = [.damaged, .notAStore, .structureNotFound]
        #expect(error.map { codes.contains($0.code) } ?? false, "\(what) \(walking): \(String(describing: error))")
      }
    }
    // Noise: an error, or a value that was hit.
    for round in 0..<200 {
      var file = sound
      let page = (leaves + branches).randomElement(using: &random)!
      for _ in 0..<(1 << (round % 8)) {
        file[page + Int.random(in: 0..<size, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      try directory.write(file, to: "store/data.mdb")
      if let store = try? open(access: .readOnly),
        let entries = try? store.dictionary("entries", of: String.self, [UInt8].self)
      {
        _ = try? entries.read { contents in contents.reduce(0) { $0 + $1.value.count } }
      }
    }
  }

  /// A snapshot that was taken before a structure was opened here can read it nevertheless.
  @Test func anOldSnapshotReadsStructuresThatAreOpenedLater() throws {
    let store = try open()
    // By another process.
    let made = try Program.run("TestWorker", "increment", directory.file("store"), "5")
    #expect(made.status == 0, "\(made.output)")
    let snapshot = try store.snapshot()
    let list = try store.list("list", of: Int.self)
    try list.append(7)
    #expect(try snapshot.read { txn in Array(txn[list]) } == [5])
    #expect(try list.read { Array($0) } == [5, 7])
    // By now it has other flags, and the snapshot is unchanged.
    let recreated = try Program.run("TestWorker", "recreate", directory.file("store"))
    #expect(recreated.status == 0, "\(recreated.output)")
    let texts = try store.list("list", of: String.self)
    try texts.append("seven")
    let counts = try store.dictionary("dictionary", of: Int.self, Int.self)
    try counts.update(3, default: 0) { $0 += 1 }
    #expect(try texts.read { Array($0) } == ["seven"])
    #expect(try counts.read { $0[3] } == 1)
    #expect(try snapshot.read { txn in Array(txn[list]) } == [5])
    #expect(throws: StoreError.self) { try list.append(1) }
    // A structure that is not in the snapshot is reported as missing.
    let later = try store.list("later", of: Int.self)
    #expect(throws: StoreError.self) { try snapshot.read { txn in txn[later].count } }
  }

  /// A process uses any number of structures one after the other, more than LMDB may have open at the same time.
  @Test func moreStructuresThanMayBeOpenAreUsedOneAfterTheOther() throws {
    let store = try open(structures: 4)
    var lists: [SharedList<Int>] = []
    for number in 0..<200 { lists.append(try store.list("list \(number)", of: Int.self)) }
    for round in 0..<3 {
      for list in lists { try list.append(round) }
    }
    for list in lists { #expect(try list.read { Array($0) } == [0, 1, 2]) }
    // In one transaction LMDB has them all open.
    let error = #expect(throws: StoreError.self) {
      try store.write { txn in for list in lists { txn[list].append(3) } }
    }
    #expect(error?.code == .structuresFull, "\(String(describing: error))")
    #expect(try lists.allSatisfy { try $0.read { $0.count } == 3 })
    try store.write { txn in for list in lists[..<30] { txn[list].append(3) } }
    #expect(try lists.filter { try $0.read { $0.count } == 4 }.count == 30)
  }

  @Test func manyStructuresInOneTransaction() throws {
    let store = try open()
    var lists: [SharedList<Int>] = []
    try store.write { txn in
      for number in 0..<300 { lists.append(try txn.list("list \(number)", of: Int.self)) }
      for (number, list) in lists.enumerated() { txn[list].append(number) }
    }
    try store.read { txn in
      for (number, list) in lists.enumerated() { #expect(Array(txn[list]) == [number]) }
      // Once more: a reader only remembers some.
      for (number, list) in lists.enumerated() { #expect(txn[list].last == number) }
    }
    // An undone transaction leaves nothing, and the databases that it had open are opened again.
    #expect(throws: CancellationError.self) {
      try store.write { txn in
        for list in lists { txn[list].append(-1) }
        throw CancellationError()
      }
    }
    for (number, list) in lists.enumerated() { #expect(try list.read { Array($0) } == [number]) }
    try store.write { txn in for list in lists.reversed() { txn[list].append(-2) } }
    for (number, list) in lists.enumerated() { #expect(try list.read { Array($0) } == [number, -2]) }
  }

  /// An update costs about the same with 10,000 open structures as with ten: LMDB copies its table of open databases for each
  /// transaction.
  @Test func anUpdateCostsTheSameWithTenThousandStructures() throws {
    func open(_ count: Int) throws -> [SharedList<Int>] {
      let store = try self.open("store\(count)", structures: 16)
      return try (0..<count).map { try store.list("list \($0)", of: Int.self) }
    }
    let (few, many) = (try open(10), try open(10_000))
    let some = (0..<10).map { many[$0 * 997] }
    func time(_ lists: [SharedList<Int>], _ body: (SharedList<Int>) throws -> Void) throws -> Double {
      var random = SystemRandomNumberGenerator()
      let chosen = (0..<2000).map { _ in lists.randomElement(using: &random)! }
      let start = ContinuousClock.now
      for list in chosen { try body(list) }
      return start.duration(to: .now) / .seconds(1)
    }
    func ratio(_ a: [SharedList<Int>], _ b: [SharedList<Int>], _ body: (SharedList<Int>) throws -> Void) throws
      -> Double
    {
      try (0..<7).map { _ in try time(a, body) / time(b, body) }.sorted()[3]
    }
    let write = try ratio(some, few) { try $0.append(1) }
    // Each of them has its own pages, most of which are not in a processor cache.
    let anyWrite = try ratio(many, few) { try $0.append(1) }
    let read = try ratio(some, few) { list in _ = try list.read { $0.last } }
    print(
      "10,000 open structures: an update costs \(write) times that with ten, a read \(read) times; an update of any of them \(anyWrite) times"
    )
    #expect(write <= 2 && read <= 2 && anyWrite <= 4)
  }
}
