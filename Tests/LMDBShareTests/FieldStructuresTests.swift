import Foundation
import LMDBShare
import TestSupport
import Testing

/// Types that declare their fields in structures, beside programs whose types are `Codable`.
@Suite(.timeLimit(.minutes(20)))
struct FieldStructuresTests {
  struct OldJob: FieldStorable, Hashable {
    static let storageTypeName = "Job"
    var path: String
    var tries = 0
    var place: Place?
    var parts: [String: Place] = [:]
    var steps: [Place] = []
    static let storedFields = Fields(
      OldJob.init(path:tries:place:parts:steps:), Field("path", \.path), Field("tries", \.tries, initially: 0),
      Field("place", \.place), Field("parts", \.parts, initially: [:]), Field("steps", \.steps, initially: []))

    struct Place: FieldStorable, Hashable {
      var city = "Kyiv"
      static let storedFields = Fields(Place.init(city:), Field("city", \.city, initially: "Kyiv"))
    }
  }

  /// A program with declared fields, and one with a newer `Codable` type: each keeps what it does not know.
  @Test func fieldsThatAreNotDeclaredAreKept() throws {
    let test = try TestStore()
    let (new, changed) = (ChangingTypesTests.new, ChangingTypesTests.changed)
    let list = try test.store.list("list", of: ChangingTypesTests.NewJob.self)
    try list.append(contentsOf: [new, new])
    let dictionary = try test.store.dictionary("dictionary", of: Int.self, ChangingTypesTests.NewJob?.self)
    try dictionary.set(new, forKey: 1)
    let value = try test.store.value("value", initial: new)
    let queue = try test.store.queue("queue", of: ChangingTypesTests.NewJob.self)
    try queue.push(new)

    let oldList = try test.store.list("list", of: OldJob.self)
    let oldDictionary = try test.store.dictionary("dictionary", of: Int.self, OldJob?.self)
    let oldValue = try test.store.value("value", initial: OldJob(path: ""))
    #expect(try oldList[0].parts["x"] == OldJob.Place())
    #expect(try test.store.queue("queue", of: OldJob.self).pop() == oldList[0])
    try oldList.update(at: 1) { $0.tries += 1 }
    try oldDictionary.update(1, default: nil) { $0?.tries += 1 }
    try test.store.write { $0[oldValue].tries += 1 }
    #expect(try list.read { Array($0) } == [new, changed])
    #expect(try dictionary[1] == changed)
    #expect(try value.get() == changed)
    try oldList.update(at: 1) { job in
      job.place = nil
      job.parts["x"] = nil
      job.parts["z"] = .init(city: "Rome")
    }
    var expected = changed
    expected.place = nil
    expected.parts = ["y": .init(street: "Ash"), "z": .init(city: "Rome")]
    #expect(try list[1] == expected)
    // A newer program whose fields are declared with initial values reads what an old one stored.
    let initial = try test.store.list("initial", of: FieldStorableTests.Wide.Part.self)
    try initial.append(.init(a: 1, text: "t"))
    #expect(try test.store.list("initial", of: NewPart.self)[0] == NewPart(a: 1, extra: 9))
    #expect(throws: StoreError.self) { try test.store.list("initial", of: FieldStorableTests.Even.self) }
  }
  struct NewPart: FieldStorable, Equatable {
    static let storageTypeName = "Part"
    var a: Int
    var extra = 9
    static let storedFields = Fields(NewPart.init, Field("a", \.a), Field("extra", \.extra, initially: 9))
  }

  struct Text: Codable, JSONStored, Equatable {
    static let storageTypeName = "Part"
    var a: Int8
    var text: String?
  }

  /// A type that is `Codable`, too, reads and writes JSON where that is recorded; another one does not open it.
  @Test func structuresWithJSONStayJSON() throws {
    let test = try TestStore()
    let json = try test.store.list("json", of: Text.self)
    try json.append(Text(a: 1, text: "x"))
    let declared = try test.store.list("json", of: FieldStorableTests.Wide.Part.self)
    try declared.append(.init(a: 2, text: nil))
    #expect(try json.read { Array($0) } == [Text(a: 1, text: "x"), Text(a: 2)])
    #expect(try declared[0] == FieldStorableTests.Wide.Part(a: 1, text: "x"))
    // Handles of several types in one transaction: what it knows of the list is of one of them.
    try test.store.read { txn in
      #expect(txn[json].first == Text(a: 1, text: "x") && Array(txn[json]).count == 2)
      #expect(
        Array(txn[declared]) == [
          FieldStorableTests.Wide.Part(a: 1, text: "x"), FieldStorableTests.Wide.Part(a: 2, text: nil),
        ])
    }
    try test.store.write { txn in
      txn[json].append(Text(a: 3))
      txn[declared].append(.init(a: 4, text: "y"))
      txn[declared].insert(.init(a: 5, text: "z"), at: 0)
      txn[json][1].a = 6
    }
    #expect(try json.read { list in list.map(\.a) } == [5, 6, 2, 3, 4])
    #expect(try declared.read { list in list.map(\.a) } == [5, 6, 2, 3, 4])
    #expect(code { _ = try test.store.list("json", of: NewPart.self) } == .typeMismatch)
  }
}
