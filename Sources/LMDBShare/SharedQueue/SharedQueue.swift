/// A queue that processes share: first in, first out, each item taken once.
///
///     let jobs = try store.queue("jobs", of: Job.self)
///     try jobs.push(Job(path: "a.txt"))
///     while let job = try jobs.pop(timeout: .seconds(1)) { … }
///
/// Inside of a write transaction, taking an item and what is done about it are one: `txn[jobs].pop()`.
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

  static func description(_ name: String) -> StructureDescription {
    StructureDescription(name, .queue, element: Element.StorageCodec.identifier)
  }
}

extension SharedStore {
  /// Opens the queue of that name; makes an empty one when there is none.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func queue<Element: Storable>(_ name: String, of _: Element.Type) throws(StoreError) -> SharedQueue<Element> {
    SharedQueue(self, try open(SharedQueue<Element>.description(name)))
  }
}

extension WriteTransaction {
  /// Opens the queue of that name, or makes an empty one, as part of this transaction.
  public func queue<Element: Storable>(_ name: String, of _: Element.Type) throws(StoreError) -> SharedQueue<Element> {
    SharedQueue(store, try store.openOrCreate(SharedQueue<Element>.description(name), core))
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

extension SharedQueue {
  /// The number of items.
  public var count: Int { get throws { try store.read { $0[self].count } } }
  /// Whether there are no items.
  public var isEmpty: Bool { get throws { try count == 0 } }

  /// The item that is next, which stays; or nil.
  public func peek() throws -> Element? { try store.read { $0[self].peek() } }

  /// Adds an item and wakes a process that waits for one.
  public func push(_ item: Element) throws { try store.writeNow { _ = $0[self].push(item) } }

  /// Adds the items of a sequence, in one transaction.
  public func push(contentsOf items: some Sequence<Element>) throws {
    try store.writeNow { $0[self].push(contentsOf: items) }
  }

  /// Takes the item that is next; nil when there is none.
  public func pop() throws -> Element? {
    // A look first: it disturbs nobody, and a queue that is empty needs no writer's lock.
    if try isEmpty { return nil }
    return try store.writeNow { $0[self].pop() }
  }

  /// Takes the item that is next; waits for one.
  ///
  /// The thread sleeps until a process adds an item, without polling. In a task, it blocks the task's thread.
  ///
  /// - Parameter timeout: How long to wait.
  /// - Returns: The item, or nil when there was none in time.
  public func pop(timeout: Duration) throws -> Element? {
    try store.environment.checkMayWait("pop", name)
    var item: Element?
    _ = try store.environment.wait(for: reference.channel, until: .now + timeout) {
      item = try pop()
      return Look(isReady: item != nil)
    }
    return item
  }

  /// Waits until the queue has an item, and leaves it there: for a transaction of one's own that takes it together with
  /// other changes.
  ///
  /// - Returns: Whether there was one in time. Somebody else may be faster to take it.
  public func waitForItem(timeout: Duration) throws -> Bool {
    try store.environment.wait(for: reference.channel, until: .now + timeout) { Look(isReady: try !isEmpty) }
  }

  /// Removes all items.
  public func removeAll() throws { try store.writeNow { $0[self].removeAll() } }
}
