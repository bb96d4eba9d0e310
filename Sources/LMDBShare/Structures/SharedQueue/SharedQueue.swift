/// A queue that is shared between processes: first in, first out, each item taken once.
///
///     let jobs = try store.queue("jobs", of: Job.self)
///     try jobs.push(Job(path: "a.txt"))
///     while let job = try jobs.pop(timeout: .seconds(1)) { … }       // a thread that sleeps
///
/// In a task:
///
///     for try await job in jobs { … }                                // until the queue is closed
///
/// A popped item is removed, even if its process dies immediately afterwards. When each item must be processed, either take it in
/// the transaction that stores the result, `txn[jobs].pop()`, or lease it:
///
///     while let lease = try jobs.lease(for: .seconds(30), timeout: .seconds(1)) {
///       try work(lease.element)
///       try jobs.acknowledge(lease)
///     }
///
/// A leased item returns immediately when its process dies, and otherwise when the lease expires.
///
/// A handle is small, holds no transaction, and can be used from any thread.
public struct SharedQueue<Element: Storable>: SharedStructure {
  /// The structure in one transaction.
  public typealias View = Contents
  /// The store and the structure, for the library's own use.
  @_documentation(visibility: internal)
  public let link: StructureLink

  /// The maximum number of items, or nil for no limit.
  public var capacity: Int? { reference.description.maximumCount }
  /// The number of times that an item may be leased before it goes to the dead letters, or nil for no limit.
  public var maximumAttempts: Int? { reference.description.maximumAttempts }

  static func description(_ name: String, _ capacity: Int?, _ attempts: Int?) throws(StoreError) -> StructureDescription
  {
    for (value, what) in [(capacity, "a capacity"), (attempts, "a maximum")] {
      guard let value, value < 1 else { continue }
      throw StoreError(
        .outOfRange, "open", structure: name, reason: "\(what) of \(value)", advice: "give 1 or more, or nil")
    }
    var description = StructureDescription(
      name, .queue, layout: .packed, elements: Element.StorageCodec.identifiers, maximumCount: capacity)
    description.maximumAttempts = attempts
    return description
  }
}

// Blocking: opens or creates a structure. `tools/pairs` generates the forms for tasks.

extension StructureOpening where Self: ~Copyable {
  /// Opens the queue of that name, and creates an empty one when it is missing.
  ///
  /// - Parameters:
  ///   - name: The queue's name.
  ///   - type: The type of the items.
  ///   - capacity: The maximum number of items of a new queue, delayed ones included; for an existing queue it must match, or be
  ///     nil.
  ///   - maximumAttempts: The number of times that an item of a new queue may be leased before it goes to the dead letters; for
  ///     an existing queue it must match, or be nil.
  /// - Throws: ``StoreError/Code/typeMismatch`` when the name belongs to something else.
  public func queue<Element: Storable>(
    _ name: String, of type: Element.Type, capacity: Int? = nil, maximumAttempts: Int? = nil
  ) throws -> SharedQueue<Element> {
    SharedQueue(link: try link(to: SharedQueue<Element>.description(name, capacity, maximumAttempts)))
  }
}
