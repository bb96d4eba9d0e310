extension SharedQueue {
  /// The items of a queue, in the order in which they are taken.
  ///
  /// A view is valid until its transaction ends; a use afterwards stops the program with a message.
  public struct Contents: StructureView {
    @usableFromInline let core: Transaction
    @usableFromInline let reference: StructureReference
    @usableFromInline let database: Database
    /// The use of the transaction to which this view belongs.
    @usableFromInline let use: UInt64
    /// The pin of a snapshot, which the view keeps alive.
    @usableFromInline let snapshot: SnapshotPin?

    /// Makes the view of a transaction, for the library's own use.
    @_documentation(visibility: internal) @inlinable @inline(__always)
    public init(of reference: StructureReference, in transaction: borrowing ReadTransaction, for use: StructureUse) {
      core = transaction.core
      self.reference = reference
      database = use.database(core, reference)
      self.use = core.use
      snapshot = if case .keep(let snapshot) = use { snapshot.pin } else { nil }
    }

    /// Ends a change in place, for the library's own use.
    @_documentation(visibility: internal) @inlinable
    public mutating func endChange(of reference: StructureReference, in transaction: borrowing WriteTransaction) {
      store(to: reference, in: transaction)
    }

    /// Refuses the items of another queue, since items have numbers and a history; for the library's own use.
    @_documentation(visibility: internal) @inlinable
    public func store(to reference: StructureReference, in transaction: borrowing WriteTransaction) {
      if self.reference !== reference { refuse(reference, transaction.core) }
    }

    @usableFromInline @inline(never)
    func refuse(_ reference: StructureReference, _ core: Transaction) {
      core.fail(
        StoreError(
          .outOfRange, "write", structure: reference.name,
          reason: "the items of another queue cannot be assigned to a queue",
          advice: "take them from one queue and push them to the other"))
    }
  }
}

extension SharedQueue.Contents {
  /// The queue as of this transaction.
  @inlinable
  var storage: QueueStorage {
    core.live(use, reference.title)
    return core.queue(reference, database)
  }

  /// The queue as of this transaction, to be changed.
  ///
  /// Copies of the view change it, too: unlike other views, a queue's view has no independent copies.
  @inlinable
  var changing: QueueStorage {
    let storage = storage
    core.writtenChannels.formUnion(reference.channel)
    if !core.isWritable { failReadOnly(storage) }
    return storage
  }

  @usableFromInline @inline(never)
  func failReadOnly(_ storage: QueueStorage) {
    storage.forget()
    core.fail(
      StoreError(
        .permissionDenied, "change", structure: reference.name, reason: "this transaction is for reading",
        advice: "change the queue in a write"))
  }

  // MARK: Reading

  /// The number of items that can be taken, without leased and delayed ones.
  ///
  /// - Complexity: O(1).
  public var count: Int { storage.state.ready }

  /// Whether there are no items that can be taken.
  public var isEmpty: Bool { count == 0 }

  /// Whether the queue is closed and accepts no more items.
  public var isClosed: Bool { storage.state.isClosed }

  // MARK: Adding

  /// Adds an item.
  ///
  /// When the queue is full or closed, the transaction is undone and throws ``StoreError/Code/queueFull`` or
  /// ``StoreError/Code/queueClosed``.
  ///
  /// - Parameters:
  ///   - item: The item.
  ///   - priority: Items of a higher priority are taken first; those of the same priority in the order of their numbers.
  ///   - delay: The time during which the item cannot be taken.
  /// - Returns: The item's number.
  /// - Complexity: O(log *n*).
  @inlinable @discardableResult
  public mutating func push(_ item: Element, priority: QueuePriority = .normal, delay: Duration = .zero) -> UInt64 {
    let storage = changing
    do throws(EncodingFailure) {
      return try Element.StorageCodec.withEncoded(item, in: reference.form) {
        storage.push(core, $0, level: priority.level, delay: delay)
      }
    } catch {
      core.failUnencodable(reference.name, error)
      return 0
    }
  }

  /// Adds the items of a sequence, several in one record, which takes a fraction of the time and space.
  ///
  /// - Complexity: O(*k*) for *k* items, and O(log *n*) for each record.
  @inlinable
  public mutating func push(contentsOf items: some Sequence<Element>, priority: QueuePriority = .normal) {
    let storage = changing
    var builder = storage.makeBuilder()
    for item in items {
      do throws(EncodingFailure) {
        try Element.StorageCodec.withEncoded(item, in: reference.form) {
          storage.pack(core, $0, level: priority.level, &builder)
        }
      } catch {
        return core.failUnencodable(reference.name, error)
      }
    }
    storage.store(core, level: priority.level, &builder)
  }

  // MARK: Taking

  /// Takes the next item; returns nil when there is none.
  ///
  /// An item that cannot be decoded goes to the dead letters, and the next one is taken.
  ///
  /// - Complexity: O(log *n*).
  @inlinable
  public mutating func pop() -> Element? { popNext(undecodable: .max) }

  /// Takes at most `count` items, in order.
  ///
  /// Items that cannot be decoded go to the dead letters.
  @inlinable
  public mutating func pop(atMost count: Int) -> [Element] { popNext(atMost: count, undecodable: .max) }

  /// Takes the next item. Returns nil when there is none, or when `limit` items before it went to the dead letters.
  @inlinable
  mutating func popNext(undecodable limit: Int = QueueStorage.mostUndecodable) -> Element? {
    var item: Element?
    let storage = changing
    storage.prepareToTake(core)
    let form = reference.form
    storage.pop(core, atMost: 1, undecodable: limit) { _, bytes in
      do throws(DecodingFailure) {
        item = try Element.StorageCodec.decode(bytes, in: form)
        return nil
      } catch {
        return error
      }
    }
    return item
  }

  /// Takes at most `count` items, in order; ends when `limit` items went to the dead letters.
  @inlinable
  mutating func popNext(atMost count: Int, undecodable limit: Int = QueueStorage.mostUndecodable) -> [Element] {
    var items: [Element] = []
    let storage = changing
    storage.prepareToTake(core)
    items.reserveCapacity(Swift.max(0, Swift.min(count, self.count, 1000)))
    let form = reference.form
    storage.pop(core, atMost: count, undecodable: limit) { _, bytes in
      do throws(DecodingFailure) {
        items.append(try Element.StorageCodec.decode(bytes, in: form))
        return nil
      } catch {
        return error
      }
    }
    return items
  }

  /// Removes the item of that number, whether it is ready, leased, delayed or a dead letter.
  ///
  /// - Returns: Whether it existed.
  @discardableResult
  public mutating func remove(_ sequence: UInt64) -> Bool { changing.remove(core, sequence) }

  /// Removes all items, including leased and delayed ones and dead letters.
  public mutating func removeAll() { changing.removeAll(core) }

  // MARK: Closing

  /// Closes the queue: it accepts no more items. Consumers take the remaining items, and return when none is left.
  public mutating func close() { changing.state.isClosed = true }

  /// Reopens the queue, so that it accepts items again.
  public mutating func reopen() { changing.state.isClosed = false }
}
