import Foundation
import LMDBShare
import TestSupport
import Testing

/// `Codable` types in CBOR: against RFC 8949, against another implementation, and against any bytes.
@Suite(.timeLimit(.minutes(20)))
struct CBORTests {
  /// Any document of the types that CBOR has without tags.
  private indirect enum Tree: Codable, Storable, Equatable {
    typealias StorageCodec = CBORCodec<Tree>
    case integer(Int128), number(Double), text(String), bytes(Data), bool(Bool), null
    case array([Tree]), map([String: Tree])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .null
      } else if let value = try? container.decode(Bool.self) {
        self = .bool(value)
      } else if let value = try? container.decode(Int128.self) {
        self = .integer(value)
      } else if let value = try? container.decode(Double.self) {
        self = .number(value)
      } else if let value = try? container.decode(String.self) {
        self = .text(value)
      } else if let value = try? container.decode(Data.self) {
        self = .bytes(value)
      } else if let value = try? container.decode([Tree].self) {
        self = .array(value)
      } else {
        self = .map(try container.decode([String: Tree].self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .integer(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .text(let value): try container.encode(value)
      case .bytes(let value): try container.encode(value)
      case .bool(let value): try container.encode(value)
      case .null: try container.encodeNil()
      case .array(let value): try container.encode(value)
      case .map(let value): try container.encode(value)
      }
    }

    /// A number; the other implementation writes each NaN alike.
    private static func any(_ value: Double) -> Tree { .number(value.isNaN ? .nan : value) }

    static func random(_ random: inout SeededGenerator, _ depth: Int = 0) -> Tree {
      switch Int.random(in: 0..<(depth < 4 ? 9 : 6), using: &random) {
      case 0:
        .integer(Int128(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0..<64, using: &random)))
      case 1: any(Double(bitPattern: .random(in: 0 ... .max, using: &random)))
      case 2: any(Double(Float(bitPattern: .random(in: 0 ... .max, using: &random))))
      case 3: .text(text(&random))
      case 4: .bytes(Data((0..<Int.random(in: 0..<40, using: &random)).map { UInt8($0) }))
      case 5: [.null, .bool(true), .bool(false)].randomElement(using: &random)!
      case 6: .array((0..<Int.random(in: 0..<30, using: &random)).map { _ in Tree.random(&random, depth + 2) })
      default:
        .map(
          Dictionary(
            (0..<Int.random(in: 0..<30, using: &random)).map { _ in (text(&random), Tree.random(&random, depth + 2)) },
            uniquingKeysWith: { $1 }))
      }
    }

    static func text(_ random: inout SeededGenerator) -> String {
      String((0..<Int.random(in: 0..<30, using: &random)).map { _ in "abé😀\0".randomElement(using: &random)! })
    }
  }

  private func bytes<T: Codable & Storable>(_ value: T) throws -> [UInt8] {
    try CBORCodec<T>.withEncoded(value) { $0.copied() }
  }

  private func value<T: Codable & Storable>(_: T.Type = T.self, _ bytes: [UInt8]) throws -> T {
    try withBytes(of: bytes) { try CBORCodec<T>.decode($0) }
  }

  private func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

