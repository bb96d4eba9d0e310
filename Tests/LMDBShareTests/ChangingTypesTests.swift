import Foundation
import LMDBShare
import TestSupport
import Testing

/// Two versions of a program's types on the same store: each reads what the other one stored, and what it does not know stays.
@Suite(.timeLimit(.minutes(20)))
struct ChangingTypesTests {
  struct OldJob: Codable, Storable, Hashable {
    static let storageTypeName = "Job"
    var path: String
    var tries = 0
    var place: Place?
    var parts: [String: Place] = [:]
    var steps: [Place] = []

    struct Place: Codable, Hashable { var city = "Kyiv" }
  }

  struct NewJob: Codable, Storable, Hashable {
    static let storageTypeName = "Job"
    var path: String
    var tries = 0
    var place: Place?
    var parts: [String: Place] = [:]
    var steps: [Place] = []
    /// These are new.
    var owner: String?
    var size: Int?

    struct Place: Codable, Hashable {
      var city = "Kyiv"
      var street: String?
    }
  }

  static let new = NewJob(
    path: "a", tries: 1, place: .init(city: "Oslo", street: "Elm"),
    parts: ["x": .init(street: "Oak"), "y": .init(street: "Ash")], steps: [.init(street: "Fir")], owner: "Ada", size: 7)

  /// What an old program leaves of it when it adds one to its tries: all but what lies in arrays.
  static let changed: NewJob = {
    var job = new
    job.tries += 1
    job.steps = [.init()]
    return job
  }()

  private struct Structures<Job: Codable & Storable & Hashable> {
    let value: SharedValue<Job>
    let list: SharedList<Job>
    let maybe: SharedList<Job?>
    let dictionary: SharedDictionary<String, Job>
    init(_ store: SharedStore, _ job: Job) throws {
      value = try store.value("value", initial: job)
      list = try store.list("list", of: Job.self)
      maybe = try store.list("maybe", of: Job?.self)
      dictionary = try store.dictionary("dictionary", of: String.self, Job.self)
    }
  }

  private func fill(_ all: Structures<NewJob>, _ key: String = "key") throws {
    try all.value.set(Self.new)
    for list in [all.list] { try list.write { $0.replaceSubrange(0..<$0.count, with: [Self.new, Self.new]) } }
    try all.maybe.write { $0.replaceSubrange(0..<$0.count, with: [Self.new, nil]) }
    try all.dictionary.set(Self.new, forKey: key)
  }

  typealias Change = @Sendable (SharedStore) throws -> Void

  /// All ways to change a part of a value.
  static let changes: [(String, Change)] = [
    ("value.update", { try old($0).value.update { $0.tries += 1 } }),
    ("txn[value]", { store in try store.write { txn in txn[try old(store, txn).value].tries += 1 } }),
    ("list.update", { try old($0).list.update(at: 1) { $0.tries += 1 } }),
    ("txn[list][1]", { store in try store.write { txn in txn[try old(store, txn).list][1].tries += 1 } }),
    ("maybe.update", { try old($0).maybe.update(at: 0) { $0?.tries += 1 } }),
    ("txn[maybe][0]", { store in try store.write { txn in txn[try old(store, txn).maybe][0]?.tries += 1 } }),
    ("dictionary.update", { try old($0).dictionary.update("key", default: OldJob(path: "")) { $0.tries += 1 } }),
    ("txn[dictionary][key]?", { store in try store.write { $0[try old(store, $0).dictionary]["key"]?.tries += 1 } }),
    (
      "txn[dictionary][key, default:]",
      { store in try store.write { $0[try old(store, $0).dictionary]["key", default: OldJob(path: "")].tries += 1 } }
    ),
    (
      "txn[dictionary].update",
      { store in
        try store.write { txn in
          txn[try old(store, txn).dictionary].update("key", default: OldJob(path: "")) { $0.tries += 1 }
        }
      }
    ),
  ]

  private static func old(_ store: SharedStore) throws -> Structures<OldJob> {
    try Structures(store, OldJob(path: ""))
  }
  /// Within a transaction, handles cannot be opened in the store.
  private static func old(_ store: SharedStore, _ txn: borrowing WriteTransaction) throws -> (
    value: SharedValue<OldJob>, list: SharedList<OldJob>, maybe: SharedList<OldJob?>,
    dictionary: SharedDictionary<String, OldJob>
  ) {
    (
      try txn.value("value", initial: OldJob(path: "")), try txn.list("list", of: OldJob.self),
      try txn.list("maybe", of: OldJob?.self), try txn.dictionary("dictionary", of: String.self, OldJob.self)
    )
  }

