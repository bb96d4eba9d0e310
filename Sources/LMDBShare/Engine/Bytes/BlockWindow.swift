/// The elements of one block: in place in the map, or copied into separate memory, where they can be changed.
///
/// In place the window must not outlive what it was taken from; its holder checks that.
@safe @usableFromInline
final class BlockWindow {
  /// The mutable state.
  @safe @usableFromInline
  struct Fields {
    @usableFromInline var start: Int = 0
    @usableFromInline var count: Int = 0
    @usableFromInline var base: UnsafeMutableRawPointer
  }
  @usableFromInline let fields: Cell<Fields>

  /// The position of the first element.
  @usableFromInline private(set) var start: Int {
    @inlinable get { fields.value.start }
    _modify { yield &fields.value.start }
  }
  /// How many elements there are.
  @usableFromInline package private(set) var count: Int {
    @inlinable get { fields.value.count }
    _modify { yield &fields.value.count }
  }
  /// Bytes of an element.
  @usableFromInline let size: Int
  @inlinable var base: UnsafeMutableRawPointer {
    get { unsafe fields.value.base }
    set { unsafe fields.value.base = newValue }
  }
  @usableFromInline let capacity: Int
  /// Memory for a copy.
  @usableFromInline let own: UnsafeMutableRawPointer
  private var isCopy: Bool { unsafe base == own }

  /// - Parameter capacity: How many elements a copy may have; 0 for a window that only shows bytes in place.
  @usableFromInline
  package init(elementSize: Int, capacity: Int) {
    size = elementSize
    self.capacity = capacity
    unsafe own = .allocate(byteCount: max(1, elementSize * capacity), alignment: 16)
    unsafe fields = Cell(Fields(base: own))
  }

  deinit {
    fields.destroy()
    unsafe own.deallocate()
  }

  /// Whether the window shows this position.
  @inlinable @inline(__always)
  func holds(_ position: Int) -> Bool { UInt(bitPattern: position &- start) < UInt(bitPattern: count) }

  /// The bytes of the element at a position that the window shows.
  @_lifetime(borrow self)
  @inlinable @inline(__always)
  func element(_ position: Int) -> RawSpan {
    precondition(holds(position))
    let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base + (position &- start) &* size), byteCount: size)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// Calls `body` with all bytes.
  @usableFromInline
  package func withBytes<R>(_ body: (RawSpan) throws -> R) rethrows -> R {
    try unsafe body(RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: count * size))
  }

  /// Shows the bytes in place.
  func show(_ span: RawSpan, start: Int) {
    unsafe span.withUnsafeBytes { raw in
      unsafe base = raw.baseAddress.map { unsafe UnsafeMutableRawPointer(mutating: $0) } ?? own
    }
    self.start = start
    count = span.byteCount / size
  }

  /// Shows a copy of bytes, which can then be changed.
  func copy(_ span: RawSpan, start: Int) {
    precondition(span.byteCount <= capacity * size)
    unsafe base = own
    self.start = start
    count = span.byteCount / size
    unsafe span.withUnsafeBytes { raw in
      if raw.count > 0 { unsafe own.copyMemory(from: raw.baseAddress!, byteCount: count * size) }
    }
  }

  /// Shows nothing.
  func clear() {
    unsafe base = own
    (start, count) = (0, 0)
  }

  /// Shifts the positions after elements before them were inserted or removed.
  func shift(by distance: Int) { start += distance }

  /// Overwrites elements of a copy.
  @usableFromInline
  package func replace(_ position: Int, _ span: RawSpan) {
    let offset = (position - start) * size
    precondition(offset >= 0 && offset + span.byteCount <= count * size && isCopy)
    unsafe span.withUnsafeBytes { raw in
      if raw.count > 0 { unsafe (own + offset).copyMemory(from: raw.baseAddress!, byteCount: raw.count) }
    }
  }

  /// Inserts elements into a copy that has room for them.
  @usableFromInline
  package func insert(_ position: Int, _ span: RawSpan) {
    let offset = (position - start) * size
    let end = count * size
    precondition(offset >= 0 && offset <= end && end + span.byteCount <= capacity * size && isCopy)
    if offset < end { unsafe (own + offset + span.byteCount).copyMemory(from: own + offset, byteCount: end - offset) }
    count += span.byteCount / size
    replace(position, span)
  }

  /// Whether one more element fits after the last one of a copy that ends at `end`.
  @inlinable @inline(__always)
  func hasRoom(at end: Int) -> Bool {
    fields.value.start &+ fields.value.count == end && fields.value.count < capacity && fields.value.count > 0
  }

  /// Appends an element to a copy that has room for it.
  @inlinable @inline(__always)
  package func append(_ span: RawSpan) {
    precondition(span.byteCount == size && fields.value.count < capacity)
    precondition(unsafe fields.value.base == own)
    unsafe span.withUnsafeBytes { raw in
      unsafe (own + fields.value.count &* size).copyMemory(from: raw.baseAddress!, byteCount: raw.count)
    }
    fields.value.count &+= 1
  }

  /// Removes elements of a copy.
  package func remove(_ positions: Range<Int>) {
    let (from, to, end) = ((positions.lowerBound - start) * size, (positions.upperBound - start) * size, count * size)
    precondition(from >= 0 && from <= to && to <= end && isCopy)
    if to < end { unsafe (own + from).copyMemory(from: own + to, byteCount: end - to) }
    count -= positions.count
  }
}

extension BlockWindow {
  /// Calls `body` with the elements as values of `T`; copies them first if they are not aligned for `T`. (A block of more than
  /// about 2,000 bytes starts 16 bytes after the start of a page; a shorter one lies between others.)
  func withElements<T: BitwiseCopyable, R>(_: T.Type, _ body: (Span<T>) throws -> R) rethrows -> R {
    precondition(MemoryLayout<T>.size == size)
    if MemoryLayout<T>.stride != size {
      // Stored without the padding between elements.
      let copy = (start..<start + count).compactMap { element($0).bits(of: T.self) }
      return try body(copy.span)
    }
    let raw = unsafe UnsafeRawBufferPointer(start: base, count: count * size)
    guard unsafe UInt(bitPattern: base) % UInt(MemoryLayout<T>.alignment) == 0 else {
      let copy = unsafe RawSpan(_unsafeBytes: raw).copied(as: T.self)
      return try body(copy.span)
    }
    return try unsafe body(Span(_unsafeBytes: raw))
  }
}

/// The contents of a window as plain numbers, for iteration; the iterator also keeps the window.
@safe @frozen @usableFromInline
struct BlockBytes {
  @usableFromInline let base: UnsafeMutableRawPointer?
  @usableFromInline let start: Int
  @usableFromInline let count: Int
  @usableFromInline let size: Int

  /// Nothing.
  @inlinable package init() {
    unsafe base = nil
    (start, count, size) = (0, 0, 0)
  }

  @inlinable package init(_ window: BlockWindow) {
    unsafe base = window.base
    (start, count, size) = (window.start, window.count, window.size)
  }

  @inlinable @inline(__always)
  func holds(_ position: Int) -> Bool { UInt(bitPattern: position &- start) < UInt(bitPattern: count) }

  /// The bytes of the element at a position that is shown.
  @_lifetime(borrow self)
  @inlinable @inline(__always)
  func element(_ position: Int) -> RawSpan {
    precondition(holds(position))
    let bytes = unsafe UnsafeRawBufferPointer(start: base.map { unsafe $0 + (position &- start) &* size }, count: size)
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
  }
}
