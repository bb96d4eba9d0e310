// What a collection has already, by positions: here by reads that report an element that cannot be decoded.

extension SharedList.Contents {
  /// The first element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public var first: Element? { view.find(0) }
  /// The last element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public var last: Element? { view.find(count - 1) }

  /// Returns a random element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public func randomElement() -> Element? {
    var generator = SystemRandomNumberGenerator()
    return view.random(using: &generator)
  }
  /// Returns a random element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  public func randomElement(using generator: inout some RandomNumberGenerator) -> Element? {
    view.random(using: &generator)
  }

  /// Returns the position of the last element that satisfies `predicate`, or nil.
  ///
  /// - Complexity: O(*n*).
  public func lastIndex(where predicate: (Element) throws -> Bool) rethrows -> Int? {
    try view.lastIndex(where: predicate)
  }
  /// Returns the last element that satisfies `predicate`, or nil.
  ///
  /// - Complexity: O(*n*).
  public func last(where predicate: (Element) throws -> Bool) rethrows -> Element? {
    try lastIndex(where: predicate).flatMap { view.find($0) }
  }
}

extension SharedList.Contents where Element: Equatable {
  /// Returns the position of the last element that equals `element`, or nil.
  public func lastIndex(of element: Element) -> Int? { lastIndex { $0 == element } }
}
