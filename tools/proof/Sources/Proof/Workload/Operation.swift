/// An operation of a transaction on a store. Positions are raw random numbers, taken modulo the count when the operation is
/// performed: so a store and a model of it do the same.
enum Operation {
  case appendNames([String])
  case insertName(UInt64, String)
  case replaceName(UInt64, String)
  case removeName(UInt64)
  case readName(UInt64)
  case appendNumbers(Int32, count: Int)
  case insertNumber(UInt64, Int32)
  case replaceNumber(UInt64, Int32)
  case removeNumbers(UInt64, count: Int)
  case sumNumbers(UInt64)
  case setWord(String, Int)
  case addToWord(String, Int)
  case removeWord(String)
  case readWord(String)
  case walkWords(String)
  case setCell(UInt64, Int)
  case readCell(UInt64)
  case addToTotal(Int)
  case push(Int, isUrgent: Bool)
  case pushMany(Int, count: Int)
  case pop
  case popMany(Int)
  case move
  case popMoved
  case offer(Int)
  case mark(Int, isSpoilt: Bool)
  case popMarks(Int)
  case reviveMarks

  /// The maximum size of each structure; if it is exceeded, elements are removed.
  static let mostNames = 300
  static let mostNumbers = 6000
  static let cells = 64

  static func random(_ random: inout Random) -> Operation {
    let place = random.next()
    let small = random.number(0..<1000)
    // Some keys are longer than LMDB's limit.
    func word(_ random: inout Random) -> String {
      let number = random.number(0..<200)
      return number % 10 == 0 ? "long \(number) " + String(repeating: "x", count: 600) : "word \(number)"
    }
    func name(_ random: inout Random) -> String {
      let length = random.happens(3) ? random.number(0..<9000) : random.number(0..<40)
      return String(repeating: "n", count: length) + "\(small)"
    }
    return switch random.number(0..<31) {
    case 0: .appendNames((0..<random.number(1..<4)).map { _ in name(&random) })
    case 1: .insertName(place, name(&random))
    case 2: .replaceName(place, name(&random))
    case 3: .removeName(place)
    case 4: .readName(place)
    case 5, 6: .appendNumbers(Int32(small), count: random.happens(5) ? 1500 : random.number(1..<50))
    case 7: .insertNumber(place, Int32(small))
    case 8: .replaceNumber(place, Int32(small))
    case 9: .removeNumbers(place, count: random.number(1..<120))
    case 10: .sumNumbers(place)
    case 11: .setWord(word(&random), small)
    case 12, 13: .addToWord(word(&random), small)
    case 14: .removeWord(word(&random))
    case 15: .readWord(word(&random))
    case 16: .walkWords(word(&random))
    case 17: .setCell(place, small)
    case 18: .readCell(place)
    case 19: .addToTotal(small)
    case 20: .push(small, isUrgent: random.happens(20))
    case 21: .pushMany(small, count: random.number(1..<30))
    case 22: .pop
    case 23: .popMany(random.number(1..<20))
    case 24, 25: .move
    case 26: .popMoved
    case 28: .mark(small, isSpoilt: random.happens(30))
    case 29: random.happens(5) ? .reviveMarks : .mark(small, isSpoilt: false)
    case 30: .popMarks(random.happens(70) ? 1 : random.number(2..<8))
    default: .offer(small)
    }
  }

  /// Whether it is read-only.
  var isReading: Bool {
    switch self {
    case .readName, .sumNumbers, .readWord, .walkWords, .readCell: true
    default: false
    }
  }
}

/// A transaction of the proofs: the operations of a lane's step with a given number, which only depend on the seed.
struct Script {
  enum Ending { case commit, undo, read }
  let operations: [Operation]
  let ending: Ending
  let lease: LeaseWork
  let hasToken: Bool

  /// What happens to the leases of the process, in the same transaction.
  enum LeaseWork { case none, lease, acknowledge, release, giveBack, stale }

  init(seed: UInt64, lane: Int, step: UInt64) {
    var random = Random(seed, UInt64(lane), step)
    ending = random.happens(12) ? .read : random.happens(8) ? .undo : .commit
    var operations: [Operation] = []
    let count = random.number(1..<7)
    while operations.count < count {
      let operation = Operation.random(&random)
      if ending != .read || operation.isReading { operations.append(operation) }
    }
    self.operations = operations
    lease =
      if ending == .read || !random.happens(35) {
        .none
      } else if random.happens(50) {
        .lease
      } else {
        random.happens(70) ? .acknowledge : random.happens(40) ? .release : random.happens(40) ? .giveBack : .stale
      }
    hasToken = random.happens(3)
  }
}

/// A hash of results in order (FNV-1a), which compares a store's results with a model's.
struct Digest {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ number: Int) { value = (value ^ UInt64(bitPattern: Int64(number))) &* 0x100_0000_01B3 }
  mutating func add(_ text: String) {
    add(text.utf8.count)
    for byte in text.utf8.prefix(200) { add(Int(byte)) }
  }
}
