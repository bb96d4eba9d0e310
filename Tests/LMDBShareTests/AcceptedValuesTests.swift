import Foundation
import LMDBShare
import TestSupport
import Testing

/// A codec can read back every value that it accepts; all others are refused at the write.
@Suite(.timeLimit(.minutes(20)))
struct AcceptedValuesTests {
  struct Everything: Codable, Storable {
    var decimal: Decimal
    var decimals: [String: Decimal]
    var double: Double
    var float: Float
    var small: Int8
    var large: UInt64
    var huge: Int128
    var date: Date
    var url: URL?
    var data: Data
    var byNumber: [Int: String]
    var byDouble: [Double: Decimal?]
    var shape: UndecodableTests.Shape
    var text: String
    var maybe: Int??
    var nested: [[[String: Bool]]]
  }
  struct InJSON: JSONStored { var value: Everything }
  indirect enum Nest: Codable, Storable { case end, inner([Nest]) }

  /// Accepts only numbers that are not negative, but can be created from others, too.
  struct Careful: RawRepresentable, Storable, StorableKey {
    let rawValue: Int
    init?(rawValue: Int) {
      if rawValue < 0 { return nil }
      self.rawValue = rawValue
    }
    init(unchecked: Int) { rawValue = unchecked }
  }
  struct Nothing: BitwiseStorable, Equatable {}
  struct Odd: BitwiseStorable, Equatable {
    var a: Int64
    var b: Int8
  }
  /// Declares a size of two bytes, but writes any number of bytes.
  struct Loose: FixedSizeStorable, Equatable {
    var bytes: [UInt8]
    enum StorageCodec: Codec {
      static var identifier: String { "loose" }
      static var fixedByteCount: Int? { 2 }
      static func encode(_ value: Loose, into writer: inout ByteWriter) { writer.append(contentsOf: value.bytes) }
      static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Loose {
        var reader = ByteReader(bytes)
        return Loose(bytes: [try reader.byte(), try reader.byte()])
      }
    }
  }

