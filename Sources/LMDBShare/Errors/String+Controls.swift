extension String {
  /// The text with every character escaped that moves a terminal's cursor, changes its colours, ends a line or reverses letters:
  /// error messages quote names and bytes that others stored. What was escaped before stays as it is.
  @usableFromInline var withoutControls: String {
    escaping(backslashes: false)
  }

  /// The same with backslashes as `\\`, so that no two names look alike. Must not be applied twice.
  var escapedName: String { escaping(backslashes: true) }

  private func escaping(backslashes: Bool) -> String {
    func isEscaped(_ scalar: Unicode.Scalar) -> Bool { scalar.isControl || backslashes && scalar == "\\" }
    guard unicodeScalars.contains(where: isEscaped) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      if isEscaped(scalar) {
        result += scalar.escaped(asASCII: true)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  /// Whether it is a C0 or C1 control character, ends a line or changes the direction of text.
  fileprivate var isControl: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
