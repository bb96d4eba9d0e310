// What a collection has already, by positions: here by reads that report an element that cannot be decoded.

extension SharedList.Contents {
  /// The first element; nil when there is none, and, with the transaction failed, when it cannot be decoded.
  public var first: Element? { view.find(0) }
  /// The last element; nil when there is none, and, with the transaction failed, when it cannot be decoded.
  public var last: Element? { view.find(count - 1) }

  /// An element by chance; nil when there is none, and, with the transaction failed, when it cannot be decoded.
  public func randomElement() -> Element? {
    var generator = SystemRandomNumberGenerator()
    return view.random(using: &generator)
  }
  /// An element by chance; nil when there is none, and, with the transaction failed, when it cannot be decoded.
  public func randomElement(using generator: inout some RandomNumberGenerator) -> Element? {
    view.random(using: &generator)
  }

  /// The last position of an element for which `predicate` says so.
  ///
  /// - Complexity: O(*n*).
  public func lastIndex(where predicate: (Element) throws -> Bool) rethrows -> Int? {
    try view.lastIndex(where: predicate)
  }
  /// The last element for which `predicate` says so.
  ///
  /// - Complexity: O(*n*).
  public func last(where predicate: (Element) throws -> Bool) rethrows -> Element? {
    try lastIndex(where: predicate).flatMap { view.find($0) }
  }
}

extension SharedList.Contents where Element: Equatable {
  /// The position of the last element equal to `element`, or nil.
  public func lastIndex(of element: Element) -> Int? { lastIndex { $0 == element } }
}
