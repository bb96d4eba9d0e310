#if FoundationCodecs
  #if canImport(FoundationEssentials)
    internal import FoundationEssentials
  #else
    internal import Foundation
  #endif

  /// Any `Codable` type in CBOR (RFC 8949), in its deterministic form: a type's fields are a map by their names, so that programs
  /// in other languages can read them.
  ///
  ///     struct Job: Codable, Storable {
  ///       typealias StorageCodec = CBORCodec<Job>
  ///       var path: String
  ///     }
  ///
  /// Dates have tag 1, or tag 0 when their seconds since 1970 are not exact; URLs tag 32, UUIDs tag 37, decimals tag 4. `Data`, and
  /// arrays of `UInt8`, are byte strings. Numbers keep all bits.
  public enum CBORCodec<Value>: Sendable {}

  extension CBORCodec: Codec where Value: Codable & Storable {
    /// `cbor(name)`.
    public static var identifier: String { "cbor(\(Value.storageTypeName))" }

    /// Appends the value in CBOR.
    ///
    /// - Throws: ``EncodingFailure`` when the value cannot be encoded, or lies more than 256 levels deep.
    public static func encode(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure) {
      do {
        writer.append(contentsOf: try CBOREncoding.bytes(of: value))
      } catch {
        throw EncodingFailure("\(Value.self) cannot be encoded: \(error)")
      }
    }

    /// Decodes the value from CBOR in any well-formed form.
    public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
      do {
        return try CBORDecoder.value(Value.self, bytes)
      } catch {
        throw DecodingFailure("\(bytes.byteCount) bytes are not a \(Value.self) in CBOR: \(error)")
      }
    }

    /// A value made of zeros, empty strings and nils.
    public static var placeholder: Value? { PlaceholderDecoder.value(Value.self) }
  }

  // MARK: Types with a form of their own

  extension CBOREncoding {
    /// Writes a value of a type that has a form of its own; returns false for others.
    func writeKnown<T: Encodable>(_ value: T) throws(EncodingFailure) -> Bool {
      let type = T.self
      if type == String.self, let value = value as? String {
        write(value)
      } else if type == Int.self, let value = value as? Int {
        write(integer: value)
      } else if type == Date.self, let value = value as? Date {
        write(value)
      } else if type == Data.self, let value = value as? Data {
        write(bytes: value)
      } else if type == [UInt8].self, let value = value as? [UInt8] {
        write(bytes: value)
      } else if type == UUID.self, let value = value as? UUID {
        write(tag: CBORTag.uuid)
        write(bytes: withBytes(of: value.uuid) { $0.copied() })
      } else if type == URL.self, let value = value as? URL {
        write(tag: CBORTag.address)
        write(value.absoluteString)
      } else if type == Decimal.self, let value = value as? Decimal {
        try write(value)
      } else {
        return false
      }
      return true
    }

    private static let between = 978_307_200.0

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
    /// The value of a type that has a form of its own; nil for others.
    func known<T: Decodable>(_ type: T.Type) throws(DecodingFailure) -> T? {
      if type == String.self { return try items.text(position) as? T }
      if type == Int.self { return try items.integer(position, Int.self) as? T }
      if type == Date.self { return try date() as? T }
      if type == Data.self { return Data(try items.content(position)) as? T }
      if type == [UInt8].self {
        return try items.untagged(position).major == CBORMajor.bytes ? try items.content(position) as? T : nil
      }
      if type == UUID.self { return try uuid() as? T }
      if type == URL.self {
        let text = try items.text(position)
        guard let url = URL(string: text) else { throw DecodingFailure("'\(text)' is not a URL") }
        return url as? T
      }
      if type == Decimal.self { return try decimal() as? T }
      return nil
    }

    private func date() throws(DecodingFailure) -> Date {
      let head = try items.head(position)
      if try items.untagged(position).major == CBORMajor.text {
        let text = try items.text(position)
        guard let seconds = DateText.seconds(text) else { throw DecodingFailure("'\(text)' is not a date") }
        return Date(timeIntervalSinceReferenceDate: seconds)
      }
      let seconds = try items.number(position)
      let isSince1970 = head.major == CBORMajor.tag && head.value == CBORTag.secondsSince1970
      return Date(timeIntervalSinceReferenceDate: isSince1970 ? seconds - 978_307_200 : seconds)
    }

    private func uuid() throws(DecodingFailure) -> UUID {
      if try items.untagged(position).major == CBORMajor.text {
        let text = try items.text(position)
        guard let uuid = UUID(uuidString: text) else { throw DecodingFailure("'\(text)' is not a UUID") }
        return uuid
      }
      let bytes = try items.content(position)
      guard let uuid = withBytes(of: bytes, { try? UUIDCodec.decode($0) }) else {
        throw DecodingFailure("\(bytes.count) bytes are not a UUID")
      }
      return uuid
    }

    private func decimal() throws(DecodingFailure) -> Decimal {
      let head = try items.head(position)
      guard head.major == CBORMajor.tag, head.value == CBORTag.decimal else {
        if try items.untagged(position).major != CBORMajor.other || head.major == CBORMajor.tag {
          return try Decimal(exponent: 0, items.magnitude(position))
        }
        let number = try items.number(position)
        guard let value = number.isNaN ? .nan : Decimal(string: "\(number)") else {
          throw DecodingFailure("\(number) is not a decimal number")
        }
        return value
      }
      let (start, count) = try items.elements(head.end)
      guard count == 2 else { throw DecodingFailure("a decimal fraction of other than two parts") }
      return try Decimal(exponent: items.integer(start), items.magnitude(try items.skip(start)))
    }
  }

  extension Decimal {
    fileprivate init(exponent: Int, _ number: (magnitude: UInt128, isNegative: Bool)) throws(DecodingFailure) {
      guard -128...127 ~= exponent, let significand = Decimal(string: "\(number.magnitude)"),
        "\(significand)" == "\(number.magnitude)"
      else { throw DecodingFailure("a decimal number with an exponent beyond -128...127, or more than 128 bits") }
      self = Decimal(sign: number.isNegative ? .minus : .plus, exponent: exponent, significand: significand)
    }
  }
#endif
