#if FoundationCodecs
  #if canImport(FoundationEssentials)
    internal import FoundationEssentials
  #else
    internal import Foundation
  #endif

  /// A `Codable` type that is stored as JSON instead of CBOR, so that every tool can read it, in several times the time.
  ///
  ///     struct Job: JSONStored {
  ///       var path: String
  ///     }
  public protocol JSONStored: Storable, Codable where StorageCodec == JSONCodec<Self> {}

  /// Any `Codable` type as JSON, with its keys sorted: readable without the program that wrote it. Dates are ISO 8601 text, and
  /// are read back to the bit; numbers of seconds since 2001, as earlier builds wrote them, can be read, too.
  public enum JSONCodec<Value>: Sendable {}

  extension JSONCodec: Codec, MultiformCodec, VersionedCodec where Value: Codable & Storable {
    /// `json(name)`; `cbor(name)` is read and written, too. Those of earlier versions are only read, see ``Upgradable``.
    public static var identifiers: [String] { [name, CBORCodec<Value>.name] + EarlierVersions<Value>.identifiers }
    static var name: String { "json(\(Value.recordedName))" }

    /// The other representations, in the order of ``CBORCodec``.
    private static func other(_ form: Int) -> Int { form == 1 ? 0 : form }

    /// Appends the value as JSON.
    ///
    /// The JSON is decoded once, so that nothing is stored that could not be read again. That takes about as long as the
    /// encoding: some microseconds for a small value, much less than a durable commit.
    ///
    /// - Throws: ``EncodingFailure`` when the value cannot be encoded, or its JSON could not be decoded again: a `Decimal`
    ///   that is not a number, for example, or a value that the type's `init(from:)` refuses.
    public static func encode(
      _ value: Value, in form: Int, into writer: inout ByteWriter
    ) throws(EncodingFailure) {
      if form == 0 {
        try write(value, into: &writer)
      } else {
        try CBORCodec.encode(value, in: other(form), into: &writer)
      }
    }

    /// Decodes the value.
    public static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Value {
      form == 0 ? try read(bytes) : try CBORCodec.decode(bytes, in: other(form))
    }

    /// True: in structures with CBOR.
    public static var keepsUnknownFields: Bool { true }

    /// Calls `body` with the bytes; in CBOR, with the fields of the changed bytes that the type does not have.
    public static func withEncoded<R>(
      _ value: Value, in form: Int, changing old: [UInt8]?, _ body: (RawSpan) -> R
    ) throws(EncodingFailure) -> R {
      guard form > 0 else { return try withEncoded(value, in: form, body) }
      return try CBORCodec.withEncoded(value, in: other(form), changing: old, body)
    }

    static func write(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure) {
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
        _ = try writer.withBytes { bytes in Result { try read(bytes.extracting(start..<bytes.byteCount)) } }.get()
      } catch {
        throw EncodingFailure("\(Value.self) could not be read again: \(error)")
      }
    }

    static func read(_ bytes: RawSpan) throws(DecodingFailure) -> Value {
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

    /// That of the type, or one made of zeros, empty strings and nils.
    public static var placeholder: Value? { Value.storagePlaceholder ?? PlaceholderDecoder.value(Value.self) }
  }
#endif
