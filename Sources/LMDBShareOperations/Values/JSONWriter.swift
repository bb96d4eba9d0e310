package import LMDBShare

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Writes JSON into bytes. Characters that could move a cursor or change how a terminal displays text are escaped.
package struct JSONWriter: ~Copyable {
  package var out = ByteWriter()
  /// Whether the next value on this level needs a comma before it.
  package private(set) var needsComma = false

  package init() {}

  // MARK: Structure

  package mutating func begin(_ bracket: Unicode.Scalar) {
    out.append(UInt8(ascii: bracket))
    needsComma = false
  }

  package mutating func end(_ bracket: Unicode.Scalar) {
    out.append(UInt8(ascii: bracket))
    needsComma = true
  }

  /// Must be called before an element of an array, or a member of an object.
  package mutating func separate() {
    if needsComma { out.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  /// The name of a member.
  package mutating func name(_ name: StaticString) {
    separate()
    out.append(UInt8(ascii: "\""))
    out.append(contentsOf: name.description.utf8)
    out.append(UInt8(ascii: "\""))
    out.append(UInt8(ascii: ":"))
  }

  package mutating func name(_ name: String) {
    separate()
    string(name)
    out.append(UInt8(ascii: ":"))
  }

  // MARK: Values

  package mutating func null() { out.append(contentsOf: "null".utf8) }
  package mutating func bool(_ value: Bool) { out.append(contentsOf: (value ? "true" : "false").utf8) }
  package mutating func number(_ digits: String) { out.append(contentsOf: digits.utf8) }
  package mutating func number(_ value: some BinaryInteger) { out.append(contentsOf: String(value).utf8) }

  /// A floating-point number; as a string if JSON cannot represent it.
  mutating func float<T: StorableFloat & CustomStringConvertible>(_ value: T) {
    let (text, isNumber) = FloatText.text(value)
    if isNumber { number(text) } else { plain(text) }
  }

  /// A string without anything to escape.
  package mutating func plain(_ text: String) {
    out.append(UInt8(ascii: "\""))
    out.append(contentsOf: text.utf8)
    out.append(UInt8(ascii: "\""))
  }

  package mutating func string(_ text: String) { withUTF8(of: text) { string($0) } }

  /// A string of UTF-8.
  package mutating func string(_ bytes: RawSpan) {
    out.append(UInt8(ascii: "\""))
    var plain = 0
    var index = 0
    while index < bytes.byteCount {
      let byte = bytes.byte(at: index)
      if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
        index += 1
        continue
      }
      let (length, isHarmless) = Printable.scalar(bytes, at: index)
      if isHarmless, byte >= 0x80 {
        index += length
        continue
      }
      out.append(bytes.extracting(plain..<index))
      escape(Printable.value(bytes, at: index, length))
      index += length
      plain = index
    }
    out.append(bytes.extracting(plain..<index))
    out.append(UInt8(ascii: "\""))
  }

  private mutating func escape(_ scalar: UInt32) {
    out.append(UInt8(ascii: "\\"))
    switch scalar {
    case 0x22, 0x5C: out.append(UInt8(scalar))
    case 0x08: out.append(UInt8(ascii: "b"))
    case 0x09: out.append(UInt8(ascii: "t"))
    case 0x0A: out.append(UInt8(ascii: "n"))
    case 0x0C: out.append(UInt8(ascii: "f"))
    case 0x0D: out.append(UInt8(ascii: "r"))
    case 0x10000...:
      unit(0xD800 + (scalar - 0x10000) >> 10)
      out.append(UInt8(ascii: "\\"))
      unit(0xDC00 + (scalar - 0x10000) & 0x3FF)
    default: unit(scalar)
    }
  }

  private mutating func unit(_ value: UInt32) {
    let digits = String(value, radix: 16)
    out.append(UInt8(ascii: "u"))
    out.append(contentsOf: (String(repeating: "0", count: 4 - digits.count) + digits).utf8)
  }

  package mutating func base64(_ bytes: RawSpan) { plain(Data(bytes.copied()).base64EncodedString()) }

  /// JSON that is written unchanged.
  package mutating func verbatim(_ bytes: RawSpan) { out.append(bytes) }

  /// Removes everything after the first `count` bytes.
  package mutating func truncate(to count: Int, needsComma: Bool) {
    out.truncate(to: count)
    self.needsComma = needsComma
  }
}
