/// The expected contents of a store of the proofs, in plain Swift.
struct Model {
  var names: [String] = []
  var numbers: [Int32] = []
  var words: [String: Int] = [:]
  var cells = [Int](repeating: 0, count: Operation.cells)
  var total = 0
  var first = Queue()
  var second = Queue()
  var offers = Offers()
  var marks = Marks()

  /// First in, first out for each of two priorities; numbers ascend and never repeat.
  struct Queue {
    var last = 0
    var urgent: ArraySlice<Int> = []
    var normal: ArraySlice<Int> = []

    @discardableResult
    mutating func push(_ item: Int, isUrgent: Bool = false) -> Int {
      last += 1
      if isUrgent { urgent.append(item) } else { normal.append(item) }
      return last
    }
    mutating func pop() -> Int? { urgent.popFirst() ?? normal.popFirst() }
    var items: [Int] { Array(urgent) + Array(normal) }
  }

  mutating func perform(_ operation: Operation, _ digest: inout Digest) {
    switch operation {
    case .appendNames(let new):
      names += new
      if names.count > Operation.mostNames { names.removeFirst(names.count - Operation.mostNames) }
      digest.add(names.count)
    case .insertName(let place, let name):
      names.insert(name, at: Int(place % UInt64(names.count + 1)))
      if names.count > Operation.mostNames { names.removeLast() }
    case .replaceName(let place, let name):
      if !names.isEmpty { names[Int(place % UInt64(names.count))] = name }
    case .removeName(let place):
      if !names.isEmpty { digest.add(names.remove(at: Int(place % UInt64(names.count)))) }
    case .readName(let place):
      digest.add(names.count)
      if !names.isEmpty { digest.add(names[Int(place % UInt64(names.count))]) }
    case .appendNumbers(let number, let count):
      numbers += (0..<Int32(count)).map { number + $0 }
      if numbers.count > Operation.mostNumbers { numbers.removeFirst(numbers.count - Operation.mostNumbers) }
      digest.add(numbers.count)
    case .insertNumber(let place, let number):
      numbers.insert(number, at: Int(place % UInt64(numbers.count + 1)))
      if numbers.count > Operation.mostNumbers { numbers.removeLast() }
    case .replaceNumber(let place, let number):
      if !numbers.isEmpty { numbers[Int(place % UInt64(numbers.count))] = number }
    case .removeNumbers(let place, let most):
      let start = Int(place % UInt64(numbers.count + 1))
      numbers.removeSubrange(start..<min(numbers.count, start + most))
    case .sumNumbers(let place):
      let start = Int(place % UInt64(numbers.count + 1))
      digest.add(numbers[start..<min(numbers.count, start + 300)].reduce(0) { $0 + Int($1) })
    case .setWord(let word, let number): words[word] = number
    case .addToWord(let word, let number):
      words[word, default: 0] += number
      digest.add(words[word] ?? -1)
    case .removeWord(let word): digest.add(words.removeValue(forKey: word) ?? -1)
    case .readWord(let word): digest.add(words[word] ?? -1)
    case .walkWords(let word):
      for (key, value) in words.filter({ !Self.isBefore($0.key, word) }).sorted(by: { Self.isBefore($0.key, $1.key) })
        .prefix(20)
      {
        digest.add(key)
        digest.add(value)
      }
    case .setCell(let place, let number): cells[Int(place % UInt64(Operation.cells))] = number
    case .readCell(let place): digest.add(cells[Int(place % UInt64(Operation.cells))])
    case .addToTotal(let number):
      total += number
      digest.add(total)
    case .push(let number, let isUrgent): digest.add(first.push(number, isUrgent: isUrgent))
    case .pushMany(let number, let count): for item in number..<number + count { first.push(item) }
    case .pop: digest.add(first.pop() ?? -1)
    case .popMany(let count):
      for _ in 0..<count {
        guard let item = first.pop() else { break }
        digest.add(item)
      }
    case .move:
      let item = first.pop()
      if let item { second.push(item) }
      digest.add(item ?? -1)
    case .popMoved:
      var count = 0
      while count < 3, let item = second.pop() {
        total += item
        count += 1
      }
      digest.add(count)
    case .offer(let number): offers.push(number)
    case .mark(let number, let isSpoilt): marks.push(number, isSpoilt: isSpoilt)
    case .popMarks(let count): for mark in marks.pop(count) { digest.add(mark) }
    case .reviveMarks: digest.add(marks.revive())
    }
  }

  private static func isBefore(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}
