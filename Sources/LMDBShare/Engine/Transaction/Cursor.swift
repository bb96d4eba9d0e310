internal import _LMDBShareLMDB

/// A movable position in a database. It belongs to its transaction, which closes it; a cursor that is released earlier is reused.
@safe @usableFromInline
package final class Cursor {
  /// The mutable state.
  @safe @usableFromInline
  struct Fields {
    @usableFromInline var key = Place()
    @usableFromInline var value = Place()
  }

  /// A reference to bytes with the layout of `MDB_val`, which LMDB fills in.
  @safe @frozen @usableFromInline
  struct Place {
    @usableFromInline var size = 0
    @usableFromInline var start: UnsafeRawPointer? = nil
    @usableFromInline init() {}

    @inlinable @inline(__always)
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : size) }

    @inlinable
    var span: RawSpan {
      @_lifetime(borrow self) @inline(__always) get {
        guard let start = unsafe start else { return RawSpan() }
        return unsafe _overrideLifetime(RawSpan(_unsafeStart: start, byteCount: size), borrowing: self)
      }
    }
  }
  @usableFromInline let fields = Cell(Fields())

  /// LMDB's cursor.
  private let raw: OpaquePointer?
  /// A reader's position, which replaces LMDB's cursor.
  private let place: Cell<TreeCursor>?
  @usableFromInline let transaction: Transaction
  /// Keeps the transaction's memory alive.
  private let environment: Environment?
  /// The use of the transaction that the cursor belongs to; its end closes the cursor.
  private let use: UInt64
  private let database: Database

  @usableFromInline package init(_ transaction: Transaction, _ database: Database) {
    self.transaction = transaction
    environment = transaction.environment
    self.database = database
    use = transaction.use
    place = transaction.isLive ? transaction.takePlace(in: database) : nil
    unsafe raw = transaction.isLive && place == nil ? transaction.openCursor(database) : nil
  }

  deinit {
    fields.destroy()
    if let place { transaction.recycle(place, isCurrent: use == transaction.use) }
    if let raw = unsafe raw, use == transaction.use { unsafe transaction.recycle(raw) }
  }

  @usableFromInline package enum Move: Sendable {
    case first, last, next, previous
  }

  /// Moves; returns false at the end, or when the transaction is over or has failed.
  @usableFromInline @discardableResult
  package func move(_ move: Move) -> Bool {
    guard use == transaction.use else { return false }
    if let place {
      let outcome =
        switch move {
        case .first: place.value.goToEnd(true)
        case .last: place.value.goToEnd(false)
        case .next: place.value.next()
        case .previous: place.value.previous()
        }
      return take(outcome, place)
    }
    let operation =
      switch move {
      case .first: MDB_FIRST
      case .last: MDB_LAST
      case .next: MDB_NEXT
      case .previous: MDB_PREV
      }
    return unsafe get(operation)
  }

  /// Moves to the first key that is not less than `key`.
  @usableFromInline @discardableResult
  package func seek(_ key: RawSpan) -> Bool {
    unsafe key.withUnsafeBytes { unsafe seek($0, exactly: false) }
  }

  /// Moves to exactly `key`.
  @usableFromInline @discardableResult
  package func find(_ key: RawSpan) -> Bool {
    unsafe key.withUnsafeBytes { unsafe seek($0, exactly: true) }
  }

  private func seek(_ key: UnsafeRawBufferPointer, exactly: Bool) -> Bool {
    guard use == transaction.use else { return false }
    guard let place else { return unsafe get(exactly ? MDB_SET_KEY : MDB_SET_RANGE, key) }
    if unsafe key.isEmpty { transaction.fail(MDB_BAD_VALSIZE, "move a cursor") }
    return take(unsafe place.value.seek(key, exactly: exactly), place)
  }

  /// Records the result of a move.
  @inline(__always)
  private func take(_ outcome: TreeCursor.Move, _ place: Cell<TreeCursor>) -> Bool {
    if outcome == .moved, fields.take(place) { return true }
    if outcome != .end { transaction.failDamaged() }
    fields.value = Fields()
    return false
  }

  @inlinable @discardableResult
  package func find(_ key: UInt64) -> Bool { withBytes(of: key) { find($0) } }

  @inlinable @discardableResult
  package func seek(_ key: UInt64) -> Bool { withBytes(of: key) { seek($0) } }

  private func get(
    _ operation: MDB_cursor_op, _ wanted: UnsafeRawBufferPointer = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  ) -> Bool {
    guard let raw = unsafe raw else { return false }
    if wanted.count > 0 {
      fields.value.key.size = wanted.count
      unsafe fields.value.key.start = wanted.baseAddress
    }
    let code = unsafe fields.fill(raw, operation)
    guard code == 0 else {
      if code != MDB_NOTFOUND { transaction.fail(code, "move a cursor") }
      fields.value = Fields()
      return false
    }
    return true
  }

  /// The key at this place, valid until the next write or move.
  @inlinable package var key: RawSpan {
    @_lifetime(borrow self) get {
      unsafe _overrideLifetime(fields.value.key.span, borrowing: self)
    }
  }

  /// The value at this place, valid until the next write or move.
  @inlinable package var value: RawSpan {
    @_lifetime(borrow self) get {
      unsafe _overrideLifetime(fields.value.value.span, borrowing: self)
    }
  }

  /// Replaces the value at this place.
  @usableFromInline @discardableResult
  package func replace(_ value: RawSpan) -> Bool {
    guard let raw = unsafe raw, use == transaction.use, !transaction.hasFailed else { return false }
    guard value.byteCount <= Limits.valueBytes else {
      transaction.fail(Limits.tooLarge(value.byteCount))
      return false
    }
    transaction.wrote(database)
    // The key is in the page that changes: LMDB needs a copy.
    let code = unsafe withUnsafeTemporaryAllocation(byteCount: Limits.keyBytes, alignment: 8) { buffer in
      let here = unsafe fields.value.key.bytes
      unsafe buffer.copyMemory(from: here)
      return unsafe value.withUnsafeBytes { bytes in
        var name = unsafe MDB_val(UnsafeRawBufferPointer(start: buffer.baseAddress, count: here.count))
        var content = unsafe MDB_val(bytes)
        return unsafe mdb_cursor_put(raw, &name, &content, UInt32(MDB_CURRENT))
      }
    }
    transaction.note(change: code)
    if code != 0 { transaction.fail(code, "write") }
    return code == 0
  }

  /// Removes the entry at this place; afterwards the cursor is before the next one.
  @usableFromInline @discardableResult
  package func delete() -> Bool {
    guard let raw = unsafe raw, use == transaction.use, !transaction.hasFailed else { return false }
    transaction.wrote(database)
    let code = unsafe mdb_cursor_del(raw, 0)
    transaction.note(change: code)
    if code != 0 { transaction.fail(code, "remove") }
    return code == 0
  }
}

