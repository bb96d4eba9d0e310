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
    /// - Throws: ``EncodingFailure`` when the value cannot be encoded, or what the encoder made of it could not be read again: a
    ///   `Decimal` that is no number, say. Whether a type's own `init(from:)` takes what its `encode(to:)` writes is not tried.
    public static func encode(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure) {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let start = writer.count
      do {
        writer.append(contentsOf: try encoder.encode(value))
      } catch {
        throw EncodingFailure("\(Value.self) cannot be written as JSON: \(error)")
      }
      if let problem = writer.withBytes({ JSONCheck.problem($0.extracting(start..<$0.byteCount)) }) {
        throw EncodingFailure("\(Value.self) could not be read again: \(problem)")
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

  /// What Foundation's encoder writes and its decoder refuses, found without decoding: one pass over the bytes.
  enum JSONCheck {
    /// Beyond this nesting the decoder gives up.
    static let deepest = 512

    /// What is wrong with what the encoder wrote; nil when nothing is.
    static func problem(_ bytes: RawSpan) -> String? {
      var depth = 0
      var isInText = false
      var index = 0
      while index < bytes.byteCount {
        let byte = bytes.byte(at: index)
        if isInText {
          // What follows a backslash ends no text.
          if byte == UInt8(ascii: "\\") { index += 1 } else if byte == UInt8(ascii: "\"") { isInText = false }
        } else {
          switch byte {
          case UInt8(ascii: "\""): isInText = true
          case UInt8(ascii: "["), UInt8(ascii: "{"):
            depth += 1
            if depth > deepest { return "it has more than \(deepest) levels" }
          case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
          // Outside of texts JSON has small letters, and E.
          case UInt8(ascii: "N"), UInt8(ascii: "I"):
            return "a number in it is NaN or infinite, for which JSON has no form"
          default: break
          }
        }
        index += 1
      }
      return nil
    }
  }
#endif
