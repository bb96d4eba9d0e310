#if FoundationCodecs
  // What a value sees when it is encoded: the encoder and its containers, which write into a `CBOREncoding`.

  /// The encoder that a value gets.
  struct CBOREncoder: Encoder {
    let encoding: CBOREncoding
    let frame: Int
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedEncodingContainer<Key> {
      encoding.begin(frame, fields: Key.self)
      return KeyedEncodingContainer(Fields<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
      encoding.begin(frame, isMap: false)
      return Values(encoder: self, isSingle: false)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Values(encoder: self, isSingle: true) }

    /// The entries of a map.
    private struct Fields<Key: CodingKey>: KeyedEncodingContainerProtocol {
      let encoder: CBOREncoder
      var codingPath: [any CodingKey] { [] }

      private func begin(_ key: Key) throws -> CBOREncoding {
        try encoder.encoding.beginEntry(encoder.frame, key.stringValue)
        return encoder.encoding
      }
      private func apart(_ key: String) -> CBOREncoder {
        CBOREncoder(encoding: encoder.encoding.beginApart(encoder.frame, key), frame: 0)
      }

      mutating func encodeNil(forKey key: Key) throws { try begin(key).writeNull() }
      mutating func encode(_ value: Bool, forKey key: Key) throws { try begin(key).write(value) }
      mutating func encode(_ value: String, forKey key: Key) throws { try begin(key).write(value) }
      mutating func encode(_ value: Double, forKey key: Key) throws { try begin(key).write(value) }
      mutating func encode(_ value: Float, forKey key: Key) throws { try begin(key).write(value) }
      mutating func encode(_ value: Int, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: Int8, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: Int16, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: Int32, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: Int64, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: Int128, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: UInt, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: UInt8, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: UInt16, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: UInt32, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: UInt64, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode(_ value: UInt128, forKey key: Key) throws { try begin(key).write(integer: value) }
      mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try begin(key).encode(value) }

      mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
      ) -> KeyedEncodingContainer<Nested> { apart(key.stringValue).container(keyedBy: type) }
      mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        apart(key.stringValue).unkeyedContainer()
      }
      mutating func superEncoder() -> any Encoder { apart("super") }
      mutating func superEncoder(forKey key: Key) -> any Encoder { apart(key.stringValue) }
    }

    /// The elements of an array, or one value.
    private struct Values: UnkeyedEncodingContainer, SingleValueEncodingContainer {
      let encoder: CBOREncoder
      let isSingle: Bool
      var codingPath: [any CodingKey] { [] }
      var count: Int { encoder.encoding.count(encoder.frame) }

      private func begin() throws -> CBOREncoding {
        if isSingle {
          try encoder.encoding.beginSingle(encoder.frame)
        } else {
          try encoder.encoding.beginElement(encoder.frame)
        }
        return encoder.encoding
      }
      private func apart() -> CBOREncoder {
        CBOREncoder(encoding: encoder.encoding.beginApart(encoder.frame, nil), frame: 0)
      }

      mutating func encodeNil() throws { try begin().writeNull() }
      mutating func encode(_ value: Bool) throws { try begin().write(value) }
      mutating func encode(_ value: String) throws { try begin().write(value) }
      mutating func encode(_ value: Double) throws { try begin().write(value) }
      mutating func encode(_ value: Float) throws { try begin().write(value) }
      mutating func encode(_ value: Int) throws { try begin().write(integer: value) }
      mutating func encode(_ value: Int8) throws { try begin().write(integer: value) }
      mutating func encode(_ value: Int16) throws { try begin().write(integer: value) }
      mutating func encode(_ value: Int32) throws { try begin().write(integer: value) }
      mutating func encode(_ value: Int64) throws { try begin().write(integer: value) }
      mutating func encode(_ value: Int128) throws { try begin().write(integer: value) }
      mutating func encode(_ value: UInt) throws { try begin().write(integer: value) }
      mutating func encode(_ value: UInt8) throws { try begin().write(integer: value) }
      mutating func encode(_ value: UInt16) throws { try begin().write(integer: value) }
      mutating func encode(_ value: UInt32) throws { try begin().write(integer: value) }
      mutating func encode(_ value: UInt64) throws { try begin().write(integer: value) }
      mutating func encode(_ value: UInt128) throws { try begin().write(integer: value) }
      mutating func encode<T: Encodable>(_ value: T) throws { try begin().encode(value) }

      mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        apart().container(keyedBy: type)
      }
      mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { apart().unkeyedContainer() }
      mutating func superEncoder() -> any Encoder { apart() }
    }
  }
#endif
