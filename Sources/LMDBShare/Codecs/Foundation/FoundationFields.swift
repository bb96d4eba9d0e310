#if FoundationCodecs
  #if canImport(FoundationEssentials)
    public import FoundationEssentials
  #else
    public import Foundation
  #endif

  extension Date: FieldValue {
    /// Appends the date with tag 1, or tag 0 when its seconds since 1970 are not exact.
    public static func writeField(_ value: Date, into writer: inout FieldWriter) {
      writer.append { $0.append(cbor: value) }
    }
    /// Reads a date.
    public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Date {
      try reader.items.date(reader.position)
    }
    /// The beginning of 2001.
    public static var fieldPlaceholder: Date? { Date(timeIntervalSinceReferenceDate: 0) }
    /// True.
    public static var isFieldAlwaysReadable: Bool { true }
  }

  extension UUID: FieldValue {
    /// Appends the bytes with tag 37.
    public static func writeField(_ value: UUID, into writer: inout FieldWriter) {
      writer.append { $0.append(cbor: value) }
    }
    /// Reads a UUID.
    public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> UUID {
      try reader.items.uuid(reader.position)
    }
    /// Zeros.
    public static var fieldPlaceholder: UUID? { UUIDCodec.placeholder }
    /// True.
    public static var isFieldAlwaysReadable: Bool { true }
  }

  extension URL: FieldValue {
    /// Appends the absolute text with tag 32.
    public static func writeField(_ value: URL, into writer: inout FieldWriter) {
      writer.append { $0.append(cbor: value) }
    }
    /// Reads a URL.
    public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> URL {
      try reader.items.url(reader.position)
    }
    /// `about:blank`.
    public static var fieldPlaceholder: URL? { URLCodec.placeholder }
  }

  extension Data: FieldValue {
    /// Appends a byte string.
    public static func writeField(_ value: Data, into writer: inout FieldWriter) {
      writer.append { bytes in
        bytes.append(cbor: CBORMajor.bytes, UInt64(value.count))
        bytes.append(contentsOf: value)
      }
    }
    /// Reads a byte string.
    public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Data { Data(try reader.bytes()) }
    /// No bytes.
    public static var fieldPlaceholder: Data? { Data() }
    /// True.
    public static var isFieldAlwaysReadable: Bool { true }
  }

  extension Decimal: FieldValue {
    /// Appends the number with tag 4.
    public static func writeField(_ value: Decimal, into writer: inout FieldWriter) {
      writer.append { $0.append(cbor: value) }
    }
    /// Reads a decimal number.
    public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Decimal {
      try reader.items.decimal(reader.position)
    }
    /// 0.
    public static var fieldPlaceholder: Decimal? { 0 }
  }

  // Fields of other types.
  extension Field where Value: Codable & Sendable {
    /// Declares a field of any `Codable` type. Stored values must have it, unless it is an optional; nil is left out.
    ///
    /// - Parameters:
    ///   - name: The name in the file. Keep it when you rename the property.
    ///   - get: Returns the field of a value: `\.path`.
    public init(_ name: String, codable get: @escaping @Sendable (Record) -> Value) {
      let missing = (Value.self as? any AnyOptional.Type)?.absent as? Value
      self.init(coded: name, get, missing.map { missing in { @Sendable in missing } }, leavesOutNil: true)
    }

    /// Declares a field of any `Codable` type with an initial value, which it has where stored bytes lack the field, or have null for
    /// a type without nil. It is always written; nil of an optional as null.
    ///
    /// - Parameters:
    ///   - name: The name in the file. Keep it when you rename the property.
    ///   - get: Returns the field of a value: `\.tries`.
    ///   - initial: The initial value; it is evaluated whenever it is needed.
    public init(
      _ name: String, codable get: @escaping @Sendable (Record) -> Value,
      initially initial: @escaping @autoclosure @Sendable () -> Value
    ) {
      self.init(coded: name, get, initial, leavesOutNil: false)
    }

    private init(
      coded name: String, _ get: @escaping @Sendable (Record) -> Value, _ missing: (@Sendable () -> Value)?,
      leavesOutNil: Bool
    ) {
      let key = FieldKey(name)
      let isOptional = Value.self is any AnyOptional.Type
      self.init(
        key,
        write: { (record, writer) throws(EncodingFailure) in
          let value = get(record)
          if leavesOutNil, (value as? any AnyOptional)?.isNil ?? false { return }
          writer.append(field: key)
          writer.mustBeRead()
          try writer.append { (depth, old) throws(EncodingFailure) in
            do {
              return try CBOREncoding.bytes(
                of: value, depth: depth, keeping: old.flatMap { CBORKeeping.make($0, Value.self) })
            } catch {
              throw EncodingFailure("\(name): \(error)")
            }
          }
        },
        read: { (reader) throws(DecodingFailure) in
          if !isOptional, let missing, try reader.isNull() { return missing() }
          do {
            return try CBORDecoder(items: reader.items, position: reader.position).value()
          } catch {
            throw error as? DecodingFailure ?? DecodingFailure((error as? DecodingError)?.summary ?? "\(error)")
          }
        },
        missing: missing, placeholder: { missing?() ?? PlaceholderDecoder.value(Value.self) })
    }
  }

  private protocol AnyOptional {
    static var absent: Any { get }
    var isNil: Bool { get }
  }

  extension Optional: AnyOptional {
    static var absent: Any { Self.none as Any }
    var isNil: Bool { self == nil }
  }
#endif
