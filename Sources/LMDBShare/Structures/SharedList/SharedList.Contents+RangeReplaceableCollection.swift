extension SharedList.Contents: RangeReplaceableCollection {
  /// Replaces the elements in a range.
  ///
  /// - Complexity: O(*m* + log *n*), where *m* is the number of elements removed and added.
  public mutating func replaceSubrange(_ range: Range<Int>, with elements: some Collection<Element>) {
    view.replaceSubrange(range, with: elements)
    trim(atEnd: range.lowerBound == 0 && range.upperBound < count)
  }

  /// Appends an element.
  ///
  /// - Complexity: O(1).
  @inlinable
  public mutating func append(_ element: Element) {
    view.append(element)
    if maximum != nil { trim(atEnd: false) }
  }

  /// Appends the elements of a sequence, in one pass.
  @inlinable
  public mutating func append(contentsOf elements: some Sequence<Element>) {
    if let other = elements as? Self {
      // A view of this same list would be out of date after the first element.
      view.append(contentsOf: other.view.copied())
    } else {
      view.append(contentsOf: elements)
    }
    if maximum != nil { trim(atEnd: false) }
  }

  /// Inserts an element at the start.
  @inlinable
  public mutating func prepend(_ element: Element) { insert(element, at: 0) }

  /// Inserts an element before the one at a position.
  @inlinable
  public mutating func insert(_ element: Element, at position: Int) {
    let isAtStart = position == 0
    view.insert(element, at: position)
    if maximum != nil { trim(atEnd: isAtStart) }
  }

  /// Removes and returns the element at a position. An element that cannot be decoded fails the transaction; `removeSubrange`
  /// removes it undecoded.
  @discardableResult
  public mutating func remove(at position: Int) -> Element {
    let element = view.get(position)
    view.remove(position..<position + 1)
    return element
  }

  /// Removes the elements in a range, without decoding them.
  public mutating func removeSubrange(_ range: Range<Int>) { view.remove(range) }

  /// Removes and returns the first element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  @discardableResult
  public mutating func popFirst() -> Element? {
    guard let element = view.find(0) else { return nil }
    view.remove(0..<1)
    return element
  }

  /// Removes and returns the last element; nil when there is none, or when it cannot be decoded, which fails the transaction.
  @discardableResult
  public mutating func popLast() -> Element? {
    let last = count - 1
    guard let element = view.find(last) else { return nil }
    view.remove(last..<last + 1)
    return element
  }

  /// Permanently removes the elements that cannot be decoded, which end every iteration.
  ///
  /// To keep their contents, inspect them with the tool first: `lmdbshare show`.
  ///
  /// - Returns: An error for each of them, with its position and the reason.
  /// - Complexity: O(*n*).
  @discardableResult
  public mutating func removeUndecodable() -> [StoreError] { view.removeUndecodable() }

  /// Removes and returns the first element. The list must not be empty.
  @discardableResult
  public mutating func removeFirst() -> Element { remove(at: 0) }

  /// Removes and returns the last element. The list must not be empty.
  @discardableResult
  public mutating func removeLast() -> Element { remove(at: count - 1) }

  /// Removes the first elements, without decoding them.
  public mutating func removeFirst(_ count: Int) { view.remove(0..<count) }

  /// Removes the last elements, without decoding them.
  public mutating func removeLast(_ count: Int) { view.remove(self.count - count..<self.count) }

  /// Removes all elements.
  public mutating func removeAll(keepingCapacity: Bool = false) { view.replaceAll([]) }

  /// Removes the elements that satisfy `shouldRemove`, in one pass.
  ///
  /// - Complexity: O(*n*).
  public mutating func removeAll(where shouldRemove: (Element) throws -> Bool) rethrows {
    let all = view.copied()
    if view.keepsStoredElements {
      let kept = try all.indices.filter { try !shouldRemove(all[$0]) }
      if kept.count < all.count { view.reorder(kept, of: all) }
    } else {
      let kept = try all.filter { try !shouldRemove($0) }
      if kept.count < all.count { view.replaceAll(kept) }
    }
  }

  /// Sorts the elements, which are read, sorted in memory and written back.
  ///
  /// - Complexity: O(*n* log *n*).
  public mutating func sort(by areInIncreasingOrder: (Element, Element) throws -> Bool) rethrows {
    let all = view.copied()
    if view.keepsStoredElements {
      view.reorder(try all.indices.sorted { try areInIncreasingOrder(all[$0], all[$1]) }, of: all)
    } else {
      view.replaceAll(try all.sorted(by: areInIncreasingOrder))
    }
  }

  /// Reverses the order of the elements.
  ///
  /// - Complexity: O(*n*).
  public mutating func reverse() {
    let all = view.copied()
    if view.keepsStoredElements {
      view.reorder(all.indices.reversed(), of: all)
    } else {
      view.replaceAll(all.reversed())
    }
  }

  /// Drops the elements that exceed the maximum, at the end or at the start.
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
