#if FoundationCodecs
  #if canImport(FoundationEssentials)
    internal import FoundationEssentials
  #else
    internal import Foundation
  #endif

  /// Decodes a value without data: every number is 0, every text empty, every optional nil, every collection empty and every
  /// enumeration its first case. So most `Codable` types have a placeholder for a value that cannot be decoded.
  struct PlaceholderDecoder: Decoder {
    /// More levels than any type needs that does not contain itself.
    private static let deepest = 64

    let depth: Int
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    /// The value; nil when the type rejects it.
    static func value<T: Decodable>(_ type: T.Type) -> T? { try? PlaceholderDecoder(depth: 0).make(type) }

    private struct Refusal: Error {}

    func make<T: Decodable>(_ type: T.Type) throws -> T {
      guard depth < Self.deepest else { throw Refusal() }
      if let known = Self.known(type) { return known }
      return try T(from: PlaceholderDecoder(depth: depth + 1))
    }

    /// Types that are decoded in a special way, or have cases.
    private static func known<T>(_ type: T.Type) -> T? {
      if let type = type as? any CaseIterable.Type { return firstCase(of: type) as? T }
      return switch type {
      case is Decimal.Type: Decimal(0) as? T
      case is URL.Type: URL(string: "about:blank") as? T
      case is UUID.Type: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)) as? T
      default: type is any RawRepresentable.Type ? LMDBShare.firstCase(of: type) : nil
      }
    }

    private static func firstCase<T: CaseIterable>(of _: T.Type) -> Any? { T.allCases.first }

    func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedDecodingContainer<Key> {
      KeyedDecodingContainer(Fields<Key>(decoder: self))
    }
    func unkeyedContainer() -> any UnkeyedDecodingContainer { Elements(decoder: self) }
    func singleValueContainer() -> any SingleValueDecodingContainer { Single(decoder: self) }

    private struct Fields<Key: CodingKey>: KeyedDecodingContainerProtocol {
      let decoder: PlaceholderDecoder
      let codingPath: [any CodingKey] = []
      /// The synthesized decoding of an enumeration expects one key, which names the case.
      let allKeys = LMDBShare.firstCase(of: Key.self).map { [$0] } ?? []

      func contains(_: Key) -> Bool { true }
      // Optional fields are checked with this.
      func decodeNil(forKey _: Key) -> Bool { true }
      func decode<T: Decodable>(_ type: T.Type, forKey _: Key) throws -> T { try decoder.make(type) }
      func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey _: Key
      ) -> KeyedDecodingContainer<Nested> { decoder.container(keyedBy: type) }
      func nestedUnkeyedContainer(forKey _: Key) -> any UnkeyedDecodingContainer { decoder.unkeyedContainer() }
      func superDecoder() -> any Decoder { decoder }
      func superDecoder(forKey _: Key) -> any Decoder { decoder }
    }

    private struct Elements: UnkeyedDecodingContainer {
      let decoder: PlaceholderDecoder
      let codingPath: [any CodingKey] = []
      let count: Int? = 0
      /// A collection is at its end immediately. A type that nevertheless asks for elements, a point of two numbers say, gets
      /// them.
      let isAtEnd = true
      var currentIndex = 0

      mutating func decodeNil() -> Bool { true }
      mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        currentIndex += 1
        guard currentIndex < 1 << 16 else { throw Refusal() }
        return try decoder.make(type)
      }
      mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
      ) -> KeyedDecodingContainer<Nested> { decoder.container(keyedBy: type) }
      mutating func nestedUnkeyedContainer() -> any UnkeyedDecodingContainer { decoder.unkeyedContainer() }
      mutating func superDecoder() -> any Decoder { decoder }
    }

    private struct Single: SingleValueDecodingContainer {
      let decoder: PlaceholderDecoder
      let codingPath: [any CodingKey] = []

      func decodeNil() -> Bool { true }
      func decode(_: Bool.Type) -> Bool { false }
      func decode(_: String.Type) -> String { "" }
      func decode(_: Double.Type) -> Double { 0 }
      func decode(_: Float.Type) -> Float { 0 }
      func decode(_: Int.Type) -> Int { 0 }
      func decode(_: Int8.Type) -> Int8 { 0 }
      func decode(_: Int16.Type) -> Int16 { 0 }
      func decode(_: Int32.Type) -> Int32 { 0 }
      func decode(_: Int64.Type) -> Int64 { 0 }
      func decode(_: Int128.Type) -> Int128 { 0 }
      func decode(_: UInt.Type) -> UInt { 0 }
      func decode(_: UInt8.Type) -> UInt8 { 0 }
      func decode(_: UInt16.Type) -> UInt16 { 0 }
      func decode(_: UInt32.Type) -> UInt32 { 0 }
      func decode(_: UInt64.Type) -> UInt64 { 0 }
      func decode(_: UInt128.Type) -> UInt128 { 0 }
      func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.make(type) }
    }
  }
#endif
