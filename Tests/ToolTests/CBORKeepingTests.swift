import Foundation
import LMDBShare
import LMDBShareOperations
import TestSupport
import Testing

/// What a change keeps of stored CBOR, in containers of every kind.
@Suite(.timeLimit(.minutes(20)))
struct CBORKeepingTests {
  /// A class and its superclass, with a container apart, and nested containers.
  class OldBase: Codable {
    var one = 1
    init() {}
    fileprivate enum Keys: String, CodingKey { case one }
    required init(from decoder: any Decoder) throws {
      one = try decoder.container(keyedBy: Keys.self).decode(Int.self, forKey: .one)
    }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(one, forKey: .one)
    }
  }
  final class OldDerived: OldBase, Storable, @unchecked Sendable {
    var two = 2
    override init() { super.init() }
    private enum Keys: String, CodingKey { case two, inner }
    private enum InnerKeys: String, CodingKey { case three }
    required init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Keys.self)
      two = try container.decode(Int.self, forKey: .two)
      try super.init(from: container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(two, forKey: .two)
      var inner = container.nestedContainer(keyedBy: InnerKeys.self, forKey: .inner)
      try inner.encode(3, forKey: .three)
      try super.encode(to: container.superEncoder())
    }
  }

  private func bytes<T: Codable & Storable>(_ value: T, changing json: String) throws -> String {
    let representation = try #require(Representations.known("cbor(T)"))
    let old = try representation.encode(argument: json)
    let changed = try CBORCodec<T>.withEncoded(value, in: 0, changing: old) { $0.copied() }
    var writer = JSONWriter()
    try withBytes(of: changed) { try representation.write($0, isKey: false, as: &writer) }
    return String(decoding: writer.out.bytes, as: UTF8.self)
  }

  /// A union without a tag: what it reads is known, although it writes something else.
  private enum Either: Codable, Storable {
    struct Left: Codable { var x = 1 }
    struct Right: Codable { var y = 2 }
    case left(Left), right(Right)
    init(from decoder: any Decoder) throws {
      self = try (try? Left(from: decoder)).map { .left($0) } ?? .right(Right(from: decoder))
    }
    func encode(to encoder: any Encoder) throws {
      switch self {
      case .left(let left): try left.encode(to: encoder)
      case .right(let right): try right.encode(to: encoder)
      }
    }
  }

  /// A part whose fields lie among those of the whole.
  private struct Flat: Codable, Storable {
    struct Place: Codable { var city: String }
    enum Keys: String, CodingKey { case name }
    var name = "b"
    var place: Place?
    init() {}
    init(from decoder: any Decoder) throws {
      name = try decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .name)
      place = try? Place(from: decoder)
    }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(name, forKey: .name)
      try place?.encode(to: encoder)
    }
  }

  @Test func whatATypeReadsIsItsOwn() throws {
    #expect(try bytes(Either.right(.init()), changing: #"{"x":5,"z":6}"#) == #"{"y":2,"z":6}"#)
    #expect(
      try bytes(Flat(), changing: #"{"city":"Oslo","name":"a","street":"Elm"}"#) == #"{"name":"b","street":"Elm"}"#)
    // What cannot be decoded has no meaning that could be kept.
    #expect(try bytes(Flat(), changing: #"{"city":"Oslo","street":"Elm"}"#) == #"{"name":"b"}"#)
  }

  /// Many fields that the type does not have, and keys that are no text.
  @Test func manyFieldsAreKeptInLinearTime() throws {
    var item: [UInt8] = []
    let names = ["name"] + (0..<400_000).map { "\(100_000 + $0)" }
    item.append(cbor: CBORMajor.map, UInt64(names.count + 1))
    for name in names {
      item.append(cborText: name)
      item.append(cborText: "")
    }
    // A text that is not UTF-8.
    item += [0x61, 0xFF, 0x00]
    let changed = try CBORCodec<Flat>.withEncoded(Flat(), in: 0, changing: item) { $0.copied() }
    #expect(changed.count == item.count + 1)
  }

  @Test func containersOfEveryKind() throws {
    #expect(
      try bytes(OldDerived(), changing: #"{"a":0,"inner":{"b":1,"three":0},"super":{"c":{"d":1},"one":5},"two":9}"#)
        == #"{"a":0,"two":2,"inner":{"b":1,"three":3},"super":{"c":{"d":1},"one":1}}"#)
    // Two containers of one value: what both do not know is kept.
    struct Two: Codable, Storable {
      enum First: String, CodingKey { case a }
      enum Second: String, CodingKey { case b }
      init() {}
      init(from decoder: any Decoder) throws {}
      func encode(to encoder: any Encoder) throws {
        var first = encoder.container(keyedBy: First.self)
        try first.encode(1, forKey: .a)
        var second = encoder.container(keyedBy: Second.self)
        try second.encodeNil(forKey: .b)
      }
    }
    #expect(try bytes(Two(), changing: #"{"a":5,"b":6,"c":7}"#) == #"{"a":1,"b":null,"c":7}"#)
    // Integers and other keys that are no texts.
    #expect(
      try bytes(Two(), changing: #"{"$map":[[5,"x"],["a",1],[{"$bytes":"AA=="},2]]}"#)
        == #"{"$map":[[5,"x"],[{"$bytes":"AA=="},2],["a",1],["b",null]]}"#)
    // A wrapper, an enumeration with payloads, and a dictionary.
    struct Wrapper: Codable, Storable {
      var two = Two()
      init() {}
      init(from decoder: any Decoder) throws {}
      func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(two)
      }
    }
    #expect(try bytes(Wrapper(), changing: #"{"c":7}"#) == #"{"a":1,"b":null,"c":7}"#)
    enum Shape: Codable, Storable { case circle(radius: Int), square }
    #expect(
      try bytes(Shape.circle(radius: 2), changing: #"{"circle":{"color":"red","radius":1}}"#)
        == #"{"circle":{"color":"red","radius":2}}"#)
    #expect(try bytes(Shape.square, changing: #"{"circle":{"color":"red","radius":1}}"#) == #"{"square":{}}"#)
    #expect(try bytes(["a": 1], changing: #"{"a":5,"b":6}"#) == #"{"a":1}"#)
    #expect(try bytes(Int(5), changing: #"{"a":5}"#) == "5")
    #expect(try bytes(Two(), changing: "[1]") == #"{"a":1,"b":null}"#)
  }
}
