import Foundation
import LMDBShare
import LMDBShareOperations
import LMDBShareTool
import TestSupport
import Testing

/// The tool's own knowledge of representations, compared with the library's codecs.
@Suite(.timeLimit(.minutes(20)))
struct RepresentationTests {
  /// A value is encoded by its codec, converted to JSON and back to the same bytes, and the JSON is as expected.
  private func same<C: Codec>(
    _ value: C.Value, _: C.Type, _ json: String?, isKey: Bool = false, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let bytes = try C.withEncoded(value) { $0.copied() }
    let representation = try #require(
      Representations.known(C.identifier), "\(C.identifier) is not known", sourceLocation: location)
    #expect(representation.identifier == C.identifier, sourceLocation: location)
    #expect(representation.fixedSize == C.fixedByteCount, sourceLocation: location)
    if let size = RepresentationTable.fixedSize(of: C.identifier) { #expect(size == bytes.count) }
    var writer = JSONWriter()
    try withBytes(of: bytes) { try representation.write($0, isKey: isKey, as: &writer) }
    let text = writer.out.bytes
    if let json { #expect(String(decoding: text, as: UTF8.self) == json, sourceLocation: location) }
    #expect(try encode(text, representation, isKey) == bytes, sourceLocation: location)
    // Other programs can read it as JSON, too.
    #expect(
      throws: Never.self, sourceLocation: location,
      performing: { try JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed) })
  }

  private func encode(_ json: [UInt8], _ representation: any Representation, _ isKey: Bool = false) throws -> [UInt8] {
    try withBytes(of: json) { bytes in
      var reader = JSONReader(bytes)
      var writer = ByteWriter()
      try representation.encode(&reader, isKey: isKey, into: &writer)
      try reader.end()
      return writer.finish()
    }
  }

  private func both<T: StorableKey>(_ value: T, _ json: String?, _ location: SourceLocation = #_sourceLocation) throws {
    try same(value, T.StorageCodec.self, json, location)
    try same(value, T.OrderedCodec.self, json, isKey: true, location)
  }

  @Test func numbersKeepEveryDigit() throws {
    try both(Int8.min, "-128")
    try both(UInt16.max, "65535")
    try both(Int32(-7), "-7")
    try both(Int64.max, "9223372036854775807")
    try both(Int64.min, "-9223372036854775808")
    try both(UInt64.max, "18446744073709551615")
    try both(Int128.min, "-170141183460469231731687303715884105728")
    try both(UInt128.max, "340282366920938463463374607431768211455")
    try both(0.1, "0.1")
    try both(Double.greatestFiniteMagnitude, nil)
    try both(Double.leastNonzeroMagnitude, "5e-324")
    try both(Float(0.1), "0.1")
    try both(Double.infinity, "\"inf\"")
    try same(-0.0, FloatCodec<Double>.self, "-0.0")
    try same(Double.nan, FloatCodec<Double>.self, "\"nan\"")
    try same(Double(bitPattern: 0xFFF8_0000_0000_0123), FloatCodec<Double>.self, "\"nan:fff8000000000123\"")
    try same(Float(bitPattern: 0x7FC0_0001), FloatCodec<Float>.self, "\"nan:7fc00001\"")
    try both(true, "true")
  }

  @Test func textNeverHoldsWhatMovesACursor() throws {
    try both("Zoë \u{1F600}", "\"Zoë \u{1F600}\"")
    try both(
      "\u{1B}[31m\u{7F}\u{85}\u{202E}\u{2028}\u{FEFF}\"\\\n", #""\u001b[31m\u007f\u0085\u202e\u2028\ufeff\"\\\n""#)
    try both("\u{E0001}", #""\udb40\udc01""#)
    try both([UInt8]([0, 255]), "\"AP8=\"")
  }

  @Test func datesAreTextToTheBit() throws {
    try both(Date(timeIntervalSinceReferenceDate: 0), "\"2001-01-01T00:00:00Z\"")
    try both(Date(timeIntervalSinceReferenceDate: -0.5), "\"2000-12-31T23:59:59.5Z\"")
    try both(Date(timeIntervalSince1970: 951_782_400), "\"2000-02-29T00:00:00Z\"")
    try both(Date(timeIntervalSinceReferenceDate: 1e300), "1e+300")
    try same(Date(timeIntervalSinceReferenceDate: -0.0), DateCodec<FloatCodec<Double>>.self, "-0.0")
    var random = SeededGenerator("datesAreTextToTheBit")
    let formatter = ISO8601DateFormatter()
    for _ in 0..<2000 {
      let seconds = Double.random(in: -6e10...2e11, using: &random)
      try both(Date(timeIntervalSinceReferenceDate: seconds), nil)
      let whole = Date(timeIntervalSinceReferenceDate: seconds.rounded())
      // Before 1582 Foundation uses the Julian calendar, unlike ISO 8601.
      if seconds < -1.3e10 { continue }
      try both(whole, "\"\(formatter.string(from: whole))\"")
    }
  }

  @Test func durationsDecimalsAndAddressesAreText() throws {
    try both(Duration.seconds(90), "\"90\"")
    try both(Duration.milliseconds(-1500), "\"-1.5\"")
    try both(Duration(attoseconds: 1), "\"0.000000000000000001\"")
    try both(Duration(attoseconds: .max), "\"170141183460469231731.687303715884105727\"")
    try both(Duration(attoseconds: .min), "\"-170141183460469231731.687303715884105728\"")
    try same(Decimal(string: "12.50")!, DecimalCodec.self, "\"12.5\"")
    try same(URL(string: "https://example.org/a")!, URLCodec.self, "\"https://example.org/a\"")
    // The text is kept, as it is.
    let decimal = Representations.named("decimal")
    for text in ["12.50", "1e3", "-0.0"] {
      #expect(try encode(Array("\"\(text)\"".utf8), decimal) == Array(text.utf8))
      var writer = JSONWriter()
      try withBytes(of: Array(text.utf8)) { try decimal.write($0, isKey: false, as: &writer) }
      #expect(String(decoding: writer.out.bytes, as: UTF8.self) == "\"\(text)\"")
    }
    let duration = Representations.named("duration")
    #expect(try encode(Array("1.5".utf8), duration) == duration.encode(argument: "1.5"))
    for text in ["", "-", ".5", "1.", "1.0000000000000000001", "170141183460469231732", "1e3", "x"] {
      #expect(throws: ValueProblem.self, "\(text)") { try duration.encode(argument: text) }
    }
    #expect(throws: ValueProblem.self) { try Representations.named("decimal").encode(argument: "1,5") }
  }

  @Test func dictionariesAndSetsAreArrays() throws {
    try same(["b": 2, "a": 1], [String: Int].StorageCodec.self, "[[\"a\",1],[\"b\",2]]")
    try same([2: ["x"], -1: []], [Int: [String]].StorageCodec.self, "[[-1,[]],[2,[\"x\"]]]")
    try same([3, 1], Set<Int>.StorageCodec.self, "[1,3]")
    try same(["", "é"], Set<String>.StorageCodec.self, "[\"\",\"é\"]")
    // In any order on the command line.
    let numbers = Representations.named("{i64}")
    #expect(try encode(Array("[3,1]".utf8), numbers) == encode(Array("[1,3]".utf8), numbers))
    #expect(throws: ValueProblem.self) { try encode(Array("[1,1]".utf8), numbers) }
    #expect(throws: ValueProblem.self) { try encode(Array("[[1]]".utf8), Representations.named("{i64:i64}")) }
    for text in ["{", "{}", "{string", "{string:}", "{[i64]}", "{i64:i64"] {
      #expect(Representations.known(text) == nil, "\(text)")
    }
  }

  @Test func whatHoldsOthers() throws {
    let uuid = try #require(UUID(uuidString: "01020304-0506-0708-090A-0B0C0D0E0F10"))
    try both(uuid, "\"01020304-0506-0708-090A-0B0C0D0E0F10\"")
    try both(Composite("Berlin", 2026), "[\"Berlin\",2026]")
    try both(Composite("a\0b", [UInt8]([0, 0, 1]), Composite(-1.5, true)), nil)
    try same([Int16]([1, -2]), [Int16].StorageCodec.self, "[1,-2]")
    try same([["a", nil], []], [[String?]].StorageCodec.self, "[[\"a\",null],[]]")
    try same(Int?.none, Int?.StorageCodec.self, "null")
    try same(5, Int?.StorageCodec.self, "5")
    // A value that may be null itself must be distinguished from null.
    try same(Int??.some(nil), Int??.StorageCodec.self, "[null]")
    try same(Int??.some(5), Int??.StorageCodec.self, "[5]")
    try same(Point(x: 1, y: 2), Point.StorageCodec.self, "\"AAAAAAAA8D8AAAAAAAAAQA==\"")
    try same(Job(path: "/a", tries: [1]), Job.StorageCodec.self, "{\"path\":\"/a\",\"tries\":[1]}")
    try same(Job(path: "/a", tries: [1]), Job?.StorageCodec.self, "[{\"path\":\"/a\",\"tries\":[1]}]")
  }

  private struct Point: BitwiseStorable { var x, y: Double }
  private struct Job: Codable, Storable, Equatable {
    var path: String
    var tries: [Int]
  }

  @Test func identifiersAreTakenApart() throws {
    for text in [
      "[[string?]]", "(string,(i64,u8))", "bits(Pair<A,B>,12)", "json((a: Int, b: Int))?", "{string:{i64}}", "i64??",
      String(repeating: "[", count: 90) + "i64" + String(repeating: "]", count: 90),
    ] {
      #expect(try #require(Representations.known(text)).identifier == text)
    }
    for text in [
      "", "i65", "[i64", "(i64", "point", "bits(x)", "bits(x,-1)", "i64 ", "?", "json(", "[]", "()", "(i64,)",
      String(repeating: "[", count: 1000), String(repeating: "{", count: 1000),
    ] {
      #expect(Representations.known(text) == nil, "\(text)")
      #expect(Representations.named(text).identifier == text)
    }
  }

  @Test func wrongTextIsRefused() {
    for (type, text) in [
      ("u8", "256"), ("u8", "-1"), ("i64", "9223372036854775808"), ("i64", "1.0"), ("i64", "1e3"), ("i64", "01"),
      ("bool", "1"), ("string", "5"), ("string", "\"a"), ("string", "\"\u{1}\""), ("string", "\"\\ud800\""),
      ("bytes", "\"%\""), ("uuid", "\"1\""), ("date", "\"2026-13-01\""), ("date", "\"2026-01-01T25:00\""),
      ("f64", "\"x\""), ("f64", "nan"), ("[u8]", "[1,]"), ("[u8]", "[1 2]"), ("(u8,u8)", "[1]"), ("(u8,u8)", "[1,2,3]"),
      ("u8?", "[1]"), ("u8??", "5"), ("bits(x,2)", "\"AA==\""), ("json(x)", "{\"a\":1"), ("json(x)", "{a:1}"),
      ("json(x)", String(repeating: "[", count: 2000)), ("i64", ""), ("i64", "1 2"),
    ] {
      #expect(throws: ValueProblem.self, "\(type) \(text)") {
        try encode(Array(text.utf8), Representations.named(type))
      }
    }
  }

  /// Any bytes in a file: no crash, and either a value that converts back, or an error.
  @Test func anyBytesAreDealtWith() throws {
    var random = SeededGenerator("anyBytesAreDealtWith")
    let types = [
      "i64", "i128", "f32", "f64", "bool", "uuid", "date", "string", "bytes", "i64?", "[i16]", "[[string?]]", "json(x)",
      "decimal", "url", "{i16}", "{string:i8}", "duration", "(string,i64)", "(bytes,(bool,string))", "bits(x,3)", "own",
    ]
    for round in 0..<20_000 {
      let representation = Representations.named(types[round % types.count])
      let isKey = round / types.count % 2 == 0
      let length = Int.random(in: 0..<24, using: &random)
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...(round % 3 == 0 ? 2 : 255), using: &random) }
      var writer = JSONWriter()
      do {
        try withBytes(of: bytes) { try representation.write($0, isKey: isKey, as: &writer) }
      } catch is DecodingFailure {
        continue
      }
      let again = try #require(
        try? encode(writer.out.bytes, representation, isKey),
        "\(representation) \(bytes) \(String(decoding: writer.out.bytes, as: UTF8.self))")
      // Keys have one NaN, and one zero.
      if isKey, ["f32", "f64", "date"].contains(representation.identifier) { continue }
      #expect(again == bytes, "\(representation) \(bytes)")
    }
  }
}
