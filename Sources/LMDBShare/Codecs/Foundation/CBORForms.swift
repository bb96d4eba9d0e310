#if FoundationCodecs
  // The forms of Foundation's types, and of bytes, in CBOR.

  #if canImport(FoundationEssentials)
    internal import FoundationEssentials
  #else
    internal import Foundation
  #endif

  extension CBOREncoding {
    /// Writes a value of a type that has a form of its own; returns false for others.
    func writeKnown<T: Encodable>(_ value: T) -> Bool {
      if let value = same(value, as: String.self) {
        write(value)
      } else if let value = same(value, as: Int.self) {
        write(integer: value)
      } else if let value = same(value, as: Date.self) {
        write { $0.append(cbor: value) }
      } else if let value = same(value, as: Data.self) {
        write(bytes: value)
      } else if ObjectIdentifier(T.self) == CBORDecoder.arrayOfBytes {
        writeByteArray(value)
      } else if let value = same(value, as: UUID.self) {
        write { $0.append(cbor: value) }
      } else if let value = same(value, as: URL.self) {
        write { $0.append(cbor: value) }
      } else if let value = same(value, as: Decimal.self) {
        write { $0.append(cbor: value) }
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
  }

  extension [UInt8] {
    /// Appends seconds since 1970 if they are exact, else a text if that is, else seconds since 2001.
    mutating func append(cbor date: Date) {
      let seconds = date.timeIntervalSinceReferenceDate
      let since1970 = seconds + CBORItems.between
      if (since1970 - CBORItems.between).bitPattern == seconds.bitPattern {
        append(cbor: CBORMajor.tag, CBORTag.secondsSince1970)
        if let whole = Int64(exactly: since1970) { append(cborInteger: whole) } else { append(cborFloat: since1970) }
      } else if let text = DateText.exact(seconds) {
        append(cbor: CBORMajor.tag, CBORTag.dateText)
        append(cborText: text)
      } else {
        append(cborFloat: seconds)
      }
    }

    /// Appends the 16 bytes.
    mutating func append(cbor value: UUID) {
      append(cbor: CBORMajor.tag, CBORTag.uuid)
      withBytes(of: value.uuid) { append(cborBytes: $0) }
    }

    /// Appends the absolute text.
    mutating func append(cbor value: URL) {
      append(cbor: CBORMajor.tag, CBORTag.address)
      append(cborText: value.absoluteString)
    }

    /// Appends a mantissa and an exponent of ten.
    mutating func append(cbor value: Decimal) {
      guard !value.isNaN else { return append(cborFloat: Double.nan) }
      append(cbor: CBORMajor.tag, CBORTag.decimal)
      append(cbor: CBORMajor.array, 2)
      append(cborInteger: value.exponent)
      append(cborMagnitude: UInt128("\(value.significand)") ?? 0, isNegative: value.sign == .minus)
    }
  }

  extension CBORDecoder {
    /// `[UInt8]`, whose metadata takes a lookup at each use.
    static let arrayOfBytes = ObjectIdentifier([UInt8].self)

    /// The value of a type that has a form of its own; nil for others.
    func known<T: Decodable>(_ type: T.Type) throws(DecodingFailure) -> T? {
      if type == String.self { return same(try items.text(position), as: type) }
      if type == Int.self { return same(try items.integer(position, Int.self), as: type) }
      if type == Date.self { return same(try items.date(position), as: type) }
      if type == Data.self { return same(Data(try items.content(position)), as: type) }
      if ObjectIdentifier(type) == Self.arrayOfBytes { return try byteArray(type) }
      if type == UUID.self { return same(try items.uuid(position), as: type) }
      if type == URL.self { return same(try items.url(position), as: type) }
      if type == Decimal.self { return same(try items.decimal(position), as: type) }
      return nil
    }

    /// An array of bytes that is stored as such. Apart, since the metadata of its type would be looked up for all types.
    @inline(never)
    private func byteArray<T>(_ type: T.Type) throws(DecodingFailure) -> T? {
      guard try items.untagged(position).major == CBORMajor.bytes else { return nil }
      return same(try items.content(position), as: type)
    }
  }

  extension CBORItems {
    /// The seconds from the beginning of 1970 to that of 2001.
    static let between = 978_307_200.0

    /// The tag of the item, unless it is that of CBOR itself, and where what is tagged begins.
    private func tag(_ position: Int) throws(DecodingFailure) -> (tag: UInt64?, content: Int) {
      var position = position
      while true {
        let head = try head(position)
        guard head.major == CBORMajor.tag else { return (nil, position) }
        if head.value != CBORTag.selfDescribed { return (head.value, head.end) }
        position = head.end
      }
    }

    func date(_ position: Int) throws(DecodingFailure) -> Date {
      let (tag, content) = try tag(position)
      switch tag {
      case nil where try untagged(content).major != CBORMajor.text:
        return Date(timeIntervalSinceReferenceDate: try number(content))
      case nil, CBORTag.dateText:
        let text = try text(content)
        guard let seconds = DateText.seconds(text) else { throw DecodingFailure("'\(text.prefix(50))' is not a date") }
        return Date(timeIntervalSinceReferenceDate: seconds)
      case CBORTag.secondsSince1970:
        return Date(timeIntervalSinceReferenceDate: try number(content) - Self.between)
      case let tag?: throw DecodingFailure("tag \(tag), which is not that of a date")
      }
    }

    func url(_ position: Int) throws(DecodingFailure) -> URL {
      let text = try text(position)
      guard let url = URL(string: text) else { throw DecodingFailure("'\(text.prefix(50))' is not a URL") }
      return url
    }

    func uuid(_ position: Int) throws(DecodingFailure) -> UUID {
      if try untagged(position).major == CBORMajor.text {
        let text = try text(position)
        guard let uuid = UUID(uuidString: text) else { throw DecodingFailure("'\(text.prefix(50))' is not a UUID") }
        return uuid
      }
      let bytes = try content(position)
      guard let uuid = withBytes(of: bytes, { try? UUIDCodec.decode($0) }) else {
        throw DecodingFailure("\(bytes.count) bytes are not a UUID")
      }
      return uuid
    }

    func decimal(_ position: Int) throws(DecodingFailure) -> Decimal {
      let (tag, content) = try tag(position)
      switch tag {
      case nil where try untagged(content).major == CBORMajor.other:
        let number = try number(content)
        if number.isNaN { return .nan }
        guard number.isFinite, let value = Decimal(string: "\(number)") else {
          throw DecodingFailure("\(number) is not a decimal number")
        }
        return value
      case nil: return try Decimal(exponent: 0, magnitude(content))
      case CBORTag.bignum, CBORTag.negativeBignum: return try Decimal(exponent: 0, magnitude(position))
      case CBORTag.decimal:
        let (start, count) = try elements(content)
        let mantissa = try skip(start)
        let end = try skip(mantissa)
        guard count == 2 || count == nil && isEnd(end) else {
          throw DecodingFailure("a decimal fraction of other than two parts")
        }
        return try Decimal(exponent: integer(start), magnitude(mantissa))
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
