import Testing

// The promises of the standard library's protocols, checked on any collection against its expected elements.

func checkSequence<S: Sequence>(_ sequence: S, _ expected: [S.Element]) where S.Element: Equatable {
  #expect(Array(sequence) == expected)
  var iterator = sequence.makeIterator()
  for element in expected { #expect(iterator.next() == element) }
  #expect(iterator.next() == nil)
  #expect(iterator.next() == nil)
  #expect(sequence.underestimatedCount <= expected.count)
  #expect(sequence.reduce(into: 0) { count, _ in count += 1 } == expected.count)
  #expect(Array(sequence.dropFirst(2)) == Array(expected.dropFirst(2)))
  #expect(Array(sequence.prefix(3)) == Array(expected.prefix(3)))
}

func checkCollection<C: Collection>(_ collection: C, _ expected: [C.Element]) where C.Element: Equatable {
  checkSequence(collection, expected)
  #expect(collection.count == expected.count)
  #expect(collection.isEmpty == expected.isEmpty)
  #expect(collection.first == expected.first)
  #expect(collection.distance(from: collection.startIndex, to: collection.endIndex) == expected.count)
  var indices: [C.Index] = []
  var index = collection.startIndex
  while index != collection.endIndex {
    indices.append(index)
    #expect(index < collection.endIndex)
    index = collection.index(after: index)
  }
  #expect(indices.count == expected.count)
  #expect(indices.map { collection[$0] } == expected)
  #expect(Array(collection.indices) == indices)
  for (a, b) in zip(indices, indices.dropFirst()) { #expect(a < b) }
  for cut in Set([0, expected.count / 2, expected.count]).sorted() {
    let at = cut < indices.count ? indices[cut] : collection.endIndex
    #expect(Array(collection[..<at]) == Array(expected[..<cut]))
    #expect(Array(collection[at...]) == Array(expected[cut...]))
    #expect(collection.index(collection.startIndex, offsetBy: cut) == at)
  }
  #expect(collection.index(collection.startIndex, offsetBy: expected.count + 1, limitedBy: collection.endIndex) == nil)
}

func checkBidirectional<C: BidirectionalCollection>(_ collection: C, _ expected: [C.Element])
where C.Element: Equatable {
  checkCollection(collection, expected)
  #expect(collection.last == expected.last)
  #expect(Array(collection.reversed()) == expected.reversed())
  var index = collection.endIndex
  var backwards: [C.Element] = []
  while index != collection.startIndex {
    index = collection.index(before: index)
    backwards.append(collection[index])
  }
  #expect(backwards == expected.reversed())
  #expect(Array(collection.suffix(2)) == Array(expected.suffix(2)))
  #expect(Array(collection.dropLast(2)) == Array(expected.dropLast(2)))
}

func checkRandomAccess<C: RandomAccessCollection>(_ collection: C, _ expected: [C.Element]) where C.Element: Equatable {
  checkBidirectional(collection, expected)
  let positions = Set([0, 1, expected.count / 2, expected.count]).filter { $0 <= expected.count }
  for a in positions {
    for b in positions {
      let from = collection.index(collection.startIndex, offsetBy: a)
      let to = collection.index(from, offsetBy: b - a)
      #expect(collection.distance(from: from, to: to) == b - a)
      if b < expected.count { #expect(collection[to] == expected[b]) }
    }
  }
}

func checkMutable<C: MutableCollection & RandomAccessCollection>(
  _ collection: inout C, _ expected: [C.Element], replacing: C.Element
) where C.Element: Equatable {
  var model = expected
  for offset in Set([0, expected.count / 2, expected.count - 1]) where model.indices.contains(offset) {
    collection[collection.index(collection.startIndex, offsetBy: offset)] = replacing
    model[offset] = replacing
  }
  #expect(Array(collection) == model)
  if model.count >= 2 {
    collection.swapAt(collection.startIndex, collection.index(before: collection.endIndex))
    model.swapAt(0, model.count - 1)
    #expect(Array(collection) == model)
    let middle = collection.index(collection.startIndex, offsetBy: model.count / 2)
    collection[collection.startIndex..<middle].reverse()
    model[..<(model.count / 2)].reverse()
    #expect(Array(collection) == model)
  }
  let cut = collection.partition { $0 == replacing }
  let offset = collection.distance(from: collection.startIndex, to: cut)
  #expect(collection[..<cut].allSatisfy { $0 != replacing })
  #expect(collection[cut...].allSatisfy { $0 == replacing })
  #expect(offset == model.count { $0 != replacing })
}

func checkRangeReplaceable<C: RangeReplaceableCollection & RandomAccessCollection>(
  _ collection: inout C, _ expected: [C.Element], inserting new: [C.Element]
) where C.Element: Equatable, C.Index == Int {
  var model = expected
  func check(_ what: Comment, _ location: SourceLocation = #_sourceLocation) {
    #expect(Array(collection) == model, what, sourceLocation: location)
    #expect(collection.count == model.count, what, sourceLocation: location)
  }
  let positions = Set([0, 1, model.count / 2, model.count - 1, model.count]).filter { $0 >= 0 && $0 <= expected.count }
  for lower in positions.sorted() {
    for upper in positions.sorted() where upper >= lower {
      for length in Set([0, 1, new.count]) {
        let before = model
        collection.replaceSubrange(lower..<upper, with: new.prefix(length))
        model.replaceSubrange(lower..<upper, with: new.prefix(length))
        check("\(lower)..<\(upper) by \(length)")
        // Inserted again, so that the next round starts with the same number.
        collection.replaceSubrange(0..<collection.count, with: before)
        model = before
        check("back")
      }
    }
  }
  if let one = new.first {
    collection.append(one)
    model.append(one)
    collection.insert(one, at: 0)
    model.insert(one, at: 0)
    check("append and insert")
    same(collection.remove(at: 0), model.remove(at: 0))
    same(collection.removeLast(), model.removeLast())
    check("remove")
  }
  collection.append(contentsOf: new)
  model.append(contentsOf: new)
  check("append contents")
  collection.insert(contentsOf: new, at: model.count / 2)
  model.insert(contentsOf: new, at: model.count / 2)
  check("insert contents")
  if let one = new.first {
    collection.removeAll { $0 == one }
    model.removeAll { $0 == one }
    check("remove where")
  }
  collection.removeSubrange(0..<min(2, model.count))
  model.removeSubrange(0..<min(2, model.count))
  check("remove a range")
  collection.removeAll()
  model.removeAll()
  check("remove all")
  #expect(Array(C(new)) == new)
  #expect(Array(C()).isEmpty)
}
