import Foundation
import LMDBShare

/// One core operation, repeated so that its instructions can be counted from outside: the difference between the given number and
/// twice that number is the cost. Everything is the same in each run.
func work(_ directory: String, _ arguments: ArraySlice<String>) throws {
  guard let name = arguments.first, let count = arguments.last.flatMap({ Int($0) }) else {
    for (name, count, _) in works { print("\(count)\t\(name)") }
    return
  }
  guard let operation = works.first(where: { $0.name == name })?.operation else { fatalError("there is no \(name)") }
  var options = StoreOptions.durability(.processCrashOnly)
  // Valgrind provides less address space.
  options.mapReservation = 1 << 30
  let store = try SharedStore(path: directory + "/store", options: options)
  let subject = try Subject(store)
  // A store that was just created or moved is checked more often.
  usleep(1_100_000)
  let sum = try operation(subject, count)
  // Keeps the compiler from removing the reads.
  if sum == .min { print(sum) }
}

/// A value of some fields.
struct Record: Codable, Storable {
  var number: Int
  var name: String
  var tags: [String]
  var score: Double
  var time: Date

  init(_ number: Int) {
    self.number = number
    name = "a name of some length"
    tags = ["first", "second tag"]
    score = 1.25
    time = Date(timeIntervalSinceReferenceDate: 800_000_000.5)
  }
}

/// The same value, with declared fields.
struct DeclaredRecord: FieldStorable {
  static let storageTypeName = "Record"
  var number: Int
  var name: String
  var tags: [String]
  var score: Double
  var time: Date

  static let storedFields = Fields(
    DeclaredRecord.init, Field("number", \.number), Field("name", \.name), Field("tags", \.tags),
    Field("score", \.score), Field("time", \.time))

  init(_ record: Record) {
    (number, name, tags) = (record.number, record.name, record.tags)
    (score, time) = (record.score, record.time)
  }

  init(number: Int, name: String, tags: [String], score: Double, time: Date) {
    (self.number, self.name, self.tags) = (number, name, tags)
    (self.score, self.time) = (score, time)
  }
}

/// The data that the operations use.
private struct Subject {
  static let size = 10_000
  let store: SharedStore
  let numbers: SharedDictionary<Int, Int>
  let texts: SharedDictionary<String, Int>
  let list: SharedList<Int>
  let value: SharedValue<Int>
  let queue: SharedQueue<Int>
  let added: SharedDictionary<Int, Int>
  let appended: SharedList<Int>
  let names: [String]

  init(_ store: SharedStore) throws {
    self.store = store
    numbers = try store.dictionary("numbers", of: Int.self, Int.self)
    texts = try store.dictionary("texts", of: String.self, Int.self)
    list = try store.list("list", of: Int.self)
    value = try store.value("value", initial: 0)
    queue = try store.queue("queue", of: Int.self)
    added = try store.dictionary("added", of: Int.self, Int.self)
    appended = try store.list("appended", of: Int.self)
    names = (0..<Self.size).map { "key-\(100_000_000_000 + $0)" }
    let entries = (0..<Self.size).map { ($0, $0) }
    let named = zip(names, 0..<Self.size).map { ($0, $1) }
    try numbers.write { $0.append(sorted: entries) }
    try texts.write { $0.append(sorted: named) }
    try list.append(contentsOf: 0..<Self.size)
    try value.update { $0 += 1 }
    try queue.push(1)
    _ = try queue.pop()
  }

  // These are opened by the operations that need them: each open database makes all transactions a little longer.

  func strings() throws -> SharedList<String> { try store.list("strings", of: String.self) }

  func records() throws -> SharedDictionary<Int, Record> {
    let records = try store.dictionary("records", of: Int.self, Record.self)
    try records.write { records in for number in 0..<100 { records[number] = Record(number) } }
    return records
  }

  /// Every number below the size once, in random order, then again.
  static func scattered(_ number: Int) -> Int { number &* 7919 % size }
}

