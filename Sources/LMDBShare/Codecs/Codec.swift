/// The representation of a type's values in the file.
///
/// A codec is a type without instances. Decoding is total: whatever the bytes, it returns a value or throws
/// ``DecodingFailure``; it never traps, reads outside of the bytes, or reserves more memory than the bytes justify.
///
/// Write one for a type of your own by implementing ``encode(_:into:)`` and ``decode(_:)``:
///
///     enum PointCodec: Codec {
///       static let identifier = "point"
///       static func encode(_ p: Point, into writer: inout ByteWriter) {
///         writer.append(littleEndian: p.x)
///         writer.append(littleEndian: p.y)
///       }
///       static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Point {
///         var reader = ByteReader(bytes)
///         let point = Point(x: try reader.littleEndian(), y: try reader.littleEndian())
///         try reader.end()
///         return point
///       }
///     }
public protocol Codec<Value>: Sendable {
  /// The type that is encoded.
  associatedtype Value

  /// The representation's name, recorded in the store and compared at every open.
  static var identifier: String { get }

  /// The number of bytes of every value, or nil when it depends on the value.
  static var fixedByteCount: Int? { get }

  /// Appends the value's bytes.
  /// - Throws: ``EncodingFailure`` when the value has no representation.
  static func encode(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure)

  /// Decodes a value.
  /// - Throws: ``DecodingFailure`` when the bytes are not a value.
  static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value

