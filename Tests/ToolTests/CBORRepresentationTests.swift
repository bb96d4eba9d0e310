import Foundation
import LMDBShare
import LMDBShareOperations
import TestSupport
import Testing

/// Values in CBOR as JSON, without the types of the program that stored them.
@Suite(.timeLimit(.minutes(20)))
struct CBORRepresentationTests {
  private let representation: any Representation

  init() throws { representation = try #require(Representations.known("cbor(Job)")) }

  private func json(_ item: [UInt8]) throws -> String {
    var writer = JSONWriter()
    try withBytes(of: item) { try representation.write($0, isKey: false, as: &writer) }
    return String(decoding: writer.out.bytes, as: UTF8.self)
  }

  private func item(_ json: String) throws -> [UInt8] { try representation.encode(argument: json) }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private func unhex(_ text: some StringProtocol) throws -> [UInt8] {
    let digits = try text.map { try #require($0.hexDigitValue) }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// RFC 8949, Appendix A, and what is special about the JSON.
  @Test(arguments: [
    ("00", "0"), ("1bffffffffffffffff", "18446744073709551615"), ("20", "-1"),
    ("c249010000000000000000", "18446744073709551616"), ("c349010000000000000000", "-18446744073709551617"),
    ("f90000", "0.0"), ("f98000", "-0.0"), ("f93c00", "1.0"), ("fb3ff199999999999a", "1.1"),
    ("fa7f7fffff", "3.4028234663852886e+38"), ("f97c00", #"{"$float":"inf"}"#), ("f9fc00", #"{"$float":"-inf"}"#),
    ("f97e00", #"{"$float":"nan"}"#), ("fb7ff8000000000001", #"{"$float":"nan:7ff8000000000001"}"#),
    ("f4", "false"), ("f5", "true"), ("f6", "null"), ("f7", #"{"$simple":23}"#), ("f0", #"{"$simple":16}"#),
    ("f8ff", #"{"$simple":255}"#), ("c11a514b67b0", #"{"$date":"2013-03-21T20:04:00Z"}"#),
    ("c1fb41d452d9ec200000", #"{"$date":"2013-03-21T20:04:00.5Z"}"#),
    ("d74401020304", #"{"$tag":[23,{"$bytes":"AQIDBA=="}]}"#),
    ("d818456449455446", #"{"$tag":[24,{"$bytes":"ZElFVEY="}]}"#),
    ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", #"{"$url":"http://www.example.com"}"#),
    ("c48221196ab3", #"{"$decimal":"273.15"}"#),
    ("d8255000112233445566778899aabbccddeeff", #"{"$uuid":"00112233-4455-6677-8899-AABBCCDDEEFF"}"#),
    ("40", #"{"$bytes":""}"#), ("62225c", #""\"\\""#), ("83010203", "[1,2,3]"), ("80", "[]"), ("a0", "{}"),
    ("a201020304", #"{"$map":[[1,2],[3,4]]}"#), ("a26161016162820203", #"{"a":1,"b":[2,3]}"#),
    // Maps that look like a form.
    ("a162246101", #"{"$map":[["$a",1]]}"#), ("a1662462797465736178", #"{"$map":[["$bytes","x"]]}"#),
    ("a2616101622461f5", #"{"a":1,"$a":true}"#), ("a16124f6", #"{"$map":[["$",null]]}"#),
    // What a form would change keeps its tag.
    ("c07819323031332d30332d32315432303a30343a30302b30303a3030", #"{"$tag":[0,"2013-03-21T20:04:00+00:00"]}"#),
    ("c101", #"{"$date":"1970-01-01T00:00:01Z"}"#), ("c16161", #"{"$tag":[1,"a"]}"#),
    ("c4820a01", #"{"$decimal":"10000000000"}"#),
    ("c482000a", #"{"$tag":[4,[0,10]]}"#), ("d825420102", #"{"$tag":[37,{"$bytes":"AQI="}]}"#),
  ])
  func whatIsDeterministicIsConvertedBackToTheSameBytes(_ text: String, _ expected: String) throws {
    #expect(try json(unhex(text)) == expected)
    #expect(try hex(item(expected)) == text)
  }

  /// Other forms of a value have the JSON of the deterministic one.
  @Test(arguments: [
    ("1801", "01"), ("fa3f800000", "f93c00"), ("5f42010243030405ff", "450102030405"), ("9f01ff", "8101"),
    ("bf616201616102ff", "a2616102616201"), ("c24101", "01"), ("7f657374726561646d696e67ff", "6973747265616d696e67"),
  ])
  func otherFormsHaveTheSameMeaning(_ other: String, _ deterministic: String) throws {
    #expect(try hex(item(json(unhex(other)))) == deterministic)
    #expect(representation.isSame(try unhex(other), try unhex(deterministic)))
  }

  @Test func whatIsEqualIsComparedByItsMeaning() throws {
    for (a, b, same) in [
      (#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, true), ("1.50", "1.5", true), ("1", "1.0", true), ("1", "2", false),
      (#"{"$bytes":"AA=="}"#, #""AA==""#, false), ("null", "false", false),
      // Texts in another normal form.
      ("\"\u{E9}\"", "\"e\u{301}\"", false), ("{\"\u{E9}\":1}", "{\"e\u{301}\":1}", false),
    ] {
      #expect(representation.isSame(try item(a), try item(b)) == same, "\(a) \(b)")
    }
    let list = try #require(Representations.known("[cbor(Job)]"))
    #expect(list.comparesByMeaning)
    #expect(list.isSame(try list.encode(argument: "[1,2.0]"), try list.encode(argument: "[1,2]")))
  }

  @Test(arguments: [
    #"{"$byte":"AA=="}"#, #"{"$bytes":"A"}"#, #"{"$bytes":1}"#, #"{"$float":"1.5"}"#, #"{"$float":1.5}"#,
    #"{"$map":{}}"#,
    #"{"$map":[[1]]}"#, #"{"$map":[[1,2,3]]}"#, #"{"$map":[[1,2],[1,3]]}"#, #"{"$tag":[1]}"#, #"{"$tag":[-1,2]}"#,
    #"{"$tag":["a",2]}"#, #"{"$simple":20}"#, #"{"$simple":24}"#, #"{"$simple":256}"#, #"{"$date":"yesterday"}"#,
    #"{"$uuid":"1"}"#, #"{"$decimal":"x"}"#, #"{"a":1,"a":2}"#, "1e400", "340282366920938463463374607431768211456",
    "-340282366920938463463374607431768211456", #"{"$tag":[18446744073709551616,1]}"#, "", "{", "01", "word",
    String(repeating: "[", count: 400) + String(repeating: "]", count: 400),
  ])
  func whatIsNoValueIsRefused(_ json: String) throws {
    #expect(throws: ValueProblem.self) { try item(json) }
  }

  /// What is not CBOR, or cannot be JSON, is an error: it is dumped as bytes.
  @Test(arguments: [
    // Keys that are the same in the deterministic form.
    "a2c10101c1180102", "a2a261610161620201a261620261610102",
    "", "18", "81", "0000", "ff", "61ff", "a2616101616102", "a201021801f6", "1c",
    String(repeating: "81", count: 300) + "00",
  ])
  func whatIsNotCBORIsAnError(_ text: String) throws {
    #expect(throws: DecodingFailure.self) { try json(unhex(text)) }
    #expect(try withBytes(of: unhex(text)) { representation.text($0, isKey: false, limit: 100) }.contains("no CBOR"))
  }

  /// What takes more levels in JSON than can be read is not written as JSON.
  @Test func whatIsWrittenCanBeRead() throws {
    var (written, refused) = (0, 0)
    for count in 160...180 {
      for (open, close) in [("a101", "00"), ("c6", "00"), ("81", "00"), ("a1612481", "00")] {
        let bytes = try unhex(String(repeating: open, count: count) + close)
        guard let text = try? json(bytes) else {
          refused += 1
          continue
        }
        written += 1
        #expect(try item(text) == bytes)
      }
    }
    #expect(written > 40 && refused > 10, "\(written) \(refused)")
  }

  @Test(.enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with cbor2"))
  func cbor2FindsTheSameMeaning() throws {
    var random = SeededGenerator("cbor2FindsTheSameMeaning")
    let python = try #require(ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"])
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("LMDBShareTests/Resources/cbor.py").path
    let count = SeededGenerator.operations(3000)
    let made = try Program(
      path: python, [script, "make", "\(UInt32.random(in: 0 ... .max, using: &random))", "\(count)"]
    ).finish()
    let documents = made.output.split(separator: "\n")
    try #require(made.status == 0 && documents.count == count)
    var pairs = ""
    for document in documents {
      let text = try json(unhex(document))
      #expect(throws: Never.self) {
        try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
      }
      let back = hex(try item(text))
      // From then on, nothing changes.
      #expect(try json(unhex(back)) == json(unhex(hex(item(json(unhex(back)))))))
      pairs += "\(document) \(back)\n"
    }
    let directory = TemporaryDirectory()
    try directory.write(Array(pairs.utf8), to: "pairs")
    let compared = try Program.shell("'\(python)' '\(script)' compare < '\(directory.file("pairs"))'", within: 60)
    #expect(compared.status == 0 && compared.output == "", "\(compared.output.prefix(2000))")
  }

  /// Whatever the bytes: JSON that is converted back to the same meaning, or an error.
  @Test func anyBytesAreJSONOrAnError() throws {
    var random = SeededGenerator("anyBytesAreJSONOrAnError")
    for _ in 0..<SeededGenerator.operations(20_000) {
      let bytes = (0..<Int.random(in: 0..<24, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      guard let text = try? json(bytes) else { continue }
      let back = try item(text)
      #expect(try json(back) == json(item(json(back))))
      #expect(representation.isSame(bytes, back), "\(hex(bytes))")
    }
  }
}
