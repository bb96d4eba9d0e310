#if FoundationCodecs
  #if canImport(FoundationEssentials)
    internal import FoundationEssentials
  #else
    internal import Foundation
  #endif

  /// Any `Codable` type in CBOR (RFC 8949), in its deterministic form: a type's fields are a map by their names, so that programs
  /// in other languages can read them. It is the codec of `Codable` types that declare none.
  ///
  ///     struct Job: Codable, Storable {
  ///       var path: String
  ///     }
  ///
  /// A value that is changed in place keeps the fields that its type does not have: see <doc:ChangingTypes>.
  ///
  /// A structure that has such elements as JSON, from before or of a program whose type is ``JSONStored``, is read and written as
  /// JSON.
  ///
  /// Dates have tag 1, or tag 0 when their seconds since 1970 are not exact; URLs tag 32, UUIDs tag 37, decimals tag 4. `Data`, and
  /// arrays of `UInt8`, are byte strings. Numbers keep all bits.
  ///
  /// Equal values have equal bytes if their type encodes them alike; a `Set`, and a dictionary whose keys are neither strings nor
  /// integers nor `CodingKeyRepresentable`, encodes its elements in any order.
  public enum CBORCodec<Value>: Sendable {}

  extension CBORCodec: Codec, MultiformCodec where Value: Codable & Storable {
    /// `cbor(name)`; `json(name)` is read and written, too.
    public static var identifiers: [String] { [name, JSONCodec<Value>.name] }
    static var name: String { "cbor(\(Value.storageTypeName))" }

    /// Appends the value in CBOR. It is decoded once, so that nothing is stored that could not be read again.
    ///
    /// - Throws: ``EncodingFailure`` when the value cannot be encoded, lies more than 256 levels deep, or is one that the type's own
    ///   `init(from:)` refuses.
    public static func encode(
      _ value: Value, in form: Int, into writer: inout ByteWriter
    ) throws(EncodingFailure) {
      if form == 0 { try write(value, into: &writer) } else { try JSONCodec.write(value, into: &writer) }
    }

    /// Decodes the value; from CBOR in any well-formed form.
    public static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Value {
      form == 0 ? try read(bytes) : try JSONCodec.read(bytes)
    }

    /// True.
    public static var keepsUnknownFields: Bool { true }

    /// Calls `body` with the bytes; in CBOR, with the fields of the changed bytes that the type does not have.
    public static func withEncoded<R>(
      _ value: Value, in form: Int, changing old: [UInt8]?, _ body: (RawSpan) -> R
    ) throws(EncodingFailure) -> R {
      guard form == 0 else { return try JSONCodec.withEncoded(value, in: 0, body) }
      return withBytes(of: try bytes(of: value, changing: old), body)
    }

    /// Calls `body` with the bytes.
    public static func withEncoded<R>(
      _ value: Value, in form: Int, _ body: (RawSpan) -> R
    ) throws(EncodingFailure) -> R { try withEncoded(value, in: form, changing: nil, body) }

    static func write(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure) {
      writer.append(contentsOf: try bytes(of: value, changing: nil))
    }

    private static func bytes(of value: Value, changing old: [UInt8]?) throws(EncodingFailure) -> [UInt8] {
      let bytes: [UInt8]
      do {
        bytes = try CBOREncoding.bytes(of: value, keeping: old.flatMap { CBORKeeping.make($0, Value.self) })
      } catch {
        throw EncodingFailure("\(Value.self) cannot be encoded: \(error)")
      }
      do {
        _ = try CBORDecoder.value(Value.self, CBORItems(bytes))
      } catch {
        throw EncodingFailure("\(Value.self) could not be read again: \(summary(error))")
      }
      return bytes
    }

    static func read(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
      do {
        return try CBORDecoder.value(Value.self, CBORItems(bytes))
      } catch {
        throw DecodingFailure("\(bytes.byteCount) bytes are not a \(Value.self) in CBOR: \(summary(error))")
      }
    }

    private static func summary(_ error: any Error) -> String { (error as? DecodingError)?.summary ?? "\(error)" }

    /// A value made of zeros, empty strings and nils.
    public static var placeholder: Value? { PlaceholderDecoder.value(Value.self) }
  }

  // MARK: Types with a form of their own

  extension CBOREncoding {
    /// Writes a value of a type that has a form of its own; returns false for others.
    func writeKnown<T: Encodable>(_ value: T) throws(EncodingFailure) -> Bool {
      if let value = same(value, as: String.self) {
        write(value)
      } else if let value = same(value, as: Int.self) {
        write(integer: value)
      } else if let value = same(value, as: Date.self) {
        write(value)
      } else if let value = same(value, as: Data.self) {
        write(bytes: value)
      } else if ObjectIdentifier(T.self) == CBORDecoder.arrayOfBytes {
        writeByteArray(value)
      } else if let value = same(value, as: UUID.self) {
        write(tag: CBORTag.uuid)
        write(bytes: withBytes(of: value.uuid) { $0.copied() })
      } else if let value = same(value, as: URL.self) {
        write(tag: CBORTag.address)
        write(value.absoluteString)
      } else if let value = same(value, as: Decimal.self) {
        try write(value)
      } else {
        return false
      }
      return true
    }

    /// Apart, since the metadata of its type would be looked up for all types.
    @inline(never)
    private func writeByteArray<T>(_ value: T) {
      if let value = same(value, as: [UInt8].self) { write(bytes: value) }
    }

    private static let between = CBORDecoder.between

    /// Seconds since 1970 if they are exact, else a text if that is, else seconds since 2001.
    private func write(_ date: Date) {
      let seconds = date.timeIntervalSinceReferenceDate
      let since1970 = seconds + Self.between
      if (since1970 - Self.between).bitPattern == seconds.bitPattern {
        write(tag: CBORTag.secondsSince1970)
        if let whole = Int64(exactly: since1970) { write(integer: whole) } else { write(since1970) }
      } else if let text = DateText.exact(seconds) {
        write(tag: CBORTag.dateText)
        write(text)
      } else {
        write(seconds)
      }
    }

    /// A mantissa and an exponent of ten.
    private func write(_ value: Decimal) throws(EncodingFailure) {
      guard !value.isNaN else { return write(Double.nan) }
      write(tag: CBORTag.decimal)
      write(arrayOf: 2)
      write(integer: value.exponent)
      write(magnitude: UInt128("\(value.significand)") ?? 0, isNegative: value.sign == .minus)
    }
  }

  extension CBORDecoder {
    /// The seconds from the beginning of 1970 to that of 2001.
    static let between = 978_307_200.0

    /// `[UInt8]`, whose metadata takes a lookup at each use.
    static let arrayOfBytes = ObjectIdentifier([UInt8].self)

    /// The value of a type that has a form of its own; nil for others.
    func known<T: Decodable>(_ type: T.Type) throws(DecodingFailure) -> T? {
      if type == String.self { return same(try items.text(position), as: type) }
      if type == Int.self { return same(try items.integer(position, Int.self), as: type) }
      if type == Date.self { return same(try date(), as: type) }
      if type == Data.self { return same(Data(try items.content(position)), as: type) }
      if ObjectIdentifier(type) == Self.arrayOfBytes { return try byteArray(type) }
      if type == UUID.self { return same(try uuid(), as: type) }
      if type == URL.self {
        let text = try items.text(position)
        guard let url = URL(string: text) else { throw DecodingFailure("'\(text.prefix(50))' is not a URL") }
        return same(url, as: type)
      }
      if type == Decimal.self { return same(try decimal(), as: type) }
      return nil
    }

    /// An array of bytes that is stored as such. Apart, since the metadata of its type would be looked up for all types.
    @inline(never)
    private func byteArray<T>(_ type: T.Type) throws(DecodingFailure) -> T? {
      guard try items.untagged(position).major == CBORMajor.bytes else { return nil }
      return same(try items.content(position), as: type)
    }

    /// The tag of the item, unless it is that of CBOR itself, and where what is tagged begins.
    private func tag() throws(DecodingFailure) -> (tag: UInt64?, content: Int) {
      var position = position
      while true {
        let head = try items.head(position)
        guard head.major == CBORMajor.tag else { return (nil, position) }
        if head.value != CBORTag.selfDescribed { return (head.value, head.end) }
        position = head.end
      }
    }

    private func date() throws(DecodingFailure) -> Date {
      let (tag, content) = try tag()
      switch tag {
      case nil where try items.untagged(content).major != CBORMajor.text:
        return Date(timeIntervalSinceReferenceDate: try items.number(content))
      case nil, CBORTag.dateText:
        let text = try items.text(content)
        guard let seconds = DateText.seconds(text) else { throw DecodingFailure("'\(text.prefix(50))' is not a date") }
        return Date(timeIntervalSinceReferenceDate: seconds)
      case CBORTag.secondsSince1970:
        return Date(timeIntervalSinceReferenceDate: try items.number(content) - Self.between)
      case let tag?: throw DecodingFailure("tag \(tag), which is not that of a date")
      }
    }

    private func uuid() throws(DecodingFailure) -> UUID {
      if try items.untagged(position).major == CBORMajor.text {
        let text = try items.text(position)
        guard let uuid = UUID(uuidString: text) else { throw DecodingFailure("'\(text.prefix(50))' is not a UUID") }
        return uuid
      }
      let bytes = try items.content(position)
      guard let uuid = withBytes(of: bytes, { try? UUIDCodec.decode($0) }) else {
        throw DecodingFailure("\(bytes.count) bytes are not a UUID")
      }
      return uuid
    }

    private func decimal() throws(DecodingFailure) -> Decimal {
      let (tag, content) = try tag()
      switch tag {
      case nil where try items.untagged(content).major == CBORMajor.other:
        let number = try items.number(content)
        if number.isNaN { return .nan }
        guard number.isFinite, let value = Decimal(string: "\(number)") else {
          throw DecodingFailure("\(number) is not a decimal number")
        }
        return value
      case nil: return try Decimal(exponent: 0, items.magnitude(content))
      case CBORTag.bignum, CBORTag.negativeBignum: return try Decimal(exponent: 0, items.magnitude(position))
      case CBORTag.decimal:
        let (start, count) = try items.elements(content)
        let mantissa = try items.skip(start)
        let end = try items.skip(mantissa)
        guard count == 2 || count == nil && items.isEnd(end) else {
          throw DecodingFailure("a decimal fraction of other than two parts")
        }
        return try Decimal(exponent: items.integer(start), items.magnitude(mantissa))
      case let tag?: throw DecodingFailure("tag \(tag), which is not that of a decimal number")
      }
    }
  }

  extension Decimal {
    fileprivate init(exponent: Int, _ number: (magnitude: UInt128, isNegative: Bool)) throws(DecodingFailure) {
      guard -128...127 ~= exponent, let significand = Decimal(string: "\(number.magnitude)"),
        "\(significand)" == "\(number.magnitude)"
      else { throw DecodingFailure("a decimal number with an exponent beyond -128...127, or more than 128 bits") }
      self = Decimal(sign: number.isNegative ? .minus : .plus, exponent: exponent, significand: significand)
      if isNaN { throw DecodingFailure("a decimal number beyond the greatest one") }
    }
  }
#endif