  /// Calls `body` with the value's bytes; codecs of fixed size do so without allocating.
  static func withEncoded<R>(_ value: Value, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R

  /// The names of all representations that the codec reads and writes, ``identifier`` first: most codecs have one, see
  /// ``MultiformCodec``.
  static var identifiers: [String] { get }

  /// Appends the value's bytes in one of the codec's representations: `form` is its index in ``identifiers``.
  static func encode(_ value: Value, in form: Int, into writer: inout ByteWriter) throws(EncodingFailure)

  /// Decodes a value in one of the codec's representations.
  static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Value

  /// Calls `body` with the value's bytes in one of the codec's representations.
  static func withEncoded<R>(_ value: Value, in form: Int, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R

  /// Whether a change in place keeps what the stored bytes have beyond the type, such as fields that a newer version of the type
  /// added.
  static var keepsUnknownFields: Bool { get }

  /// Calls `body` with the bytes of a value that was read and changed. `old` are the stored bytes, if the codec
  /// ``keepsUnknownFields``.
  static func withEncoded<R>(
    _ value: Value, in form: Int, changing old: [UInt8]?, _ body: (RawSpan) -> R
  ) throws(EncodingFailure) -> R

  /// A value that stands in for one that cannot be decoded, where the error can be thrown only later. The transaction has failed
  /// by then, so that nothing that depends on the placeholder is committed or returned. Nil when there is none; such a read then
  /// stops the program.
  ///
  /// A default exists for types that can be decoded from no bytes or from zeros, for optionals, for enumerations that are
  /// `CaseIterable` or have small numbers as raw values, and for most `Codable` types.
  static var placeholder: Value? { get }
}

extension Codec {
  /// Nil: the size depends on the value.
  @inlinable public static var fixedByteCount: Int? { nil }

  /// Calls `body` with the bytes that ``encode(_:into:)`` appends.
  @inlinable public static func withEncoded<R>(_ value: Value, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    var writer = ByteWriter()
    try encode(value, into: &writer)
    return writer.withBytes(body)
  }
}

// Codecs that write all that there is.
extension Codec {
  /// False.
  @inlinable public static var keepsUnknownFields: Bool { false }

  /// Calls `body` with the value's bytes.
  @inlinable @inline(__always)
  public static func withEncoded<R>(
    _ value: Value, in form: Int, changing old: [UInt8]?, _ body: (RawSpan) -> R
  ) throws(EncodingFailure) -> R { try withEncoded(value, in: form, body) }
}

// Codecs with one representation.
extension Codec {
  /// The identifier alone.
  public static var identifiers: [String] { [identifier] }

  /// Appends the value's bytes.
  @inlinable @inline(__always)
  public static func encode(_ value: Value, in form: Int, into writer: inout ByteWriter) throws(EncodingFailure) {
    try encode(value, into: &writer)
  }

  /// Decodes a value.
  @inlinable @inline(__always)
  public static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Value { try decode(bytes) }

  /// Calls `body` with the value's bytes.
  @inlinable @inline(__always)
  public static func withEncoded<R>(
    _ value: Value, in form: Int, _ body: (RawSpan) -> R
  ) throws(EncodingFailure) -> R { try withEncoded(value, body) }
}

/// A codec that reads and writes several representations.
///
/// A new structure gets the first of ``Codec/identifiers``. An existing structure that has any of them is opened, and keeps it: all
/// that is read and written in it has the representation that its record names. So a type can get a better representation, and
/// structures from before, and programs that know only those, go on.
///
/// Values of all representations have the same ``Codec/fixedByteCount``; lists and arrays of elements of a fixed size only have the
/// first representation.
///
///     enum PointCodec: MultiformCodec {
///       static let identifiers = ["point2", "point"]        // new structures get "point2"
///       static func encode(_ p: Point, in form: Int, into writer: inout ByteWriter) {
///         for number in form == 0 ? [p.x, p.y] : [p.y, p.x] { writer.append(littleEndian: number) }
///       }
///       static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Point {
///         var reader = ByteReader(bytes)
///         let (first, second): (Int, Int) = (try reader.littleEndian(), try reader.littleEndian())
///         try reader.end()
///         return form == 0 ? Point(x: first, y: second) : Point(x: second, y: first)
///       }
///     }
public protocol MultiformCodec<Value>: Codec {}

extension MultiformCodec {
  /// Unavailable: a codec must have its own.
  @available(*, unavailable, message: "list the representations")
  public static var identifiers: [String] { stop("unavailable") }

  /// Unavailable: a codec must have its own.
  @available(*, unavailable, message: "implement it for all representations")
  public static func encode(_ value: Value, in form: Int, into writer: inout ByteWriter) throws(EncodingFailure) {
    stop("unavailable")
  }

  /// Unavailable: a codec must have its own.
  @available(*, unavailable, message: "implement it for all representations")
  public static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Value { stop("unavailable") }

  /// The first representation's name.
  public static var identifier: String { identifiers[0] }

  /// Appends the value's bytes in the first representation.
  @inlinable public static func encode(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure) {
    try encode(value, in: 0, into: &writer)
  }

  /// Decodes a value in the first representation.
  @inlinable public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value { try decode(bytes, in: 0) }

  /// Calls `body` with the value's bytes in the first representation.
  @inlinable public static func withEncoded<R>(_ value: Value, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R {
    try withEncoded(value, in: 0, body)
  }

  /// Calls `body` with the bytes that ``Codec/encode(_:in:into:)`` appends.
  @inlinable public static func withEncoded<R>(
    _ value: Value, in form: Int, _ body: (RawSpan) -> R
  ) throws(EncodingFailure) -> R {
    var writer = ByteWriter()
    try encode(value, in: form, into: &writer)
    return writer.withBytes(body)
  }
}

extension Codec {
  /// The value that no bytes, or zeros, represent; otherwise the first case of an enumeration.
  public static var placeholder: Value? {
    let zeros = [UInt8](repeating: 0, count: fixedByteCount ?? 0)
    return LMDBShare.withBytes(of: zeros) { bytes in try? decode(bytes) } ?? firstValue(of: Value.self)
  }
}

/// The first value of a type whose values can be listed, or of an enumeration.
func firstValue<T>(of type: T.Type) -> T? {
  (type as? any CaseIterable.Type).flatMap { $0.anyFirst as? T } ?? firstCase(of: type)
}

extension CaseIterable {
  fileprivate static var anyFirst: Any? { allCases.first }
}

/// A codec whose bytes sort as its values do, as the keys of a dictionary need.
public protocol KeyCodec<Value>: Codec {
  /// Appends the value in a form that ends by itself and keeps the order, so that more can follow.
  static func encodeComponent(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure)

  /// Decodes a value that ``encodeComponent(_:into:)`` encoded, and reads no further.
  @_lifetime(reader: copy reader)
  static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> Value
}

/// A key codec for strings and bytes, which encodes a prefix of a key as a prefix of its bytes.
public protocol PrefixCodec: KeyCodec {}

/// The reason why a value cannot be stored.
public struct EncodingFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// A description of the problem.
  public let description: String
  /// What to do, if that is not to store another value.
  let advice: String?

  /// Creates a failure with a short description.
  public init(_ description: String) { self.init(description, advice: nil) }

  init(_ description: String, advice: String?) {
    self.description = description
    self.advice = advice
  }
}
