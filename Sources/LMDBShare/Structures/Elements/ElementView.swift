// The common part of lists and arrays: elements by position, stored in blocks, or in memory after a copy
// was changed.

/// Elements by position as one transaction sees them, or a copy of them in memory; for the library's own use.
@_documentation(visibility: internal)
public struct ElementView<Element: Storable> {
  @usableFromInline typealias ElementCodec = Element.StorageCodec

  @usableFromInline
  enum Storage {
    case packed(Transaction, BlockSequence)
    case slotted(Transaction, SlottedSequence)
    case detached([Element])
  }

  @usableFromInline var storage: Storage
  /// The token of the only view that changes the store in place, or of a snapshot.
  @usableFromInline var token: Optional<ViewToken>
  /// The index of the elements' representation. The storage may have been opened by a handle of another type.
  @usableFromInline let form: Int
  /// The use of the transaction to which this view belongs.
  @usableFromInline let use: UInt64
  /// The database's number of writes when this view was made, or when it last changed the database.
  @usableFromInline var generation: UInt32

  @inlinable
  init(_ elements: [Element]) {
    storage = .detached(elements)
    form = 0
    use = 0
    generation = 0
    token = nil
  }

  @inlinable @inline(__always)
  init(_ reference: StructureReference, _ core: Transaction, _ purpose: StructureUse) {
    let database = purpose.database(core, reference)
    form = reference.form
    use = core.use
    if let size = ElementCodec.fixedByteCount {
      storage = .packed(core, core.blocks(reference, database, size))
    } else {
      storage = .slotted(core, core.slots(reference, database))
    }
    generation = core.generation(of: database)
    token = purpose.token(core)
  }

  /// Whether the elements are in memory.
  @inlinable @inline(__always)
  var isDetached: Bool { if case .detached = storage { true } else { false } }

  @usableFromInline var title: String {
    switch storage {
    case .packed(_, let blocks): blocks.reference.title
    case .slotted(_, let elements): elements.reference.title
    case .detached: "a list in memory"
    }
  }
}

// MARK: Reading

extension ElementView {
  /// Stops the program when the view is out of date.
  @inlinable @inline(__always)
  func check(_ core: Transaction, _ reference: StructureReference, _ database: Database) {
    core.live(use, reference.title)
    if core.generation(of: database) != generation { StructureReference.stopChanged(reference) }
  }

  @inlinable var count: Int {
    switch storage {
    case .packed(let core, let blocks):
      check(core, blocks.reference, blocks.database)
      return blocks.count
    case .slotted(let core, let elements):
      check(core, elements.reference, elements.database)
      return elements.count
    case .detached(let elements):
      return elements.count
    }
  }

  /// Returns the element at a position.
  @inlinable
  func element(_ position: Int) throws(StoreError) -> Element {
    switch storage {
    case .packed(let core, let blocks):
      check(core, blocks.reference, blocks.database)
      guard position >= 0, position < blocks.count else { throw outOfRange(position, blocks.count) }
      let window = blocks.window
      guard window.holds(position) || blocks.show(core, position) else { throw outOfRange(position, 0) }
      do throws(DecodingFailure) {
        return try ElementCodec.decode(window.element(position))
      } catch {
        throw core.undecodable(blocks.reference, "index \(position)", error)
      }
    case .slotted(let core, let elements):
      check(core, elements.reference, elements.database)
      guard position >= 0, position < elements.count else { throw outOfRange(position, elements.count) }
      let window = elements.window
      guard window.holds(position) || elements.show(core, position) else {
        throw outOfRange(position, 0)
      }
      do throws(DecodingFailure) {
        return try ElementCodec.decode(window.element(position), in: form)
      } catch {
        throw core.undecodable(elements.reference, "index \(position)", error)
      }
    case .detached(let elements):
      guard elements.indices.contains(position) else { throw outOfRange(position, elements.count) }
      return elements[position]
    }
  }

