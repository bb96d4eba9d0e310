#if FoundationCodecs
  #if canImport(FoundationEssentials)
    public import FoundationEssentials
  #else
    public import Foundation
  #endif

  /// `Decimal` as its text, which keeps all digits.
  public enum DecimalCodec: Codec {
    /// `decimal`.
    public static var identifier: String { "decimal" }

    /// Appends the text.
    /// - Throws: ``EncodingFailure`` when the value is not a number.
    public static func encode(_ value: Decimal, into writer: inout ByteWriter) throws(EncodingFailure) {
      guard !value.isNaN else { throw EncodingFailure("it is not a number") }
      withUTF8(of: value.description) { writer.append($0) }
    }

    /// Decodes the number from its text.
    public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Decimal {
      guard let text = bytes.utf8String(), text.utf8.allSatisfy({ "0123456789.-+eE".utf8.contains($0) }),
        let value = Decimal(string: text), !value.isNaN
      else { throw DecodingFailure("it is not a decimal number") }
      return value
    }

    /// 0.
    public static var placeholder: Decimal? { 0 }
  }

  extension Decimal: Storable {
    /// The text.
    public typealias StorageCodec = DecimalCodec
  }
#endif
