import LMDBShare
import TestSupport
import Testing

/// A record of the catalogue that this version does not understand, as a later version's may be: it is reported, and blocks
/// nothing.
@Suite(.timeLimit(.minutes(20)))
struct UnknownKindTests {
  private func storeWithUnknown(_ record: [UInt8], _ name: String = "later") throws -> TestStore {
    let test = try TestStore()
    try test.store.list("names", of: String.self).append("a")
    let core = try test.store.environment.beginWrite()
    let catalogue = try #require(try test.store.environment.database(".catalogue"))
    withUTF8(of: name) { key in withBytes(of: record) { _ = core.put(catalogue, key, $0) } }
    try test.store.environment.commit(core)
    return test
  }

  @Test(arguments: [
    "kind graph\nidentity 5c1d\nelement string", "kind list\nidentity 5c1d\nlayout woven\nelement string", "",
    "kind array\nidentity 5c1d\nlayout packed\nelement i64\nsize 8\ncount -1",
    "kind list\nidentity 5c1d\nlayout packed\nelement i64\nsize 0",
    "kind list\nidentity 5c1d\nlayout packed\nelement i64\nsize 8\nmaximum -9223372036854775808",
  ])
  func itIsNamedAndTheOthersCanBeUsed(_ record: String) throws {
    let test = try storeWithUnknown(Array(record.utf8))
    #expect(try test.store.structures().map(\.name) == ["names"])
    #expect(try test.store.unknownStructures().map(\.structure) == ["later"])
    #expect(try test.store.check().map { "\($0.structure ?? "") \($0.code)" } == ["later newerFormat"])
    #expect(try test.store.statistics().structures.map(\.description.name) == ["names"])
    #expect(try test.store.list("names", of: String.self).first == "a")
    // Its data may be in databases that only its own version knows.
    for body: () throws -> Void in [
      { _ = try test.store.list("later", of: String.self) }, { try test.store.remove("later") },
      { try test.store.rename("later", to: "x") }, { try test.store.rename("names", to: "later") },
      { _ = try test.store.write { txn in try txn.value("later", initial: 1) } },
      { _ = try test.store.untyped("later") },
    ] { #expect(code(body) == .newerFormat) }
    #expect(try test.store.unknownStructures().count == 1)
  }

  /// Bytes that are not text do not count as a missing record: nothing is created in its place.
  @Test func aRecordThatIsNoText() throws {
    let test = try storeWithUnknown([0xFF, 0x1B, 0x5B, 0x41])
    #expect(try test.store.unknownStructures().count == 1)
    #expect(code { _ = try test.store.list("later", of: String.self) } == .newerFormat)
  }

  @Test func errorsCarryNoControlCharacters() throws {
    let test = try storeWithUnknown(Array("\u{1B}[31m\u{9B}x\r\nkind\u{202E}".utf8), "la\u{1B}ter\u{7}")
    let errors = try test.store.unknownStructures() + test.store.check()
    #expect(errors.count == 2)
    for error in errors {
      let harmful = "\(error)\(error.reason)\(error.advice)".unicodeScalars.filter {
        $0.properties.generalCategory == .control || $0.properties.generalCategory == .format
      }
      #expect(harmful.isEmpty, "\(error)")
      #expect("\(error)".contains("\\u{001B}[31m") || "\(error)".contains("\\u{1B}[31m"), "\(error)")
    }
  }
}
