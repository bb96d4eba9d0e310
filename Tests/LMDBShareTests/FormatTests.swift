import Foundation
import LMDBShare
import TestSupport
import Testing

/// The format, as other programs see it, and as earlier versions wrote it.
@Suite(.timeLimit(.minutes(20)))
struct FormatTests {
  private static let resources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "Resources")
  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")

  /// Runs the Python program that reads and writes stores only according to the specification.
  private func peer(_ command: String, _ path: String) throws -> (status: Int32, output: String) {
    let python = try #require(ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"])
    return try Program(path: python, [Self.resources.appendingPathComponent("peer.py").path, command, path]).finish()
  }

  /// A store with every kind of structure and codec.
  private func fill(_ store: SharedStore) throws {
    try store.makeList("old", .indexed, of: String.self)
    try store.list("old", of: String.self).append(contentsOf: ["Ada", "", "Eve"])
    try store.write { txn in
      let texts = try txn.list("texts", of: String.self)
      txn[texts].append(contentsOf: Self.texts)
      txn[texts].insert("in the middle", at: 1000)
      let names = try txn.list("names", of: String.self)
      txn[names].append(contentsOf: ["Ada", "Eve", "", "Zoë"])
      txn[names].prepend("first")
      let numbers = try txn.list("numbers", of: Int.self)
      txn[numbers].append(contentsOf: 0..<1200)
      let uneven = try txn.list("uneven", of: Int16.self)
      txn[uneven].append(contentsOf: 0..<5000)
      txn[uneven].insert(-1, at: 2500)
      txn[uneven].removeSubrange(100..<200)
      let log = try txn.list("log", of: String.self, maximumCount: 2)
      txn[log].append(contentsOf: ["a", "b", "c"])
      let scores = try txn.dictionary("scores", of: String.self, Int.self)
      txn[scores] = ["al": 1, "": 2, "\0": 3, "\0\0a": 4, "é": 5]
      txn[scores][String(repeating: "k", count: 600)] = 6
      let dates = try txn.dictionary("dates", of: Date.self, UUID.self)
      txn[dates][Date(timeIntervalSinceReferenceDate: -0.5)] = UUID(
        uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))
      let places = try txn.dictionary("places", of: Composite<String, Int>.self, [String].self)
      txn[places][Composite("Berlin", -1)] = ["a", "bc"]
      let flags = try txn.dictionary("flags", of: Bool.self, Double?.self)
      txn[flags][true] = 0.5
      txn[flags][false] = .some(nil)
      let colors = try txn.dictionary("colors", of: Color.self, Job.self)
      txn[colors][.green] = Job(path: "x/y", tries: [1])
      let bytes = try txn.dictionary("bytes", of: [UInt8].self, [UInt8].self)
      txn[bytes][[0, 255]] = [1, 0]
      let floats = try txn.dictionary("floats", of: Double.self, Float.self)
      for value in [-1.5, 0, 2.25] { txn[floats][value] = Float(value) }
      let samples = try txn.array("samples", of: Int32.self, count: 1500, repeating: -1)
      txn[samples][0] = 42
      let points = try txn.array("points", of: Point.self, count: 2)
      txn[points][1] = Point(x: 1, y: 2)
      let jobs = try txn.queue("jobs", of: String.self)
      txn[jobs].push(contentsOf: ["a", "b", "c"])
      _ = txn[jobs].pop()
      let idle = try txn.queue("idle", of: Int.self)
      txn[idle].push(1)
      _ = txn[idle].pop()
      _ = try txn.value("total", initial: 17)
      _ = try txn.value("color", initial: Color.blue)
    }
  }

  private func check(_ store: SharedStore) throws {
    let names = try store.list("names", of: String.self)
    let numbers = try store.list("numbers", of: Int.self)
    let uneven = try store.list("uneven", of: Int16.self)
    let log = try store.list("log", of: String.self)
    let scores = try store.dictionary("scores", of: String.self, Int.self)
    let dates = try store.dictionary("dates", of: Date.self, UUID.self)
    let places = try store.dictionary("places", of: Composite<String, Int>.self, [String].self)
    let flags = try store.dictionary("flags", of: Bool.self, Double?.self)
    let colors = try store.dictionary("colors", of: Color.self, Job.self)
    let bytes = try store.dictionary("bytes", of: [UInt8].self, [UInt8].self)
    let floats = try store.dictionary("floats", of: Double.self, Float.self)
    let samples = try store.array("samples", of: Int32.self, count: 1500)
    let points = try store.array("points", of: Point.self, count: 2)
    let (jobs, idle) = (try store.queue("jobs", of: String.self), try store.queue("idle", of: Int.self))
    let (total, color) = (try store.value("total", initial: 0), try store.value("color", initial: Color.red))
    try store.read { txn in
      #expect(txn[names] == ["first", "Ada", "Eve", "", "Zoë"])
      #expect(Array(txn[numbers]) == Array(0..<1200))
      var model = (0..<5000).map { Int16($0) }
      model.insert(-1, at: 2500)
      model.removeSubrange(100..<200)
      #expect(Array(txn[uneven]) == model)
      #expect(txn[log] == ["b", "c"] && log.maximumCount == 2)
      #expect(txn[scores].count == 6 && txn[scores][""] == 2 && txn[scores]["\0\0a"] == 4)
      #expect(txn[scores][String(repeating: "k", count: 600)] == 6)
      #expect(txn[dates].first?.key == Date(timeIntervalSinceReferenceDate: -0.5))
      #expect(txn[dates].first?.value.uuid.15 == 16)
      #expect(txn[places][Composite("Berlin", -1)] == ["a", "bc"])
      #expect(txn[flags][true] == .some(0.5) && txn[flags][false] == .some(nil))
      #expect(txn[colors][.green] == Job(path: "x/y", tries: [1]))
      #expect(txn[bytes][[0, 255]] == [1, 0])
      #expect(txn[floats].map(\.key) == [-1.5, 0, 2.25] && txn[floats][2.25] == 2.25)
      #expect(txn[samples].count == 1500 && txn[samples][0] == 42 && txn[samples][1499] == -1)
      #expect(txn[points][1] == Point(x: 1, y: 2))
      #expect(txn[jobs].items.map(\.sequence) == [2, 3] && txn[jobs].peek() == "b")
      #expect(txn[idle].isEmpty && txn[total] == 17 && txn[color] == .blue)
    }
    // Later changes continue where it was.
    #expect(try store.write { $0[idle].push(2) } == 2)
  }

  /// Elements of many sizes, which fill blocks of their own and together.
  private static let texts = (0..<2000).map {
    "\($0) " + String(repeating: "x", count: $0 % 100 == 0 ? 5 * $0 : $0 % 50)
  }

  /// Stores that earlier versions made: `format-1`, whose lists of strings have one element under each key, and whose `Codable` values
  /// are JSON; and `format-1-slotted`, with lists of strings in blocks, and CBOR.
  @Test(arguments: ["format-1", "format-1-slotted"]) func theFixturesOfFormat1AreRead(name: String) throws {
    let directory = TemporaryDirectory()
    let copy = directory.file("fixture")
    let fixture = Self.fixtures.appendingPathComponent(name)
    if ProcessInfo.processInfo.environment["LMDBSHARE_MAKE_FIXTURE"] == name {
      try? FileManager.default.removeItem(at: fixture)
      do {
        var options = StoreOptions()
        options.mapReservation = 1 << 20
        let store = try SharedStore(path: copy, options: options)
        try fill(store)
        try store.backup(to: fixture.path, compacting: true)
      }
      try FileManager.default.removeItem(atPath: copy)
    }
    // A copy, since opening creates a lock file.
    try FileManager.default.copyItem(atPath: fixture.path, toPath: copy)
    let store = try SharedStore(path: copy)
    try check(store)
    let isSlotted = name == "format-1-slotted"
    #expect(try store.description(of: "names")?.layout == (isSlotted ? .slotted : .indexed))
    #expect(try store.description(of: "colors")?.element == (isSlotted ? "cbor(Job)" : "json(Job)"))
    if isSlotted {
      let texts = Self.texts.inserting("in the middle", at: 1000)
      #expect(try store.list("texts", of: String.self).read { Array($0) } == texts)
      #expect(try store.list("old", of: String.self).read { Array($0) } == ["Ada", "", "Eve"])
    }
    // It can be written.
    let names = try store.list("names", of: String.self)
    try names.insert("new", at: 2)
    #expect(try names.read { Array($0) } == ["first", "Ada", "new", "Eve", "", "Zoë"])
    try store.dictionary("colors", of: Color.self, Job.self).update(.green, default: Job(path: "", tries: [])) {
      $0.tries.append(2)
    }
    #expect(try store.dictionary("colors", of: Color.self, Job.self)[.green] == Job(path: "x/y", tries: [1, 2]))
    #expect(try store.check() == [])
  }

  @Test func whatIsWrittenNowIsReadBack() throws {
    let test = try TestStore()
    try fill(test.store)
    try check(test.store)
  }

  @Test(.enabled(if: Needs.lmdbTools, "mdb_stat is not installed")) func lmdbsOwnToolsReadIt() throws {
    let test = try TestStore()
    try fill(test.store)
    let stat = try Program.shell("mdb_stat -a '\(test.path)'")
    #expect(stat.status == 0)
    for name in ["names", "scores", "jobs", ".catalogue", ".values"] {
      #expect(stat.output.contains("Status of \(name)"))
    }
    let dump = try Program.shell("mdb_dump -p -s scores '\(test.path)'")
    #expect(dump.output.contains("\n al\n \\01\\00\\00\\00\\00\\00\\00\\00\n"), "\(dump.output)")
    let names = try Program.shell("mdb_dump -p -s names '\(test.path)'")
    #expect(names.output.contains("integerkey=1") && names.output.contains("\n firstAdaEveZo\\c3\\ab\\05\\00\\08\\00"))
    let old = try Program.shell("mdb_dump -p -s old '\(test.path)'")
    #expect(old.output.contains("\n Ada\n"))
  }

  @Test(.enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with py-lmdb"))
  func anotherLanguageReadsItByTheSpecification() throws {
    let test = try TestStore()
    try fill(test.store)
    let result = try peer("read", test.path)
    #expect(result.status == 0, "\(result.output)")
    let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let object = try #require(json as? [String: [String: Any]])
    func contents(_ name: String) throws -> NSObject { try #require(object[name]?["contents"] as? NSObject, "\(name)") }
    #expect(try contents("old") == ["Ada", "", "Eve"] as NSArray)
    #expect(try contents("texts") == Self.texts.inserting("in the middle", at: 1000) as NSArray)
    #expect(try contents("names") == ["first", "Ada", "Eve", "", "Zoë"] as NSArray)
    #expect(try contents("numbers") == Array(0..<1200) as NSArray)
    #expect(try (contents("uneven") as? [Int])?.count == 4901)
    #expect(try contents("log") == ["b", "c"] as NSArray)
    let long = String(repeating: "k", count: 600)
    let scores: NSArray = [["", 2], ["\0", 3], ["\0\0a", 4], ["al", 1], [long, 6], ["é", 5]]
    #expect(try contents("scores") == scores)
    #expect(try contents("places") == [[["Berlin", -1], ["a", "bc"]]] as NSArray)
    #expect(try contents("jobs") == ["b", "c"] as NSArray)
    #expect(try contents("total") == 17 as NSNumber)
    #expect(try (contents("samples") as? [Int])?.count == 1500)
  }

  @Test(.enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with py-lmdb"))
  func whatAnotherLanguageWritesIsRead() throws {
    let test = try TestStore()
    try fill(test.store)
    let result = try peer("write", test.path)
    #expect(result.status == 0, "\(result.output)")
    let names = try test.store.list("names", of: String.self)
    #expect(try names.read { $0.count == 206 && $0[5] == "0 from python" && $0[204].utf8.count == 19_800 })
    #expect(try names.last == "from python")
    #expect(try test.store.check() == [])
    #expect(try test.store.list("numbers", of: Int.self).last == 7)
    #expect(try test.store.dictionary("scores", of: String.self, Int.self)["python"] == 42)
    #expect(try test.store.value("total", initial: 0).get() == 1234)
    let jobs = try test.store.queue("jobs", of: String.self)
    #expect(try test.store.read { $0[jobs].items.map(\.element) } == ["b", "c", "job from python"])
  }
}

extension Array {
  fileprivate func inserting(_ element: Element, at position: Int) -> [Element] {
    var copy = self
    copy.insert(element, at: position)
    return copy
  }
}
