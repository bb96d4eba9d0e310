#if FoundationCodecs
  // The decoder for `Codable` types: it reads values where they lie in the bytes of the whole, and builds no tree.

  /// The decoder that a value gets.
  struct CBORDecoder: Decoder {
    let items: CBORItems
    let position: Int
    /// Nil for the value of a type, as most decoders have it. With it, a decoder still fits into Swift's box for one, without
    /// memory of its own.
    var context: CBORContext?
    var codingPath: [any CodingKey] { context?.path ?? [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// Returns the value of a whole.
    ///
    /// - Parameter names: Notes which fields are asked for.
    static func value<T: Decodable>(_: T.Type, _ items: CBORItems, noting names: CBORFieldNames? = nil) throws -> T {
      try items.checkEnd(items.skip(0))
      return try CBORDecoder(items: items, position: 0, context: names.map { CBORContext(names: $0, path: []) }).value()
    }

    /// The value at the position.
    func value<T: Decodable>(_ type: T.Type = T.self) throws -> T {
      if let known = try known(type) { return known }
      return try T(from: self)
    }

    func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
      do throws(DecodingFailure) {
        context?.names?.note(position, Key.self)
        return KeyedDecodingContainer(Fields<Key>(entries: try items.entries(position), context: context))
      } catch {
        throw items.error(error, [String: Any].self, position, codingPath)
      }
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
      do throws(DecodingFailure) {
        let (start, count) = try items.elements(position)
        return Elements(items: items, count: count, context: context, position: start)
      } catch {
        throw items.error(error, [Any].self, position, codingPath)
      }
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(decoder: self) }

    /// The entries of a map.
    private struct Fields<Key: CodingKey>: KeyedDecodingContainerProtocol {
      let entries: CBOREntries
      let context: CBORContext?
      var codingPath: [any CodingKey] { context?.path ?? [] }

      var allKeys: [Key] { entries.names.compactMap { Key(stringValue: $0) } }
      func contains(_ key: Key) -> Bool { entries.value(key.stringValue) != nil }

      private func position(_ key: any CodingKey) throws -> Int {
        if let value = entries.value(key.stringValue) { return value }
        throw DecodingError.keyNotFound(
          key, .init(codingPath: codingPath, debugDescription: "there is no field '\(key.stringValue)'"))
      }

      private func decoder(_ key: any CodingKey) throws -> CBORDecoder {
        CBORDecoder(items: entries.items, position: try position(key), context: CBORContext.within(context, key))
      }

      /// Reads a field; an error names it.
      private func field<T>(_ key: Key, _ read: (CBORItems, Int) throws -> T) throws -> T {
        let position = try position(key)
        do {
          return try read(entries.items, position)
        } catch {
          throw entries.items.error(error, T.self, position, codingPath + [key])
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
        try field(key) { try CBORDecoder(items: $0, position: $1, context: context?.ofValue).value() }
      }
      func decodeIfPresent<T: Decodable>(_: T.Type, forKey key: Key) throws -> T? {
        guard let value = entries.value(key.stringValue), try !entries.items.isNull(value) else { return nil }
        return try decode(T.self, forKey: key)
      }

      func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
      ) throws -> KeyedDecodingContainer<Nested> {
        try decoder(key).container(keyedBy: type)
      }
      func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
      }
      func superDecoder() throws -> any Decoder { try decoder(CBORIndex("super")) }
      func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
    }

    /// The elements of an array.
    private struct Elements: UnkeyedDecodingContainer {
      let items: CBORItems
      let count: Int?
      let context: CBORContext?
      var codingPath: [any CodingKey] { context?.path ?? [] }
      var position: Int
      var currentIndex = 0
      var isAtEnd: Bool { count.map { currentIndex >= $0 } ?? items.isEnd(position) }

      /// Reads the next element, and moves behind it; an error names its index.
      private mutating func next<T>(_ read: (CBORItems, Int) throws -> T) throws -> T {
        try checkNext(T.self)
        do {
          let value = try read(items, position)
          try advance()
          return value
        } catch {
          throw items.error(error, T.self, position, codingPath + [CBORIndex(currentIndex)])
        }
      }

      private func checkNext(_ type: Any.Type) throws {
        guard isAtEnd else { return }
        let path = codingPath + [CBORIndex(currentIndex)]
        throw DecodingError.valueNotFound(
          type, .init(codingPath: path, debugDescription: "there is no element \(currentIndex)"))
      }

      /// Opens a part of the next element, and moves behind it.
      private mutating func part<T>(_ open: (CBORDecoder) throws -> T) throws -> T {
        try checkNext(T.self)
        let context = CBORContext.within(context, CBORIndex(currentIndex))
        let part = try open(CBORDecoder(items: items, position: position, context: context))
        try advance()
        return part
      }

      private mutating func advance() throws {
        position = try items.skip(position)
        currentIndex += 1
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
        let context = context?.ofValue
        return try next { try CBORDecoder(items: $0, position: $1, context: context).value() }
      }

      mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
      ) throws -> KeyedDecodingContainer<Nested> {
        try part { try $0.container(keyedBy: type) }
      }
      mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try part { try $0.unkeyedContainer() }
      }
      mutating func superDecoder() throws -> any Decoder { try part { $0 } }
    }

    /// One value.
    private struct Single: SingleValueDecodingContainer {
      let decoder: CBORDecoder
      var codingPath: [any CodingKey] { decoder.codingPath }

      private func read<T>(_ read: (CBORItems, Int) throws -> T) throws -> T {
        do {
          return try read(decoder.items, decoder.position)
        } catch {
          throw decoder.items.error(error, T.self, decoder.position, codingPath)
        }
      }

      func decodeNil() -> Bool { (try? decoder.items.isNull(decoder.position)) ?? false }
      func decode(_: Bool.Type) throws -> Bool { try read { try $0.bool($1) } }
      func decode(_: String.Type) throws -> String { try read { try $0.text($1) } }
      func decode(_: Double.Type) throws -> Double { try read { try $0.number($1) } }
      func decode(_: Float.Type) throws -> Float { try read { try $0.single($1) } }
      func decode(_: Int.Type) throws -> Int { try read { try $0.integer($1) } }
      func decode(_: Int8.Type) throws -> Int8 { try read { try $0.integer($1) } }
      func decode(_: Int16.Type) throws -> Int16 { try read { try $0.integer($1) } }
      func decode(_: Int32.Type) throws -> Int32 { try read { try $0.integer($1) } }
      func decode(_: Int64.Type) throws -> Int64 { try read { try $0.integer($1) } }
      func decode(_: Int128.Type) throws -> Int128 { try read { try $0.integer($1) } }
      func decode(_: UInt.Type) throws -> UInt { try read { try $0.integer($1) } }
      func decode(_: UInt8.Type) throws -> UInt8 { try read { try $0.integer($1) } }
      func decode(_: UInt16.Type) throws -> UInt16 { try read { try $0.integer($1) } }
      func decode(_: UInt32.Type) throws -> UInt32 { try read { try $0.integer($1) } }
      func decode(_: UInt64.Type) throws -> UInt64 { try read { try $0.integer($1) } }
      func decode(_: UInt128.Type) throws -> UInt128 { try read { try $0.integer($1) } }
      func decode<T: Decodable>(_: T.Type) throws -> T {
        try read { try CBORDecoder(items: $0, position: $1, context: decoder.context?.ofValue).value() }
      }
    }
  }

  /// What a decoder or container has besides its place in the bytes.
  final class CBORContext {
    /// Notes which fields are asked for; nil unless a value is changed.
    let names: CBORFieldNames?
    /// The path from the value that a type decodes to the part of it for which it has a decoder or container of its own.
    let path: [any CodingKey]

    init(names: CBORFieldNames?, path: [any CodingKey]) {
      self.names = names
      self.path = path
    }

    /// The context of a part.
    static func within(_ context: CBORContext?, _ key: any CodingKey) -> CBORContext {
      CBORContext(names: context?.names, path: (context?.path ?? []) + [key])
    }

    /// The context of another type's value.
    var ofValue: CBORContext? { names.map { CBORContext(names: $0, path: []) } }
  }

  // MARK: Errors

  /// The index of an element, or the name of a superclass's container, in the path of an error.
  private struct CBORIndex: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ index: Int) {
      intValue = index
      stringValue = "\(index)"
    }
    init(_ name: String) {
      intValue = nil
      stringValue = name
    }
    init?(intValue: Int) { self.init(intValue) }
    init?(stringValue: String) { self.init(stringValue) }
  }

  extension CBORItems {
    /// An error as Swift's own decoders throw it, with the path to the value in which it occurred.
    fileprivate func error(
      _ error: any Error, _ type: Any.Type, _ position: Int, _ path: [any CodingKey]
    ) -> any Error {
      if let error = error as? DecodingError { return error.within(path) }
      guard let failure = error as? DecodingFailure else { return error }
      let context = DecodingError.Context(codingPath: path, debugDescription: failure.description)
      if (try? isNull(position)) ?? false { return DecodingError.valueNotFound(type, context) }
      return failure.isMismatch ? DecodingError.typeMismatch(type, context) : DecodingError.dataCorrupted(context)
    }
  }

  extension DecodingError {
    private var context: Context? {
      switch self {
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
        .dataCorrupted(let context):
        context
      @unknown default: nil
      }
    }

    /// The same error in a value that lies deeper.
    fileprivate func within(_ path: [any CodingKey]) -> DecodingError {
      func within(_ context: Context) -> Context {
        Context(
          codingPath: path + context.codingPath, debugDescription: context.debugDescription,
          underlyingError: context.underlyingError)
      }
      return switch self {
      case .typeMismatch(let type, let context): .typeMismatch(type, within(context))
      case .valueNotFound(let type, let context): .valueNotFound(type, within(context))
      case .keyNotFound(let key, let context): .keyNotFound(key, within(context))
      case .dataCorrupted(let context): .dataCorrupted(within(context))
      @unknown default: self
      }
    }

    /// The path and what is wrong: `'place.city': a text is expected`.
    var summary: String {
      guard let context else { return "\(self)" }
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? context.debugDescription : "'\(path)': \(context.debugDescription)"
    }
  }
#endif
