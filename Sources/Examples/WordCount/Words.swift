/// Words and their lengths in a text: maximal runs of letters, lower-cased.
struct Words {
  var counts: [String: Int] = [:]
  var total = 0
  /// How many words have 1, 2, … letters; the last element counts all longer words.
  var lengths = [Int](repeating: 0, count: Words.lengthClasses)

  static let lengthClasses = 24

  init() {}

  init(of text: String) {
    var word = String.UnicodeScalarView()
    var letters = 0
    func isLetter(_ scalar: Unicode.Scalar) -> Bool {
      if scalar.isASCII { return (scalar.value | 0x20) >= 0x61 && (scalar.value | 0x20) <= 0x7A }
      return scalar.properties.isAlphabetic
    }
    for scalar in text.unicodeScalars {
      if isLetter(scalar) {
        word.append(scalar)
        letters += 1
      } else if letters > 0 {
        count(String(word).lowercased(), letters)
        word.removeAll(keepingCapacity: true)
        letters = 0
      }
    }
    if letters > 0 { count(String(word).lowercased(), letters) }
  }

  private mutating func count(_ word: String, _ letters: Int) {
    counts[word, default: 0] += 1
    total += 1
    lengths[min(letters, Words.lengthClasses) - 1] += 1
  }

  mutating func add(_ other: Words) {
    counts.merge(other.counts, uniquingKeysWith: +)
    total += other.total
    for (index, count) in other.lengths.enumerated() { lengths[index] += count }
  }
}
