/// What is known of representations by their names alone: the one list of those of a fixed size.
package enum RepresentationTable {
  /// How many bytes a value, or a key, of the representation takes; nil when that depends on the value, or the name is another
  /// one.
  package static func fixedSize(of identifier: String) -> Int? { sizes[identifier] }

  /// All of them can be keys.
  private static let sizes: [String: Int] = {
    var sizes = ["f32": 4, "f64": 8, "bool": 1, "uuid": 16, "date": 8, "duration": 16]
    for bits in [8, 16, 32, 64, 128] {
      sizes["i\(bits)"] = bits / 8
      sizes["u\(bits)"] = bits / 8
    }
    return sizes
  }()
}
