extension SharedQueue {
  /// Adds items without waiting for their commits: items that are added during a commit go into the next one.
  ///
  ///     let producer = jobs.producer()
  ///     for job in many { try producer.push(job) }
  ///     try producer.flush()
  ///
  /// `multiprocessing.Queue.put` works like this. It is many times faster than one transaction for each item. Items that have not
  /// been flushed are lost when the process dies. The items of one producer keep their order. When the queue has a capacity,
  /// items are added as soon as there is room. Items under way keep the store open until they are added.
  public final class Producer: Sendable {
    @usableFromInline let feeder: QueueFeeder
    @usableFromInline let name: String
    @usableFromInline let form: Int

    init(_ queue: SharedQueue, _ priority: QueuePriority, _ limit: Int) {
      feeder = QueueFeeder(queue.store, queue.reference, level: priority.level, limit: limit)
      name = queue.name
      form = queue.reference.form
    }

    /// Adds an item, after waiting when too many are under way.
    ///
    /// - Throws: The error with which earlier items could not be added; this one is then not accepted. ``flush()`` retries.
    ///   ``StoreError/Code/unencodable`` when the item cannot be encoded.
    @inlinable
    public func push(_ item: Element) throws {
      if let target = try accept(item) { feeder.waitForRoom(target) }
    }

    /// Adds an item, after waiting without blocking a thread when too many are under way.
    ///
    /// - Throws: The errors of the synchronous form; `CancellationError` when the task was cancelled before. In both cases the item
    ///   is not accepted. Cancellation ends the wait.
    @inlinable
    public nonisolated(nonsending) func push(_ item: Element) async throws {
      try Task.checkCancellation()
      if let target = try accept(item) { await feeder.waitForRoom(target) }
    }

    /// Adds all items of a sequence, or none when one cannot be encoded, after waiting when too many are under way.
    @inlinable
    public func push(contentsOf items: some Sequence<Element>) throws {
      if let target = try accept(contentsOf: items) { feeder.waitForRoom(target) }
    }

    /// Adds all items of a sequence, or none, after waiting without blocking a thread when too many are under way.
    @inlinable
    public nonisolated(nonsending) func push(contentsOf items: some Sequence<Element>) async throws {
      try Task.checkCancellation()
      if let target = try accept(contentsOf: items) { await feeder.waitForRoom(target) }
    }

    /// Waits until all accepted items have been added. Retries items that could not be added before.
    ///
    /// - Throws: The error with which items could not be added. They are kept; after ``StoreError/Code/outcomeUnknown`` some may be
    ///   added twice.
    public func flush() throws {
      try feeder.flush()
    }

    /// Waits until all accepted items have been added, without blocking a thread.
    public nonisolated(nonsending) func flush() async throws {
      try await feeder.flush()
    }

    /// Discards the items that could not be added, so that others can be.
    ///
    /// - Returns: The number of discarded items; 0 when nothing has failed.
    @discardableResult
    public func discard() -> Int { feeder.discard() }

    @inlinable
    func accept(_ item: Element) throws -> Int? {
      let accepted: Result<Int?, any Error>
      do throws(EncodingFailure) {
        accepted = try Element.StorageCodec.withEncoded(item, in: form) { bytes in Result { try feeder.accept(bytes) } }
      } catch {
        throw StoreError.unencodable(name, error)
      }
      return try accepted.get()
    }

    @inlinable
    func accept(contentsOf items: some Sequence<Element>) throws -> Int? {
      var batch = feeder.makeBatch()
      for item in items {
        do throws(EncodingFailure) {
          try Element.StorageCodec.withEncoded(item, in: form) { batch.append($0) }
        } catch {
          throw StoreError.unencodable(name, error)
        }
      }
      return try feeder.accept(batch)
    }
  }

  /// Returns a producer, which adds items without waiting for their commits.
  ///
  /// - Parameters:
  ///   - priority: The priority of all its items.
  ///   - limit: The maximum number of items under way; beyond it `push` waits.
  public func producer(priority: QueuePriority = .normal, limit: Int = 10_000) -> Producer {
    Producer(self, priority, limit)
  }
}
