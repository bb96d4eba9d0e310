import Foundation
import LMDBShare
import TestSupport
import Testing

/// New structures of `Codable` elements are in CBOR; those that are in JSON stay so, whichever type opens them.
@Suite(.timeLimit(.minutes(20)))
struct CodableFormTests {
  struct Job: Codable, Storable, Hashable {
    var number: Int
    var text = "é"
  }
  struct JSONJob: JSONStored, Hashable {
    static let storageTypeName = "Job"
    var number: Int
    var text = "é"
  }

  /// A value as each program declares it.
  private struct Kinds<Element: Codable & Storable & Hashable> {
    let value: SharedValue<Element>
    let list: SharedList<Element>
    let nested: SharedList<[Element?]>
    let dictionary: SharedDictionary<Int, Element>
    let tables: SharedDictionary<String, [String: Element]>
    let queue: SharedQueue<Element>

    init(_ store: SharedStore, _ make: (Int) -> Element) throws {
      value = try store.value("value", initial: make(0))
      list = try store.list("list", of: Element.self)
      nested = try store.list("nested", of: [Element?].self)
      dictionary = try store.dictionary("dictionary", of: Int.self, Element.self)
      tables = try store.dictionary("tables", of: String.self, [String: Element].self)
      queue = try store.queue("queue", of: Element.self, maximumAttempts: 1)
    }
  }

  /// Writes to all of them in every way.
  private func write<Element>(_ all: Kinds<Element>, _ store: SharedStore, _ make: (Int) -> Element) throws {
    try all.value.set(make(1))
    try all.list.append(make(1))
    try all.list.append(contentsOf: [make(2), make(3)])
    try all.list.insert(make(4), at: 1)
    try all.list.set(make(5), at: 2)
    try all.list.prepend(make(6))
    try all.nested.append([make(1), nil])
    try all.dictionary.set(make(1), forKey: 1)
    try store.write { txn in
      txn[all.value] = make(2)
      txn[all.dictionary][2] = make(2)
      txn[all.dictionary][2, default: make(0)] = make(3)
      txn[all.nested].insert([nil], at: 0)
      txn[all.tables]["a"] = ["b": make(1)]
    }
    try all.queue.push(make(1))
    try all.queue.push(contentsOf: [make(2), make(3), make(4)])
    try all.queue.push(make(5), priority: .high)
    let producer = all.queue.producer()
    try producer.push(make(6))
    try producer.push(contentsOf: [make(7), make(8)])
    try producer.flush()
  }

  /// Reads all of them in every way, and takes the queue's items.
  private func read<Element>(_ all: Kinds<Element>, _ store: SharedStore, _ make: (Int) -> Element) throws {
    try store.read { txn in
      #expect(txn[all.value] == make(2))
      #expect(Array(txn[all.list]) == [6, 1, 4, 5, 3].map(make))
      #expect(txn[all.list][2] == make(4) && txn[all.list].last == make(3))
      #expect(Array(txn[all.nested]) == [[nil], [make(1), nil]])
      #expect(txn[all.dictionary].map(\.value) == [make(1), make(3)])
      #expect(txn[all.dictionary].values.map { $0 } == [make(1), make(3)])
      #expect(txn[all.dictionary][2] == make(3) && txn[all.dictionary].last?.value == make(3))
      #expect(txn[all.tables]["a"] == ["b": make(1)])
      #expect(txn[all.queue].items.map(\.element) == [5, 1, 2, 3, 4, 6, 7, 8].map(make))
      let items = try txn[all.queue].storedItems.map { item in try item.decoded() }
      #expect(items == [5, 1, 2, 3, 4, 6, 7, 8].map(make))
    }
    #expect(try all.list[1] == make(1) && all.dictionary[1] == make(1))
    #expect(try all.queue.pop() == make(5))
    #expect(try all.queue.pop(atMost: 2) == [make(1), make(2)])
    #expect(try all.queue.pop(timeout: .seconds(1)) == make(3))
    let lease = try #require(try all.queue.lease(for: .seconds(60)))
    #expect(lease.element == make(4))
    try all.queue.reject(lease, reason: "test")
    #expect(try all.queue.deadLetters().map(\.element) == [make(4)])
  }

