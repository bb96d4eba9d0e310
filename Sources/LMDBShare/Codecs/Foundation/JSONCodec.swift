#if FoundationCodecs
  #if canImport(FoundationEssentials)
    internal import FoundationEssentials
  #else
    internal import Foundation
  #endif

  /// Any `Codable` type as JSON, with its keys sorted: readable without the program that wrote it. Dates are ISO 8601 text, and
  /// are read back to the bit; numbers of seconds since 2001, as earlier builds wrote them, can be read, too.
  public enum JSONCodec<Value>: Sendable {}

  extension JSONCodec: Codec where Value: Codable & Storable {
    /// `json(name)`.
    public static var identifier: String { "json(\(Value.storageTypeName))" }

    /// Appends the value as JSON.
    ///
    /// The JSON is decoded once, so that nothing is stored that could not be read again. That takes about as long as the
    /// encoding: some microseconds for a small value, much less than a durable commit. Types for which it matters can
    /// be ``BitwiseStorable``, or have their own ``Codec``.
    ///
    /// - Throws: ``EncodingFailure`` when the value cannot be encoded, or its JSON could not be decoded again: a `Decimal`
    ///   that is not a number, for example, or a value that the type's `init(from:)` refuses.
    public static func encode(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure) {
      let encoder = JSONEncoder()
      encoder.dateEncodingStrategy = .custom { date, encoder in
        var container = encoder.singleValueContainer()
        let seconds = date.timeIntervalSinceReferenceDate
        if let text = DateText.exact(seconds) { try container.encode(text) } else { try container.encode(seconds) }
      }
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let start = writer.count
      do {
        writer.append(contentsOf: try encoder.encode(value))
      } catch {
        throw EncodingFailure("\(Value.self) cannot be written as JSON: \(error)")
      }
      do {
        _ = try writer.withBytes { bytes in Result { try decode(bytes.extracting(start..<bytes.byteCount)) } }.get()
      } catch {
        throw EncodingFailure("\(Value.self) could not be read again: \(error)")
      }
    }

    /// Decodes the value from JSON.
    public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
      let decoder = JSONDecoder()
      decoder.dateDecodingStrategy = .custom { decoder in
        let container = try decoder.singleValueContainer()
        guard let text = try? container.decode(String.self) else {
          return Date(timeIntervalSinceReferenceDate: try container.decode(Double.self))
        }
        guard let seconds = DateText.seconds(text) else {
          throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a date")
        }
        return Date(timeIntervalSinceReferenceDate: seconds)
      }
      do {
        return try decoder.decode(Value.self, from: Data(bytes.copied()))
      } catch {
        throw DecodingFailure("\(bytes.byteCount) bytes are not valid JSON of \(Value.self): \(error)")
      }
    }

    /// A value made of zeros, empty strings and nils.
    public static var placeholder: Value? { PlaceholderDecoder.value(Value.self) }
  }
#endif
