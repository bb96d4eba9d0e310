import Foundation
import LMDBShare
import TestSupport
import Testing

/// What `Codable` types can say, in CBOR.
@Suite(.timeLimit(.minutes(20)))
struct CBORTypesTests {
  enum Colour: String, Codable, CodingKeyRepresentable { case red, green }
  enum Payload: Codable, Equatable {
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
  struct Pair<A: Codable & Equatable & Sendable, B: Codable & Equatable & Sendable>: Codable, Equatable {
    var a: A
    var b: B
  }

  struct Zoo: Codable, Storable, Equatable {
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
      func text() -> String { CBORDocument.text(&random) }
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
      let written = try CBORForm.bytes(zoo)
      let read = try CBORForm.value(Zoo.self, written)
      #expect(read == zoo)
      // A set is written in any order; maps in that of their keys.
      if zoo.set.count < 2 { #expect(try CBORForm.bytes(read) == written) }
    }
    for number in [Double.nan, .signalingNaN, Double(bitPattern: 0x7FF4_0000_0000_0001), -.zero, .infinity] {
      #expect(try CBORForm.value(Double.self, CBORForm.bytes(number)).bitPattern == number.bitPattern)
    }
    for bits in UInt16.min...UInt16.max {
      let number = try CBORForm.value(Double.self, [0xF9, UInt8(bits >> 8), UInt8(bits & 0xFF)])
      #expect(try CBORForm.bytes(number) == [0xF9, UInt8(bits >> 8), UInt8(bits & 0xFF)])
    }
    #expect(try CBORForm.value(Decimal.self, CBORForm.bytes(Decimal.nan)).isNaN)
    for decimal in [Decimal.greatestFiniteMagnitude, .leastFiniteMagnitude, .leastNonzeroMagnitude, 0] {
      #expect(try CBORForm.value(Decimal.self, CBORForm.bytes(decimal)) == decimal)
    }
    let dog = try CBORForm.value(Kennel.self, CBORForm.bytes(Kennel(dog: Dog("Rex")))).dog
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
      // The end is not told apart.
      self = (try? container.decode(Chain.self)).map { .next($0) } ?? .end
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
        guard let written = try? CBORForm.bytes(chain) else {
          refused += 1
          continue
        }
        // Read as nulls: the bytes are looked through as a whole before anything is decoded.
        do {
          _ = try CBORForm.value(Nothing.self, written)
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
    #expect(try CBORForm.value([Int: String].self, CBORForm.unhex("a2016161206162")) == [1: "a", -1: "b"])
    #expect(try CBORForm.value([String: Int].self, CBORForm.unhex("bf7f61616162ff010302ff")) == ["ab": 1, "3": 2])
  }

  @Test func taggedDatesAndDecimals() throws {
    #expect(try CBORForm.value(Date.self, CBORForm.unhex("d9d9f7c11a514b67b0")).timeIntervalSince1970 == 1363896240)
    #expect(throws: DecodingFailure.self) { try CBORForm.value(Date.self, CBORForm.unhex("d864194b67")) }
    #expect(try CBORForm.value(Decimal.self, CBORForm.unhex("d9d9f7c48221196ab3")) == Decimal(string: "273.15"))
    #expect(try CBORForm.value(Decimal.self, CBORForm.unhex("c49f21196ab3ff")) == Decimal(string: "273.15"))
    #expect(
      try CBORForm.value(Decimal.self, CBORForm.unhex("c249010000000000000000"))
        == Decimal(string: "18446744073709551616"))
    for text in ["c482187f0a", "f9fc00", "f97c00", "c48318210102", "d86401"] {
      #expect(throws: DecodingFailure.self, "\(text)") { try CBORForm.value(Decimal.self, CBORForm.unhex(text)) }
    }
    #expect(try CBORForm.value(Float.self, CBORForm.unhex("fb3fb999999999999a")) == 0.1)
  }

