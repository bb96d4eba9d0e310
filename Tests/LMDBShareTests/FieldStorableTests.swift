import Foundation
import LMDBShare
import TestSupport
import Testing

/// Types that declare their fields: the same bytes as those of `Codable` types, and the same rules.
@Suite(.timeLimit(.minutes(20)))
struct FieldStorableTests {
  typealias Zoo = CBORTypesTests.Zoo

  enum State: String, FieldValue, Codable, CaseIterable { case ready, running, done }

  /// The same fields as `Zoo`, some by declared forms, and some by their coders.
  struct DeclaredZoo: FieldStorable, Equatable {
    static let storageTypeName = "Zoo"
    var zoo: Zoo

    static let storedFields = Fields(
      Self.make, Field("id", \.zoo.id), Field("small", \.zoo.small), Field("wide", \.zoo.wide),
      Field("huge", \.zoo.huge),
      Field("ratio", \.zoo.ratio), Field("single", \.zoo.single), Field("name", \.zoo.name), Field("none", \.zoo.none),
      Field("tags", \.zoo.tags), Field("flags", \.zoo.flags), Field("when", \.zoo.when), Field("link", \.zoo.link),
      Field("identity", \.zoo.identity), Field("price", \.zoo.price), Field("data", \.zoo.data),
      Field("raw", \.zoo.raw), Field("colours", codable: \.zoo.colours), Field("numbers", codable: \.zoo.numbers),
      Field("pairs", codable: \.zoo.pairs), Field("payloads", codable: \.zoo.payloads), Field("set", codable: \.zoo.set)
    )

    // swift-format-ignore
    @Sendable static func make(
      _ id: Int, _ small: UInt8?, _ wide: Int128, _ huge: UInt128, _ ratio: Double, _ single: Float, _ name: String,
      _ none: String?, _ tags: [String], _ flags: [Bool?], _ when: Date, _ link: URL, _ identity: UUID, _ price: Decimal,
      _ data: Data, _ raw: [UInt8], _ colours: [CBORTypesTests.Colour: Int], _ numbers: [Int: String],
      _ pairs: [CBORTypesTests.Pair<Int, [String: Double]>], _ payloads: [CBORTypesTests.Payload], _ set: Set<Int>
    ) -> DeclaredZoo {
      DeclaredZoo(
        zoo: Zoo(
          id: id, small: small, wide: wide, huge: huge, ratio: ratio, single: single, name: name, none: none, tags: tags,
          flags: flags, when: when, link: link, identity: identity, price: price, data: data, raw: raw,
          colours: colours, numbers: numbers, pairs: pairs, payloads: payloads, set: set))
    }
  }

  /// Nested types, more than 23 fields, and forms that only declared fields have.
  struct Wide: FieldStorable, Codable, Equatable {
    struct Part: FieldStorable, Codable, Equatable {
      var a: Int8
      var text: String?
      static let storedFields = Fields(Part.init, Field("a", \.a), Field("text", \.text))
    }
    var a: Int16, b: Int32, c: Int64, d: UInt, e: UInt16, f: UInt32, g: UInt64, h: Bool
    var part: Part, maybe: Part?, parts: [Part], named: [String: Part], grid: [[Int?]], state: State, states: [State?]
    var n1: Int?, n2: Int?, n3: Int?, n4: Int?, n5: Int?, n6: Int?, n7: Int?, n8: Int?, n9: Int?
    var deep: Int??
    var aVeryLongNameThatSharesItsFirstBytes: Int, aVeryLongNameThatSharesItsFirstBytez: Int

    static let storedFields = Fields(
      Wide.init, Field("a", \.a), Field("b", \.b), Field("c", \.c), Field("d", \.d), Field("e", \.e), Field("f", \.f),
      Field("g", \.g), Field("h", \.h), Field("part", \.part), Field("maybe", \.maybe), Field("parts", \.parts),
      Field("named", \.named), Field("grid", \.grid), Field("state", \.state), Field("states", \.states),
      Field("n1", \.n1), Field("n2", \.n2), Field("n3", \.n3), Field("n4", \.n4), Field("n5", \.n5), Field("n6", \.n6),
      Field("n7", \.n7), Field("n8", \.n8), Field("n9", \.n9), Field("deep", \.deep),
      Field("aVeryLongNameThatSharesItsFirstBytes", \.aVeryLongNameThatSharesItsFirstBytes),
      Field("aVeryLongNameThatSharesItsFirstBytez", \.aVeryLongNameThatSharesItsFirstBytez))

