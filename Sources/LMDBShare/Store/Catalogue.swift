// The catalogue is a separate database. Under each structure's name it has the record that describes the structure, and under
// names with a leading dot the format, and a counter of the catalogue's changes. While the counter is unchanged, a known version
// of the catalogue is current.

enum Catalogue {
  static let database = ".catalogue"
  static let values = ".values"
  static let format = 1
  /// The version of a store in which no structure was ever created.
  static let firstVersion: UInt64 = 1
  static let formatKey = ".format"
  static let versionKey = ".version"

  /// Writes the catalogue of a new store.
  static func create(_ transaction: Transaction) throws(StoreError) {
    let catalogue = try transaction.openByLMDB(database, [])
    _ = try transaction.openByLMDB(values, [])
    withUTF8(of: formatKey) { key in
      _ = withUTF8(of: "lmdbshare \(format)") { transaction.put(catalogue, key, $0) }
    }
    setVersion(firstVersion, catalogue, transaction)
  }

  /// The databases of an environment that is open.
  fileprivate struct Databases: Sendable {
    let catalogue: Database
    let values: Database
  }

  /// Checks that the environment has a catalogue of a format that this version knows, and registers it.
  static func open(_ environment: Environment) throws(StoreError) {
    let transaction = try environment.beginRead()
    defer { transaction.end() }
    for name in [database, values] {
      guard let layout = try transaction.layout(named: name) else { throw environment.directory.notOurs }
      try layout.check([], structure: name)
    }
    let catalogue = environment.number(database)
    let format = withUTF8(of: formatKey) { transaction.get(catalogue, $0)?.utf8String() }
    guard let format, format == "lmdbshare \(Self.format)" else {
      throw StoreError(
        .newerFormat, "open \(environment.directory.path)",
        reason: "the store's format is \(format ?? "unknown"); this version knows lmdbshare \(Self.format)",
        advice: "open it with the version of lmdbshare that wrote it")
    }
    try checkRequirements(catalogue, transaction, environment.directory.path)
    environment.session.withLock { $0 = Databases(catalogue: catalogue, values: environment.number(values)) }
  }

  static func version(_ catalogue: Database, _ transaction: Transaction) -> UInt64 {
    withUTF8(of: versionKey) { transaction.get(catalogue, $0)?.littleEndian(UInt64.self) ?? 0 }
  }

  private static func setVersion(_ version: UInt64, _ catalogue: Database, _ transaction: Transaction) {
    withUTF8(of: versionKey) { key in
      _ = withBytes(of: version.littleEndian) { transaction.put(catalogue, key, $0) }
    }
  }

  /// Returns an identity for a new structure. Successive structures get successive channels, so that few share one: a waiter is
  /// woken for all structures with its channel.
  static func newIdentity(_ catalogue: Database, _ transaction: Transaction) -> UInt64 {
    let channel = version(catalogue, transaction) % Channels.count
    return UInt64.random(in: 1..<UInt64.max / Channels.count) * Channels.count + channel
  }

  static func description(
    of name: String, _ catalogue: Database, _ transaction: Transaction
  ) throws(StoreError) -> StructureDescription? {
    let record = withUTF8(of: name) { transaction.get(catalogue, $0)?.text }
    guard let record else { return nil }
    return try StructureDescription(name: name, record: record)
  }

  /// Writes or removes a structure's record; wakes the waiters for its changes.
  static func set(
    _ description: StructureDescription?, for name: String, _ catalogue: Database, _ transaction: Transaction
  ) {
    withUTF8(of: name) { key in
      if let description {
        _ = withUTF8(of: description.record) { transaction.put(catalogue, key, $0) }
      } else {
        transaction.delete(catalogue, key)
      }
    }
    setVersion(version(catalogue, transaction) &+ 1, catalogue, transaction)
    if let description { transaction.writtenChannels.formUnion(Channels.of(description.identity)) }
    transaction.changedRecords = true
    transaction.recordsVersion = (0, 0)
  }

  /// Returns all structures, by name, and an error for each record that this version does not understand.
  ///
  /// A structure of an unknown kind does not make the others unusable.
  static func all(
    _ catalogue: Database, _ transaction: Transaction
  ) throws(StoreError) -> (known: [StructureDescription], unknown: [StoreError]) {
    var known: [StructureDescription] = []
    var unknown: [StoreError] = []
    let cursor = Cursor(transaction, catalogue)
    var isThere = cursor.move(.first)
    while isThere {
      let record = cursor.value.text
      if let name = cursor.key.utf8String() {
        if name.utf8.first != UInt8(ascii: ".") {
          do throws(StoreError) {
            known.append(try StructureDescription(name: name, record: record))
          } catch {
            unknown.append(error)
          }
        }
      } else {
        unknown.append(.notUnderstood(cursor.key.text, record))
      }
      isThere = cursor.move(.next)
    }
    if let failure = transaction.failure { throw failure }
    return (known, unknown)
  }

  /// Checks a name: 1 to 255 bytes, without NUL or control characters, and without a leading dot, which is reserved.
  static func checkName(_ name: String) throws(StoreError) {
    let problem: String? =
      if name.isEmpty {
        "the name is empty"
      } else if name.utf8.count > 255 {
        "the name has \(name.utf8.count) bytes, more than 255"
      } else if name.utf8.first == UInt8(ascii: ".") {
        "names with a leading dot are reserved"
      } else if name.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
        "the name holds a control character"
      } else {
        nil
      }
    if let problem {
      throw StoreError(
        .invalidName, "open a structure", reason: problem,
        advice: "use 1 to 255 bytes of text without control characters and without a leading dot")
    }
  }
}

extension Environment {
  /// The database of the catalogue; missing before it was opened.
  package var catalogue: Database { databases?.catalogue ?? .missing }
  /// The database of all values; missing before the catalogue was opened.
  var values: Database { databases?.values ?? .missing }

  private var databases: Catalogue.Databases? { session.withLock { $0 as? Catalogue.Databases } }
}

extension RawSpan {
  /// The bytes as text; invalid UTF-8 is replaced.
  fileprivate var text: String { utf8String() ?? String(decoding: copied(), as: UTF8.self) }
}
