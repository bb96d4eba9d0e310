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

  extension CBORCodec: Codec, MultiformCodec, VersionedCodec where Value: Codable & Storable {
    /// `cbor(name)`; `json(name)` is read and written, too. Those of earlier versions are only read, see ``Upgradable``.
    public static var identifiers: [String] { [name, JSONCodec<Value>.name] + EarlierVersions<Value>.identifiers }
    static var name: String { "cbor(\(Value.recordedName))" }

    /// Appends the value in CBOR. It is decoded once, so that nothing is stored that could not be read again.
    ///
    /// - Throws: ``EncodingFailure`` when the value cannot be encoded, lies more than 256 levels deep, or is one that the type's own
    ///   `init(from:)` refuses.
    public static func encode(
      _ value: Value, in form: Int, into writer: inout ByteWriter
    ) throws(EncodingFailure) {
      switch form {
      case 0: try write(value, into: &writer)
      case 1: try JSONCodec.write(value, into: &writer)
      default: throw EarlierVersions<Value>.failure
      }
    }

    /// Decodes the value; from CBOR in any well-formed form.
    public static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Value {
      switch form {
      case 0: try read(bytes)
      case 1: try JSONCodec.read(bytes)
      default: try EarlierVersions.decode(bytes, in: form - 2)
      }
    }

    /// True.
    public static var keepsUnknownFields: Bool { true }

    /// Calls `body` with the bytes; in CBOR, with the fields of the changed bytes that the type does not have.
    public static func withEncoded<R>(
      _ value: Value, in form: Int, changing old: [UInt8]?, _ body: (RawSpan) -> R
    ) throws(EncodingFailure) -> R {
      if form == 1 { return try JSONCodec.withEncoded(value, in: 0, body) }
      guard form == 0 else { throw EarlierVersions<Value>.failure }
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

    /// That of the type, or one made of zeros, empty strings and nils.
    public static var placeholder: Value? { Value.storagePlaceholder ?? PlaceholderDecoder.value(Value.self) }
  }
#endif
