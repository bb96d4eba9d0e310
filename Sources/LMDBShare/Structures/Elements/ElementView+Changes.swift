extension ElementView {
  // MARK: Changing in place or in memory

  @inlinable @inline(__always)
  mutating func change(
    packed: (Transaction, BlockSequence) -> Void, slotted: (Transaction, SlottedSequence) -> Void,
    detached: (inout [Element]) -> Void
  ) {
    switch storage {
    case .packed(let core, let blocks) where core.isWritable && isKnownUniquelyReferenced(&token):
      check(core, blocks.reference, blocks.database)
      packed(core, blocks)
      generation = core.generation(of: blocks.database)
    case .slotted(let core, let elements) where core.isWritable && isKnownUniquelyReferenced(&token):
      check(core, elements.reference, elements.database)
      slotted(core, elements)
      generation = core.generation(of: elements.database)
    default:
      changeDetached(detached)
    }
  }

  @usableFromInline
  mutating func changeDetached(_ body: (inout [Element]) -> Void) {
    let wanted = count
    var elements = copied()
    // A copy that ends early, because the transaction has failed, is filled up to keep its positions valid.
    if elements.count < wanted, let element = substitute {
      elements += repeatElement(element, count: min(wanted - elements.count, plausibleCount))
    }
    token = nil
    // The storage must not hold a second reference while the array changes.
    storage = .detached([])
    body(&elements)
    storage = .detached(elements)
  }

  /// Replaces the elements of the store.
  @usableFromInline
  static func store(_ elements: [Element], to reference: StructureReference, _ core: Transaction) {
    var target = ElementView(reference, core, .change)
    target.replaceAll(elements)
    core.giveBack(target.token.take())
  }

  /// Calls `body` with an element's bytes. An element that cannot be encoded fails the transaction.
  @inlinable @inline(__always)
  static func withEncoded(
    _ element: Element, in form: Int, _ core: Transaction, _ reference: StructureReference,
    changing old: [UInt8]? = nil,
    _ body: (RawSpan) -> Void
  ) {
    do throws(EncodingFailure) {
      try ElementCodec.withEncoded(element, in: form, changing: old, body)
    } catch {
      core.failUnencodable(reference.name, error)
      goOn(body)
    }
  }

  /// Calls `body` with placeholder bytes: nothing is stored any more, but the count changes as if it were.
  @usableFromInline @inline(never)
  static func goOn(_ body: (RawSpan) -> Void) {
    LMDBShare.withBytes(of: [UInt8](repeating: 0, count: ElementCodec.fixedByteCount ?? 0)) { body($0) }
  }

  /// Does the same for elements that are stored in blocks, which all have the same size.
  @inlinable @inline(__always)
  static func withEncoded(_ element: Element, _ core: Transaction, _ blocks: BlockSequence, _ body: (RawSpan) -> Void) {
    withEncoded(element, in: 0, core, blocks.reference) { bytes in
      if bytes.byteCount == blocks.size { return body(bytes) }
      blocks.failSize(core, bytes.byteCount)
      goOn(body)
    }
  }

  // MARK: Changes

  /// The bounds check that `Collection` uses for slices.
  @usableFromInline
  func check(_ range: Range<Int>) {
    let count = count
    if range.lowerBound < 0 || range.upperBound > count { refuse(range.upperBound, count) }
  }

  /// Stops the program, unless the transaction has failed: then the actual contents may be unknown.
  @usableFromInline @inline(never)
  func refuse(_ position: Int, _ count: Int) {
    if !hasFailed { Self.stop(outOfRange(position, count)) }
  }

  @inlinable
  mutating func set(_ position: Int, _ element: Element) {
    let count = count
    guard position >= 0, position < count else { return refuse(position, count) }
    let form = form
    change(
      packed: { core, blocks in
        Self.withEncoded(element, core, blocks) { blocks.replace(core, position, $0) }
      },
      slotted: { core, elements in
        Self.withEncoded(element, in: form, core, elements.reference) { elements.replace(core, position, $0) }
      },
      detached: { $0[position] = element })
  }

  /// Stores an element that was read and changed.
  @inlinable
  mutating func modify(_ position: Int, _ element: Element) {
    guard ElementCodec.keepsUnknownFields, let old = stored(position) else { return set(position, element) }
    let form = form
    change(
      packed: { _, _ in },
      slotted: { core, elements in
        Self.withEncoded(element, in: form, core, elements.reference, changing: old) {
          elements.replace(core, position, $0)
        }
      },
      detached: { $0[position] = element })
  }

  /// The bytes of an element of any size in the store.
  @usableFromInline
  func stored(_ position: Int) -> [UInt8]? {
    guard case .slotted(let core, let elements) = storage, position >= 0, position < elements.count,
      elements.show(core, position)
    else { return nil }
    let window = elements.window
    return window.element(position).copied()
  }

  /// Whether elements that only move keep what their stored bytes have beyond their type.
  @inlinable
  var keepsStoredElements: Bool {
    if ElementCodec.keepsUnknownFields, case .slotted = storage { true } else { false }
  }

  /// Replaces the elements by some of them, in another order, as they are stored.
  ///
  /// - Parameters:
  ///   - order: The positions that they have now.
  ///   - all: The elements.
  mutating func reorder(_ order: [Int], of all: [Element]) {
    let stored = order.map { self.stored($0) ?? [] }
    change(
      packed: { _, _ in },
      slotted: { core, elements in
        elements.removeAll(core)
        elements.insert(core, 0, stored)
      },
      detached: { $0 = order.map { all[$0] } })
  }

  /// Swaps two elements.
  @inlinable
  mutating func swap(_ first: Int, _ second: Int) {
    guard first != second else { return }
    guard keepsStoredElements, let (a, b) = storedPair(first, second) else {
      let element = get(first)
      set(first, get(second))
      return set(second, element)
    }
    change(
      packed: { _, _ in },
      slotted: { core, elements in
        LMDBShare.withBytes(of: b) { elements.replace(core, first, $0) }
        LMDBShare.withBytes(of: a) { elements.replace(core, second, $0) }
      },
      detached: { $0.swapAt(first, second) })
  }

  @usableFromInline
  func storedPair(_ first: Int, _ second: Int) -> ([UInt8], [UInt8])? {
    guard let a = stored(first), let b = stored(second) else { return nil }
    return (a, b)
  }

  @inlinable
  mutating func append(_ element: Element) {
    let form = form
    change(
      packed: { core, blocks in
        Self.withEncoded(element, core, blocks) { blocks.append(core, $0) }
      },
      slotted: { core, elements in
        Self.withEncoded(element, in: form, core, elements.reference) { elements.append(core, $0) }
      },
      detached: { $0.append(element) })
  }

  @inlinable
  mutating func append(contentsOf new: some Sequence<Element>) {
    let form = form
    change(
      packed: { core, blocks in
        for element in new {
          Self.withEncoded(element, core, blocks) { blocks.append(core, $0) }
        }
      },
      slotted: { core, elements in
        for element in new {
          Self.withEncoded(element, in: form, core, elements.reference) { elements.append(core, $0) }
        }
      },
      detached: { $0.append(contentsOf: new) })
  }

  @inlinable
  mutating func insert(_ element: Element, at position: Int) {
    let count = count
    guard position >= 0, position <= count else { return refuse(position, count) }
    let form = form
    change(
      packed: { core, blocks in
        Self.withEncoded(element, core, blocks) { blocks.insert(core, position, $0) }
      },
      slotted: { core, elements in
        Self.withEncoded(element, in: form, core, elements.reference) { elements.insert(core, position, $0) }
      },
      detached: { $0.insert(element, at: position) })
  }

  @inlinable
  mutating func remove(_ range: Range<Int>) {
    let count = count
    guard range.lowerBound >= 0, range.upperBound <= count else { return refuse(range.upperBound, count) }
    change(
      packed: { $1.remove($0, range) }, slotted: { $1.remove($0, range) }, detached: { $0.removeSubrange(range) })
  }

  /// Removes the elements that cannot be decoded. Returns the position of each, and the reason.
  mutating func removeUndecodable() -> [StoreError] {
    guard !isDetached else { return [] }
    var found: [StoreError] = []
    var runs: [Range<Int>] = []
    for position in 0..<count where !hasFailed {
      do throws(StoreError) {
        _ = try element(position)
      } catch {
        guard error.code == .undecodable else {
          fail(error)
          break
        }
        found.append(error)
        if let last = runs.last, last.upperBound == position {
          runs[runs.count - 1] = last.lowerBound..<position + 1
        } else {
          runs.append(position..<position + 1)
        }
      }
    }
    // This goes backwards, so that the elements still to be removed keep their positions.
    for run in runs.reversed() { remove(run) }
    return found
  }

  @usableFromInline
  mutating func replaceSubrange(_ range: Range<Int>, with new: some Collection<Element>) {
    let count = count
    guard range.lowerBound >= 0, range.upperBound <= count else { return refuse(range.upperBound, count) }
    if range.lowerBound == count { return append(contentsOf: new) }
    // The new elements may be a view of this same list.
    let elements = Array(new)
    let common = min(range.count, elements.count)
    for offset in 0..<common { set(range.lowerBound + offset, elements[offset]) }
    if elements.count > common {
      insert(Array(elements[common...]), at: range.lowerBound + common)
    } else if range.count > common {
      remove(range.lowerBound + common..<range.upperBound)
    }
  }

  mutating func insert(_ new: [Element], at position: Int) {
    let form = form
    change(
      packed: { core, blocks in
        var writer = ByteWriter()
        do throws(EncodingFailure) {
          for element in new { try ElementCodec.encode(element, into: &writer) }
        } catch {
          return core.failUnencodable(blocks.reference.name, error)
        }
        guard writer.count == new.count * blocks.size else { return blocks.failSize(core, writer.count / new.count) }
        writer.withBytes { blocks.insert(core, position, $0) }
      },
      slotted: { core, elements in
        var encoded: [[UInt8]] = []
        do throws(EncodingFailure) {
          for element in new {
            encoded.append(try ElementCodec.withEncoded(element, in: form) { $0.copied() })
          }
        } catch {
          return core.failUnencodable(elements.reference.name, error)
        }
        elements.insert(core, position, encoded)
      },
      detached: { $0.insert(contentsOf: new, at: position) })
  }

  /// Replaces all elements.
  @usableFromInline
  mutating func replaceAll(_ new: [Element]) {
    change(
      packed: { core, blocks in blocks.removeAll(core) }, slotted: { core, elements in elements.removeAll(core) },
      detached: { $0.removeAll() })
    append(contentsOf: new)
  }
}
