#if FoundationCodecs
  #if canImport(FoundationEssentials)
    public import FoundationEssentials
  #else
    public import Foundation
  #endif

  /// `URL` as its absolute text.
  public enum URLCodec: Codec {
    /// `url`.
    public static var identifier: String { "url" }

    /// Appends the absolute text; the base of a relative URL becomes part of it.
    /// - Throws: ``EncodingFailure`` when the text is not a URL.
    public static func encode(_ value: URL, into writer: inout ByteWriter) throws(EncodingFailure) {
      let text = value.absoluteString
      guard URL(string: text) != nil else { throw EncodingFailure("'\(text)' cannot be read as a URL again") }
      withUTF8(of: text) { writer.append($0) }
    }

    /// Decodes the URL from its text.
    public static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> URL {
      guard let text = bytes.utf8String(), let url = URL(string: text) else { throw DecodingFailure("it is not a URL") }
      return url
    }

    /// `about:blank`.
    public static var placeholder: URL? { URL(string: "about:blank") }
  }

  extension URL: Storable {
    /// The absolute text.
    public typealias StorageCodec = URLCodec
  }
#endif
