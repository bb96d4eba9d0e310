// What a collection has already, by positions: here by reads that report an element that cannot be decoded.

extension SharedArray.Contents {
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

  /// Returns the position of the first element that satisfies `predicate`, or nil.
  ///
  /// - Complexity: O(*n*), by iteration.
  @inlinable
  public func firstIndex(where predicate: (Element) throws -> Bool) rethrows -> Int? {
    var position = 0
    for element in self {
      if try predicate(element) { return position }
      position += 1
    }
    return nil
  }
}

extension SharedArray.Contents where Element: Equatable {
  /// Returns the position of the first element that equals `element`, or nil.
  @inlinable
  public func firstIndex(of element: Element) -> Int? { firstIndex { $0 == element } }
  /// Returns the position of the last element that equals `element`, or nil.
  public func lastIndex(of element: Element) -> Int? { lastIndex { $0 == element } }
}
