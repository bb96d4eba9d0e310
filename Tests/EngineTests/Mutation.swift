/// Ways in which the bytes of an LMDB file change: by bad memory, lost or misplaced writes, and malice.
struct Mutation {
  enum Kind: String, CaseIterable {
    case bits, bytes, header, bounds, flags, zeroed, swapped, duplicated, renumbered, older, cut, meta, records,
      children,
      separators, pointers, nodes, nodeFlags, sizes, values, payload, freeList, overflow, several
  }

  let pageSize = 4096
  var bytes: [UInt8]
  /// The same file at an earlier time.
  let older: [UInt8]
  var random: Steps

  var pages: Int { bytes.count / pageSize }

  // MARK: Reading and writing numbers

  private func u16(_ offset: Int) -> Int { Int(bytes[offset]) | Int(bytes[offset + 1]) << 8 }
  private func u64(_ offset: Int) -> UInt64 {
    (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
  }
  private mutating func put(_ value: UInt64, _ offset: Int, _ count: Int) {
    guard offset >= 0, offset + count <= bytes.count else { return }
    for index in 0..<count { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
  }
  private mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

  /// A number that is likely to matter in the place of `value`.
  private mutating func interesting(_ value: UInt64) -> UInt64 {
    let candidates: [UInt64] = [
      0, 1, 2, .max, value &+ 1, value &- 1, value ^ 1 << UInt64(number(0..<64)), value ^ 1 << UInt64(number(0..<16)),
      1 << 31, 1 << 32, 1 << 62, 1 << 63, UInt64(pages), UInt64(pages - 1), UInt64(number(0..<pages)),
      UInt64(number(0..<70_000)), UInt64.random(in: 0...UInt64.max, using: &random),
    ]
    return candidates[number(0..<candidates.count)]
  }

  // MARK: Finding places

  /// The pages that the free list names, in a sound file.
  private func freePages() -> Set<Int> {
    let root = Int(clamping: u64((u64(144) > u64(pageSize + 144) ? 0 : pageSize) + 80))
    guard root < pages else { return [] }
    var found: Set<Int> = []
    for index in 0..<count(root * pageSize) {
      let node = root * pageSize + u16(root * pageSize + 16 + 2 * index)
      guard node + 16 < bytes.count else { continue }
      var start = node + 8 + u16(node + 6)
      if u16(node + 4) == 1 { start = Int(clamping: u64(start)).multipliedReportingOverflow(by: pageSize).0 + 16 }
      guard start >= 0, start < bytes.count - 8 else { continue }
      let most = (bytes.count - start) / 8 - 1
      for entry in 0..<min(most, Int(clamping: u64(start))) { found.insert(Int(clamping: u64(start + 8 + 8 * entry))) }
    }
    return found
  }

  /// The number of a random page, usually of one that is in use.
  private mutating func anyPage(from first: Int = 0) -> Int {
    let free = freePages()
    for _ in 0..<8 {
      let page = number(first..<pages)
      if !free.contains(page) { return page }
    }
    return number(first..<pages)
  }

  /// The offset of a random page in use whose flags are among these; of any page when there is none.
  private mutating func page(_ flags: Set<Int>) -> Int {
    let free = freePages()
    let found = (2..<pages).filter { flags.contains(u16($0 * pageSize + 10)) && !free.contains($0) }
    return (found.randomElement(using: &random) ?? number(0..<pages)) * pageSize
  }

  private func count(_ page: Int) -> Int { max(0, min((u16(page + 12) - 16) / 2, 2000)) }

  /// The offset of a random node of a random page.
  private mutating func node(_ flags: Set<Int>) -> Int {
    let page = page(flags)
    let count = count(page)
    guard count > 0 else { return page }
    return min(page + u16(page + 16 + 2 * number(0..<count)), bytes.count - 16)
  }

  /// The offset of a random record of a tree: in a meta page, or in a node.
  private mutating func record() -> Int {
    var found: [Int] = [0, pageSize].flatMap { [$0 + 40, $0 + 88] }
    for page in 2..<pages where u16(page * pageSize + 10) == 2 {
      for index in 0..<count(page * pageSize) {
        let node = page * pageSize + u16(page * pageSize + 16 + 2 * index)
        guard node + 8 < bytes.count, u16(node + 4) & 2 != 0 else { continue }
        found.append(node + 8 + u16(node + 6))
      }
    }
    return min(found.randomElement(using: &random) ?? 40, bytes.count - 48)
  }

  // MARK: Applying mutations

  mutating func apply(_ kind: Kind) {
    switch kind {
    case .bits:
      for _ in 0..<number(1..<4) { bytes[anyPage() * pageSize + number(0..<pageSize)] ^= 1 << UInt8(number(0..<8)) }
    case .bytes:
      let start = anyPage() * pageSize + number(0..<pageSize)
      for offset in start..<min(start + number(1..<40), bytes.count) { bytes[offset] = UInt8(number(0..<256)) }
    case .header: bytes[anyPage() * pageSize + number(0..<40)] = UInt8(number(0..<256))
    case .bounds:
      let page = page([1, 2, 0x22])
      let offset = page + (number(0..<2) == 0 ? 12 : 14)
      put(UInt64(truncatingIfNeeded: u16(offset) + number(-12..<13)), offset, 2)
    case .flags:
      let offset = page([1, 2, 4, 0x22]) + 10
      put(UInt64(u16(offset) ^ 1 << number(0..<16)), offset, 2)
    case .zeroed:
      let page = anyPage() * pageSize
      let part = number(0..<3) == 0 ? pageSize / 8 * number(1..<8) : 0
      for offset in page + part..<page + pageSize { bytes[offset] = 0 }
    case .swapped:
      let (a, b) = (anyPage(from: 2) * pageSize, anyPage(from: 2) * pageSize)
      let keepsNumbers = number(0..<2) == 0
      for offset in (keepsNumbers ? 8 : 0)..<pageSize { bytes.swapAt(a + offset, b + offset) }
    case .duplicated:
      let (a, b) = (anyPage() * pageSize, anyPage() * pageSize)
      for offset in (number(0..<2) == 0 ? 8 : 0)..<pageSize { bytes[a + offset] = bytes[b + offset] }
    case .renumbered: put(UInt64(number(0..<pages)), page([1, 2, 4, 0x22]), 8)
    case .older:
      // As after a lost write.
      for _ in 0..<number(1..<3) {
        let page = min(anyPage(), older.count / pageSize - 1) * pageSize
        bytes.replaceSubrange(page..<page + pageSize, with: older[page..<page + pageSize])
      }
    case .cut:
      bytes.removeLast(number(0..<3) == 0 ? number(1..<bytes.count) : min(number(1..<9) * pageSize, bytes.count - 1))
    case .meta:
      let page = number(0..<2) * pageSize
      let fields = [(0, 8), (10, 2), (16, 4), (20, 4), (24, 8), (32, 8), (40, 4), (44, 2), (136, 8), (144, 8)]
      let (offset, size) = fields[number(0..<fields.count)]
      put(interesting(u64(page + offset)), page + offset, size)
    case .records:
      let record = record()
      let fields = [(0, 4), (4, 2), (4, 2), (6, 2), (8, 8), (16, 8), (24, 8), (32, 8), (40, 8)]
      let (offset, size) = fields[number(0..<fields.count)]
      put(
        number(0..<3) == 0 ? interesting(u64(record + offset)) : u64(record + offset) ^ 1 << UInt64(number(0..<8)),
        record + offset, size)
    case .children:
      let page = page([1])
      let count = count(page)
      guard count > 1 else { return apply(.bits) }
      let (a, b) = (page + u16(page + 16 + 2 * number(0..<count)), page + u16(page + 16 + 2 * number(0..<count)))
      guard max(a, b) + 8 < bytes.count else { return }
      if number(0..<2) == 0 {
        for offset in [0, 1, 2, 3, 4, 5] { bytes.swapAt(a + offset, b + offset) }
      } else {
        put(interesting(UInt64(u16(a))), a, 6)
      }
    case .separators:
      let node = node([1])
      put(UInt64(number(0..<256)), node + 8 + number(0..<max(1, u16(node + 6) % 500)), 1)
    case .pointers:
      let page = page([1, 2])
      let count = max(1, count(page))
      let (a, b) = (page + 16 + 2 * number(0..<count), page + 16 + 2 * number(0..<count))
      switch number(0..<3) {
      case 0: for offset in 0..<2 { bytes.swapAt(a + offset, b + offset) }
      case 1: for offset in 0..<2 { bytes[a + offset] = bytes[b + offset] }
      default: put(UInt64(truncatingIfNeeded: u16(a) + number(-16..<17)), a, 2)
      }
    case .nodes:
      let offset = node([1, 2]) + number(0..<16)
      bytes[offset] ^= 1 << UInt8(number(0..<8))
    case .nodeFlags:
      let node = node([2])
      put(number(0..<2) == 0 ? UInt64(number(0..<8)) : UInt64(u16(node + 4) ^ 1 << number(0..<16)), node + 4, 2)
    case .sizes:
      let offset = node([1, 2]) + [0, 2, 6][number(0..<3)]
      put(UInt64(truncatingIfNeeded: u16(offset) + number(-9..<10)), offset, 2)
    case .values:
      let node = node([2])
      let start = node + 8 + u16(node + 6) + number(0..<64)
      if start < bytes.count { bytes[start] = UInt8(number(0..<256)) }
    case .payload:
      let page = page([4])
      bytes[page + number(16..<pageSize)] = UInt8(number(0..<256))
    case .freeList:
      let root = Int(clamping: u64((u64(144) > u64(pageSize + 144) ? 0 : pageSize) + 80))
      guard root < pages else { return apply(.meta) }
      let page = root * pageSize
      let offset = page + u16(page + 16 + 2 * number(0..<max(1, count(page))))
      guard offset + 32 < bytes.count else { return }
      switch number(0..<3) {
      case 0: put(interesting(u64(offset + 8)), offset + 8, 8)
      case 1: put(interesting(u64(offset + 16)), offset + 16, 8)
      default:
        let entry = offset + 16 + 8 * number(0..<8)
        if entry + 8 <= bytes.count { put(interesting(u64(entry)), entry, 8) }
      }
    case .overflow:
      let page = page([4])
      put(interesting(u64(page + 12)), page + 12, 4)
    case .several:
      for _ in 0..<number(2..<5) {
        let simple = Kind.allCases.filter { $0 != .several && $0 != .cut }
        apply(simple[number(0..<simple.count)])
      }
    }
  }
}

/// Random numbers from a given seed.
struct Steps: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