  @Test func keysOccurOnce() throws {
    for text in ["a2616101616102", "a201010102", "a3616101616202616103"] {
      #expect(throws: DecodingFailure.self, "\(text)") { try CBORForm.value([String: Int].self, CBORForm.unhex(text)) }
    }
    // Many integers as keys are found in linear time.
    let count = 200_000
    var document: [UInt8] = [0xBF]
    for key in 0..<count { document += [0x1A] + (0..<4).map { UInt8(truncatingIfNeeded: key >> (24 - 8 * $0)) } + [0] }
    document.append(0xFF)
    #expect(try CBORForm.value([Int: Int].self, document).count == count)
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
      #expect(try CBORForm.value(Braided.self, CBORForm.bytes(braided)) == braided)
    }
    #expect(throws: EncodingFailure.self) { try CBORForm.bytes(Twice()) }
    var nest = Nest(inner: [])
    for _ in 0..<100 { nest = Nest(inner: [nest]) }
    #expect(throws: Never.self) { try CBORForm.value(Nest.self, CBORForm.bytes(nest)) }
    for _ in 0..<100 { nest = Nest(inner: [nest]) }
    #expect(throws: EncodingFailure.self) { try CBORForm.bytes(nest) }
    do {
      _ = try CBORForm.value(Zoo.self, CBORForm.bytes(["id": ["x"]]))
      Issue.record("it was read")
    } catch let error as DecodingFailure {
      #expect(error.description.contains("'id': an array where an integer is expected"))
    }
  }

  /// A type that goes on after errors, as types do that accept several forms.
  private struct Tolerant: Codable, Storable {
    enum Key: CodingKey { case text, null, missing, list, large, nested }
    struct Inner: Codable { var number: Int }
    var found: [String] = []

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      func attempt(_ body: () throws -> Void) {
        do {
          try body()
          found.append("nothing")
        } catch DecodingError.typeMismatch(let type, let context) {
          found.append("mismatch \(type) \(context.codingPath.map(\.stringValue))")
        } catch DecodingError.valueNotFound(let type, let context) {
          found.append("no value \(type) \(context.codingPath.map(\.stringValue))")
        } catch DecodingError.keyNotFound(let key, let context) {
          found.append("no key \(key.stringValue) \(context.codingPath.map(\.stringValue))")
        } catch DecodingError.dataCorrupted(let context) {
          found.append("corrupted \(context.codingPath.map(\.stringValue))")
        } catch {
          found.append("\(error)")
        }
      }
      attempt { _ = try container.decode(Int.self, forKey: .text) }
      attempt { _ = try container.decode(Int.self, forKey: .null) }
      attempt { _ = try container.decode(Int.self, forKey: .missing) }
      attempt { _ = try container.decode([Int].self, forKey: .list) }
      attempt { _ = try container.decode(Int8.self, forKey: .large) }
      attempt { _ = try container.decode([Inner].self, forKey: .nested) }
      attempt { _ = try container.nestedUnkeyedContainer(forKey: .text) }
      attempt { _ = try container.superDecoder(forKey: .text).singleValueContainer().decode(Bool.self) }
      attempt {
        var list = try container.nestedUnkeyedContainer(forKey: .list)
        _ = try list.decode(Int.self)
        _ = try? list.decode(Int.self)
        _ = try list.decode(String.self)
        _ = try list.decode(String.self)
      }
    }
    func encode(to _: any Encoder) {}
  }

  @Test func errorsAreThoseThatTypesExpect() throws {
    let document: CBORDocument = .map([
      "text": .text("a"), "null": .null, "list": .array([.integer(1), .text("b")]), "large": .integer(300),
      "nested": .array([.map(["number": .integer(1)]), .map(["other": .null])]),
    ])
    let found = try CBORForm.value(Tolerant.self, CBORForm.bytes(document)).found
    #expect(
      found == [
        #"mismatch Int ["text"]"#, #"no value Int ["null"]"#, "no key missing []", #"mismatch Int ["list", "1"]"#,
        #"corrupted ["large"]"#, #"no key number ["nested", "1"]"#, #"mismatch Array<Any> ["text"]"#,
        #"mismatch Bool ["text"]"#, #"no value String ["list", "2"]"#,
      ])
  }
}
