import LMDBShare

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// The representations by their identifiers. A new one gets a line in one of the two lists.
package enum Representations {
  /// Those with one identifier.
  private static let simple: [any Representation] = [
    Int8.representation, Int16.representation, Int32.representation, Int64.representation, Int128.representation,
    UInt8.representation, UInt16.representation, UInt32.representation, UInt64.representation,
    UInt128.representation, Float.representation, Double.representation, Bool.representation, UUID.representation,
    Date.representation, Duration.representation, TextRepresentation<DecimalCodec>(title: "decimal number"),
    TextRepresentation<URLCodec>(title: "URL"),
    StringRepresentation(), BytesRepresentation(),
  ]

  /// Those whose identifiers contain others, or names.
  private static let compound: [any CompoundRepresentation.Type] = [
    ArrayRepresentation.self, CompositeRepresentation.self, EntriesRepresentation.self, JSONRepresentation.self,
    CBORRepresentation.self, BitsRepresentation.self,
  ]

  private static let words = Dictionary(uniqueKeysWithValues: simple.map { ($0.identifier[...], $0) })

  /// The representation with an identifier; nil when only the program that wrote it knows its meaning.
  package static func known(_ identifier: String) -> (any Representation)? {
    var parser = Parser(text: identifier[...])
    let found = parser.representation()
    return parser.text.isEmpty ? found : nil
  }

  /// The representation with an identifier; every identifier has one.
  package static func named(_ identifier: String) -> any Representation {
    known(identifier) ?? OwnRepresentation(identifier: identifier)
  }

  /// The forms of all identifiers, for people.
  package static let forms =
    (simple.map(\.identifier) + ["x? (x, or null)"] + compound.map { $0.forms }).joined(separator: ", ")

  /// Takes an identifier apart.
  struct Parser {
    fileprivate(set) var text: Substring
    private var depth = 0
    /// Names may come from malicious files.
    private static let deepest = 100

    fileprivate init(text: Substring) { self.text = text }

    /// The next representation, or nil.
    mutating func representation() -> (any Representation)? {
      guard depth < Self.deepest else { return nil }
      depth += 1
      defer { depth -= 1 }
      guard var found = one() else { return nil }
      var marks = 0
      while marks < Self.deepest, take("?") {
        found = OptionalRepresentation(wrapped: found)
        marks += 1
      }
      return found
    }

    private mutating func one() -> (any Representation)? {
      for form in Representations.compound where text.hasPrefix(form.opening) {
        text.removeFirst(form.opening.count)
        return form.parse(&self)
      }
      let word = text.prefix { $0.isLetter || $0.isNumber }
      text = text[word.endIndex...]
      return Representations.words[word]
    }

    /// Takes a text if it comes next.
    mutating func take(_ expected: String) -> Bool {
      guard text.hasPrefix(expected) else { return false }
      text.removeFirst(expected.count)
      return true
    }

    /// The text up to the parenthesis that closes the one that was taken last, which is taken too.
    mutating func balanced() -> Substring? {
      var depth = 1
      for index in text.indices {
        if text[index] == "(" { depth += 1 }
        if text[index] == ")" { depth -= 1 }
        if depth == 0 {
          let inner = text[..<index]
          text = text[text.index(after: index)...]
          return inner
        }
      }
      return nil
    }
  }
}

/// A representation whose identifier contains others, or a name.
protocol CompoundRepresentation: Representation {
  /// The first characters of its identifiers, and of no others.
  static var opening: String { get }
  /// The form of its identifiers, for people.
  static var forms: String { get }
  /// Takes the rest of an identifier, after the opening.
  init?(_ parser: inout Representations.Parser)
}

extension CompoundRepresentation {
  static func parse(_ parser: inout Representations.Parser) -> (any Representation)? { Self(&parser) }
}
