import Foundation
import LMDBShare
import TestSupport
import Testing

/// Types with an earlier version that is not compatible: read one by one, and upgraded all at once.
@Suite(.timeLimit(.minutes(20)))
struct UpgradeTests {
  struct Version1: Codable, Storable, Hashable {
    static let storageTypeName = "Measure"
    var celsius: Int
  }
  struct Text1: JSONStored, Hashable {
    static let storageTypeName = "Measure"
    var celsius: Int
  }
  struct Version2: Codable, Upgradable, Hashable {
    static let storageTypeName = "Measure"
    static let storageVersion = 2
    var kelvin: Double
    init(_ kelvin: Double) { self.kelvin = kelvin }
    init(upgrading earlier: Version1) throws {
      struct Absurd: Error {}
      guard earlier.celsius >= -273 else { throw Absurd() }
      kelvin = Double(earlier.celsius) + 273
    }
  }
  /// The version after it declares its fields, and is no longer `Codable`.
  struct Measure: FieldStorable, Upgradable, Hashable {
    static let storageVersion = 3
    var kelvin: Double
    var place = "unknown"
    static let storedFields = Fields(Measure.init, Field("kelvin", \.kelvin), Field("place", \.place))
    init(kelvin: Double, place: String) { (self.kelvin, self.place) = (kelvin, place) }
    init(upgrading earlier: Version2) { kelvin = earlier.kelvin }
  }

  private func fill<E: Storable>(_ store: SharedStore, _ make: (Int) -> E) throws {
    _ = try store.value("value", initial: make(7))
    try store.list("list", of: E.self).append(contentsOf: (0..<3000).map(make))
    try store.list("maybe", of: E?.self).append(contentsOf: [make(1), nil])
    let dictionary = try store.dictionary("dictionary", of: String.self, [E].self)
    try dictionary.set([make(1), make(2)], forKey: "short")
    try dictionary.set([], forKey: String(repeating: "long", count: 500))
    let queue = try store.queue("queue", of: E.self)
    try queue.push(contentsOf: (0..<500).map(make))
    try queue.push(make(1000), delay: .seconds(3600))
    try queue.push(make(2000), priority: .low)
    try queue.push(make(1001), priority: .high)
    try queue.lease(for: .seconds(3600)).map { try queue.reject($0, reason: "bad") }
    _ = try queue.lease(for: .seconds(3600))
  }

  private func check<E: Storable & Hashable>(_ store: SharedStore, _ make: (Int) -> E) throws {
    #expect(try store.value("value", initial: make(0)).get() == make(7))
    #expect(try store.list("list", of: E.self).read { Array($0) } == (0..<3000).map(make))
    #expect(try store.list("maybe", of: E?.self).read { Array($0) } == [make(1), nil])
    let dictionary = try store.dictionary("dictionary", of: String.self, [E].self)
    #expect(try dictionary["short"] == [make(1), make(2)])
    #expect(try dictionary[String(repeating: "long", count: 500)] == [])
    let queue = try store.queue("queue", of: E.self)
    let statistics = try queue.statistics()
    #expect(statistics.ready + statistics.leases.count == 501 && statistics.delayed == 1 && statistics.dead == 1)
    #expect(try queue.deadLetters().map(\.element) == [make(1001)])
    #expect(try queue.deadLetters().map(\.reason) == ["bad"])
    // The first one is leased, or was.
    let items = try queue.read { queue in queue.items.map(\.element) }
    let expected: [E] = (1..<500).map(make) + [make(2000)]
    #expect(Array(items.filter { $0 != make(0) }) == expected)
    #expect(try store.check().isEmpty)
  }

  private static let names = ["value", "list", "maybe", "dictionary", "queue"]

  private func upgrade<E: Storable>(_ store: SharedStore, to _: E.Type) throws -> [Bool] {
    try [
      store.upgrade("value", to: E.self), store.upgrade("list", to: E.self), store.upgrade("maybe", to: E?.self),
      store.upgrade("dictionary", to: [E].self), store.upgrade("queue", to: E.self),
    ]
  }