/// An iteration over a cursor as plain numbers, valid while nothing is written; the iterator also keeps the cursor.
@safe @frozen @usableFromInline
struct CursorSteps {
  /// Only one of the two is set.
  @usableFromInline let raw: OpaquePointer?
  @usableFromInline let place: UnsafeMutableRawPointer?
  @usableFromInline let fields: Cell<Cursor.Fields>
  @usableFromInline let isForward: Bool
  @usableFromInline let stamp: Stamp

  /// Moves to the next entry. Returns false at the end, when a page is damaged or LMDB fails, and when something was written or
  /// the transaction has ended since the iteration began: the cursor's own `move` then reports the error.
  @inlinable @inline(__always)
  func step() -> Bool { stamp.isCurrent && move() }

  @usableFromInline
  func move() -> Bool {
    if let place = unsafe place {
      let place = unsafe Cell<TreeCursor>(pointer: place.assumingMemoryBound(to: TreeCursor.self))
      return (isForward ? place.value.next() : place.value.previous()) == .moved && fields.take(place)
    }
    guard let raw = unsafe raw else { return false }
    return unsafe fields.fill(raw, isForward ? MDB_NEXT : MDB_PREV) == 0
  }

  /// The key at this place.
  @inlinable package var key: RawSpan {
    @_lifetime(borrow self) get {
      unsafe _overrideLifetime(fields.value.key.span, borrowing: self)
    }
  }

  /// The value at this place.
  @inlinable package var value: RawSpan {
    @_lifetime(borrow self) get {
      unsafe _overrideLifetime(fields.value.value.span, borrowing: self)
    }
  }
}

extension Cell<Cursor.Fields> {
  /// Lets LMDB move the cursor and return its position.
  @inline(__always)
  fileprivate func fill(_ raw: OpaquePointer, _ operation: MDB_cursor_op) -> Int32 {
    let places = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: MDB_val.self)
    return unsafe mdb_cursor_get(raw, places, places + 1, operation)
  }

  /// Records a reader's position; returns false when the page is damaged, so that the iteration cannot continue.
  @inline(__always)
  fileprivate func take(_ place: Cell<TreeCursor>) -> Bool {
    guard let (key, bytes) = unsafe place.value.current() else { return false }
    value.key.size = key.count
    unsafe value.key.start = key.baseAddress
    value.value.size = bytes.count
    unsafe value.value.start = bytes.baseAddress
    return true
  }
}

extension Cursor {
  /// An iteration from this position; nil when the cursor could not be opened.
  @usableFromInline
  func steps(_ move: Move) -> CursorSteps? {
    guard unsafe raw != nil || place != nil else { return nil }
    return unsafe CursorSteps(
      raw: raw, place: (place?.pointer).map { UnsafeMutableRawPointer($0) }, fields: fields,
      isForward: move != .previous, stamp: Stamp(transaction))
  }
}
