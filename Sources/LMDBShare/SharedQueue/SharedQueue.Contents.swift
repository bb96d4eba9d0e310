// Items lie under 64-bit integers: the priority's level in the highest byte (one level so far, 4), the sequence number
// below. Numbers never repeat: key 0 holds the last one that was given when the queue's newest item was taken, so that
// an emptied queue goes on where it was.

extension SharedQueue {
  /// The items of a queue, from the next one to the newest.
  ///
  /// A view is valid until its transaction ends; a use afterwards stops the program with a message.
  public struct Contents {
    @usableFromInline let core: Transaction
    @usableFromInline let reference: StructureReference
    @usableFromInline let database: UInt32
    /// The transaction's use that this view belongs to.
    @usableFromInline let use: UInt64
    /// That of a snapshot.
    @usableFromInline var token: ViewToken?

    @inlinable
    init(_ core: Transaction, _ reference: StructureReference, _ database: UInt32) {
      use = core.use
      self.core = core
      self.reference = reference
      self.database = database
    }
  }

  /// What an item holds: the queue's element type, under a name that its iterators do not shadow.
  @usableFromInline typealias Payload = Element

  /// An item with the number by which it can be named.
  public struct Item: Sendable {
    /// The item's number: it grows with each item and is never given again.
    public let sequence: UInt64
    /// The item.
    public let element: Element
  }
}

extension SharedQueue.Contents {
  private static var counterKey: UInt64 { 0 }
  private static var level: UInt64 { 4 << 56 }
  private static var sequenceMask: UInt64 { 1 << 56 - 1 }

  /// The number of items.
  ///
  /// - Complexity: O(1).
  public var count: Int {
    core.live(use, reference.title)
    let entries = core.count(database)
    guard entries > 0 else { return 0 }
    return core.get(database, Self.counterKey) == nil ? entries : entries - 1
  }

  /// Whether there are no items.
  public var isEmpty: Bool { count == 0 }

  /// The item that is next, which stays; or nil.
  public func peek() -> Element? { items.makeIterator().peeked()?.element }

  /// The items with their numbers, from the next one to the newest.
  public var items: Items { Items(contents: self) }

  /// The items with their numbers, in order.
  public struct Items: Sequence {
    let contents: SharedQueue.Contents

    /// Walks the items.
    public func makeIterator() -> Iterator { Iterator(contents) }
  }

  /// Walks items on a cursor. One that cannot be decoded ends the walk, and the transaction throws at its end.
  public struct Iterator: IteratorProtocol {
    private typealias Payload = SharedQueue.Payload
    private let contents: SharedQueue.Contents
    private let cursor: Cursor
    private let generation: UInt32
    private var isPlaced = false

    init(_ contents: SharedQueue.Contents) {
      contents.core.live(contents.use, contents.reference.title)
      self.contents = contents
      cursor = Cursor(contents.core, contents.database)
      generation = contents.core.generation(of: contents.database)
    }

    /// The next item, or nil at the end.
    public mutating func next() -> SharedQueue.Item? {
      contents.core.live(contents.use, contents.reference.title)
      guard contents.core.generation(of: contents.database) == generation else {
        StructureReference.stopChanged(contents.reference)
      }
      guard isPlaced ? cursor.move(.next) : cursor.seek(1 as UInt64) else { return nil }
      isPlaced = true
      guard let key = cursor.key.littleEndian(UInt64.self) else { return nil }
      do throws(DecodingFailure) {
        let element = try Payload.StorageCodec.decode(cursor.value)
        return SharedQueue.Item(sequence: key & SharedQueue.Contents.sequenceMask, element: element)
      } catch {
        contents.core.failUndecodable(contents.reference, "item \(key & SharedQueue.Contents.sequenceMask)", error)
        return nil
      }
    }

    func peeked() -> SharedQueue.Item? {
      var copy = self
      return copy.next()
    }
  }

  // MARK: Changing

  /// Adds an item.
  ///
  /// - Returns: Its number.
  /// - Complexity: O(log *n*).
  @discardableResult
  public mutating func push(_ item: Element) -> UInt64 {
    let sequence = lastSequence() + 1
    put(item, sequence)
    return sequence
  }

  /// Adds the items of a sequence.
  public mutating func push(contentsOf items: some Sequence<Element>) {
    var sequence = lastSequence()
    for item in items {
      sequence += 1
      put(item, sequence)
    }
  }

  /// Takes the item that is next, or nil.
  ///
  /// - Complexity: O(log *n*).
  public mutating func pop() -> Element? {
    core.live(use, reference.title)
    guard let item = items.makeIterator().peeked(), !core.hasFailed else { return nil }
    remove(item.sequence)
    return item.element
  }

  /// Removes the item of that number, wherever it stands in the queue.
  ///
  /// - Returns: Whether it was there.
  @discardableResult
  public mutating func remove(_ sequence: UInt64) -> Bool {
    core.live(use, reference.title)
    if sequence == lastSequence(), core.get(database, Self.level | sequence) != nil { keepCounter(sequence) }
    return core.delete(database, Self.level | sequence)
  }

  /// Removes all items.
  public mutating func removeAll() {
    core.live(use, reference.title)
    let last = lastSequence()
    core.removeAll(database)
    keepCounter(last)
  }

  private func put(_ item: Element, _ sequence: UInt64) {
    do throws(EncodingFailure) {
      try Element.StorageCodec.withEncoded(item) { _ = core.put(database, Self.level | sequence, $0, .append) }
    } catch {
      core.failUnencodable(reference.name, error)
    }
  }

  private func keepCounter(_ sequence: UInt64) {
    _ = withBytes(of: sequence.littleEndian) { core.put(database, Self.counterKey, $0) }
  }

  /// The number that was given last.
  private func lastSequence() -> UInt64 {
    core.live(use, reference.title)
    let cursor = Cursor(core, database)
    guard cursor.move(.last), let key = cursor.key.littleEndian(UInt64.self) else { return 0 }
    let counter = core.get(database, Self.counterKey)?.littleEndian(UInt64.self) ?? 0
    return max(counter, key & Self.sequenceMask)
  }
}
