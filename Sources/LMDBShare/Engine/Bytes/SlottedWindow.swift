/// The elements of one slotted block as plain numbers: where their bytes start, and where each of them ends.
///
/// A stored block consists of the bytes of its elements side by side, the end of each element except the last (`u16` each), and
/// the number of elements (`u16`). A block of several elements has at most ``capacity`` bytes; one of a single element any number.
@safe @frozen @usableFromInline
struct SlottedBytes {
  /// With LMDB's header of 16 bytes, a page of 4,096.
  @usableFromInline static let capacity = 4080
  /// The most elements of a block: each has an end of two bytes, besides the number of them.
  static let mostElements = capacity / 2 - 1

  /// The position of the first element.
  @usableFromInline var start = 0
  /// The number of elements.
  @usableFromInline var count = 0
  /// The number of bytes of all elements.
  @usableFromInline var length = 0
  @usableFromInline var base: UnsafeRawPointer?
  /// The ends, which need not be aligned.
  @usableFromInline var ends: UnsafeRawPointer?
  /// Whether the bytes are a window's copy, which can be changed.
  @usableFromInline var isCopy = false

  /// Nothing.
  @inlinable init() {}

  /// A stored block in place; nil when it contradicts the format.
  init?(_ block: RawSpan, start: Int) {
    guard let count = Self.count(of: block) else { return nil }
    self.start = start
    self.count = count
    length = block.byteCount - 2 * count
    unsafe block.withUnsafeBytes { raw in
      unsafe base = raw.baseAddress
      unsafe ends = raw.baseAddress.map { unsafe $0 + length }
    }
    guard count == 1 || block.byteCount <= Self.capacity && hasAscendingEnds else { return nil }
  }

  /// The number of elements of a stored block; nil when there is no such block.
  static func count(of block: RawSpan) -> Int? {
    guard block.byteCount >= 2 else { return nil }
    let count = Int(block.extracting(last: 2).littleEndian(UInt16.self) ?? 0)
    return count >= 1 && 2 * count <= block.byteCount ? count : nil
  }

  private var hasAscendingEnds: Bool {
    guard let ends = unsafe ends else { return false }
    // Without branches, so that the compiler compares several at a time.
    var descents: UInt16 = 0
    var previous = unsafe ends
    for _ in 1..<max(1, count - 1) {
      let next = unsafe previous + 2
      let (a, b) = unsafe (previous.loadUnaligned(as: UInt16.self), next.loadUnaligned(as: UInt16.self))
      descents |= UInt16(littleEndian: a) > UInt16(littleEndian: b) ? 1 : 0
      unsafe previous = next
    }
    return descents == 0 && end(count - 2) <= length
  }

  /// The end of an element other than the last.
  @inlinable @inline(__always)
  func end(_ index: Int) -> Int {
    Int(unsafe UInt16(littleEndian: ends!.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self)))
  }

  /// The start of an element, by its index in the block; the end of all for the count.
  @inlinable @inline(__always)
  func offset(_ index: Int) -> Int { index == 0 ? 0 : index == count ? length : end(index &- 1) }

  /// Whether the element at a position is shown.
  @inlinable @inline(__always)
  func holds(_ position: Int) -> Bool { UInt(bitPattern: position &- start) < UInt(bitPattern: count) }

  /// The bytes of the element at a position that is shown.
  @_lifetime(borrow self)
  @inlinable @inline(__always)
  func element(_ position: Int) -> RawSpan {
    precondition(holds(position))
    let index = position &- start
    let (from, to) = (offset(index), offset(index &+ 1))
    precondition(from <= to && to <= length)
    let bytes = unsafe UnsafeRawBufferPointer(start: base.map { unsafe $0 + from }, count: to &- from)
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
  }
}

/// The elements of one slotted block: in place in the map, or copied into separate memory, where they can be changed.
///
/// In place the window must not outlive what it was taken from; its holder checks that.
@safe @usableFromInline
final class SlottedWindow {
  @usableFromInline let fields = Cell(SlottedBytes())
  /// Memory for a copy of a block, and for its ends.
  private var own: UnsafeMutableRawPointer?
  private var ownEnds: UnsafeMutablePointer<UInt16>?
  /// Memory for a single element that is larger than a block.
  private var large: UnsafeMutableRawPointer?

  @usableFromInline init() {}

  deinit {
    fields.destroy()
    unsafe own?.deallocate()
    unsafe ownEnds?.deallocate()
    unsafe large?.deallocate()
  }

  @inlinable var start: Int { fields.value.start }
  @inlinable var count: Int { fields.value.count }
  /// The number of bytes of the stored block.
  @inlinable var used: Int { fields.value.length &+ 2 &* fields.value.count }

