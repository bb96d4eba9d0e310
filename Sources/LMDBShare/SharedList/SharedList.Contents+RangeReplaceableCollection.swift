extension SharedList.Contents: MutableCollection, RangeReplaceableCollection {
  /// The element at a position. A position out of range stops the program; ``element(at:)`` throws instead.
  ///
  /// An element that cannot be decoded fails the transaction, which throws at its end; until then the
  /// ``Codec/placeholder`` of its type stands in for it, or another element. Where there is neither, the program stops.
  ///
  /// - Complexity: O(1) where elements lie in blocks, else O(log *n*).
  @inlinable
  public subscript(position: Int) -> Element {
    get { view.get(position) }
    _modify {
      var element = view.get(position)
      yield &element
      view.set(position, element)
    }
    set { view.set(position, newValue) }
  }

  /// Puts other elements in the place of those in a range.
  ///
  /// - Complexity: O(*m* + log *n*) where elements lie in blocks; else the shorter side moves.
  public mutating func replaceSubrange(_ range: Range<Int>, with elements: some Collection<Element>) {
    view.replaceSubrange(range, with: elements)
    trim(atEnd: range.lowerBound == 0 && range.upperBound < count)
  }

  /// Appends an element.
  ///
  /// - Complexity: O(1) where elements lie in blocks, else O(log *n*).
  @inlinable
  public mutating func append(_ element: Element) {
    view.append(element)
    if maximum != nil { trim(atEnd: false) }
  }

  /// Appends the elements of a sequence, in one pass.
  @inlinable
  public mutating func append(contentsOf elements: some Sequence<Element>) {
    if let other = elements as? Self {
      // A view of this very list would be out of date with the first element.
      view.append(contentsOf: other.view.copied())
    } else {
      view.append(contentsOf: elements)
    }
    if maximum != nil { trim(atEnd: false) }
  }

  /// Inserts an element in front of all others.
  @inlinable
  public mutating func prepend(_ element: Element) { insert(element, at: 0) }

  /// Inserts an element before the one at a position.
  @inlinable
  public mutating func insert(_ element: Element, at position: Int) {
    let isAtStart = position == 0
    view.insert(element, at: position)
    if maximum != nil { trim(atEnd: isAtStart) }
  }

  /// Removes the element at a position and returns it. One that cannot be decoded fails the transaction; `removeSubrange` removes
  /// it unread.
  @discardableResult
  public mutating func remove(at position: Int) -> Element {
    let element = view.get(position)
    view.remove(position..<position + 1)
    return element
  }

  /// Removes the elements in a range, without decoding them.
  public mutating func removeSubrange(_ range: Range<Int>) { view.remove(range) }

  /// Removes the first element and returns it; nil when there is none, and, with the transaction failed, when it cannot be
  /// decoded.
  @discardableResult
  public mutating func popFirst() -> Element? {
    guard let element = view.find(0) else { return nil }
    view.remove(0..<1)
    return element
  }

  /// Removes the last element and returns it; nil when there is none, and, with the transaction failed, when it cannot be
  /// decoded.
  @discardableResult
  public mutating func popLast() -> Element? {
    let last = count - 1
    guard let element = view.find(last) else { return nil }
    view.remove(last..<last + 1)
    return element
  }

  /// Removes the elements that cannot be decoded, which no other read gets past. They are gone for good.
  ///
  /// To keep what they hold, look at them with the tool first: `lmdbshare show`.
  ///
  /// - Returns: For each of them where it stood, and why it cannot be decoded.
  /// - Complexity: O(*n*).
  @discardableResult
  public mutating func removeUndecodable() -> [StoreError] { view.removeUndecodable() }

  /// Removes the first element and returns it. The list must not be empty.
  @discardableResult
  public mutating func removeFirst() -> Element { remove(at: 0) }

  /// Removes the last element and returns it. The list must not be empty.
  @discardableResult
  public mutating func removeLast() -> Element { remove(at: count - 1) }

  /// Removes the first elements, without decoding them.
  public mutating func removeFirst(_ count: Int) { view.remove(0..<count) }

  /// Removes the last elements, without decoding them.
  public mutating func removeLast(_ count: Int) { view.remove(self.count - count..<self.count) }

  /// Removes all elements.
  public mutating func removeAll(keepingCapacity: Bool = false) { view.replaceAll([]) }

  /// Removes the elements for which `shouldRemove` says so, in one pass.
  ///
  /// - Complexity: O(*n*).
  public mutating func removeAll(where shouldRemove: (Element) throws -> Bool) rethrows {
    let all = view.copied()
    let kept = try all.filter { try !shouldRemove($0) }
    if kept.count < all.count { view.replaceAll(kept) }
  }

  /// Sorts the elements, which are read, sorted in memory and written back.
  ///
  /// - Complexity: O(*n* log *n*).
  public mutating func sort(by areInIncreasingOrder: (Element, Element) throws -> Bool) rethrows {
    view.replaceAll(try view.copied().sorted(by: areInIncreasingOrder))
  }

  /// Turns the order of the elements around.
  ///
  /// - Complexity: O(*n*).
  public mutating func reverse() { view.replaceAll(view.copied().reversed()) }

  /// At the end of an access in place: a copy that took the view's place is written to the store.
  @inlinable @inline(__always)
  mutating func store(_ core: Transaction, _ list: SharedList<Element>) {
    if view.isDetached { storeDetached(core, list) }
  }

  @usableFromInline @inline(never)
  mutating func storeDetached(_ core: Transaction, _ list: SharedList<Element>) {
    guard case .detached(let elements) = view.storage else { return }
    if let maximum = list.maximumCount { view = ElementView(Array(elements.suffix(maximum))) }
    view.storeDetached(core, list.reference)
  }

  /// Drops what exceeds the maximum, at the end or at the start.
  @usableFromInline
  mutating func trim(atEnd: Bool) {
    guard let maximum else { return }
    let excess = view.count - maximum
    guard excess > 0 else { return }
    view.remove(atEnd ? maximum..<maximum + excess : 0..<excess)
  }
}

extension SharedList.Contents where Element: Comparable {
  /// Sorts the elements.
  ///
  /// - Complexity: O(*n* log *n*).
  public mutating func sort() { sort(by: <) }
}

extension SharedList.Contents: ExpressibleByArrayLiteral {
  /// Elements in memory.
  public init(arrayLiteral elements: Element...) { self.init(ElementView(elements), nil) }
}

extension SharedList.Contents: Equatable where Element: Equatable {
  /// Whether both have equal elements in the same order.
  public static func == (a: Self, b: Self) -> Bool { a.count == b.count && a.elementsEqual(b) }
}

extension SharedList.Contents: Hashable where Element: Hashable {
  /// Hashes all elements.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for element in self { hasher.combine(element) }
  }
}

extension SharedList.Contents: CustomStringConvertible {
  /// As an array.
  public var description: String { view.copied().description }
}
