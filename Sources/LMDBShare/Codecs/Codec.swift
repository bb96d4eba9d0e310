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

extension Codec {
  /// The value that no bytes, or zeros, represent; otherwise the first case of an enumeration.
  public static var placeholder: Value? {
    let zeros = [UInt8](repeating: 0, count: fixedByteCount ?? 0)
    return LMDBShare.withBytes(of: zeros) { bytes in try? decode(bytes) } ?? firstCase(of: Value.self)
  }

  /// The first value of a type whose values can be listed, or of an enumeration.
  static func firstCase<T>(of type: T.Type) -> T? {
    (type as? any CaseIterable.Type).flatMap { $0.anyFirst as? T } ?? LMDBShare.firstCase(of: type)
  }
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

/// The reason why a value cannot be stored.
public struct EncodingFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// A description of the problem.
  public let description: String
  /// Creates a failure with a short description.
  public init(_ description: String) { self.description = description }
}