  @Test(arguments: [false, true]) func allVersionsAreReadAndUpgraded(isJSON: Bool) throws {
    let test = try TestStore()
    if isJSON { try fill(test.store) { Text1(celsius: $0) } } else { try fill(test.store) { Version1(celsius: $0) } }
    let old = try test.store.list("list", of: Version1.self)
    let now = { (number: Int) in Measure(kelvin: Double(number) + 273, place: "unknown") }
    // They are read as what they are now, one by one, and cannot be written.
    try check(test.store) { Version2(Double($0) + 273) }
    try check(test.store, now)
    let list = try test.store.list("list", of: Measure.self)
    #expect(code { try list.append(now(1)) } == .unencodable)
    #expect(code { try list.update(at: 0) { $0.place = "here" } } == .unencodable)
    #expect(code { try test.store.queue("queue", of: Version2.self).push(Version2(1)) } == .unencodable)
    let refusal = #expect(throws: StoreError.self) { try list.append(now(1)) }
    #expect(refusal?.advice.contains("store.upgrade(name, to: Element.self)") == true)
    #expect(try old.update(at: 0) { $0.celsius += 0 } == ())

    if isJSON {
      // Another representation of the same type.
      #expect(try upgrade(test.store, to: Version1.self) == [true, true, true, true, true])
      try check(test.store) { Version1(celsius: $0) }
      #expect(code { _ = try old[0] } == .structureRemoved)
    }
    #expect(try upgrade(test.store, to: Version2.self) == [true, true, true, true, true])
    #expect(code { _ = try old[0] } == .structureRemoved)
    #expect(code { _ = try list[0] } == .structureRemoved)
    #expect(code { _ = try test.store.list("list", of: Version1.self) } == .typeMismatch)
    try check(test.store) { Version2(Double($0) + 273) }
    #expect(try upgrade(test.store, to: Measure.self) == [true, true, true, true, true])
    #expect(try upgrade(test.store, to: Measure.self) == [false, false, false, false, false])
    #expect(code { _ = try test.store.list("list", of: Version2.self) } == .typeMismatch)
    try check(test.store, now)
    let elements = try test.store.structures().filter { Self.names.contains($0.name) }.map(\.element)
    #expect(
      elements == ["[cbor(Measure 3)]", "cbor(Measure 3)", "cbor(Measure 3)?", "cbor(Measure 3)", "cbor(Measure 3)"])
    try test.store.list("list", of: Measure.self).update(at: 0) { $0.place = "here" }
    try test.store.queue("queue", of: Measure.self).push(now(1))
  }

  /// A structure is upgraded as a whole or not at all.
  @Test func whatCannotBeUpgradedStays() throws {
    let test = try TestStore()
    let old = try test.store.list("list", of: Version1.self)
    try old.append(contentsOf: (0..<3000).map { Version1(celsius: $0 == 2500 ? -300 : $0) })
    let new = try test.store.list("list", of: Version2.self)
    let error = #expect(throws: StoreError.self) { _ = try new[2500] }
    #expect(error?.code == .undecodable && error?.reason.contains("index 2500") == true)
    let failure = #expect(throws: StoreError.self) { try test.store.upgrade("list", to: Version2.self) }
    #expect(failure?.code == .undecodable && failure?.reason.contains("index 2500") == true)
    #expect(try old.read { Array($0[2498..<2502]) }.map(\.celsius) == [2498, 2499, -300, 2501])
    #expect(try new.removeUndecodable().count == 1)
    #expect(try test.store.upgrade("list", to: Version2.self))
    #expect(try test.store.list("list", of: Version2.self).count == 2999)

    _ = try test.store.set("set", of: String.self)
    _ = try test.store.lock("lock")
    _ = try test.store.list("numbers", of: Int.self)
    for name in ["set", "lock", "numbers"] {
      #expect(code { _ = try test.store.upgrade(name, to: Version2.self) } == .typeMismatch)
    }
    #expect(code { try test.store.upgrade("numbers", to: Int.self) } == nil)
    #expect(code { try test.store.upgrade("none", to: Version2.self) } == .structureNotFound)
  }

  struct Uncounted: Codable, Upgradable {
    static let storageTypeName = "Measure"
    var kelvin: Double
    init(upgrading earlier: Version1) { kelvin = Double(earlier.celsius) }
  }
  struct Loop: Codable, Upgradable {
    init(upgrading earlier: Loop) { self = earlier }
  }
  struct Flag: Codable, Upgradable, Hashable {
    var bits: Int
    init(upgrading earlier: UInt8) { bits = Int(earlier) }
  }

  /// A version that was not counted up, and an earlier version that is stored in another way, are refused instead of misread.
  @Test func versionsThatCannotBeToldApartAreRefused() throws {
    let test = try TestStore()
    try test.store.list("list", of: Version1.self).append(Version1(celsius: 1))
    for name in ["list", "other"] {
      let error = #expect(throws: StoreError.self) { try test.store.list(name, of: [Uncounted].self) }
      #expect(error?.code == .typeMismatch && error?.advice.contains("storageVersion") == true)
    }
    #expect(code { _ = try test.store.upgrade("list", to: Uncounted.self) } == .typeMismatch)
    try test.store.write { txn in
      #expect(code { _ = try txn.value("value", initial: Uncounted(upgrading: .init(celsius: 1))) } == .typeMismatch)
    }
    #expect(code { _ = try test.store.list("loop", of: Loop.self) } == .typeMismatch)
    try test.store.list("bytes", of: [UInt8].self).append([1, 0, 0, 0, 7])
    #expect(code { _ = try test.store.list("bytes", of: [Flag].self) } == .typeMismatch)
    #expect(code { _ = try test.store.upgrade("bytes", to: [Flag].self) } == .typeMismatch)
  }

  @Test func tasksUpgradeWithoutBlocking() async throws {
    let test = try TestStore()
    try await test.store.list("list", of: Version1.self).append(Version1(celsius: 1))
    #expect(try await test.store.upgrade("list", to: Measure.self))
    let list = try await test.store.list("list", of: Measure.self)
    #expect(try list.read { $0[0].kelvin } == 274)
  }

  /// A newer version of a program and an older one change the same entries at the same time, each in a process of its own.
  @Test func twoVersionsOfAProgramRunSideBySide() throws {
    let test = try TestStore()
    let jobs = try test.store.dictionary("jobs", of: String.self, NewJob.self)
    let list = try test.store.list("list", of: NewJob.self)
    try jobs.set(NewJob(path: "/a"), forKey: "job")
    try list.append(contentsOf: (0..<7).map { NewJob(path: "/\($0)", place: .init(street: "Oak \($0)")) })
    let programs = try ["old-version", "new-version"].map { try Program("TestWorker", [$0, test.path, "700"]) }
    for program in programs {
      let result = program.finish(within: 300)
      #expect(result.status == 0 && result.output.contains("done"), "\(result)")
    }
    let job = try #require(try jobs["job"])
    #expect(job.tries == 700 && job.size == 700 && job.place.street == "Elm 699" && job.path == "/a")
    #expect(try jobs.count == 51)
    for (index, job) in try list.read({ Array($0) }).enumerated() {
      #expect(job.size == 100 && job.place.street == "Oak \(index)" && job.place.city == "Oslo \(693 + index)")
    }
  }
  struct NewJob: Codable, Storable {
    static let storageTypeName = "Job"
    var path: String
    var tries = 0
    var place = Place()
    var size = 0
    struct Place: Codable {
      var city = "Kyiv"
      var street: String?
    }
  }
}