  /// Returns the element at a position. Stops the program when the position is out of range. An element that cannot be read fails
  /// the transaction, and another value stands in for it.
  @inlinable
  func get(_ position: Int) -> Element {
    do throws(StoreError) {
      return try element(position)
    } catch {
      return standIn(error)
    }
  }

  @usableFromInline @inline(never)
  func standIn(_ error: StoreError) -> Element {
    fail(error)
    if hasFailed, let element = substitute { return element }
    Self.stop(error)
  }

  /// A value to stand in for an element that cannot be read: the placeholder, or else any readable one of the first elements.
  var substitute: Element? {
    if let element = ElementCodec.placeholder { return element }
    for position in 0..<min(count, 64) {
      if let element = try? element(position) { return element }
    }
    return nil
  }

  /// Fails the transaction because of an element that cannot be read. It does nothing for a position out of range, which is a
  /// programming error, or for a view of a snapshot that is used by itself, since no end of a transaction would report the error.
  @usableFromInline
  func fail(_ error: StoreError) {
    guard error.code != .outOfRange, !(token is SnapshotPin) else { return }
    switch storage {
    case .packed(let core, _), .slotted(let core, _): core.fail(error)
    case .detached: break
    }
  }

  /// Returns the element at a position that is known to exist. Returns nil when it cannot be read, which fails the transaction.
  @usableFromInline
  func find(_ position: Int) -> Element? {
    guard position >= 0, position < count, !hasFailed else { return nil }
    do throws(StoreError) {
      return try element(position)
    } catch {
      switch storage {
      case .packed(let core, _), .slotted(let core, _): core.fail(error)
      case .detached: break
      }
      return nil
    }
  }

  /// Returns the position of the last element that satisfies `predicate`, or nil.
  @usableFromInline
  func lastIndex(where predicate: (Element) throws -> Bool) rethrows -> Int? {
    var position = count - 1
    while position >= 0, let element = find(position) {
      if try predicate(element) { return position }
      position -= 1
    }
    return nil
  }

  /// Returns a random element, or nil when there is none.
  @usableFromInline
  func random(using generator: inout some RandomNumberGenerator) -> Element? {
    let count = count
    return count > 0 ? find(Int.random(in: 0..<count, using: &generator)) : nil
  }

  /// The number of elements for which to reserve memory: a damaged directory may claim more than there is memory for.
  @inlinable
  var plausibleCount: Int { min(count, 1 << 20) }

  /// Whether the transaction has failed: nothing can be read any more then, and all changes will be undone.
  @usableFromInline
  var hasFailed: Bool {
    switch storage {
    case .packed(let core, _), .slotted(let core, _): core.hasFailed
    case .detached: false
    }
  }

  @usableFromInline @inline(never)
  static func stop(_ error: StoreError) -> Never { LMDBShare.stop(error.description) }

  /// Returns the error for a position that does not exist; in a failed transaction, which shows no elements, that of the failure.
  @usableFromInline @inline(never)
  func outOfRange(_ position: Int, _ count: Int) -> StoreError {
    switch storage {
    case .packed(let core, _), .slotted(let core, _): if let failure = core.failure { return failure }
    case .detached: break
    }
    return StoreError(
      .outOfRange, "read", reason: "index \(position) of \(title) is out of range (\(count) elements)",
      advice: "use an index from 0 to the count")
  }

  @inlinable
  func map<T, E: Error>(_ transform: (Element) throws(E) -> T) throws(E) -> [T] {
    var result: [T] = []
    result.reserveCapacity(plausibleCount)
    var iterator = ElementIterator(self, from: 0)
    while let element = iterator.next() { result.append(try transform(element)) }
    return result
  }

  /// Returns all elements in memory. When one cannot be read, the transaction fails and the result ends before it.
  @usableFromInline
  func copied() -> [Element] {
    if case .detached(let elements) = storage { return elements }
    var result: [Element] = []
    result.reserveCapacity(plausibleCount)
    var iterator = ElementIterator(self, from: 0)
    while let element = iterator.next() { result.append(element) }
    return result
  }
}
