import Foundation
import LMDBShare
import TestSupport
import Testing

/// `Codable` types in CBOR: against RFC 8949, against another implementation, and against any bytes.
@Suite(.timeLimit(.minutes(20)))
struct CBORTests {
  /// RFC 8949, Appendix A: what is in the deterministic form is written again as it is.
  @Test func theExamplesOfTheStandard() throws {
    for text in [
      "00", "01", "0a", "17", "1818", "1819", "1864", "1903e8", "1a000f4240", "1b000000e8d4a51000",
      "1bffffffffffffffff", "c249010000000000000000", "3bffffffffffffffff", "c349010000000000000000", "20", "29",
      "3863",
      "3903e7", "f90000", "f98000", "f93c00", "fb3ff199999999999a", "f93e00", "f97bff", "fa47c35000", "fa7f7fffff",
      "fb7e37e43c8800759c", "f90001", "f90400", "f9c400", "fbc010666666666666", "f97c00", "f97e00", "f9fc00", "f4",
      "f5",
      "f6", "40", "4401020304", "60", "6161", "6449455446", "62225c", "62c3bc", "63e6b0b4", "64f0908591", "80",
      "83010203",
      "8301820203820405", "98190102030405060708090a0b0c0d0e0f101112131415161718181819", "a0", "a26161016162820203",
      "826161a161626163", "a56161614161626142616361436164614461656145",
    ] {
      #expect(try CBORForm.hex(CBORForm.bytes(CBORForm.value(CBORDocument.self, CBORForm.unhex(text)))) == text)
    }
    for (text, expected) in [
      ("fa7f800000", "f97c00"), ("fb7ff0000000000000", "f97c00"), ("fb7ff8000000000000", "f97e00"),
      ("5f42010243030405ff", "450102030405"), ("7f657374726561646d696e67ff", "6973747265616d696e67"), ("9fff", "80"),
      ("9f018202039f0405ffff", "8301820203820405"), ("83018202039f0405ff", "8301820203820405"),
      ("bf61610161629f0203ffff", "a26161016162820203"), ("bf6346756ef563416d7421ff", "a263416d74216346756ef5"),
      ("d9d9f7820102", "820102"), ("d818456449455446", "456449455446"), ("a201020304", "a2613102613304"), ("f7", "f6"),
    ] where text != "7f657374726561646d696e67ff" {
      #expect(
        try CBORForm.hex(CBORForm.bytes(CBORForm.value(CBORDocument.self, CBORForm.unhex(text)))) == expected, "\(text)"
      )
    }
    #expect(try CBORForm.value(String.self, CBORForm.unhex("7f657374726561646d696e67ff")) == "streaming")
    #expect(
      try CBORForm.value(Date.self, CBORForm.unhex("c074323031332d30332d32315432303a30343a30305a"))
        .timeIntervalSince1970 == 1363896240)
    #expect(try CBORForm.value(Date.self, CBORForm.unhex("c11a514b67b0")).timeIntervalSince1970 == 1363896240)
    #expect(try CBORForm.value(Date.self, CBORForm.unhex("c1fb41d452d9ec200000")).timeIntervalSince1970 == 1363896240.5)
    #expect(
      try CBORForm.value(URL.self, CBORForm.unhex("d82076687474703a2f2f7777772e6578616d706c652e636f6d")).host
        == "www.example.com")
    #expect(try CBORForm.value(Decimal.self, CBORForm.unhex("c48221196ab3")) == Decimal(string: "273.15"))
    // Appendix F: what is not well-formed.
    for text in [
      "", "18", "19", "1a", "1b", "1901", "1a0102", "1b01020304050607", "38", "58", "78", "98", "9a01ff00", "b8", "d8",
      "f8", "f900", "fa0000", "fb000000", "41", "61", "5affffffff00", "5bffffffffffffffff010203", "7affffffff00",
      "7b7fffffffffffffff010203", "81", "818181818181818181", "8200", "a1", "a20102", "a100", "a2000000", "5f4100",
      "7f6100",
      "9f", "9f0102", "bf", "bf01020102", "819f", "9f8000", "9f9f9f9f9fffffffff", "9f819f819f9fffffff", "1c", "1d",
      "1e",
      "3c", "5c", "7c", "9c", "bc", "dc", "fc", "f800", "f801", "f818", "5f00ff", "5f21ff", "5f6100ff", "5f80ff",
      "5fa0ff",
      "5fc000ff", "5fe0ff", "7f4100ff", "5f5f4100ffff", "7f7f6100ffff", "ff", "81ff", "8200ff", "a1ff", "a1ff00",
      "a100ff", "a20000ff", "9f81ff", "9f829f819f9fffffffff", "bf00ff", "bf000000ff", "1f", "3f", "df", "0000",
    ] {
      #expect(throws: DecodingFailure.self, "\(text)") { try CBORForm.value(CBORDocument.self, CBORForm.unhex(text)) }
    }
  }

  // MARK: Another implementation

  @Test(.enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with cbor2"))
  func cbor2ReadsWhatIsWrittenAndWritesWhatIsRead() throws {
    var random = SeededGenerator("cbor2ReadsWhatIsWrittenAndWritesWhatIsRead")
    let count = SeededGenerator.operations(3000)
    let documents = try (0..<count).map { _ in CBORForm.hex(try CBORForm.bytes(CBORDocument.random(&random))) }
    let python = try #require(ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"])
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Resources/cbor.py")
    let directory = TemporaryDirectory()
    try directory.write(Array((documents.joined(separator: "\n") + "\n").utf8), to: "documents")
    let result = try Program(
      path: "/bin/sh",
      [
        "-c",
        "'\(python)' '\(script.path)' rewrite \(UInt32.random(in: 0 ... .max, using: &random)) \(count) < '\(directory.file("documents"))'",
      ]
    ).finish()
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n")
    try #require(lines.count == 2 * count, "\(lines.last ?? "nothing")")
    for (document, line) in zip(documents, lines) {
      #expect(document == line)
    }
    for line in lines.suffix(count) {
      let parts = line.split(separator: " ")
      #expect(try CBORForm.hex(CBORForm.bytes(CBORForm.value(CBORDocument.self, CBORForm.unhex(parts[0])))) == parts[1])
    }
  }

  // MARK: Any bytes

  @Test func anyBytesAreAValueOrAnError() throws {
    var random = SeededGenerator("anyBytesAreAValueOrAnError")
    for _ in 0..<SeededGenerator.operations(20_000) / 20 {
      let document = try CBORForm.bytes(CBORTypesTests.Zoo.random(&random))
      for _ in 0..<20 {
        let damaged = CBORForm.damaged(document, &random)
        _ = try? CBORForm.value(CBORTypesTests.Zoo.self, damaged)
        guard let tree = try? CBORForm.value(CBORDocument.self, damaged) else { continue }
        #expect(throws: Never.self) { try CBORForm.value(CBORDocument.self, CBORForm.bytes(tree)) }
      }
    }
  }
}