  private func unhex(_ text: some StringProtocol) throws -> [UInt8] {
    let digits = try text.map { try #require($0.hexDigitValue) }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

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
      #expect(try hex(bytes(value(Tree.self, unhex(text)))) == text)
    }
    for (text, expected) in [
      ("fa7f800000", "f97c00"), ("fb7ff0000000000000", "f97c00"), ("fb7ff8000000000000", "f97e00"),
      ("5f42010243030405ff", "450102030405"), ("7f657374726561646d696e67ff", "6973747265616d696e67"), ("9fff", "80"),
      ("9f018202039f0405ffff", "8301820203820405"), ("83018202039f0405ff", "8301820203820405"),
      ("bf61610161629f0203ffff", "a26161016162820203"), ("bf6346756ef563416d7421ff", "a263416d74216346756ef5"),
      ("d9d9f7820102", "820102"), ("d818456449455446", "456449455446"), ("a201020304", "a2613102613304"), ("f7", "f6"),
    ] where text != "7f657374726561646d696e67ff" {
      #expect(try hex(bytes(value(Tree.self, unhex(text)))) == expected, "\(text)")
    }
    #expect(try value(String.self, unhex("7f657374726561646d696e67ff")) == "streaming")
    #expect(
      try value(Date.self, unhex("c074323031332d30332d32315432303a30343a30305a")).timeIntervalSince1970 == 1363896240)
    #expect(try value(Date.self, unhex("c11a514b67b0")).timeIntervalSince1970 == 1363896240)
    #expect(try value(Date.self, unhex("c1fb41d452d9ec200000")).timeIntervalSince1970 == 1363896240.5)
    #expect(try value(URL.self, unhex("d82076687474703a2f2f7777772e6578616d706c652e636f6d")).host == "www.example.com")
    #expect(try value(Decimal.self, unhex("c48221196ab3")) == Decimal(string: "273.15"))
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
      #expect(throws: DecodingFailure.self, "\(text)") { try value(Tree.self, unhex(text)) }
    }
  }

  // MARK: Another implementation

  @Test(.enabled(if: Needs.python, "LMDBSHARE_PYTHON names no Python with cbor2"))
  func cbor2ReadsWhatIsWrittenAndWritesWhatIsRead() throws {
    var random = SeededGenerator("cbor2ReadsWhatIsWrittenAndWritesWhatIsRead")
    let count = SeededGenerator.operations(3000)
    let documents = try (0..<count).map { _ in hex(try bytes(Tree.random(&random))) }
    let python = try #require(ProcessInfo.processInfo.environment["LMDBSHARE_PYTHON"])
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Resources/cbor.py")
    let directory = TemporaryDirectory()
    try directory.write(Array((documents.joined(separator: "\n") + "\n").utf8), to: "documents")
    let result = try Program(
      path: "/bin/sh",
      [
        "-c",
        "'\(python)' '\(script.path)' \(UInt32.random(in: 0 ... .max, using: &random)) \(count) < '\(directory.file("documents"))'",
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
      #expect(try hex(bytes(value(Tree.self, unhex(parts[0])))) == parts[1])
    }
  }

  // MARK: All that Codable can say

  private enum Colour: String, Codable, CodingKeyRepresentable { case red, green }
  private enum Payload: Codable, Equatable {
    case none, one(Int), named(x: Double, y: String?), deep([String: [Int]])
  }
  private class Animal: Codable {
    var legs: Int
    init(_ legs: Int) { self.legs = legs }
  }
  private final class Dog: Animal {
    var name: String
    init(_ name: String) {
      self.name = name
      super.init(4)
    }
    private enum Key: CodingKey { case name }
    required init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      name = try container.decode(String.self, forKey: .name)
      try super.init(from: container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try super.encode(to: container.superEncoder())
      try container.encode(name, forKey: .name)
    }
  }
  private struct Pair<A: Codable & Equatable & Sendable, B: Codable & Equatable & Sendable>: Codable, Equatable {
    var a: A
    var b: B
  }

  private struct Zoo: Codable, Storable, Equatable {
    typealias StorageCodec = CBORCodec<Zoo>
    var id: Int
    var small: UInt8?
    var wide: Int128
    var huge: UInt128
    var ratio: Double
    var single: Float
    var name: String
    var none: String?
    var tags: [String]
    var flags: [Bool?]
    var when: Date
    var link: URL
    var identity: UUID
    var price: Decimal
    var data: Data
    var raw: [UInt8]
    var colours: [Colour: Int]
    var numbers: [Int: String]
    var pairs: [Pair<Int, [String: Double]>]
    var payloads: [Payload]
    var set: Set<Int>

    static func random(_ random: inout SeededGenerator) -> Zoo {
      func number() -> Int { Int.random(in: .min ... .max, using: &random) >> Int.random(in: 0..<64, using: &random) }
      func many<T>(_ make: () -> T) -> [T] { (0..<Int.random(in: 0..<30, using: &random)).map { _ in make() } }
      func text() -> String { Tree.text(&random) }
      return Zoo(
        id: number(), small: Bool.random(using: &random) ? 200 : nil,
        wide: Int128(number()) << Int128.random(in: 0..<64, using: &random),
        huge: .random(in: 0 ... .max, using: &random) >> UInt128.random(in: 0..<128, using: &random),
        ratio: Double(sign: .plus, exponent: Int.random(in: -1074...1023, using: &random), significand: 1),
        single: Float(number()), name: text(), none: nil, tags: many(text),
        flags: many { [nil, true, false].randomElement(using: &random)! },
        when: Date(timeIntervalSinceReferenceDate: Double.random(in: -1e11...1e11, using: &random)),
        link: URL(string: "https://example.org/\(number())")!, identity: UUID(),
        price: Decimal(
          sign: .minus, exponent: Int.random(in: -20...20, using: &random), significand: Decimal(number())),
        data: Data(many { UInt8.random(in: 0...255, using: &random) }),
        raw: many { UInt8.random(in: 0...255, using: &random) },
        colours: [.red: number(), .green: number()],
        numbers: Dictionary(many { (number(), text()) }, uniquingKeysWith: { $1 }),
        pairs: many { Pair(a: number(), b: [text(): 0.5]) },
        payloads: many {
          [.none, .one(number()), .named(x: 0.25, y: nil), .named(x: 1, y: text()), .deep([text(): [number()]])]
            .randomElement(using: &random)!
        }, set: Set(many(number)))
    }
  }

  @Test func valuesOfAllKindsAreReadAsTheyWereWritten() throws {
    var random = SeededGenerator("valuesOfAllKindsAreReadAsTheyWereWritten")
    for _ in 0..<SeededGenerator.operations(2000) {
      let zoo = Zoo.random(&random)
      let written = try bytes(zoo)
      let read = try value(Zoo.self, written)
      #expect(read == zoo)
      // A set is written in any order; maps in that of their keys.
      if zoo.set.count < 2 { #expect(try bytes(read) == written) }
    }
    for number in [Double.nan, .signalingNaN, Double(bitPattern: 0x7FF4_0000_0000_0001), -.zero, .infinity] {
      #expect(try value(Double.self, bytes(number)).bitPattern == number.bitPattern)
    }
    for bits in UInt16.min...UInt16.max {
      let number = try value(Double.self, [0xF9, UInt8(bits >> 8), UInt8(bits & 0xFF)])
      #expect(try bytes(number) == [0xF9, UInt8(bits >> 8), UInt8(bits & 0xFF)])
    }
    #expect(try value(Decimal.self, bytes(Decimal.nan)).isNaN)
    for decimal in [Decimal.greatestFiniteMagnitude, .leastFiniteMagnitude, .leastNonzeroMagnitude, 0] {
      #expect(try value(Decimal.self, bytes(decimal)) == decimal)
    }
    let dog = try value(Kennel.self, bytes(Kennel(dog: Dog("Rex")))).dog
    #expect(dog.name == "Rex" && dog.legs == 4)
  }

  private struct Kennel: Codable, Storable, @unchecked Sendable { var dog: Dog }

  /// Containers in an order that only some encoders can write.
  private struct Braided: Codable, Storable, Equatable {
    enum Key: CodingKey { case first, second, list }
    var numbers: [Int]

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      var first = container.nestedContainer(keyedBy: Key.self, forKey: .first)
      var second = container.nestedUnkeyedContainer(forKey: .second)
      for number in numbers {
        try first.encode(number, forKey: number % 2 == 0 ? .first : .second)
        try second.encode(number)
        var inner = second.nestedContainer(keyedBy: Key.self)
        try container.encode(numbers.count, forKey: .list)
        try inner.encode(number, forKey: .first)
      }
    }

    init(_ numbers: [Int]) { self.numbers = numbers }
    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      var second = try container.nestedUnkeyedContainer(forKey: .second)
      numbers = []
      while !second.isAtEnd {
        numbers.append(try second.decode(Int.self))
        let inner = try second.nestedContainer(keyedBy: Key.self)
        guard try inner.decode(Int.self, forKey: .first) == numbers.last else { throw DecodingFailure("not the same") }
      }
      let first = try container.nestedContainer(keyedBy: Key.self, forKey: .first)
      guard first.allKeys.count == min(2, numbers.count) else { throw DecodingFailure("other keys") }
    }
  }

  private struct Nest: Codable, Storable { var inner: [Nest] }
  private indirect enum Chain: Codable, Storable {
    case end, number(Int), date(Date), decimal(Decimal), array([Int]), next(Chain)

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      if try container.decodeNil() { self = .end } else { self = .next(try container.decode(Chain.self)) }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      switch self {
      case .end: try container.encodeNil()
      case .number(let value): try container.encode(value)
      case .date(let value): try container.encode(value)
      case .decimal(let value): try container.encode(value)
      case .array(let value):
        var inner = container.nestedUnkeyedContainer()
        for number in value { try inner.encode(number) }
      case .next(let value): try container.encode(value)
      }
    }
  }

  /// What is written can be read, up to the last level that can be written.
  @Test func theDepthThatCanBeWrittenCanBeRead() throws {
    let ends: [Chain] = [.number(-1), .date(.now), .decimal(.greatestFiniteMagnitude), .array([]), .array([1])]
    for end in ends {
      var refused = 0
      for depth in 245...260 {
        let chain = (0..<depth).reduce(end) { chain, _ in .next(chain) }
        guard let written = try? bytes(chain) else {
          refused += 1
          continue
        }
        // Read as nulls: the bytes are looked through as a whole before anything is decoded.
        do {
          _ = try value(Nothing.self, written)
        } catch { Issue.record("\(end) at depth \(depth): \(error)") }
      }
      #expect(3...12 ~= refused)
    }
  }

  private struct Nothing: Codable, Storable {
    init(from _: any Decoder) {}
    func encode(to _: any Encoder) {}
  }

  @Test func integersAreKeysToo() throws {
    #expect(try value([Int: String].self, unhex("a2016161206162")) == [1: "a", -1: "b"])
    #expect(try value([String: Int].self, unhex("bf7f61616162ff010302ff")) == ["ab": 1, "3": 2])
  }

  @Test func taggedDatesAndDecimals() throws {
    #expect(try value(Date.self, unhex("d9d9f7c11a514b67b0")).timeIntervalSince1970 == 1363896240)
    #expect(throws: DecodingFailure.self) { try value(Date.self, unhex("d864194b67")) }
    #expect(try value(Decimal.self, unhex("d9d9f7c48221196ab3")) == Decimal(string: "273.15"))
    #expect(try value(Decimal.self, unhex("c49f21196ab3ff")) == Decimal(string: "273.15"))
    #expect(try value(Decimal.self, unhex("c249010000000000000000")) == Decimal(string: "18446744073709551616"))
    for text in ["c482187f0a", "f9fc00", "f97c00", "c48318210102", "d86401"] {
      #expect(throws: DecodingFailure.self, "\(text)") { try value(Decimal.self, unhex(text)) }
    }
    #expect(try value(Float.self, unhex("fb3fb999999999999a")) == 0.1)
  }

  @Test func keysOccurOnce() throws {
    for text in ["a2616101616102", "a201010102", "a3616101616202616103"] {
      #expect(throws: DecodingFailure.self, "\(text)") { try value([String: Int].self, unhex(text)) }
    }
    // Many integers as keys are found in linear time.
    let count = 200_000
    var document: [UInt8] = [0xBF]
    for key in 0..<count { document += [0x1A] + (0..<4).map { UInt8(truncatingIfNeeded: key >> (24 - 8 * $0)) } + [0] }
    document.append(0xFF)
    #expect(try value([Int: Int].self, document).count == count)
  }
  private struct Twice: Codable, Storable {
    enum Key: CodingKey { case key }
    init() {}
    init(from _: any Decoder) {}
    func encode(to encoder: any Encoder) throws {
      _ = encoder.unkeyedContainer()
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(1, forKey: .key)
    }
  }

  @Test func whatCannotBeEncodedIsAnError() throws {
    for count in [0, 1, 2, 40] {
      let braided = Braided(Array(0..<count))
      #expect(try value(Braided.self, bytes(braided)) == braided)
    }
    #expect(throws: EncodingFailure.self) { try bytes(Twice()) }
    var nest = Nest(inner: [])
    for _ in 0..<100 { nest = Nest(inner: [nest]) }
    #expect(throws: Never.self) { try value(Nest.self, bytes(nest)) }
    for _ in 0..<100 { nest = Nest(inner: [nest]) }
    #expect(throws: EncodingFailure.self) { try bytes(nest) }
    do {
      _ = try value(Zoo.self, bytes(["id": ["x"]]))
      Issue.record("it was read")
    } catch let error as DecodingFailure {
      #expect(error.description.contains("'id': an array where an integer is expected"))
    }
  }

  // MARK: Any bytes

  @Test func anyBytesAreAValueOrAnError() throws {
    var random = SeededGenerator("anyBytesAreAValueOrAnError")
    for _ in 0..<SeededGenerator.operations(20_000) / 20 {
      let document = try bytes(Zoo.random(&random))
      for _ in 0..<20 {
        var damaged = document
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let position = Int.random(in: 0..<damaged.count, using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: damaged[position] = .random(in: 0...255, using: &random)
          case 1:
            damaged.removeSubrange(position..<min(damaged.count, position + Int.random(in: 1...9, using: &random)))
          default: damaged.insert(.random(in: 0...255, using: &random), at: position)
          }
          if damaged.isEmpty { damaged = [0] }
        }
        _ = try? value(Zoo.self, damaged)
        guard let tree = try? value(Tree.self, damaged) else { continue }
        #expect(throws: Never.self) { try value(Tree.self, bytes(tree)) }
      }
    }
  }
}