private let works: [(name: String, count: Int, operation: @Sendable (Subject, Int) throws -> Int)] = [
  (
    "empty read transaction", 20_000,
    { subject, count in
      for _ in 0..<count { try subject.store.read { _ in } }
      return 0
    }
  ),
  (
    "value: get, a transaction each", 10_000,
    { subject, count in
      var sum = 0
      for _ in 0..<count { sum &+= try subject.value.get() }
      return sum
    }
  ),
  (
    "dictionary: get, Int key, in a transaction", 20_000,
    { subject, count in
      try subject.store.read { txn in
        var sum = 0
        for number in 0..<count { sum &+= txn[subject.numbers][Subject.scattered(number)] ?? 0 }
        return sum
      }
    }
  ),
  (
    "dictionary: get, String key, in a transaction", 20_000,
    { subject, count in
      try subject.store.read { txn in
        var sum = 0
        for number in 0..<count { sum &+= txn[subject.texts][subject.names[Subject.scattered(number)]] ?? 0 }
        return sum
      }
    }
  ),
  (
    "list: element by index, in a transaction", 20_000,
    { subject, count in
      try subject.store.read { txn in
        var sum = 0
        for number in 0..<count { sum &+= txn[subject.list][Subject.scattered(number)] }
        return sum
      }
    }
  ),
  (
    "list: iterate, an element", 500_000,
    { subject, count in
      try subject.store.read { txn in
        var sum = 0
        for _ in 0..<count / Subject.size { for element in txn[subject.list] { sum &+= element } }
        return sum
      }
    }
  ),
  (
    "value: increment, a transaction each, no sync", 2000,
    { subject, count in
      for _ in 0..<count { try subject.value.update { $0 += 1 } }
      return 0
    }
  ),
  (
    "dictionary: put, an entry of one transaction", 10_000,
    { subject, count in
      try subject.store.write { txn in
        for number in 0..<count { txn[subject.added][number &* 7919 % 100_003] = number }
      }
      return 0
    }
  ),
  (
    "list: append, an element of one transaction", 50_000,
    { subject, count in
      try subject.store.write { txn in for number in 0..<count { txn[subject.appended].append(number) } }
      return 0
    }
  ),
  (
    "list: append in list.write, an element of 1,000", 50_000,
    { subject, count in
      for start in stride(from: 0, to: count, by: 1000) {
        try subject.appended.write { contents in for number in start..<start + 1000 { contents.append(number) } }
      }
      return 0
    }
  ),
  (
    "list of strings: iterate, an element", 100_000,
    { subject, count in
      let strings = try subject.strings()
      try strings.append(contentsOf: subject.names)
      return try subject.store.read { txn in
        var sum = 0
        for _ in 0..<count / Subject.size { for element in txn[strings] { sum &+= element.utf8.count } }
        return sum
      }
    }
  ),
  (
    "list of strings: append, an element of one transaction", 20_000,
    { subject, count in
      let strings = try subject.strings()
      try subject.store.write { txn in
        for number in 0..<count { txn[strings].append(subject.names[number % Subject.size]) }
      }
      return 0
    }
  ),
  (
    "dictionary: get, a Codable struct of five fields", 2000,
    { subject, count in
      let records = try subject.records()
      return try subject.store.read { txn in
        var sum = 0
        for number in 0..<count { sum &+= txn[records][number % 100]?.number ?? 0 }
        return sum
      }
    }
  ),
  (
    "dictionary: put, a Codable struct of five fields", 2000,
    { subject, count in
      let records = try subject.records()
      let record = Record(1)
      try subject.store.write { txn in for number in 0..<count { txn[records][number % 100] = record } }
      return 0
    }
  ),
  (
    "dictionary: get, a struct of five declared fields", 2000,
    { subject, count in
      _ = try subject.records()
      let records = try subject.store.dictionary("records", of: Int.self, DeclaredRecord.self)
      return try subject.store.read { txn in
        var sum = 0
        for number in 0..<count { sum &+= txn[records][number % 100]?.number ?? 0 }
        return sum
      }
    }
  ),
  (
    "dictionary: put, a struct of five declared fields", 2000,
    { subject, count in
      let records = try subject.store.dictionary("records", of: Int.self, DeclaredRecord.self)
      let record = DeclaredRecord(Record(1))
      try subject.store.write { txn in for number in 0..<count { txn[records][number % 100] = record } }
      return 0
    }
  ),
  (
    "queue: push and pop, a transaction each, no sync", 1000,
    { subject, count in
      for number in 0..<count {
        try subject.queue.push(number)
        _ = try subject.queue.pop()
      }
      return 0
    }
  ),
]