  /// Whether the window shows this position.
  @inlinable @inline(__always)
  func holds(_ position: Int) -> Bool { fields.value.holds(position) }

  /// The bytes of the element at a position that the window shows.
  @_lifetime(borrow self)
  @inlinable @inline(__always)
  func element(_ position: Int) -> RawSpan { unsafe _overrideLifetime(fields.value.element(position), borrowing: self) }

  // MARK: Showing

  /// Shows nothing.
  func clear() {
    fields.value = SlottedBytes()
    unsafe large?.deallocate()
    unsafe large = nil
  }

  /// Shows a stored block in place. Returns false when it contradicts the format.
  func show(_ block: RawSpan, start: Int) -> Bool {
    clear()
    guard let bytes = SlottedBytes(block, start: start) else { return false }
    fields.value = bytes
    return true
  }

  /// Shows a copy of a stored block, which can then be changed. Returns false when it contradicts the format.
  func copy(_ block: RawSpan, start: Int) -> Bool {
    clear()
    guard let bytes = SlottedBytes(block, start: start) else { return false }
    if bytes.count == 1 {
      copyElement(block.extracting(first: bytes.length), position: start)
      return true
    }
    prepare()
    unsafe own!.copyMemory(from: bytes.base!, byteCount: bytes.length)
    unsafe UnsafeMutableRawPointer(ownEnds!).copyMemory(from: bytes.ends!, byteCount: 2 * (bytes.count - 1))
    unsafe take(own!, count: bytes.count, length: bytes.length, start: start)
    return true
  }

  /// Shows a single element in place.
  func showElement(_ bytes: RawSpan, position: Int) {
    clear()
    unsafe bytes.withUnsafeBytes { raw in unsafe fields.value.base = raw.baseAddress }
    fields.value.start = position
    fields.value.count = 1
    fields.value.length = bytes.byteCount
  }

  /// Shows a copy of a single element, as a block that can be changed.
  func copyElement(_ bytes: RawSpan, position: Int) {
    prepare()
    let needed = bytes.byteCount + 2
    // The bytes may be those that this window shows.
    let old = unsafe large
    let memory = unsafe needed > SlottedBytes.capacity ? .allocate(byteCount: needed, alignment: 16) : own!
    unsafe bytes.withUnsafeBytes { raw in
      if raw.count > 0 { unsafe memory.copyMemory(from: raw.baseAddress!, byteCount: raw.count) }
    }
    unsafe large = needed > SlottedBytes.capacity ? memory : nil
    unsafe old?.deallocate()
    unsafe take(memory, count: 1, length: bytes.byteCount, start: position)
  }

  private func prepare() {
    if unsafe own != nil { return }
    unsafe own = .allocate(byteCount: SlottedBytes.capacity, alignment: 16)
    unsafe ownEnds = .allocate(capacity: SlottedBytes.capacity / 2)
  }

  private func take(_ memory: UnsafeMutableRawPointer, count: Int, length: Int, start: Int) {
    fields.value.start = start
    fields.value.count = count
    fields.value.length = length
    unsafe fields.value.base = UnsafeRawPointer(memory)
    unsafe fields.value.ends = UnsafeRawPointer(ownEnds)
    fields.value.isCopy = true
  }

  // MARK: Changing a copy

  /// Whether the window shows the last elements before `end`, and there is room for one more element of so many bytes.
  @inlinable @inline(__always)
  func hasRoom(_ byteCount: Int, at end: Int) -> Bool {
    fields.value.start &+ fields.value.count == end && hasRoom(byteCount)
  }

  /// Whether there is room for one more element of so many bytes.
  @inlinable @inline(__always)
  func hasRoom(_ byteCount: Int) -> Bool {
    fields.value.count > 0 && used <= SlottedBytes.capacity && byteCount <= SlottedBytes.capacity &- 2 &- used
  }

  /// Whether the element at a position can be replaced by one of so many bytes within the block.
  func fits(_ byteCount: Int, at position: Int) -> Bool {
    count == 1 || used - element(position).byteCount + byteCount <= SlottedBytes.capacity
  }

  /// Appends an element for which there is room.
  @inlinable @inline(__always)
  func append(_ bytes: RawSpan) {
    let (count, length) = (fields.value.count, fields.value.length)
    precondition(hasRoom(bytes.byteCount) && fields.value.isCopy)
    place(bytes, at: length)
    setEnd(count &- 1, length)
    fields.value.count = count &+ 1
    fields.value.length = length &+ bytes.byteCount
  }

  /// Appends the elements of a stored block. Returns false, and changes nothing, when it contradicts the format.
  func append(contentsOf block: RawSpan) -> Bool {
    guard let others = SlottedBytes(block, start: 0) else { return false }
    for index in 0..<others.count { append(others.element(index)) }
    return true
  }

