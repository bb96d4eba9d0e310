import LMDBShare

/// The contents of a store of the proofs: every kind of structure.
struct Structures {
  let store: SharedStore
  let names: SharedList<String>
  let numbers: SharedList<Int32>
  let words: SharedDictionary<String, Int>
  let cells: SharedArray<Int>
  /// For each lane its last step.
  let steps: SharedArray<Int>
  let total: SharedValue<Int>
  let first: SharedQueue<Int>
  let second: SharedQueue<Int>
  let offers: SharedQueue<Int>
  let marks: SharedQueue<Mark>

  static let mostAttempts = 5
  static let urgent = QueuePriority.high

  init(_ store: SharedStore) throws {
    self.store = store
    names = try store.list("names", of: String.self)
    numbers = try store.list("numbers", of: Int32.self)
    words = try store.dictionary("words", of: String.self, Int.self)
    cells = try store.array("cells", of: Int.self, count: Operation.cells)
    steps = try store.array("steps", of: Int.self, count: Board.lanes)
    total = try store.value("total", initial: 0)
    first = try store.queue("first", of: Int.self)
    second = try store.queue("second", of: Int.self)
    offers = try store.queue("offers", of: Int.self, maximumAttempts: Self.mostAttempts)
    marks = try store.queue("marks", of: Mark.self)
  }

  /// The last step of each lane, as the next writer sees it: a process that died at the very end of its commit leaves it to that
  /// writer to publish it.
  func lastSteps() throws -> [Int] { try store.write { txn in Array(txn[steps]) } }

  func perform(_ operation: Operation, _ txn: inout WriteTransaction, _ digest: inout Digest) {
    switch operation {
    case .appendNames(let new):
      txn[names].append(contentsOf: new)
      let surplus = txn[names].count - Operation.mostNames
      if surplus > 0 { txn[names].removeFirst(surplus) }
      digest.add(txn[names].count)
    case .insertName(let place, let name):
      let count = txn[names].count
      txn[names].insert(name, at: Int(place % UInt64(count + 1)))
      if count + 1 > Operation.mostNames { txn[names].removeLast() }
    case .replaceName(let place, let name):
      let count = txn[names].count
      if count > 0 { txn[names][Int(place % UInt64(count))] = name }
    case .removeName(let place):
      let count = txn[names].count
      if count > 0 { digest.add(txn[names].remove(at: Int(place % UInt64(count)))) }
    case .appendNumbers(let number, let count):
      txn[numbers].append(contentsOf: (0..<Int32(count)).map { number + $0 })
      let surplus = txn[numbers].count - Operation.mostNumbers
      if surplus > 0 { txn[numbers].removeFirst(surplus) }
      digest.add(txn[numbers].count)
    case .insertNumber(let place, let number):
      let count = txn[numbers].count
      txn[numbers].insert(number, at: Int(place % UInt64(count + 1)))
      if count + 1 > Operation.mostNumbers { txn[numbers].removeLast() }
    case .replaceNumber(let place, let number):
      let count = txn[numbers].count
      if count > 0 { txn[numbers][Int(place % UInt64(count))] = number }
    case .removeNumbers(let place, let most):
      let count = txn[numbers].count
      let start = Int(place % UInt64(count + 1))
      txn[numbers].removeSubrange(start..<min(count, start + most))
    case .setWord(let word, let number): txn[words][word] = number
    case .addToWord(let word, let number):
      txn[words][word, default: 0] += number
      digest.add(txn[words][word] ?? -1)
    case .removeWord(let word): digest.add(txn[words].removeValue(forKey: word) ?? -1)
    case .setCell(let place, let number): txn[cells][Int(place % UInt64(Operation.cells))] = number
    case .addToTotal(let number):
      txn[total] += number
      digest.add(txn[total])
    case .push(let number, let isUrgent):
      digest.add(Int(txn[first].push(number, priority: isUrgent ? Self.urgent : .normal)))
    case .pushMany(let number, let count): txn[first].push(contentsOf: (0..<count).map { number + $0 })
    case .pop: digest.add(txn[first].pop() ?? -1)
    case .popMany(let count): for item in txn[first].pop(atMost: count) { digest.add(item) }
    case .move:
      let item = txn[first].pop()
      if let item { txn[second].push(item) }
      digest.add(item ?? -1)
    case .popMoved:
      let items = txn[second].pop(atMost: 3)
      for item in items { txn[total] += item }
      digest.add(items.count)
    case .offer(let number): txn[offers].push(number)
    case .mark(let number, let isSpoilt): txn[marks].push(Mark(number: number, isSpoilt: isSpoilt))
    case .popMarks(let count):
      let found = count == 1 ? txn[marks].pop().map { [$0] } ?? [] : txn[marks].pop(atMost: count)
      for mark in found { digest.add(mark.number) }
    case .reviveMarks:
      let dead = txn[marks].statistics.dead
      digest.add(dead)
      if dead > Model.Marks.mostDead { txn[marks].removeAll() } else { txn[marks].retryAll() }
    case .readName, .sumNumbers, .readWord, .walkWords, .readCell:
      // Reads within a write see the write's own changes.
      switch operation {
      case .readName(let place): Self.readName(place, txn[names], &digest)
      case .sumNumbers(let place): Self.sumNumbers(place, txn[numbers], &digest)
      case .readWord(let word): digest.add(txn[words][word] ?? -1)
      case .walkWords(let word): Self.walk(word, txn[words], &digest)
      case .readCell(let place): digest.add(txn[cells][Int(place % UInt64(Operation.cells))])
      default: break
      }
    }
  }

  func read(_ operation: Operation, _ txn: inout ReadTransaction, _ digest: inout Digest) {
    switch operation {
    case .readName(let place): Self.readName(place, txn[names], &digest)
    case .sumNumbers(let place): Self.sumNumbers(place, txn[numbers], &digest)
    case .readWord(let word): digest.add(txn[words][word] ?? -1)
    case .walkWords(let word): Self.walk(word, txn[words], &digest)
    case .readCell(let place): digest.add(txn[cells][Int(place % UInt64(Operation.cells))])
    default: break
    }
  }

  private static func readName(_ place: UInt64, _ names: SharedList<String>.Contents, _ digest: inout Digest) {
    digest.add(names.count)
    if names.count > 0 { digest.add(names[Int(place % UInt64(names.count))]) }
  }

  private static func sumNumbers(_ place: UInt64, _ numbers: SharedList<Int32>.Contents, _ digest: inout Digest) {
    let start = Int(place % UInt64(numbers.count + 1))
    digest.add(numbers[start..<min(numbers.count, start + 300)].reduce(0) { $0 + Int($1) })
  }

  private static func walk(
    _ word: String, _ words: SharedDictionary<String, Int>.Contents, _ digest: inout Digest
  ) {
    for entry in words[word...].prefix(20) {
      digest.add(entry.key)
      digest.add(entry.value)
    }
  }
}
