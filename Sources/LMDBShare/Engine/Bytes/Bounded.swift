// Arithmetic on untrusted numbers that were read from a file. Results saturate at the bounds of `Int`.

extension Int {
  /// The sum.
  package func bounded(plus other: Int) -> Int {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? (other > 0 ? .max : .min) : sum
  }

  /// The product.
  package func bounded(times other: Int) -> Int {
    let (product, overflows) = multipliedReportingOverflow(by: other)
    return overflows ? ((self > 0) == (other > 0) ? .max : .min) : product
  }
}

extension Sequence<Int> {
  /// The sum of all.
  package func boundedSum() -> Int { reduce(0) { $0.bounded(plus: $1) } }
}
