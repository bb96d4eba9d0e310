import LMDBShare
import TestSupport
import Testing

/// A random change of a list, which is applied to an `Array` and to a shared list.
private struct ListOperation<Element: Storable & Comparable> {
  let make: (inout SeededGenerator) -> Element

  func apply(
    _ list: inout SharedList<Element>.Contents, _ model: inout [Element], _ random: inout SeededGenerator
  ) -> String {
    let count = model.count
    switch Int.random(in: 0..<24, using: &random) {
    case 0...3:
      let element = make(&random)
      list.append(element)
      model.append(element)
      return "append"
    case 4, 5:
      let elements = (0..<Int.random(in: 0..<900, using: &random)).map { _ in make(&random) }
      list.append(contentsOf: elements)
      model.append(contentsOf: elements)
      return "append \(elements.count)"
    case 6, 7:
      let element = make(&random)
      list.prepend(element)
      model.insert(element, at: 0)
      return "prepend"
    case 8...10:
      let (element, position) = (make(&random), Int.random(in: 0...count, using: &random))
      list.insert(element, at: position)
      model.insert(element, at: position)
      return "insert at \(position)"
    case 11, 12:
      guard count > 0 else { return "" }
      let position = Int.random(in: 0..<count, using: &random)
      same(list.remove(at: position), model.remove(at: position))
      return "remove at \(position)"
    case 13:
      same(list.popFirst(), (model.isEmpty ? nil : model.removeFirst()))
      return "popFirst"
    case 14:
      same(list.popLast(), model.popLast())
      return "popLast"
    case 15...17:
      guard count > 0 else { return "" }
      let (element, position) = (make(&random), Int.random(in: 0..<count, using: &random))
      list[position] = element
      model[position] = element
      return "set \(position)"
    case 18, 19:
      let lower = Int.random(in: 0...count, using: &random)
      let upper = min(count, lower + Int.random(in: 0..<1200, using: &random))
      let elements = (0..<Int.random(in: 0..<700, using: &random)).map { _ in make(&random) }
      list.replaceSubrange(lower..<upper, with: elements)
      model.replaceSubrange(lower..<upper, with: elements)
      return "replace \(lower)..<\(upper) by \(elements.count)"
    case 20:
      let lower = Int.random(in: 0...count, using: &random)
      let upper = min(count, lower + Int.random(in: 0..<1500, using: &random))
      list.removeSubrange(lower..<upper)
      model.removeSubrange(lower..<upper)
      return "remove \(lower)..<\(upper)"
    case 21:
      guard count > 1 else { return "" }
      let (a, b) = (Int.random(in: 0..<count, using: &random), Int.random(in: 0..<count, using: &random))
      list.swapAt(a, b)
      model.swapAt(a, b)
      return "swap \(a), \(b)"
    case 22:
      switch Int.random(in: 0..<12, using: &random) {
      case 0:
        list.sort()
        model.sort()
        return "sort"
      case 1:
        list.reverse()
        model.reverse()
        return "reverse"
      case 2:
        guard let pivot = model.randomElement(using: &random) else { return "" }
        list.removeAll { $0 < pivot }
        model.removeAll { $0 < pivot }
        return "remove where"
      case 3:
        list.removeAll()
        model.removeAll()
        return "remove all"
      default: return ""
      }
    default:
      guard let element = model.randomElement(using: &random) else { return "" }
      #expect(list.firstIndex(of: element) == model.firstIndex(of: element))
      #expect(list.contains(element))
      return "find"
    }
  }
}

