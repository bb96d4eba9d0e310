/// A queue that processes share: first in, first out, each item taken once.
///
///     let jobs = try store.queue("jobs", of: Job.self)
///     try jobs.push(Job(path: "a.txt"))
///     while let job = try jobs.pop(timeout: .seconds(1)) { … }       // a thread that sleeps
///
/// In a task:
///
///     for try await job in jobs { … }                                // until the queue is closed
///
/// A popped item is gone, also when the process that has it dies the next moment. Where each item must be worked on for
/// certain, either take it in the transaction that stores what became of it, `txn[jobs].pop()`; or lease it:
///
///     while let lease = try jobs.lease(for: .seconds(30), timeout: .seconds(1)) {
///       try work(lease.element)
///       try jobs.acknowledge(lease)
///     }
///
/// A leased item comes back when its process dies, at once, or when the time is up.
///
/// A handle: it is small, holds no transaction, and may be used from any thread.
public struct SharedQueue<Element: Storable>: Sendable {
  @usableFromInline let store: SharedStore
  @usableFromInline let reference: StructureReference

  init(_ store: SharedStore, _ reference: StructureReference) {
    self.store = store
    self.reference = reference
  }

  /// The queue's name.
  public var name: String { reference.name }
  /// The most items that the queue takes, or nil for no limit.
  public var capacity: Int? { reference.description.maximumCount }
  /// How often an item may be leased before it goes to the dead letters, or nil for no limit.
  public var maximumAttempts: Int? { reference.description.maximumAttempts }

  static func description(_ name: String, _ capacity: Int?, _ attempts: Int?) throws(StoreError) -> StructureDescription
  {
    for (value, what) in [(capacity, "a capacity"), (attempts, "a maximum")] {
      guard let value, value < 1 else { continue }
      throw StoreError(
        .outOfRange, "open", structure: name, reason: "\(what) of \(value)", advice: "give 1 or more, or nil")
    }
    var description = StructureDescription(
      name, .queue, layout: .packed, element: Element.StorageCodec.identifier, maximumCount: capacity)
    description.maximumAttempts = attempts
    return description
  }
}

extension SharedStore {
  /// Opens the queue of that name; makes an empty one when there is none.
  ///
  /// - Parameters:
  ///   - capacity: The most items that a new queue takes, those included that are not due yet; of an existing one it must be
  ///     the same, or nil.
  ///   - maximumAttempts: How often an item of a new queue may be leased before it goes to the dead letters; of an existing
  ///     one it must be the same, or nil.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func queue<Element: Storable>(
    _ name: String, of _: Element.Type, capacity: Int? = nil, maximumAttempts: Int? = nil
  ) throws(StoreError) -> SharedQueue<Element> {
    SharedQueue(self, try open(SharedQueue<Element>.description(name, capacity, maximumAttempts)))
  }
}

extension WriteTransaction {
  /// Opens the queue of that name, or makes an empty one, as part of this transaction.
  public func queue<Element: Storable>(
    _ name: String, of _: Element.Type, capacity: Int? = nil, maximumAttempts: Int? = nil
  ) throws(StoreError) -> SharedQueue<Element> {
    SharedQueue(
      store, try store.openOrCreate(SharedQueue<Element>.description(name, capacity, maximumAttempts), core))
  }

  /// The queue's items, to be added and taken.
  @inlinable
  public subscript<Element>(_ queue: SharedQueue<Element>) -> SharedQueue<Element>.Contents {
    get { SharedQueue<Element>.Contents(core, queue.reference, core.use(queue.reference)) }
    nonmutating _modify {
      var contents = SharedQueue<Element>.Contents(core, queue.reference, core.useForWriting(queue.reference))
      yield &contents
    }
  }
}

extension ReadTransaction {
  /// The queue's items as this snapshot has them.
  @inlinable
  public subscript<Element>(_ queue: SharedQueue<Element>) -> SharedQueue<Element>.Contents {
    SharedQueue<Element>.Contents(core, queue.reference, core.use(queue.reference))
  }
}

extension Snapshot {
  /// The queue's items as this snapshot has them.
  ///
  /// - Throws: ``StoreError`` when the queue is not in it.
  @inlinable
  public subscript<Element>(_ queue: SharedQueue<Element>) -> SharedQueue<Element>.Contents {
    get throws {
      var contents = try read { $0[queue] }
      contents.token = pin
      return contents
    }
  }
}
