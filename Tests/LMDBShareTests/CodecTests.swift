import Foundation
import LMDBShare
import TestSupport
import Testing

struct Job: Codable, Storable, Equatable {
  var path: String
  var tries: [Int]
}
enum Color: String, StorableKey { case red, green, blue }
enum Level: Int, Codable, StorableKey { case low = -1, middle, high }
struct Point: BitwiseStorable, Equatable { var x, y: Double }

@Suite(.timeLimit(.minutes(20)))
struct CodecTests {
  private func bytes<C: Codec>(_ codec: C.Type, _ value: C.Value) throws -> [UInt8] {
    var writer = ByteWriter()
    try codec.encode(value, into: &writer)
    let whole = writer.finish()
    // Both ways to encode give the same bytes.
    let other = try codec.withEncoded(value) { span in
      (0..<span.byteCount).map { span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    }
    #expect(whole == other)
    if let size = codec.fixedByteCount { #expect(whole.count == size) }
    return whole
  }

  private func roundTrip<T: Storable & Equatable>(_ values: [T]) throws {
    for value in values {
      let bytes = try bytes(T.StorageCodec.self, value)
      #expect(try T.StorageCodec.decode(bytes.span.bytes) == value)
    }
  }

  private func keyRoundTrip<K: StorableKey>(_ keys: [K]) throws {
    try roundTrip(keys)
    for key in keys {
      let bytes = try bytes(K.OrderedCodec.self, key)
      #expect(try K.OrderedCodec.decode(bytes.span.bytes) == key)
      // As a part of a longer key.
      let pair = Composite(key, 7, key)
      let composite = try self.bytes(Composite<K, Int, K>.OrderedCodec.self, pair)
      #expect(try Composite<K, Int, K>.OrderedCodec.decode(composite.span.bytes) == pair)
    }
  }

  @Test func roundTrips() throws {
    try keyRoundTrip([Int.min, -1, 0, 1, .max])
    try keyRoundTrip([Int8.min, -1, 0, .max])
    try keyRoundTrip([UInt16.min, 1, 256, .max])
    try keyRoundTrip([UInt64.min, .max])
    try keyRoundTrip([Int128.min, 0, .max])
    try keyRoundTrip([-Double.infinity, -1.5, 0, 0.1, .leastNonzeroMagnitude, .infinity])
    try keyRoundTrip([Float(0.25), -.greatestFiniteMagnitude])
    try keyRoundTrip([true, false])
    try keyRoundTrip(["", "a", "\0", "\0\0a\0", "é", "e\u{301}", "😀\0", String(repeating: "x", count: 1000)])
    try keyRoundTrip([[UInt8]](arrayLiteral: [], [0], [0, 0], [1, 0, 255], [255]))
    try keyRoundTrip([UUID(), UUID()])
    try keyRoundTrip([Date(), .distantPast, Date(timeIntervalSinceReferenceDate: 0.1)])
    try keyRoundTrip([Data(), Data([0, 1, 255])])
    try keyRoundTrip([Color.red, .green, .blue])
    try keyRoundTrip([Level.low, .high])
    try keyRoundTrip([Composite("a", 1), Composite("", -1), Composite("a\0", 0)])
    try roundTrip([nil, 5, -5] as [Int?])
    try roundTrip([nil, "", "x"] as [String?])
    try roundTrip([[], [1], [1, 2, 3]] as [[Int32]])
    try roundTrip([[], [""], ["a", "", "b"]] as [[String]])
    try roundTrip([[[1], []], []] as [[[UInt8]]])
    try roundTrip([[nil, 1]] as [[Int?]])
    try keyRoundTrip([
      .zero, .seconds(1), .nanoseconds(-5), Duration(attoseconds: .min), Duration(attoseconds: .max),
    ])
    try roundTrip([
      Decimal(0), -1.5, Decimal(string: "0.1")!, Decimal(sign: .minus, exponent: -100, significand: 7), 1 / 3,
    ])
    try roundTrip([Decimal.greatestFiniteMagnitude, .leastNonzeroMagnitude, .leastFiniteMagnitude])
    try roundTrip([
      URL(string: "https://example.org/a?b=c#d")!, URL(fileURLWithPath: "/tmp/ü ö"), URL(string: "mailto:a@b")!,
    ])
    try roundTrip([[:], ["a": 1], ["a": 1, "b": -1, "": 5]] as [[String: Int]])
    try roundTrip([[3: ["x": nil, "y": true]], [-1: [:]]] as [[Int: [String: Bool?]]])
    try roundTrip([[], [3, 1, 2]] as [Set<Int>])
    try roundTrip([[], ["", "b", "a\0"]] as [Set<String>])
    // Equal collections have equal bytes, in whatever order they were filled.
    var random = SeededGenerator("roundTrips")
    for _ in 0..<200 {
      let keys = (0..<Int.random(in: 0..<30, using: &random)).map { _ in Int.random(in: -50...50, using: &random) }
      let first = Dictionary(keys.map { ($0, "\($0)") }, uniquingKeysWith: { $1 })
      let second = Dictionary(keys.shuffled(using: &random).map { ($0, "\($0)") }, uniquingKeysWith: { $1 })
      #expect(try bytes([Int: String].StorageCodec.self, first) == bytes([Int: String].StorageCodec.self, second))
      #expect(
        try bytes(Set<Int>.StorageCodec.self, Set(keys)) == bytes(Set<Int>.StorageCodec.self, Set(keys.reversed())))
    }
    #expect(throws: EncodingFailure.self) { try bytes(DecimalCodec.self, .nan) }
    try roundTrip([Point(x: 1, y: -2)])
    try roundTrip([Job(path: "a/b", tries: [1, 2])])
    let (nan, minusZero) = (try bytes(Double.StorageCodec.self, .nan), try bytes(Double.StorageCodec.self, -0.0))
    #expect(try Double.StorageCodec.decode(nan.span.bytes).isNaN)
    #expect(try Double.StorageCodec.decode(minusZero.span.bytes).sign == .minus)
  }

  @Test func identifiers() {
    #expect(Int.StorageCodec.identifier == "i64" && UInt8.StorageCodec.identifier == "u8")
    #expect([UInt8].StorageCodec.identifier == "bytes" && Data.StorageCodec.identifier == "bytes")
    #expect([String?].StorageCodec.identifier == "[string?]")
    #expect(Job.StorageCodec.identifiers == ["cbor(Job)", "json(Job)"] && Color.StorageCodec.identifier == "string")
    #expect(Level.StorageCodec.identifier == "i64" && Point.StorageCodec.identifier == "bits(Point,16)")
    #expect(Composite<String, Int>.OrderedCodec.identifier == "(string,i64)")
  }

  /// The bytes of keys sort as `<` does.
  private func order<K: StorableKey & Comparable>(
    _ rounds: Int, _ random: inout SeededGenerator, _ make: (inout SeededGenerator) -> K
  ) throws {
    for _ in 0..<rounds {
      let (a, b) = (make(&random), make(&random))
      let (x, y) = (try bytes(K.OrderedCodec.self, a), try bytes(K.OrderedCodec.self, b))
      #expect(x.lexicographicallyPrecedes(y) == (a < b), "\(a) \(b)")
      #expect((x == y) == (a == b), "\(a) \(b)")
    }
  }

  @Test func keyOrder() throws {
    var random = SeededGenerator("keyOrder")
    let rounds = SeededGenerator.operations(100_000) / 20
    try order(rounds, &random) { Int.random(in: Bool.random(using: &$0) ? -3...3 : .min ... .max, using: &$0) }
    try order(rounds, &random) { Int16.random(in: .min ... .max, using: &$0) }
    try order(rounds, &random) { UInt32.random(in: .min ... .max, using: &$0) }
    try order(rounds, &random) { Int128.random(in: .min ... .max, using: &$0) }
    try order(rounds, &random) { random in
      let bits = UInt64.random(in: .min ... .max, using: &random)
      let value = Double(bitPattern: bits)
      return value.isNaN ? [0.0, -0.0, .infinity, -1, 1].randomElement(using: &random) ?? 0 : value
    }
    try order(rounds, &random) { Float(Int.random(in: -5...5, using: &$0)) / 2 }
    try order(rounds, &random) { Date(timeIntervalSinceReferenceDate: Double.random(in: -1e9...1e9, using: &$0)) }
    try order(rounds, &random) { random in
      var uuid = [UInt8](repeating: 0, count: 16)
      for index in uuid.indices { uuid[index] = UInt8.random(in: 0...3, using: &random) }
      return uuid.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
    // Strings in the same normalization sort as Swift sorts them.
    try order(rounds, &random) { random in
      (0..<Int.random(in: 0...4, using: &random)).map { _ in
        ["a", "b", "z", "ß", "中", "😀", "\0"].randomElement(using: &random) ?? ""
      }.joined()
    }
    func composite(_ random: inout SeededGenerator) -> Composite<String, Int> {
      Composite(
        ["", "a", "a\0", "a\0\0", "a\u{1}", "b"].randomElement(using: &random) ?? "",
        Int.random(in: -2...2, using: &random))
    }
    for _ in 0..<rounds {
      let (a, b) = (composite(&random), composite(&random))
      let isLess = a.parts.0 == b.parts.0 ? a.parts.1 < b.parts.1 : a.parts.0 < b.parts.0
      #expect((a < b) == isLess)
      let (x, y) = (try bytes(CompositeCodec<String, Int>.self, a), try bytes(CompositeCodec<String, Int>.self, b))
      #expect(x.lexicographicallyPrecedes(y) == isLess)
    }
    // Equal values are one key.
    #expect(try bytes(Double.OrderedCodec.self, 0.0) == bytes(Double.OrderedCodec.self, -0.0))
    #expect(try bytes(Double.OrderedCodec.self, .nan) == bytes(Double.OrderedCodec.self, -.nan))
  }

  /// Any bytes decode to a value or an error; a decoded value can be encoded again.
  private func total<C: Codec>(
    _ codec: C.Type, _ rounds: Int, _ random: inout SeededGenerator, isCanonical: Bool = true
  ) throws {
    for round in 0..<rounds {
      let length = Int.random(in: 0...Int.random(in: 0...40, using: &random), using: &random)
      var input = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      // Small numbers produce lengths and tags that nearly fit.
      if round % 2 == 0 { input = input.map { $0 & 3 } }
      guard let value = try? codec.decode(input.span.bytes) else { continue }
      if isCanonical { #expect(try bytes(codec, value) == input) } else { _ = try? bytes(codec, value) }
    }
  }

  @Test func decodingIsTotal() throws {
    var random = SeededGenerator("decodingIsTotal")
    let rounds = SeededGenerator.operations(100_000) * 2
    try total(Int.StorageCodec.self, rounds, &random)
    try total(Int.OrderedCodec.self, rounds, &random)
    try total(UInt8.StorageCodec.self, rounds, &random)
    try total(Double.StorageCodec.self, rounds, &random)
    try total(Double.OrderedCodec.self, rounds, &random, isCanonical: false)
    try total(BoolCodec.self, rounds, &random)
    try total(UTF8Codec.self, rounds, &random)
    try total(BytesKeyCodec.self, rounds, &random)
    try total([UInt8].StorageCodec.self, rounds, &random)
    try total([Int16].StorageCodec.self, rounds, &random)
    try total([String].StorageCodec.self, rounds, &random)
    try total([[String?]].StorageCodec.self, rounds, &random)
    try total(Int?.StorageCodec.self, rounds, &random)
    try total(Point.StorageCodec.self, rounds, &random)
    try total(Color.StorageCodec.self, rounds, &random)
    try total(Level.OrderedCodec.self, rounds, &random)
    try total(UUIDCodec.self, rounds, &random)
    try total(Date.StorageCodec.self, rounds, &random)
    try total(DataCodec.self, rounds, &random)
    try total(CompositeCodec<String, Int8, [UInt8]>.self, rounds, &random)
    try total(Duration.OrderedCodec.self, rounds, &random)
    try total(DecimalCodec.self, rounds / 10, &random, isCanonical: false)
    try total(URLCodec.self, rounds / 10, &random, isCanonical: false)
    try total([UInt8: String].StorageCodec.self, rounds, &random)
    try total([String: [Int16]].StorageCodec.self, rounds, &random)
    try total(Set<UInt8>.StorageCodec.self, rounds, &random)
    try total(Set<String>.StorageCodec.self, rounds, &random)
    try total(Job.StorageCodec.self, rounds / 20, &random, isCanonical: false)
    let deep = Array(String(repeating: "[", count: 200_000).utf8)
    #expect(throws: DecodingFailure.self) { _ = try Job.StorageCodec.decode(deep.span.bytes) }
  }

  // MARK: Stored values that do not match

  @Test func undecodableElementsAreNamed() throws {
    let test = try TestStore()
    let jobs = try test.store.list("jobs", of: Color.self)
    let raw = try test.store.dictionary("raw", of: String.self, Color.self)
    try jobs.append(contentsOf: [.red, .green, .blue])
    try raw.set(.red, forKey: "k")
    // The same bytes, written by a program for which they are plain text.
    let texts = try test.store.list("jobs", of: String.self)
    try texts.set("purple", at: 1)
    try test.store.dictionary("raw", of: String.self, String.self).set("mauve", forKey: "k")
    // An iteration ends, a lookup returns nil, and the transaction throws.
    var seen: [Color] = []
    do {
      try test.store.read { txn in
        for color in txn[jobs] { seen.append(color) }
        #expect(Array(txn[jobs]) == [.red])
        #expect(txn[raw]["k"] == nil)
      }
      Issue.record("read")
    } catch {
      let error = try #require(error as? StoreError)
      #expect(error.code == .undecodable && error.structure == "jobs" && error.reason.contains("index 1"), "\(error)")
    }
    #expect(seen == [.red])
    #expect(code { _ = try raw["k"] } == .undecodable)
    #expect(code { try raw.read { _ = try $0.value(forKey: "k") } } == .undecodable)
    #expect(code { _ = try jobs[1] } == .undecodable)
    #expect(try jobs[2] == .blue)
    #expect(code { try test.store.write { txn in _ = Array(txn[jobs]) } } == .undecodable)
  }

  @Test func valuesThatCannotBeEncodedUndoTheWrite() throws {
    struct Measure: JSONStored { var value: Double }
    let test = try TestStore()
    let list = try test.store.list("measures", of: Measure.self)
    try list.append(Measure(value: 1))
    #expect(code { try list.append(Measure(value: .nan)) } == .unencodable)
    #expect(
      code {
        try test.store.write { txn in
          txn[list].append(Measure(value: 2))
          txn[list][0] = Measure(value: .infinity)
        }
      } == .unencodable)
    #expect(try list.count == 1)
  }

  @Test func typesWithoutBytesAreRefused() throws {
    struct Nothing: BitwiseStorable {}
    let test = try TestStore()
    #expect(code { _ = try test.store.list("nothing", of: Nothing.self) } == .unencodable)
    #expect(code { _ = try test.store.array("nothing", of: Nothing.self, count: 3) } == .unencodable)
  }
}
