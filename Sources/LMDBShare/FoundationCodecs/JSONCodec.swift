#if FoundationCodecs
  #if canImport(FoundationEssentials)
    internal import FoundationEssentials
  #else
    internal import Foundation
  #endif

  /// Any `Codable` type as JSON, with its keys sorted: readable without the program that wrote it.
  public enum JSONCodec<Value>: Sendable {}

  extension JSONCodec: Codec where Value: Codable & Storable {
    /// `json(name)`.
    public static var identifier: String { "json(\(Value.storageTypeName))" }

    /// Appends the value as JSON.
    ///
    /// What the encoder made of it is decoded once, so that nothing is stored that could not be read again. That takes about
    /// as long as the encoding: some microseconds for a small value, which is much less than a durable commit takes. Types
    /// for which it matters have a faster form as ``BitwiseStorable``, or in a ``Codec`` of their own.
    ///
    /// - Throws: ``EncodingFailure`` when the value cannot be encoded, or what the encoder made of it could not be read
    ///   again: a `Decimal` that is no number, say, or a value that the type's own `init(from:)` refuses.
    public static func encode(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure) {
      let encoder = JSONEncoder()
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

    /// The value that the JSON tells.
    public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
      do {
        return try JSONDecoder().decode(Value.self, from: Data(bytes.copied()))
      } catch {
        throw DecodingFailure("\(bytes.byteCount) bytes are no JSON of \(Value.self): \(error)")
      }
    }

    /// A value of zeros, empty texts and nothing.
    public static var placeholder: Value? { PlaceholderDecoder.value(Value.self) }
  }
#endif
