import LMDBShare

/// A representation whose values have one text each, by which they stand in JSON, in tables and on the command line.
package struct TextForm: Sendable {
  package let identifier: String
  /// What it is called for people.
  let title: String
  /// Whether keys have it.
  let isKey: Bool
  /// The text of a value's bytes, or of a key's.
  let text: @Sendable (_ bytes: RawSpan, _ isKey: Bool) throws(DecodingFailure) -> String
  /// Appends the bytes of a value, or of a key, that a text stands for; false when it stands for none.
  let encode: @Sendable (_ text: String, _ isKey: Bool, _ writer: inout ByteWriter) -> Bool

  /// All of them.
  package static let all: [TextForm] = []
}

extension TextForm: Hashable {
  package static func == (a: TextForm, b: TextForm) -> Bool { a.identifier == b.identifier }
  package func hash(into hasher: inout Hasher) { hasher.combine(identifier) }
}

extension TextForm {
  /// The text itself, where it is one that the codec reads.
  static func utf8<C: Codec>(_ codec: C.Type, _ title: String) -> TextForm {
    TextForm(identifier: C.identifier, title: title, isKey: false) { (bytes, _) throws(DecodingFailure) in
      _ = try C.decode(bytes)
      return bytes.utf8String() ?? ""
    } encode: { text, _, writer in
      withUTF8(of: text) { bytes in
        guard (try? C.decode(bytes)) != nil else { return false }
        writer.append(bytes)
        return true
      }
    }
  }
}
