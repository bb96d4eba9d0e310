import LMDBShare

/// Items of which some cannot be decoded, as if another program had pushed them.
struct Mark: Storable {
  var number: Int
  var isSpoilt: Bool

  enum StorageCodec: Codec {
    static let identifier = "mark"
    static func encode(_ value: Mark, into writer: inout ByteWriter) {
      writer.append(littleEndian: value.number)
      writer.append(littleEndian: UInt8(value.isSpoilt ? 1 : 0))
    }
    static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Mark {
      var reader = ByteReader(bytes)
      let mark = Mark(number: try reader.littleEndian(), isSpoilt: try reader.byte() != 0)
      try reader.end()
      if mark.isSpoilt { throw DecodingFailure("it is spoilt") }
      return mark
    }
  }
}

extension Model {
  /// A queue with items that cannot be decoded: a consumer that reaches them moves them to the dead letters.
  struct Marks {
    struct Item: Equatable {
      let sequence: Int
      let mark: Int
      let isSpoilt: Bool
    }
    private var last = 0
    private(set) var ready: [Item] = []
    private(set) var dead: [Item] = []
    static let mostDead = 50

    mutating func push(_ mark: Int, isSpoilt: Bool) {
      last += 1
      ready.append(Item(sequence: last, mark: mark, isSpoilt: isSpoilt))
    }

    mutating func pop(_ count: Int) -> [Int] {
      var found: [Int] = []
      var seen = 0
      while found.count < count, seen < ready.count {
        if ready[seen].isSpoilt { dead.append(ready[seen]) } else { found.append(ready[seen].mark) }
        seen += 1
      }
      ready.removeFirst(seen)
      return found
    }

    /// Puts all dead letters back; or removes everything, when there are many.
    mutating func revive() -> Int {
      let count = dead.count
      ready = count > Self.mostDead ? [] : (dead + ready).sorted { $0.sequence < $1.sequence }
      dead = []
      return count
    }
  }
}
