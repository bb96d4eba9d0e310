extension SharedQueue {
  /// The queue's element type, under a name that the iterators do not shadow.
  @usableFromInline typealias Payload = Element

  /// An item with its number.
  public struct Item: Sendable {
    /// The item's number, which grows with each item and is never reused.
    public let sequence: UInt64
    /// The item.
    public let element: Element
    /// The item's priority.
    public let priority: QueuePriority
    /// The number of times that it has been leased.
    public let attempts: Int
  }

  /// An item as it is stored, whether or not its bytes can be decoded.
  public struct StoredItem: Hashable, Sendable {
    /// The item's number, which grows with each item and is never reused.
    public let sequence: UInt64
    /// The item's representation.
    public let bytes: [UInt8]
    /// The item's priority.
    public let priority: QueuePriority
    /// The number of times that it has been leased.
    public let attempts: Int
    /// The form of the queue's items, see ``MultiformCodec``.
    let form: Int

    /// Decodes the item.
    ///
    /// - Throws: ``DecodingFailure`` when the bytes cannot be decoded.
    public func decoded() throws(DecodingFailure) -> Element {
      let result = withBytes(of: bytes) { bytes in
        Result { () throws(DecodingFailure) in try Payload.StorageCodec.decode(bytes, in: form) }
      }
      return try result.get()
    }
  }
}

extension SharedQueue.Contents {
  /// Returns the next item without taking it; nil when there is none.
  ///
  /// It is the item that ``pop()`` would take: items that cannot be decoded are skipped. See ``storedItems-swift.property`` for
  /// all items.
  ///
  /// - Complexity: O(log *n*), and O(*k*) for *k* skipped items.
  public func peek() -> Element? {
    var iterator = items.makeIterator()
    return iterator.next()?.element
  }

  /// The items that can be taken, with their numbers, in the order in which they would be taken.
  ///
  /// Items that cannot be decoded are omitted, as when items are taken. ``storedItems-swift.property`` contains all items.
  public var items: Items { Items(contents: self) }

  /// All items that can be taken, in order, as bytes; none is decoded.
  public var storedItems: StoredItems { StoredItems(contents: self) }

  /// The items with their numbers, in order.
  public struct Items: Sequence {
    let contents: SharedQueue.Contents

    /// Returns an iterator over the items.
    public func makeIterator() -> Iterator { Iterator(contents) }
  }

  /// An iterator over items.
  public struct Iterator: IteratorProtocol {
    private typealias Payload = SharedQueue.Payload
    private var walk: CheckedWalk

    init(_ contents: SharedQueue.Contents) { walk = CheckedWalk(contents) }

    /// Returns the next item, or nil at the end.
    public mutating func next() -> SharedQueue.Item? {
      var item: SharedQueue.Item?
      let form = walk.contents.reference.form
      while item == nil {
        let isThere = walk.next { taken, bytes in
          guard let element = try? Payload.StorageCodec.decode(bytes, in: form) else { return }
          item = SharedQueue.Item(
            sequence: taken.sequence, element: element,
            priority: QueuePriority(level: taken.level) ?? .normal, attempts: Int(taken.attempts))
        }
        if !isThere { return nil }
      }
      return item
    }
  }

  /// The items as they are stored, in order.
  public struct StoredItems: Sequence {
    let contents: SharedQueue.Contents

    /// Returns an iterator over the items.
    public func makeIterator() -> StoredIterator { StoredIterator(contents) }
  }

  /// An iterator over stored items.
  public struct StoredIterator: IteratorProtocol {
    private var walk: CheckedWalk

    init(_ contents: SharedQueue.Contents) { walk = CheckedWalk(contents) }

    /// Returns the next item, or nil at the end.
    public mutating func next() -> SharedQueue.StoredItem? {
      var item: SharedQueue.StoredItem?
      let form = walk.contents.reference.form
      _ = walk.next { taken, bytes in
        item = SharedQueue.StoredItem(
          sequence: taken.sequence, bytes: bytes.copied(), priority: QueuePriority(level: taken.level) ?? .normal,
          attempts: Int(taken.attempts), form: form)
      }
      return item
    }
  }

  /// Walks the items of a view. Stops the program when the view is no longer valid.
  private struct CheckedWalk {
    let contents: SharedQueue.Contents
    let generation: UInt32
    var walk: QueueWalk

    init(_ contents: SharedQueue.Contents) {
      self.contents = contents
      walk = QueueWalk(contents.core, contents.storage)
      generation = contents.core.generation(of: contents.database)
    }

    mutating func next(_ body: (QueueStorage.Taken, RawSpan) -> Void) -> Bool {
      contents.core.live(contents.use, contents.reference.title)
      guard contents.core.generation(of: contents.database) == generation else {
        StructureReference.stopChanged(contents.reference)
      }
      return walk.next(body)
    }
  }
}