  /// The stored bytes of all elements; those of containers begin after their lengths.
  private func stored(_ store: SharedStore) throws -> [(name: String, bytes: [UInt8])] {
    var found: [(String, [UInt8])] = []
    for name in ["list", "dictionary"] {
      let structure = try store.untyped(name)
      try store.read { txn in
        let contents = txn.contents(structure)
        if name == "list" {
          try contents.walk(0..<contents.count) { _, bytes in
            found.append((name, bytes.copied()))
            return true
          }
        } else {
          try contents.walk { _, bytes in
            found.append((name, bytes.copied()))
            return true
          }
        }
      }
    }
    let value = try store.untyped("value")
    try store.read { txn in txn.contents(value).value { found.append(("value", $0.copied())) } }
    for item in try store.untypedQueue("queue").read({ $0.storedItems.map(\.bytes) }) { found.append(("queue", item)) }
    return found
  }

  private func elements(_ store: SharedStore) throws -> [String] {
    try store.structures().map(\.element).sorted()
  }

  private static let inCBOR = [
    "[cbor(Job)?]", "cbor(Job)", "cbor(Job)", "cbor(Job)", "cbor(Job)", "{string:cbor(Job)}",
  ]

  @Test func newStructuresAreInCBOR() throws {
    let test = try TestStore()
    let all = try Kinds(test.store) { Job(number: $0) }
    #expect(try elements(test.store) == Self.inCBOR)
    try write(all, test.store) { Job(number: $0) }
    #expect(try stored(test.store).allSatisfy { $0.bytes.first == 0xA2 })
    #expect(try stored(test.store).count == 16)
    try read(all, test.store) { Job(number: $0) }
  }

  @Test func whatIsInJSONStaysInJSON() throws {
    let test = try TestStore()
    let old = try Kinds(test.store) { JSONJob(number: $0) }
    let inJSON = Self.inCBOR.map { $0.replacing("cbor", with: "json") }
    #expect(try elements(test.store) == inJSON)
    // Another handle of the same process, and of a transaction.
    let new = try Kinds(test.store) { Job(number: $0) }
    try write(new, test.store) { Job(number: $0) }
    #expect(try elements(test.store) == inJSON)
    let bytes = try stored(test.store)
    #expect(bytes.count == 16 && bytes.allSatisfy { $0.bytes.starts(with: Array(#"{"number":"#.utf8)) })
    try store(test.store) { txn in
      let list = try txn.list("list", of: Job.self)
      #expect(txn[list][1] == Job(number: 1))
    }
    try read(old, test.store) { JSONJob(number: $0) }
    #expect(try new.list[1] == Job(number: 1))
    #expect(try test.store.check().isEmpty)
  }

  private func store(_ store: SharedStore, _ body: (inout WriteTransaction) throws -> Void) throws {
    try store.write { txn in try body(&txn) }
  }

  @Test func whatIsInCBORStaysInCBOR() throws {
    let test = try TestStore()
    let new = try Kinds(test.store) { Job(number: $0) }
    let inJSON = try Kinds(test.store) { JSONJob(number: $0) }
    try write(inJSON, test.store) { JSONJob(number: $0) }
    #expect(try elements(test.store) == Self.inCBOR)
    #expect(try stored(test.store).allSatisfy { $0.bytes.first == 0xA2 })
    try read(new, test.store) { Job(number: $0) }
  }

  /// Another type's name is another type, in both forms.
  @Test func otherNamesDoNotMatch() throws {
    struct Other: Codable, Storable { var number: Int }
    let test = try TestStore()
    _ = try test.store.list("cbor", of: Job.self)
    _ = try test.store.list("json", of: JSONJob.self)
    for name in ["cbor", "json"] {
      #expect(code { _ = try test.store.list(name, of: Other.self) } == .typeMismatch)
      #expect(code { _ = try test.store.list(name, of: Job?.self) } == .typeMismatch)
      #expect(code { _ = try test.store.write { txn in try txn.list(name, of: Other.self) } } == .typeMismatch)
    }
  }
}