@Suite(.timeLimit(.minutes(20)))
struct ListTests {
  private func differential<Element: Storable & Comparable>(
    _ name: String, _ operations: Int, longest: Int, layout: StructureDescription.Layout? = nil,
    make: @escaping (inout SeededGenerator) -> Element
  ) throws {
    var random = SeededGenerator(name)
    let operation = ListOperation(make: make)
    let test = try TestStore()
    var store = test.store
    if let layout { try store.makeList("list", layout, of: Element.self) }
    var list = try store.list("list", of: Element.self)
    var model: [Element] = []
    var done = 0
    while done < operations {
      let batch = Int.random(in: 1...60, using: &random)
      let before = model
      do {
        try store.write { txn in
          for _ in 0..<batch {
            // The view may live for one change, or for several.
            let what = operation.apply(&txn[list], &model, &random)
            if model.count > longest {
              txn[list].removeSubrange(longest / 2..<model.count)
              model.removeSubrange(longest / 2..<model.count)
            }
            try #require(txn[list].count == model.count, "\(what)")
            if Int.random(in: 0..<20, using: &random) == 0 { try #require(Array(txn[list]) == model, "\(what)") }
          }
          if Int.random(in: 0..<10, using: &random) == 0 { throw Undo() }
        }
      } catch is Undo {
        model = before
      }
      done += batch
      try list.read { try #require(Array($0) == model) }
      if Int.random(in: 0..<15, using: &random) == 0 {
        store = try SharedStore(path: test.path, options: .durability(.processCrashOnly))
        list = try store.list("list", of: Element.self)
        try #require(try store.check() == [])
      }
    }
  }

  @Test func packedAgainstArray() throws {
    try differential("packedAgainstArray", SeededGenerator.operations(100_000), longest: 6000) {
      Int.random(in: -500...500, using: &$0)
    }
  }

  @Test(arguments: [.slotted, .indexed] as [StructureDescription.Layout])
  func stringsAgainstArray(_ layout: StructureDescription.Layout) throws {
    try differential("stringsAgainstArray", SeededGenerator.operations(100_000) / 10, longest: 1200, layout: layout) {
      random in
      let length = Int.random(in: 0..<10, using: &random) == 0 ? 3000 : 20
      return String(repeating: "x", count: Int.random(in: 0...length, using: &random))
        + "\(Int.random(in: 0..<50, using: &random))"
    }
  }

  /// Sizes around that of a block.
  @Test func largeStringsAgainstArray() throws {
    try differential("largeStringsAgainstArray", SeededGenerator.operations(100_000) / 100, longest: 200) { random in
      let length = [0, 1000, 2036, 2040, 4076, 4080, 20_000].randomElement(using: &random) ?? 0
      return String(repeating: "x", count: length + Int.random(in: 0..<8, using: &random))
    }
  }

  @Test(arguments: [.slotted, .indexed] as [StructureDescription.Layout])
  func fewStringsAgainstArray(_ layout: StructureDescription.Layout) throws {
    try differential("fewStringsAgainstArray", SeededGenerator.operations(100_000), longest: 40, layout: layout) {
      "\(Int.random(in: 0..<20, using: &$0))"
    }
  }

  @Test func maximumCountDropsFromTheOtherEnd() throws {
    let test = try TestStore()
    let log = try test.store.list("log", of: String.self, maximumCount: 3)
    try log.append(contentsOf: ["a", "b", "c", "d"])
    #expect(try log.read { Array($0) } == ["b", "c", "d"])
    try log.prepend("z")
    #expect(try log.read { Array($0) } == ["z", "b", "c"])
    // Opened without a maximum, it has the recorded one; another maximum is an error.
    #expect(try test.store.list("log", of: String.self).maximumCount == 3)
    #expect(code { _ = try test.store.list("log", of: String.self, maximumCount: 4) } == .typeMismatch)
    try log.write { $0 = ["1", "2", "3", "4", "5"] }
    #expect(try log.read { Array($0) } == ["3", "4", "5"])
  }

  @Test func binarySearch() throws {
    let test = try TestStore()
    let list = try test.store.list("sorted", of: Int.self)
    try list.append(contentsOf: stride(from: 0, to: 10_000, by: 2))
    try list.read { contents in
      for wanted in [-1, 0, 1, 5000, 9999, 20_000] {
        #expect(
          contents.partitioningIndex { $0 >= wanted } == Array(contents).firstIndex { $0 >= wanted } ?? contents.count)
      }
    }
  }

  @Test func operationsOnTheHandle() throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: Int.self)
    try list.append(3)
    try list.append(contentsOf: [1, 2])
    try list.prepend(9)
    try list.insert(7, at: 2)
    #expect(try list.read { Array($0) } == [9, 3, 7, 1, 2])
    try list.sort()
    try list.swapAt(0, 4)
    try list.set(5, at: 1)
    try list.update(at: 2) { $0 *= 10 }
    #expect(try list.read { Array($0) } == [9, 5, 30, 7, 1])
    #expect(try list[2] == 30)
    #expect(try list.remove(at: 2) == 30)
    #expect(try list.popFirst() == 9)
    #expect(try list.popLast() == 1)
    try list.replaceSubrange(0..<1, with: [1, 2, 3])
    #expect(try list.firstIndex(of: 3) == 2)
    try list.reverse()
    try list.removeAll { $0 == 2 }
    #expect(try list.read { Array($0) } == [7, 3, 1])
    #expect(try (list.first, list.last) == (7, 1))
    for position in [-1, 3] {
      #expect(code { _ = try list[position] } == .outOfRange)
      #expect(code { try list.set(0, at: position) } == .outOfRange)
      #expect(code { _ = try list.remove(at: position) } == .outOfRange)
    }
    #expect(code { try list.insert(0, at: 4) } == .outOfRange)
    #expect(code { try list.replaceSubrange(2..<5, with: []) } == .outOfRange)
    try list.removeAll()
    #expect(try list.isEmpty)
    #expect(try list.popLast() == nil)
  }

  @Test func spaceOfAnAppendedList() throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: Int.self)
    try list.append(contentsOf: 0..<1_000_000)
    let found = try test.store.statistics().structures.first { $0.description.name == "list" }
    let tree = try #require(found)
    let bytes = (tree.branchPages + tree.leafPages + tree.overflowPages) * 4096
    #expect(Double(bytes) / 1_000_000 <= 8.3)
  }

  @Test func spansShowTheElementsInPlace() throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: Int64.self)
    try list.append(contentsOf: 0..<1200)
    try list.read { contents in
      for position in [0, 509, 510, 1199] {
        try contents.withSpan(at: position) { span, start in #expect(span[position - start] == Int64(position)) }
      }
    }
    // A short block is in a page with other contents, at any address.
    let odd = try test.store.array("odd", of: Int64.self, count: 3)
    try odd.setAll([1, 2, 3])
    try odd.read { contents in
      try contents.withSpan(at: 1) { span, start in
        #expect(start == 0)
        #expect(span.count == 3 && span[2] == 3)
      }
      var seen: [Int64] = []
      try contents.forEachSpan { span, _ in for index in span.indices { seen.append(span[index]) } }
      #expect(seen == [1, 2, 3])
    }
  }
}