    static func random(_ random: inout SeededGenerator) -> Wide {
      func number<T: FixedWidthInteger>() -> T {
        T(truncatingIfNeeded: Int.random(in: .min ... .max, using: &random) >> Int.random(in: 0..<64, using: &random))
      }
      func maybe<T>(_ make: () -> T) -> T? { Bool.random(using: &random) ? make() : nil }
      func many<T>(_ make: () -> T) -> [T] { (0..<Int.random(in: 0..<30, using: &random)).map { _ in make() } }
      func part() -> Part { Part(a: number(), text: maybe { CBORDocument.text(&random) }) }
      return Wide(
        a: number(), b: number(), c: number(), d: number(), e: number(), f: number(), g: number(),
        h: .random(using: &random), part: part(), maybe: maybe(part), parts: many(part),
        named: Dictionary(many { (CBORDocument.text(&random), part()) }, uniquingKeysWith: { $1 }),
        grid: many { many { maybe(number) } }, state: State.allCases.randomElement(using: &random)!,
        states: many { State.allCases.randomElement(using: &random) }, n1: maybe(number), n2: maybe(number),
        n3: maybe(number), n4: maybe(number), n5: maybe(number), n6: maybe(number), n7: maybe(number),
        n8: maybe(number), n9: maybe(number), deep: maybe(number),
        aVeryLongNameThatSharesItsFirstBytes: number(), aVeryLongNameThatSharesItsFirstBytez: number())
    }
  }

  private static func bytes<T: FieldStorable>(_ value: T, changing old: [UInt8]? = nil) throws -> [UInt8] {
    try FieldCodec<T>.withEncoded(value, in: 0, changing: old) { $0.copied() }
  }
  private static func value<T: FieldStorable>(_: T.Type = T.self, _ bytes: [UInt8]) throws -> T {
    try withBytes(of: bytes) { try FieldCodec<T>.decode($0, in: 0) }
  }

  @Test func theBytesAreThoseOfCodable() throws {
    var random = SeededGenerator("theBytesAreThoseOfCodable")
    for _ in 0..<SeededGenerator.operations(2000) {
      let zoo = Zoo.random(&random)
      let written = try Self.bytes(DeclaredZoo(zoo: zoo))
      #expect(try written == CBORForm.bytes(zoo))
      #expect(try CBORForm.value(Zoo.self, written) == zoo)
      #expect(try Self.value(DeclaredZoo.self, written).zoo == zoo)
      let wide = Wide.random(&random)
      let bytes = try Self.bytes(wide)
      #expect(try bytes == CBORForm.bytes(Coded(wide: wide)))
      #expect(try Self.value(Wide.self, bytes) == wide)
    }
    for number in [Double.nan, .signalingNaN, -.zero, .infinity] {
      let read = try Self.value(Floats.self, Self.bytes(Floats(a: number, b: Float(number))))
      #expect(read.a.bitPattern == number.bitPattern && read.b.isNaN == number.isNaN)
    }
  }
  struct Floats: FieldStorable {
    var a: Double, b: Float
    static let storedFields = Fields(Floats.init, Field("a", \.a), Field("b", \.b))
  }
  /// `Wide` by its coder.
  struct Coded: Codable, Storable {
    var wide: Wide
    init(wide: Wide) { self.wide = wide }
    init(from decoder: any Decoder) throws { wide = try Wide(from: decoder) }
    func encode(to encoder: any Encoder) throws { try wide.encode(to: encoder) }
  }

