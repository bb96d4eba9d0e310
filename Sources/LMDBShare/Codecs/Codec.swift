@_exported public import LMDB

/// How the values of a type lie in the file.
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

  /// How many bytes every value takes, or nil when it depends on the value.
  static var fixedByteCount: Int? { get }

  /// Appends the value's bytes.
  /// - Throws: ``EncodingFailure`` when the value has no representation.
  static func encode(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure)

  /// The value that the bytes stand for.
  /// - Throws: ``DecodingFailure`` when they stand for none.
  static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Value

  /// Calls `body` with the value's bytes; codecs of fixed size do so without allocating.
  static func withEncoded<R>(_ value: Value, _ body: (RawSpan) -> R) throws(EncodingFailure) -> R

  /// Any value, to be returned where one that cannot be decoded was asked for and nothing can be thrown yet: the transaction has
  /// failed by then, so that nothing that is made of it is committed or returned. Nil when there is none, and then such a read
  /// stops the program.
  ///
  /// There is one already for types for which no bytes or bytes of zero stand, for optionals, for enumerations that are
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
  /// The value for which no bytes, or bytes of zero, stand, or the first one of those that can be listed.
  public static var placeholder: Value? {
    let zeros = [UInt8](repeating: 0, count: fixedByteCount ?? 0)
    return LMDB.withBytes(of: zeros) { bytes in try? decode(bytes) } ?? firstCase(of: Value.self)
  }

  /// The first value of a type whose values can be listed, or of an enumeration.
  static func firstCase<T>(of type: T.Type) -> T? {
    (type as? any CaseIterable.Type).flatMap { $0.anyFirst as? T } ?? LMDB.firstCase(of: type)
  }
}

extension CaseIterable {
  fileprivate static var anyFirst: Any? { allCases.first }
}

/// A codec whose bytes sort as its values do, so that it can serve for the keys of a dictionary.
public protocol KeyCodec<Value>: Codec {
  /// Appends the value such that more can follow: what is decoded again ends where this ends, and order holds.
  static func encodeComponent(_ value: Value, into writer: inout ByteWriter) throws(EncodingFailure)

  /// Reads what ``encodeComponent(_:into:)`` wrote, and no more.
  @_lifetime(reader: copy reader)
  static func decodeComponent(_ reader: inout ByteReader) throws(DecodingFailure) -> Value
}

/// Why a value cannot be stored.
public struct EncodingFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with it.
  public let description: String
  /// A failure, told in a few words.
  public init(_ description: String) { self.description = description }
}
