/// An iterator over elements in order: block by block if they are packed, otherwise by a cursor.
///
/// An element that cannot be decoded ends the iteration, and the transaction throws at its end.
public struct ElementIterator<Element: Storable>: IteratorProtocol {
  @usableFromInline var position: Int
  @usableFromInline let end: Int
  /// The current block, if elements are packed.
  @usableFromInline var block = BlockBytes()
  @usableFromInline var stamp: Stamp?
  @usableFromInline let view: ElementView<Element>
  @usableFromInline let window: BlockWindow?
  @usableFromInline let cursor: Cursor?
  @usableFromInline var isPlaced = false

  @inlinable
  init(_ view: ElementView<Element>, from start: Int) {
    self.view = view
    position = start
    end = view.count
    switch view.storage {
    case .packed(let core, let blocks):
      window = blocks.makeWindow(core)
      cursor = nil
      stamp = Stamp(core)
    case .indexed(let core, let elements):
      window = nil
      cursor = Cursor(core, elements.database)
      stamp = Stamp(core)
    case .detached:
      window = nil
      cursor = nil
      stamp = nil
    }
  }

  /// Returns the next element, or nil at the end.
  @inlinable
  public mutating func next() -> Element? {
    if block.holds(position), let stamp, stamp.isCurrent {
      do throws(DecodingFailure) {
        let element = try Element.StorageCodec.decode(block.element(position))
        position &+= 1
        return element
      } catch {
        return fail(error)
      }
    }
    return nextElsewhere()
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
      do throws(DecodingFailure) {
        let element = try Element.StorageCodec.decode(block.element(position))
        position &+= 1
        return element
      } catch {
        return fail(error)
      }
    case .indexed(let core, let elements):
      view.check(core, elements.reference, elements.database)
      let key = elements.firstKey &+ UInt64(position)
      guard let cursor, isPlaced ? cursor.move(.next) && cursor.key.littleEndian() == key : cursor.find(key) else {
        elements.failMissing(core, position)
        position = end
        return nil
      }
      isPlaced = true
      do throws(DecodingFailure) {
        let element = try Element.StorageCodec.decode(cursor.value)
        position &+= 1
        return element
      } catch {
        return fail(error)
      }
    case .detached(let elements):
      defer { position &+= 1 }
      return elements[position]
    }
  }

  @usableFromInline @inline(never)
  mutating func fail(_ error: DecodingFailure) -> Element? {
    switch view.storage {
    case .packed(let core, let blocks): core.failUndecodable(blocks.reference, "index \(position)", error)
    case .indexed(let core, let elements): core.failUndecodable(elements.reference, "index \(position)", error)
    case .detached: break
    }
    block = BlockBytes()
    position = end
    return nil
  }
}
