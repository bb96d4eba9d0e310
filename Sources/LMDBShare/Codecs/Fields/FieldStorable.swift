/// A type that declares its fields once, and whose values are stored as fast as numbers and strings are.
///
///     struct Job: FieldStorable {
///       var path: String
///       var tags: [String]
///       var due: Date?
///       var tries = 0
///
///       static let storedFields = Fields(
///         Job.init, Field("path", \.path), Field("tags", \.tags), Field("due", \.due), Field("tries", \.tries, initially: 0))
///     }
///
/// The bytes are those of the same type as `Codable`: a map in CBOR by the names of the fields. So a program whose type is `Codable`
/// reads what a program with declared fields stored, and the other way round, and the tool shows both alike. (Two things differ: a field
/// with an initial value reads null as that, and nil of such an optional is written as null; and a ``FieldValue`` can have a form of its
/// own.) Reading and writing take a fraction of the time, since no coder, container or key is made.
///
/// Unlike the initializer that Swift makes for `Codable`, a declared field may have an initial value, which it has where stored bytes
/// lack the field: those from before the field was added, see <doc:ChangingTypes>.
///
/// The type may be `Codable`, too. Then structures with JSON are read and written as JSON, as those of `Codable` types are.
public protocol FieldStorable: FieldValue, Storable where StorageCodec == FieldCodec<Self> {
  /// The type of ``storedFields``; the compiler finds it.
  associatedtype StoredFields: FieldList<Self>

  /// The fields, in the order in which the initializer takes them. Declare it with `static let`: a computed property, as a generic type
  /// needs it, makes the list anew for each value.
  static var storedFields: StoredFields { get }
}

extension FieldStorable {
  /// Writes the value as a map of its fields.
  @inlinable public static func writeField(_ value: Self, into writer: inout FieldWriter) throws(EncodingFailure) {
    try storedFields.write(value, into: &writer)
  }

  /// Reads the value from a map.
  @inlinable public static func readField(_ reader: FieldReader) throws(DecodingFailure) -> Self {
    try storedFields.read(reader)
  }

  /// The value of initial values and placeholders.
  public static var fieldPlaceholder: Self? { storedFields.placeholder }

  /// True: fields that are not, and an initializer that can refuse values, are noticed when they are written.
  @inlinable public static var isFieldAlwaysReadable: Bool { true }
}

/// The fields of a ``FieldStorable`` type in CBOR.
public enum FieldCodec<Value>: Sendable {}

extension FieldCodec: Codec, MultiformCodec, VersionedCodec where Value: FieldValue & Storable {
  /// `cbor(name)`; `json(name)` is read and written, too, if the type is `Codable`. Those of earlier versions are only read, see
  /// ``Upgradable``.
  public static var identifiers: [String] {
    let name = Value.recordedName
    return ["cbor(\(name))"] + (OtherForms<Value>.hasJSON ? ["json(\(name))"] : []) + EarlierVersions<Value>.identifiers
  }

  /// Appends the value.
  /// - Throws: ``EncodingFailure`` when a field cannot be encoded, or lies more than 256 levels deep.
  @inlinable public static func encode(
    _ value: Value, in form: Int, into writer: inout ByteWriter
  ) throws(EncodingFailure) {
    try withEncoded(value, in: form) { writer.append($0) }
  }

  /// Decodes the value; from CBOR in any well-formed form.
  @inlinable public static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Value {
    if form > 0 { return try OtherForms.decode(bytes, in: form) }
    let reader = FieldReader(bytes)
    do throws(DecodingFailure) {
      // A map of declared fields checks itself.
      if !Value.isFieldAlwaysReadable { try reader.checkEnd() }
      return try Value.readField(reader)
    } catch {
      throw reader.failure(error, Value.self)
    }
  }

  /// Calls `body` with the bytes.
  @inlinable public static func withEncoded<R>(
    _ value: Value, in form: Int, _ body: (RawSpan) -> R
  ) throws(EncodingFailure) -> R { try withEncoded(value, in: form, changing: nil, body) }

  /// True.
  @inlinable public static var keepsUnknownFields: Bool { true }

  /// Calls `body` with the bytes; in CBOR, with the fields of the changed bytes that are not declared.
  @inlinable public static func withEncoded<R>(
    _ value: Value, in form: Int, changing old: [UInt8]?, _ body: (RawSpan) -> R
  ) throws(EncodingFailure) -> R {
    if form > 0 { return withBytes(of: try OtherForms.bytes(of: value, in: form), body) }
    var writer = FieldWriter(changing: old)
    do throws(EncodingFailure) {
      try Value.writeField(value, into: &writer)
      try writer.check(Value.self)
    } catch {
      throw EncodingFailure("\(Value.self) cannot be encoded: \(error)")
    }
    return withBytes(of: writer.bytes, body)
  }

  /// That of the type, or one of initial values, zeros, empty strings and nils.
  public static var placeholder: Value? { Value.storagePlaceholder ?? Value.fieldPlaceholder }
}
