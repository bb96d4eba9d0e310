#if FoundationCodecs
  // The decoder for `Codable` types: it reads values where they lie in the bytes of the whole, and builds no tree.

  /// The decoder that a value gets.
  struct CBORDecoder: Decoder {
    let items: CBORItems
    let position: Int
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// Returns the value of a whole.
    static func value<T: Decodable>(_: T.Type, _ items: CBORItems) throws -> T {
      guard try items.skip(0) == items.bytes.count else { throw DecodingFailure("more bytes after the value") }
      return try CBORDecoder(items: items, position: 0).value()
    }

    /// The value at the position.
    func value<T: Decodable>(_ type: T.Type = T.self) throws -> T {
      if let known = try known(type) { return known }
      return try T(from: self)
    }

    func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
      KeyedDecodingContainer(Fields<Key>(entries: try items.entries(position)))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
      let (start, count) = try items.elements(position)
      return Elements(items: items, count: count, position: start)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(decoder: self) }

    /// The entries of a map.
    private struct Fields<Key: CodingKey>: KeyedDecodingContainerProtocol {
      let entries: CBOREntries
      var codingPath: [any CodingKey] { [] }

      var allKeys: [Key] { entries.names.compactMap { Key(stringValue: $0) } }
      func contains(_ key: Key) -> Bool { entries.value(key.stringValue) != nil }

      private func decoder(_ key: String) throws -> CBORDecoder {
        guard let value = entries.value(key) else { throw CBORError("there is no field '\(key)'") }
        return CBORDecoder(items: entries.items, position: value)
      }

      /// Reads a field; an error names it.
      private func field<T>(_ key: Key, _ read: (CBORItems, Int) throws -> T) throws -> T {
        let decoder = try decoder(key.stringValue)
        do {
          return try read(decoder.items, decoder.position)
        } catch {
          throw CBORError(error, within: key.stringValue)
        }
      }

      func decodeNil(forKey key: Key) throws -> Bool { try field(key) { try $0.isNull($1) } }
      func decode(_: Bool.Type, forKey key: Key) throws -> Bool { try field(key) { try $0.bool($1) } }
      func decode(_: String.Type, forKey key: Key) throws -> String { try field(key) { try $0.text($1) } }
      func decode(_: Double.Type, forKey key: Key) throws -> Double { try field(key) { try $0.number($1) } }
      func decode(_: Float.Type, forKey key: Key) throws -> Float { try field(key) { try $0.single($1) } }
      func decode(_: Int.Type, forKey key: Key) throws -> Int { try field(key) { try $0.integer($1) } }
      func decode(_: Int8.Type, forKey key: Key) throws -> Int8 { try field(key) { try $0.integer($1) } }
      func decode(_: Int16.Type, forKey key: Key) throws -> Int16 { try field(key) { try $0.integer($1) } }
      func decode(_: Int32.Type, forKey key: Key) throws -> Int32 { try field(key) { try $0.integer($1) } }
      func decode(_: Int64.Type, forKey key: Key) throws -> Int64 { try field(key) { try $0.integer($1) } }
      func decode(_: Int128.Type, forKey key: Key) throws -> Int128 { try field(key) { try $0.integer($1) } }
      func decode(_: UInt.Type, forKey key: Key) throws -> UInt { try field(key) { try $0.integer($1) } }
      func decode(_: UInt8.Type, forKey key: Key) throws -> UInt8 { try field(key) { try $0.integer($1) } }
      func decode(_: UInt16.Type, forKey key: Key) throws -> UInt16 { try field(key) { try $0.integer($1) } }
      func decode(_: UInt32.Type, forKey key: Key) throws -> UInt32 { try field(key) { try $0.integer($1) } }
      func decode(_: UInt64.Type, forKey key: Key) throws -> UInt64 { try field(key) { try $0.integer($1) } }
      func decode(_: UInt128.Type, forKey key: Key) throws -> UInt128 { try field(key) { try $0.integer($1) } }
      func decode<T: Decodable>(_: T.Type, forKey key: Key) throws -> T {
        try field(key) { try CBORDecoder(items: $0, position: $1).value() }
      }
      func decodeIfPresent<T: Decodable>(_: T.Type, forKey key: Key) throws -> T? {
        guard let value = entries.value(key.stringValue), try !entries.items.isNull(value) else { return nil }
        return try decode(T.self, forKey: key)
      }

      func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
      ) throws -> KeyedDecodingContainer<Nested> { try decoder(key.stringValue).container(keyedBy: type) }
      func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key.stringValue).unkeyedContainer()
      }
      func superDecoder() throws -> any Decoder { try decoder("super") }
      func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key.stringValue) }
    }

    /// The elements of an array.
    private struct Elements: UnkeyedDecodingContainer {
      let items: CBORItems
      let count: Int?
      var position: Int
      var currentIndex = 0
      var codingPath: [any CodingKey] { [] }
      var isAtEnd: Bool { count.map { currentIndex >= $0 } ?? items.isEnd(position) }

      /// Reads the next element, and moves behind it; an error names its index.
      private mutating func next<T>(_ read: (CBORItems, Int) throws -> T) throws -> T {
        guard !isAtEnd else { throw CBORError("there is no element \(currentIndex)") }
        do {
          let value = try read(items, position)
          try advance()
          return value
        } catch {
          throw CBORError(error, within: "\(currentIndex)")
        }
      }

      private mutating func advance() throws {
        position = try items.skip(position)
        currentIndex += 1
      }

      private mutating func decoder() throws -> CBORDecoder {
        try next { CBORDecoder(items: $0, position: $1) }
      }

      mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, try items.isNull(position) else { return false }
        try advance()
        return true
      }
      mutating func decode(_: Bool.Type) throws -> Bool { try next { try $0.bool($1) } }
      mutating func decode(_: String.Type) throws -> String { try next { try $0.text($1) } }
      mutating func decode(_: Double.Type) throws -> Double { try next { try $0.number($1) } }
      mutating func decode(_: Float.Type) throws -> Float { try next { try $0.single($1) } }
      mutating func decode(_: Int.Type) throws -> Int { try next { try $0.integer($1) } }
      mutating func decode(_: Int8.Type) throws -> Int8 { try next { try $0.integer($1) } }
      mutating func decode(_: Int16.Type) throws -> Int16 { try next { try $0.integer($1) } }
      mutating func decode(_: Int32.Type) throws -> Int32 { try next { try $0.integer($1) } }
      mutating func decode(_: Int64.Type) throws -> Int64 { try next { try $0.integer($1) } }
      mutating func decode(_: Int128.Type) throws -> Int128 { try next { try $0.integer($1) } }
      mutating func decode(_: UInt.Type) throws -> UInt { try next { try $0.integer($1) } }
      mutating func decode(_: UInt8.Type) throws -> UInt8 { try next { try $0.integer($1) } }
      mutating func decode(_: UInt16.Type) throws -> UInt16 { try next { try $0.integer($1) } }
      mutating func decode(_: UInt32.Type) throws -> UInt32 { try next { try $0.integer($1) } }
      mutating func decode(_: UInt64.Type) throws -> UInt64 { try next { try $0.integer($1) } }
      mutating func decode(_: UInt128.Type) throws -> UInt128 { try next { try $0.integer($1) } }
      mutating func decode<T: Decodable>(_: T.Type) throws -> T {
        try next { try CBORDecoder(items: $0, position: $1).value() }
      }

      mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
      ) throws -> KeyedDecodingContainer<Nested> { try decoder().container(keyedBy: type) }
      mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try decoder().unkeyedContainer() }
      mutating func superDecoder() throws -> any Decoder { try decoder() }
    }

    /// One value.
    private struct Single: SingleValueDecodingContainer {
      let decoder: CBORDecoder
      var codingPath: [any CodingKey] { [] }

      func decodeNil() -> Bool { (try? decoder.items.isNull(decoder.position)) ?? false }
      func decode(_: Bool.Type) throws -> Bool { try decoder.items.bool(decoder.position) }
      func decode(_: String.Type) throws -> String { try decoder.items.text(decoder.position) }
      func decode(_: Double.Type) throws -> Double { try decoder.items.number(decoder.position) }
      func decode(_: Float.Type) throws -> Float { try decoder.items.single(decoder.position) }
      func decode(_: Int.Type) throws -> Int { try decoder.items.integer(decoder.position) }
      func decode(_: Int8.Type) throws -> Int8 { try decoder.items.integer(decoder.position) }
      func decode(_: Int16.Type) throws -> Int16 { try decoder.items.integer(decoder.position) }
      func decode(_: Int32.Type) throws -> Int32 { try decoder.items.integer(decoder.position) }
      func decode(_: Int64.Type) throws -> Int64 { try decoder.items.integer(decoder.position) }
      func decode(_: Int128.Type) throws -> Int128 { try decoder.items.integer(decoder.position) }
      func decode(_: UInt.Type) throws -> UInt { try decoder.items.integer(decoder.position) }
      func decode(_: UInt8.Type) throws -> UInt8 { try decoder.items.integer(decoder.position) }
      func decode(_: UInt16.Type) throws -> UInt16 { try decoder.items.integer(decoder.position) }
      func decode(_: UInt32.Type) throws -> UInt32 { try decoder.items.integer(decoder.position) }
      func decode(_: UInt64.Type) throws -> UInt64 { try decoder.items.integer(decoder.position) }
      func decode(_: UInt128.Type) throws -> UInt128 { try decoder.items.integer(decoder.position) }
      func decode<T: Decodable>(_: T.Type) throws -> T { try decoder.value() }
    }
  }

  /// An error within a value, with the fields that lead to it.
  struct CBORError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    init(_ error: any Error, within field: String) {
      if let error = error as? CBORError, error.description.first == "'" {
        description = "'\(field).\(error.description.dropFirst())"
      } else {
        description = "'\(field)': \(error)"
      }
    }
  }
#endif
