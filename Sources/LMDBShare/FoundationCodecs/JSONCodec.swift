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
    public static func encode(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure) {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      do {
        writer.append(contentsOf: try encoder.encode(value))
      } catch {
        throw EncodingFailure("\(Value.self) cannot be written as JSON: \(error)")
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
  }
#endif
