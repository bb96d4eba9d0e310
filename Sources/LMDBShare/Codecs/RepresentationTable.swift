/// Properties of representations that are known by their identifiers: the only list of those with a fixed size.
package enum RepresentationTable {
  /// The size of a value, or of a key, of the representation in bytes; nil when it depends on the value, or the identifier is not
  /// in the list.
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