  /// Any order of the keys, keys of other forms, arrays and maps of unknown length, unknown keys, and repeated ones.
  @Test func allFormsOfAMapAreRead() throws {
    typealias Part = Wide.Part
    let part = Part(a: 5, text: "x")
    for text in [
      "a261610564746578746178", "a264746578746178616105", "bf61610564746578746178ff", "bf64746578747f6178ff616105ff",
      "a27f6161ff0564746578746178", "a3616105617a8264f7f664746578746178".replacing("8264f7f6", with: "8201f6"),
      "a361610564746578746178647a7a7a7aa10102", "a278016161".replacing("78016161", with: "7801610564746578746178"),
      "a361610564746578746178" + "2081" + "00", "d9d9f7a261610564746578746178", "a3616105647465787461781864f5",
    ] {
      #expect(try Self.value(Part.self, CBORForm.unhex(text)) == part, "\(text)")
      #expect(throws: (any Error).self) { try Self.value(Part.self, CBORForm.unhex(text + "00")) }
    }
    #expect(try Self.value(Part.self, CBORForm.unhex("a16161387f")) == Part(a: -128, text: nil))
    #expect(try Self.value(Part.self, CBORForm.unhex("a261610564746578" + "74f6")) == Part(a: 5, text: nil))
    for (text, message) in [
      ("a0", "there is no field 'a'"), ("a1616118ff", "a: an integer that does not fit into Int8"),
      ("a161616178", "a: a text where an integer is expected"), ("a2616105616106", "the key 'a' is repeated"),
      ("a3616105617a00617a01", "the key 'z' is repeated"), ("a2616105647465787461", "0"),
      ("80", "an array where a map"),
      ("a261610564746578746" + "1ff", "UTF-8"), ("", "ends at byte 0"), ("bf616105", "middle of an item"),
      ("a161" + "6105" + "05", "more bytes after the value"),
    ] {
      let error = try #require(throws: DecodingFailure.self, "\(text)") {
        try Self.value(Part.self, CBORForm.unhex(text))
      }
      #expect(error.description.contains(message), "\(text): \(error)")
      #expect(error.description.contains("are not a Part in CBOR"))
    }
  }

  struct Initial: FieldStorable, Equatable {
    var a: Int
    var tries = 3
    var tags = ["new"]
    var due: Date? = Date(timeIntervalSince1970: 1)
    var colour = CBORTypesTests.Colour.green
    var payload: CBORTypesTests.Payload? = nil
    static let storedFields = Fields(
      Initial.init(a:tries:tags:due:colour:payload:), Field("a", \.a), Field("tries", \.tries, initially: 3),
      Field("tags", \.tags, initially: ["new"]), Field("due", \.due, initially: Date(timeIntervalSince1970: 1)),
      Field("colour", codable: \.colour, initially: .green), Field("payload", codable: \.payload, initially: .one(7)))
  }

  @Test func missingFieldsHaveTheirInitialValues() throws {
    let expected = Initial(a: 1, payload: .one(7))
    #expect(try Self.value(Initial.self, CBORForm.unhex("a1616101")) == expected)
    // Null is the initial value of what has no nil.
    var read = try Self.value(
      Initial.self,
      CBORForm.bytes(["a": 1, "tries": nil, "tags": nil, "due": nil, "colour": nil, "payload": nil] as Nulls))
    #expect(read.tries == 3 && read.tags == ["new"] && read.due == nil && read.colour == .green && read.payload == nil)
    // Nil of an optional with an initial value is kept.
    read.tags = []
    #expect(try Self.value(Initial.self, Self.bytes(read)) == read)
    #expect(FieldCodec<Initial>.placeholder == Initial(a: 0, payload: .one(7)))
    #expect(FieldCodec<Wide>.placeholder?.state == .ready)
  }
  typealias Nulls = NullsOf<[String: Int?]>
  struct NullsOf<T: Codable & Sendable>: Codable, Storable, ExpressibleByDictionaryLiteral {
    var values: [String: Int?]
    init(dictionaryLiteral elements: (String, Int?)...) { values = Dictionary(uniqueKeysWithValues: elements) }
    init(from decoder: any Decoder) throws { values = try [String: Int?](from: decoder) }
    func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
  }

  struct Even: FieldStorable {
    var number: Int
    struct Odd: Error {}
    init(number: Int) throws {
      guard number.isMultiple(of: 2) else { throw Odd() }
      self.number = number
    }
    static let storedFields = Fields(Even.init, Field("number", \.number))
  }
  struct Twice: FieldStorable {
    var a: Int, b: Int
    static let storedFields = Fields(Twice.init, Field("x", \.a), Field("x", \.b))
  }
  struct Tree: FieldStorable, Equatable {
    var children: [Tree]
    static let storedFields = Fields(Tree.init, Field("c", \.children))
  }
  /// Its form is none.
  struct Nothing: FieldValue {
    static func writeField(_: Nothing, into _: inout FieldWriter) {}
    static func readField(_: FieldReader) throws(DecodingFailure) -> Nothing { Nothing() }
  }
  struct Bad: FieldStorable {
    var nothing = Nothing()
    var number = 1
    static let storedFields = Fields(Bad.init, Field("nothing", \.nothing), Field("number", \.number))
  }
  /// It does not end its array, or ends it twice.
  struct Open: FieldValue {
    var isTwice = false
    static func writeField(_ value: Open, into writer: inout FieldWriter) throws(EncodingFailure) {
      try writer.begin(arrayOf: 2)
      writer.append(5)
      writer.append(value.isTwice)
      for _ in 0..<(value.isTwice ? 2 : 0) { writer.end() }
    }
    static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Open {
      var elements = try reader.elements()
      guard try elements.next()?.integer() == 5, let second = try elements.next() else {
        throw DecodingFailure("other")
      }
      return Open(isTwice: try second.bool())
    }
  }
  struct Opener: FieldStorable {
    var open: Open
    static let storedFields = Fields(Opener.init, Field("open", \.open))
  }
  /// A form of its own, without fields.
  struct Count: FieldValue, Storable, Equatable {
    typealias StorageCodec = FieldCodec<Count>
    var count: Int
    static func writeField(_ value: Count, into writer: inout FieldWriter) { writer.append(value.count) }
    static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Count { Count(count: try reader.integer()) }
  }

  /// Types with a form of their own: what they forget is noticed, and bytes are checked for them.
  @Test func formsOfTheirOwn() throws {
    for isTwice in [false, true] {
      for old in [nil, [0xA1, 0x61, 0x7A, 0x00]] as [[UInt8]?] {
        #expect(throws: EncodingFailure.self) { try Self.bytes(Opener(open: Open(isTwice: isTwice)), changing: old) }
      }
    }
    func count(_ bytes: [UInt8]) throws -> Count { try withBytes(of: bytes) { try FieldCodec<Count>.decode($0) } }
    #expect(try count([0x18, 0x64]) == Count(count: 100))
    #expect(try FieldCodec<Count>.withEncoded(Count(count: -1)) { $0.copied() } == [0x20])
    for bytes in [[1, 1], [], [0x61, 0x78]] as [[UInt8]] { #expect(throws: DecodingFailure.self) { try count(bytes) } }
    #expect(throws: DecodingFailure.self) { try count([UInt8](repeating: 0xC6, count: 1_000_000) + [1]) }
    let test = try TestStore()
    try test.store.list("counts", of: Count.self).append(Count(count: 3))
    #expect(try test.store.list("counts", of: Count.self)[0] == Count(count: 3))
  }

  struct Link: FieldStorable {
    var url: URL
    static let storedFields = Fields(Link.init, Field("url", \.url))
  }

  /// What could not be read again is refused when it is written.
  @Test func whatCannotBeReadIsNotWritten() throws {
    var even = try Even(number: 4)
    #expect(try Self.value(Even.self, Self.bytes(even)).number == 4)
    even.number = 3
    #expect(throws: EncodingFailure.self) { try Self.bytes([even][0]) }
    #expect(throws: DecodingFailure.self) { try Self.value(Even.self, [0xA1, 0x66] + "number".utf8 + [3]) }
    #expect(throws: EncodingFailure.self) { try Self.bytes(Bad()) }
    #expect(throws: EncodingFailure.self) { try Self.bytes(Twice(a: 1, b: 2)) }
    #expect(throws: DecodingFailure.self) { try Self.value(Twice.self, [0xA1, 0x61, 0x78, 1]) }
    let link = Link(url: try #require(URL(string: "https://example.org/ä?q=1")))
    #expect(try Self.value(Link.self, Self.bytes(link)).url.absoluteString == link.url.absoluteString)
    var tree = Tree(children: [])
    for depth in 2..<300 {
      tree = Tree(children: [tree])
      // Each level is a map and an array.
      if depth * 2 <= 256 {
        #expect(try Self.value(Tree.self, Self.bytes(tree)) == tree)
      } else {
        #expect(throws: EncodingFailure.self) { try Self.bytes(tree) }
      }
    }
    let test = try TestStore()
    #expect(code { _ = try test.store.list("bad", of: Bad.self).append(Bad()) } == .unencodable)
  }

  @Test(.timeLimit(.minutes(20))) func noBytesEndTheProcess() throws {
    var random = SeededGenerator("noBytesEndTheProcess")
    var readable = 0
    for round in 0..<SeededGenerator.operations(40_000) / 20 {
      let document =
        try round % 8 == 0 ? Self.bytes(DeclaredZoo(zoo: .random(&random))) : Self.bytes(Wide.random(&random))
      for _ in 0..<20 {
        let damaged = CBORForm.damaged(document, &random)
        if round % 8 == 0 {
          let zoo = (try? Self.value(DeclaredZoo.self, damaged))?.zoo
          let other = try? CBORForm.value(Zoo.self, damaged)
          // Numbers that are none are unequal to themselves, and sets have any order.
          #expect(zoo == other || zoo.map { "\($0)".count } == other.map { "\($0)".count })
        } else if let wide = try? Self.value(Wide.self, damaged) {
          readable += 1
          #expect(try Self.value(Wide.self, Self.bytes(wide)) == wide)
        }
      }
    }
    #expect(readable > 0)
  }

  /// Documents with unknown fields of any kind, changed again and again, against a model in memory.
  @Test func anyUnknownFieldIsKept() throws {
    var random = SeededGenerator("anyUnknownFieldIsKept")
    for _ in 0..<SeededGenerator.operations(100) {
      var entries: [String: CBORDocument] = [:]
      for _ in 0..<Int.random(in: 0..<12, using: &random) {
        entries[CBORDocument.text(&random)] = .random(&random)
      }
      entries["a"] = .integer(5)
      let old = try CBORForm.bytes(CBORDocument.map(entries))
      let changed = try Self.bytes(Wide.Part(a: 6, text: "new"), changing: old)
      entries["a"] = .integer(6)
      entries["text"] = .text("new")
      #expect(try changed == CBORForm.bytes(CBORDocument.map(entries)))
    }
  }
}
