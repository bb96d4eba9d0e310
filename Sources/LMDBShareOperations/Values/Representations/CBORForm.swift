import LMDBShare

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// What JSON cannot say: an object of one member, with one of these names. A map that is such an object itself is written as `$map`.
enum CBORForm: String {
  /// Bytes, as base64.
  case bytes = "$bytes"
  /// `inf`, `-inf`, `nan`, or `nan:` and the 64 bits in hexadecimal digits.
  case float = "$float"
  /// A map with other keys than texts: an array of `[key, value]`.
  case map = "$map"
  /// `[number, value]`.
  case tag = "$tag"
  /// A simple value by its number; 23 is `undefined`.
  case simple = "$simple"
  /// The text of a date, UUID, URL or decimal number, which has the tag that ``CBORCodec`` writes.
  case date = "$date"
  case uuid = "$uuid"
  case url = "$url"
  case decimal = "$decimal"

  /// The first byte of all names.
  static let mark = UInt8(ascii: "$")
}

/// The values that have a tag and a text.
enum TaggedText {
  private static let kinds: [any TaggedValue.Type] = [Date.self, UUID.self, URL.self, Decimal.self]

  /// The text of an item with a tag; nil when it would not be converted back to the same bytes.
  static func text(_ item: ArraySlice<UInt8>, tag: UInt64) -> (form: CBORForm, text: String)? {
    for kind in kinds where kind.tags.contains(tag) {
      if let text = kind.taggedText(item), TaggedText.item(text, kind.form) == Array(item) { return (kind.form, text) }
    }
    return nil
  }

  /// The item of a text.
  static func item(_ text: String, _ form: CBORForm) -> [UInt8]? {
    kinds.first { $0.form == form }?.item(text)
  }
}

/// A type whose values have a tag in CBOR, and a text.
private protocol TaggedValue: Storable, Codable {
  static var form: CBORForm { get }
  static var tags: [UInt64] { get }
  var text: String? { get }
  static func value(_ text: String) -> Self?
}

extension TaggedValue {
  fileprivate static func taggedText(_ item: ArraySlice<UInt8>) -> String? {
    withBytes(of: Array(item)) { try? CBORCodec<Self>.decode($0) }?.text
  }

  fileprivate static func item(_ text: String) -> [UInt8]? {
    value(text).flatMap { value in try? CBORCodec<Self>.withEncoded(value) { $0.copied() } }
  }
}

extension Date: TaggedValue {
  fileprivate static var form: CBORForm { .date }
  fileprivate static var tags: [UInt64] { [CBORTag.dateText, CBORTag.secondsSince1970] }
  fileprivate var text: String? { DateText.exact(timeIntervalSinceReferenceDate) }
  fileprivate static func value(_ text: String) -> Date? {
    DateText.seconds(text).map { Date(timeIntervalSinceReferenceDate: $0) }
  }
}

extension UUID: TaggedValue {
  fileprivate static var form: CBORForm { .uuid }
  fileprivate static var tags: [UInt64] { [CBORTag.uuid] }
  fileprivate var text: String? { uuidString }
}

extension URL: TaggedValue {
  fileprivate static var form: CBORForm { .url }
  fileprivate static var tags: [UInt64] { [CBORTag.address] }
  fileprivate var text: String? { absoluteString }
  fileprivate static func value(_ text: String) -> URL? { URL(string: text) }
}

extension Decimal: TaggedValue {
  fileprivate static var form: CBORForm { .decimal }
  fileprivate static var tags: [UInt64] { [CBORTag.decimal] }
  fileprivate var text: String? { description }
  fileprivate static func value(_ text: String) -> Decimal? {
    withUTF8(of: text) { try? DecimalCodec.decode($0) }
  }
}
