/// An iterator over elements in order, block by block.
///
/// An element that cannot be decoded ends the iteration, and the transaction throws at its end.
public struct ElementIterator<Element: Storable>: IteratorProtocol {
  @usableFromInline var position: Int
  @usableFromInline let end: Int
  /// The current block, of elements of a fixed size or of any size.
  @usableFromInline var block = BlockBytes()
  @usableFromInline var slots = SlottedBytes()
  @usableFromInline var stamp: Stamp?
  @usableFromInline let view: ElementView<Element>
  @usableFromInline let form: Int
  @usableFromInline var window: BlockWindow?
  @usableFromInline var slottedWindow: SlottedWindow?
  @usableFromInline var cursor: Cursor?

  @inlinable
  init(_ view: ElementView<Element>, from start: Int) {
    self.view = view
    form = view.form
    position = start
    end = view.count
    switch view.storage {
    case .packed(let core, let blocks):
      window = blocks.makeWindow(core)
      stamp = Stamp(core)
    case .slotted(let core, let elements):
      slottedWindow = SlottedWindow()
      cursor = elements.makeCursor(core)
      stamp = Stamp(core)
    case .detached: break
    }
  }

  @usableFromInline typealias ElementCodec = Element.StorageCodec

  /// Returns the next element, or nil at the end.
  @inlinable
  public mutating func next() -> Element? {
    guard holds(position), let stamp, stamp.isCurrent else { return nextElsewhere() }
    return decode()
  }

  @inlinable @inline(__always)
  func holds(_ position: Int) -> Bool {
    ElementCodec.fixedByteCount == nil ? slots.holds(position) : block.holds(position)
  }

  /// Decodes the element at the current position, which the current block holds.
  @inlinable @inline(__always)
  mutating func decode() -> Element? {
    do throws(DecodingFailure) {
      let element =
        ElementCodec.fixedByteCount == nil
        ? try ElementCodec.decode(slots.element(position), in: form) : try ElementCodec.decode(block.element(position))
      position &+= 1
      return element
    } catch {
      return fail(error)
    }
  }

  @inlinable @inline(never)
  mutating func nextElsewhere() -> Element? {
    guard position < end else { return nil }
    switch view.storage {
    case .packed(let core, let blocks):
      view.check(core, blocks.reference, blocks.database)
      stamp?.renew()
      guard let window, window.holds(position) || blocks.fill(core, window, position) else { return nil }
      block = BlockBytes(window)
      return decode()
    case .slotted(let core, let elements):
      view.check(core, elements.reference, elements.database)
      stamp?.renew()
      guard let slottedWindow, slottedWindow.holds(position) || elements.fill(core, slottedWindow, cursor, position)
      else {
        position = end
        return nil
      }
      slots = slottedWindow.fields.value
      return decode()
    case .detached(let elements):
      defer { position &+= 1 }
      return elements[position]
    }
  }

  @usableFromInline @inline(never)
  mutating func fail(_ error: DecodingFailure) -> Element? {
    switch view.storage {
    case .packed(let core, let blocks): core.failUndecodable(blocks.reference, "index \(position)", error)
    case .slotted(let core, let elements): core.failUndecodable(elements.reference, "index \(position)", error)
    case .detached: break
    }
    (block, slots) = (BlockBytes(), SlottedBytes())
    position = end
    return nil
  }
}
