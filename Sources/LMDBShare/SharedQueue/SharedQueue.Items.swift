extension SharedQueue {
  /// What an item holds: the queue's element type, under a name that its iterators do not shadow.
  @usableFromInline typealias Payload = Element

  /// An item with the number by which it can be named.
  public struct Item: Sendable {
    /// The item's number: it grows with each item and is never given again.
    public let sequence: UInt64
    /// The item.
    public let element: Element
    /// How soon it is taken.
    public let priority: QueuePriority
    /// How often it has been leased.
    public let attempts: Int
  }

  /// An item as it is stored, whether or not its bytes are of the queue's type.
  public struct StoredItem: Hashable, Sendable {
    /// The item's number: it grows with each item and is never given again.
    public let sequence: UInt64
    /// The item's representation.
    public let bytes: [UInt8]
    /// How soon it is taken.
    public let priority: QueuePriority
    /// How often it has been leased.
    public let attempts: Int

    /// The item.
    ///
    /// - Throws: ``DecodingFailure`` when the bytes are no `Element`.
    public func decoded() throws(DecodingFailure) -> Element {
      let result = withBytes(of: bytes) { bytes in
        Result { () throws(DecodingFailure) in try Payload.StorageCodec.decode(bytes) }
      }
      return try result.get()
    }
  }
}

extension SharedQueue.Contents {
  /// The item that is next, which stays; or nil.
  ///
  /// It is the one that ``pop()`` would take: items whose bytes are no `Element` are passed over. See ``storedItems`` for those,
  /// too.
  ///
  /// - Complexity: O(log *n*), and O(*k*) for *k* items that are passed over.
  public func peek() -> Element? {
    var iterator = items.makeIterator()
    return iterator.next()?.element
  }

  /// The items that can be taken, with their numbers, in the order in which they would be.
  ///
  /// Those whose bytes are no `Element` are left out, as they are when items are taken; ``storedItems`` has them all.
  public var items: Items { Items(contents: self) }

  /// All items that can be taken, in order, as they are stored: none is decoded, and none can be in the way of the others.
  public var storedItems: StoredItems { StoredItems(contents: self) }

  /// The items with their numbers, in order.
  public struct Items: Sequence {
    let contents: SharedQueue.Contents

    /// Walks the items.
    public func makeIterator() -> Iterator { Iterator(contents) }
  }

  /// Walks items on a cursor.
  public struct Iterator: IteratorProtocol {
    private typealias Payload = SharedQueue.Payload
    private var walk: CheckedWalk

    init(_ contents: SharedQueue.Contents) { walk = CheckedWalk(contents) }

    /// The next item, or nil at the end.
    public mutating func next() -> SharedQueue.Item? {
      var item: SharedQueue.Item?
      while item == nil {
        let isThere = walk.next { taken, bytes in
          guard let element = try? Payload.StorageCodec.decode(bytes) else { return }
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

    /// Walks the items.
    public func makeIterator() -> StoredIterator { StoredIterator(contents) }
  }

  /// Walks stored items on a cursor.
  public struct StoredIterator: IteratorProtocol {
    private var walk: CheckedWalk

    init(_ contents: SharedQueue.Contents) { walk = CheckedWalk(contents) }

    /// The next item, or nil at the end.
    public mutating func next() -> SharedQueue.StoredItem? {
      var item: SharedQueue.StoredItem?
      _ = walk.next { taken, bytes in
        item = SharedQueue.StoredItem(
          sequence: taken.sequence, bytes: bytes.copied(), priority: QueuePriority(level: taken.level) ?? .normal,
          attempts: Int(taken.attempts))
      }
      return item
    }
  }

  /// Walks the items of a view; stops the program when the view is not valid any more.
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