  /// Inserts an element before a position that is shown, when there is room for it.
  func insert(_ bytes: RawSpan, at position: Int) {
    let index = position - start
    guard index < count else { return append(bytes) }
    precondition(index >= 0 && hasRoom(bytes.byteCount) && fields.value.isCopy)
    let added = bytes.byteCount
    let from = fields.value.offset(index)
    move(from, to: from + added)
    place(bytes, at: from)
    for moved in stride(from: count - 2, through: index, by: -1) { setEnd(moved + 1, fields.value.end(moved) + added) }
    setEnd(index, from + added)
    fields.value.count += 1
    fields.value.length += added
  }

  /// Removes elements at positions that are shown.
  func remove(_ positions: Range<Int>) {
    let (from, to) = (
      fields.value.offset(positions.lowerBound - start), fields.value.offset(positions.upperBound - start)
    )
    precondition(positions.lowerBound >= start && from <= to && to <= fields.value.length && fields.value.isCopy)
    move(to, to: from)
    for moved in max(0, positions.upperBound - start)..<max(positions.upperBound - start, count - 1) {
      setEnd(moved - positions.count, fields.value.end(moved) - (to - from))
    }
    fields.value.count -= positions.count
    fields.value.length -= to - from
  }

  /// Overwrites an element at a position that is shown, when it fits.
  func replace(_ position: Int, _ bytes: RawSpan) {
    guard count > 1 else { return copyElement(bytes, position: position) }
    let index = position - start
    let (from, to) = (fields.value.offset(index), fields.value.offset(index + 1))
    let change = bytes.byteCount - (to - from)
    precondition(from <= to && used + change <= SlottedBytes.capacity && fields.value.isCopy)
    if change != 0 {
      move(to, to: to + change)
      for moved in index..<max(index, count - 1) { setEnd(moved, fields.value.end(moved) + change) }
    }
    place(bytes, at: from)
    fields.value.length += change
  }

  /// The memory of a copy. The callers have checked that it is one, and that what they write is within it.
  @inlinable var memory: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(mutating: fields.value.base!) }

  /// Moves the last elements, from an offset to another one.
  private func move(_ from: Int, to: Int) {
    unsafe (memory + to).copyMemory(from: memory + from, byteCount: fields.value.length - from)
  }

  @inlinable @inline(__always)
  func place(_ bytes: RawSpan, at offset: Int) {
    unsafe bytes.withUnsafeBytes { raw in
      if raw.count > 0 { unsafe (memory + offset).copyMemory(from: raw.baseAddress!, byteCount: raw.count) }
    }
  }

  @inlinable @inline(__always)
  func setEnd(_ index: Int, _ end: Int) {
    unsafe UnsafeMutableRawPointer(mutating: fields.value.ends!)
      .storeBytes(of: UInt16(truncatingIfNeeded: end).littleEndian, toByteOffset: 2 &* index, as: UInt16.self)
  }

  // MARK: Storing

  /// Calls `body` with the stored block. The window must show a copy.
  func withStored(_ body: (RawSpan) -> Void) {
    precondition(fields.value.isCopy && count > 0)
    let (count, length) = (fields.value.count, fields.value.length)
    // There is room for the ends behind the elements.
    if count > 1 { unsafe (memory + length).copyMemory(from: fields.value.ends!, byteCount: 2 * (count - 1)) }
    let end = length + 2 * count
    unsafe memory.storeBytes(of: UInt16(count).littleEndian, toByteOffset: end - 2, as: UInt16.self)
    unsafe body(RawSpan(_unsafeStart: memory, byteCount: end))
  }

  /// A stored block of the elements from an index on, of a window with several elements.
  func tail(from index: Int) -> [UInt8] {
    let first = fields.value.offset(index)
    let block = fields.value
    var result = unsafe [UInt8](UnsafeRawBufferPointer(start: block.base! + first, count: block.length - first))
    for moved in index..<max(index, block.count - 1) { result += (block.end(moved) - first).u16 }
    return result + (block.count - index).u16
  }

  /// Shifts the positions after elements before them were removed.
  func shift(by distance: Int) { fields.value.start += distance }

  /// The index, 1 or more and less than the count, at which the block has about as many bytes before as behind.
  var middle: Int { index(reaching: used / 2) }

  /// The first index, 1 or more and less than the count, before which the block has at least so many bytes.
  func index(reaching bytes: Int) -> Int {
    var (low, high) = (1, count - 1)
    while low < high {
      let index = (low + high) / 2
      if fields.value.offset(index) + 2 * index < bytes { low = index + 1 } else { high = index }
    }
    return low
  }
}

extension Int {
  fileprivate var u16: [UInt8] { [UInt8(truncatingIfNeeded: self), UInt8(truncatingIfNeeded: self >> 8)] }
}