  /// Returns whether the value was accepted; an accepted value must be read back unchanged.
  @discardableResult
  private func accepts<T: Storable>(_ value: T, comparing: Bool = true, _ location: SourceLocation = #_sourceLocation)
    -> Bool
  {
    do {
      let bytes = try T.StorageCodec.withEncoded(value) { $0.copied() }
      let back = try withBytes(of: bytes) { bytes in Result { try T.StorageCodec.decode(bytes) } }.get()
      if comparing {
        // Not all values can be compared, or even printed: an invalid date, for example.
        #expect(try T.StorageCodec.withEncoded(back) { $0.copied() } == bytes, sourceLocation: location)
      }
      return true
    } catch is EncodingFailure {
      return false
    } catch {
      Issue.record("\(T.self) accepted \(value), and does not read it: \(error)", sourceLocation: location)
      return true
    }
  }

  private static let decimals: [Decimal] = [
    .nan, 0, 1, -1, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, .leastNormalMagnitude,
    .pi,
    Decimal(string: "0.1")!, Decimal(sign: .plus, exponent: 127, significand: 9),
    Decimal(sign: .minus, exponent: -127, significand: 12345),
    Decimal(string: "123456789012345678901234567890.12345678")!,
  ]
  private static let doubles: [Double] = [
    0, -0.0, 1, .pi, .nan, .signalingNaN, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
    .leastNormalMagnitude, 1e21, 1e-7, 123456789.123456789, Double(1 << 53) + 1,
  ]
  private static let texts = [
    "", "NaN", "\"NaN\\", "\u{0}\u{1B}\n", "é😀\u{2028}\u{FEFF}", "{[", "\\", "a/b", "I'm Infinity",
  ]

  @Test func codableValues() throws {
    var random = SeededGenerator("codableValues")
    var (accepted, refused) = (0, 0)
    var isEachInCBOR = true
    for round in 0..<400 {
      func one<T>(_ values: [T]) -> T { values.randomElement(using: &random)! }
      let isTame = round % 2 == 0
      let double: [Double] = isTame ? [0, 1.5, -1e300] : Self.doubles
      let decimal: [Decimal] = isTame ? Array(Self.decimals.dropFirst()) : Self.decimals
      let decimals: [String: Decimal] = [one(Self.texts): one(decimal), "a": one(decimal)]
      let float: Float = one([0, 1.5, 3.4e38, .leastNonzeroMagnitude])
      let small: Int8 = one([.min, 0, .max])
      let large: UInt64 = one([0, .max, 1 << 53 + 1])
      let huge: Int128 = one([.min, 0, .max])
      let date: Date = one([.distantPast, .distantFuture, Date(timeIntervalSinceReferenceDate: one(double))])
      let relative = URL(string: "x", relativeTo: URL(string: "http://h/"))
      let url: URL? = one([nil, URL(string: "https://a.b/c?d=%20#e"), URL(fileURLWithPath: "/tmp/ä b"), relative])
      let data: Data = one([Data(), Data([0, 255]), Data(repeating: 7, count: 1000)])
      let byNumber: [Int: String] = [one([.min, 0, 7]): one(Self.texts)]
      let byDouble: [Double: Decimal?] = [one(double): one([nil, one(decimal)])]
      let shape: UndecodableTests.Shape = one([.circle(.max), .square(side: 0)])
      let maybe: Int?? = one([nil, 1])
      let nested: [[[String: Bool]]] = one([[], [[]], [[[:]]], [[[one(Self.texts): true]]]])
      let value = Everything(
        decimal: one(decimal), decimals: decimals, double: one(double), float: float, small: small, large: large,
        huge: huge, date: date, url: url, data: data, byNumber: byNumber, byDouble: byDouble, shape: shape,
        text: one(Self.texts), maybe: maybe, nested: nested)
      if accepts(InJSON(value: value), comparing: false) { accepted += 1 } else { refused += 1 }
      if !accepts(value, comparing: false) { isEachInCBOR = false }
    }
    #expect(accepted > 100 && refused > 20, "\(accepted) \(refused)")
    #expect(isEachInCBOR)
  }

  @Test func aDecimalThatIsNoNumberIsRefused() throws {
    struct Priced: JSONStored { var price: Decimal }
    let test = try TestStore()
    let prices = try test.store.list("prices", of: Priced.self)
    let value = try test.store.value("value", initial: Priced(price: 1))
    let named = try test.store.dictionary("named", of: String.self, Priced.self)
    let queue = try test.store.queue("queue", of: Priced.self)
    for body: () throws -> Void in [
      { try prices.append(Priced(price: .nan)) }, { try value.set(Priced(price: .nan)) },
      { try named.set(Priced(price: .nan), forKey: "NaN") }, { try queue.push(Priced(price: .nan)) },
    ] { #expect(code(body) == .unencodable) }
    // Code that continues gets the error at the end, and only one.
    #expect(
      code {
        try prices.write { prices in while prices.count < 5 { prices.append(Priced(price: .nan)) } }
      } == .unencodable)
    try named.set(Priced(price: 1), forKey: "NaN")
    #expect(try prices.isEmpty && value.get().price == 1 && queue.pop() == nil && named["NaN"]?.price == 1)
  }

  /// A type whose `init(from:)` rejects what its `encode(to:)` wrote.
  @Test func whatATypeDoesNotTakeBackIsRefused() throws {
    struct Even: Codable, Storable {
      var number: Int
      init(_ number: Int) { self.number = number }
      init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int.self)
        guard number.isMultiple(of: 2) else {
          throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "odd"))
        }
      }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
      }
    }
    let test = try TestStore()
    let list = try test.store.list("list", of: Even.self)
    try list.append(Even(2))
    #expect(code { try list.append(Even(3)) } == .unencodable)
    #expect(code { try list.append(contentsOf: [Even(4), Even(5)]) } == .unencodable)
    #expect(try list.read { $0.map(\.number) } == [2])
    struct Pair: Codable, Storable { var a: Even, b: [Even] }
    #expect(accepts(Pair(a: Even(0), b: [Even(2)])) && !accepts(Pair(a: Even(0), b: [Even(1)])))
  }

  /// As deep as the decoder supports, and no deeper.
  @Test func nesting() throws {
    var nest = Nest.end
    var (accepted, refused) = (0, 0)
    for _ in 0..<300 {
      nest = .inner([nest])
      if accepts(nest, comparing: false) { accepted += 1 } else { refused += 1 }
    }
    #expect(accepted > 80 && refused > 20, "\(accepted) \(refused)")
    struct Deep: Codable, Storable {
      var depth: Int
      init(_ depth: Int) { self.depth = depth }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        if depth > 1 { try container.encode(Deep(depth - 1)) }
      }
      init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        depth = try container.isAtEnd ? 1 : container.decode(Deep.self).depth + 1
      }
    }
    struct DeepInJSON: JSONStored {
      var deep: Deep
      init(_ depth: Int) { deep = Deep(depth) }
      func encode(to encoder: any Encoder) throws { try deep.encode(to: encoder) }
      init(from decoder: any Decoder) throws { deep = try Deep(from: decoder) }
    }
    #expect((250..<270).filter { accepts(Deep($0)) } == Array(250...256))
    let depths = (500..<520).filter { accepts(DeepInJSON($0)) }
    #expect(depths.first == 500 && depths.count < 20 && depths == Array(500..<500 + depths.count), "\(depths)")
  }

  @Test func otherCodecs() throws {
    for double in Self.doubles {
      #expect(accepts(double) && accepts(Float(double)) && accepts([double, double]) && accepts(Optional(double)))
      #expect(accepts(Date(timeIntervalSinceReferenceDate: double)))
      // Equal values are one key.
      let key = try Double.OrderedCodec.withEncoded(double) { $0.copied() }
      let back = try withBytes(of: key) { key in Result { try Double.OrderedCodec.decode(key) } }.get()
      #expect(back == double || back.isNaN && double.isNaN)
      #expect(try Double.OrderedCodec.withEncoded(back) { $0.copied() } == key)
    }
    for text in Self.texts {
      #expect(accepts(text) && accepts([text, text]) && accepts([[text], []]) && accepts(Optional([text])))
    }
    for value in [nil, .some(nil), .some(.some(nil)), 3] as [Int???] { #expect(accepts(value)) }
    #expect(accepts([UInt8]()) && accepts([[UInt8]]([[], [1]])) && accepts([Int?]([nil, 1])))
    #expect(accepts(Odd(a: .min, b: -1)) && accepts([Odd(a: 1, b: 2), Odd(a: 3, b: 4)]))
    #expect(!accepts([Nothing(), Nothing()]) && accepts([Nothing]()))
    #expect(accepts(Level.low) && accepts(Color.red))
    #expect(!accepts(Careful(unchecked: -1)) && accepts(Careful(unchecked: 1)))
    #expect(throws: EncodingFailure.self) { try Careful.OrderedCodec.withEncoded(Careful(unchecked: -1)) { _ in } }
    #expect(!accepts([Loose(bytes: [1])]))
  }

  /// A codec of fixed size that writes another size gets an error, and nothing is stored.
  @Test func sizesAreKept() throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: Loose.self)
    let array = try test.store.array("array", of: Loose.self, count: 3, repeating: Loose(bytes: [0, 0]))
    try list.append(contentsOf: [Loose(bytes: [1, 2]), Loose(bytes: [3, 4])])
    for bad in [Loose(bytes: []), Loose(bytes: [1]), Loose(bytes: [1, 2, 3]), Loose(bytes: [1, 2, 3, 4])] {
      for body: () throws -> Void in [
        { try list.append(bad) }, { try list.insert(bad, at: 0) }, { try list.insert(bad, at: 1) },
        { try list.set(bad, at: 1) },
        { try list.replaceSubrange(0..<1, with: [bad, bad, bad]) }, { try array.set(bad, at: 1) },
        { try array.fill(bad) },
      ] { #expect(code(body) == .unencodable) }
    }
    #expect(try list.read { Array($0) } == [Loose(bytes: [1, 2]), Loose(bytes: [3, 4])])
    #expect(try array.read { Array($0) } == [Loose](repeating: Loose(bytes: [0, 0]), count: 3))
  }

  /// Elements whose size in memory differs from their stride in an array.
  @Test func spansOfOddSizes() throws {
    let test = try TestStore()
    let odd = try test.store.array("odd", of: Odd.self, count: 1000, repeating: Odd(a: 1, b: 2))
    try odd.set(Odd(a: 5, b: 6), at: 501)
    try odd.read { contents in
      var sum = 0
      try contents.forEachSpan { span, _ in for index in span.indices { sum += Int(span[index].a) } }
      #expect(sum == 1004)
      #expect(try contents.withSpan(at: 501) { span, start in span[501 - start] } == Odd(a: 5, b: 6))
    }
  }
}