  /// An older program's change keeps the fields that it does not know, in nested values, too.
  @Test func whatIsNotKnownIsKept() throws {
    let test = try TestStore()
    let all = try Structures(test.store, Self.new)
    for (name, change) in Self.changes {
      try fill(all)
      try change(test.store)
      let isValue = name.contains("value"), isList = name.contains("list"), isMaybe = name.contains("maybe")
      #expect(try all.value.get() == (isValue ? Self.changed : Self.new), "\(name)")
      #expect(try all.list.read { Array($0) } == [Self.new, isList ? Self.changed : Self.new], "\(name)")
      #expect(try all.maybe.read { Array($0) } == [isMaybe ? Self.changed : Self.new, nil], "\(name)")
      #expect(
        try all.dictionary["key"] == (!isValue && !isList && !isMaybe ? Self.changed : Self.new), "\(name)")
    }
  }

  /// What is known can be removed, and what is assigned as a whole replaces all.
  @Test func whatIsKnownIsReplaced() throws {
    let test = try TestStore()
    let (all, old) = (try Structures(test.store, Self.new), try Self.old(test.store))
    try fill(all)
    try old.dictionary.update("key", default: OldJob(path: "")) { job in
      job.place = nil
      job.parts["x"] = nil
      job.parts["z"] = .init(city: "Rome")
      job.parts["y"]?.city = "Bern"
    }
    var expected = Self.changed
    expected.tries = 1
    expected.place = nil
    expected.parts = ["y": .init(city: "Bern", street: "Ash"), "z": .init(city: "Rome")]
    #expect(try all.dictionary["key"] == expected)
    let whole = OldJob(path: "b")
    try old.dictionary.set(whole, forKey: "key")
    try old.value.set(whole)
    try old.list.set(whole, at: 0)
    try old.maybe.set(whole, at: 0)
    let alone = NewJob(path: "b")
    #expect(try all.dictionary["key"] == alone && all.value.get() == alone && all.list[0] == alone)
    #expect(try all.maybe[0] == alone)
    // A new entry and one that was nil have nothing to keep.
    try old.dictionary.update("new", default: OldJob(path: "c")) { $0.tries = 5 }
    try old.maybe.update(at: 1) { $0 = OldJob(path: "d") }
    #expect(try all.dictionary["new"] == NewJob(path: "c", tries: 5) && all.maybe[1] == NewJob(path: "d"))
    // A newer program reads what an older one made, and changes it.
    try all.dictionary.update("new", default: Self.new) { $0.owner = "Eve" }
    #expect(try old.dictionary["new"] == OldJob(path: "c", tries: 5))
    #expect(try all.dictionary["new"]?.owner == "Eve")
  }

  /// Elements that only move are stored as they are.
  @Test func whatMovesIsKept() throws {
    let test = try TestStore()
    let (all, old) = (try Structures(test.store, Self.new), try Self.old(test.store))
    func job(_ number: Int) -> NewJob {
      NewJob(path: "\(number)", tries: number, owner: "owner \(number)", size: number)
    }
    try all.list.append(contentsOf: (0..<1000).map { job($0 * 7919 % 1000) })
    try old.list.write { $0.sort { $0.tries < $1.tries } }
    #expect(try all.list.read { Array($0) } == (0..<1000).map(job))
    try old.list.write { $0.reverse() }
    #expect(try all.list.read { Array($0) } == (0..<1000).reversed().map(job))
    try old.list.write { $0.removeAll { !$0.tries.isMultiple(of: 3) } }
    var expected = stride(from: 0, to: 1000, by: 3).reversed().map(job)
    #expect(try all.list.read { Array($0) } == expected)
    try old.list.write { list in
      list.swapAt(0, 5)
      list.swapAt(7, 7)
      list.swapAt(333, 1)
    }
    expected.swapAt(0, 5)
    expected.swapAt(333, 1)
    #expect(try all.list.read { Array($0) } == expected)
    try old.dictionary.set(OldJob(path: "a"), forKey: "new")
    try all.dictionary.set(Self.new, forKey: "key")
    try old.dictionary.merge([("key", OldJob(path: "z", tries: 1)), ("other", OldJob(path: "o"))]) { old, new in
      var merged = old
      merged.tries += new.tries
      return merged
    }
    #expect(try all.dictionary["key"] == Self.changed && all.dictionary["other"] == NewJob(path: "o"))
    try test.store.write { txn in txn[old.dictionary]["key", default: OldJob(path: "")] = OldJob(path: "whole") }
    #expect(try all.dictionary["key"] == NewJob(path: "whole"))
  }

  /// Long keys, whose values begin with the key.
  @Test func longKeysKeepTheirValues() throws {
    let test = try TestStore()
    let (all, old) = (try Structures(test.store, Self.new), try Self.old(test.store))
    let key = String(repeating: "k", count: 2000)
    try all.dictionary.set(Self.new, forKey: key)
    try old.dictionary.update(key, default: OldJob(path: "")) { $0.tries += 1 }
    #expect(try all.dictionary[key] == Self.changed)
  }

  /// JSON has only what the type has.
  @Test func inJSONOnlyTheFieldsOfTheTypeStay() throws {
    struct Old: JSONStored {
      static let storageTypeName = "Job"
      var a = 1
    }
    struct New: JSONStored {
      static let storageTypeName = "Job"
      var a = 1
      var b: Int?
    }
    let test = try TestStore()
    let value = try test.store.value("value", initial: New(b: 5))
    try test.store.value("value", initial: Old()).update { $0.a = 2 }
    #expect(try value.get().a == 2 && value.get().b == nil)
  }
}
