extension SharedQueue {
  /// Adds items without waiting for their commits: what is added while a commit is under way goes into the next one.
  ///
  ///     let producer = jobs.producer()
  ///     for job in many { try producer.push(job) }
  ///     try producer.flush()
  ///
  /// That is what `multiprocessing.Queue.put` does, and many times faster than a transaction an item. Items that have not been
  /// flushed are lost when the process dies. The order of one producer's items is kept. Where the queue has a capacity,
  /// items go in as room is made for them. Items that are on their way keep the store open until they are added.
  public final class Producer: Sendable {
    @usableFromInline let feeder: QueueFeeder
    @usableFromInline let name: String

    init(_ queue: SharedQueue, _ priority: QueuePriority, _ limit: Int) {
      feeder = QueueFeeder(queue.store, queue.reference, level: priority.level, limit: limit)
      name = queue.name
    }

    /// Adds an item; waits when too many are on their way.
    ///
    /// - Throws: Why earlier items could not be added; this one is then not accepted. `flush()` tries again.
    ///   ``StoreError/Code/unencodable`` when the item cannot be encoded.
    @available(*, noasync, message: "it may block its thread; await the asynchronous form instead")
    @inlinable
    public func push(_ item: Element) throws {
      if let target = try accept(item) { feeder.waitForRoom(target) }
    }

    /// Adds an item; waits when too many are on their way, without blocking a thread.
    ///
    /// - Throws: As the synchronous form; `CancellationError` when the task was cancelled before. Either way the item is not
    ///   accepted. Cancelling ends the wait.
    @inlinable
    public nonisolated(nonsending) func push(_ item: Element) async throws {
      try Task.checkCancellation()
      if let target = try accept(item) { await feeder.waitForRoom(target) }
    }

    /// Adds the items of a sequence, or none of them where one cannot be encoded; waits when too many are on their way.
    @available(*, noasync, message: "it may block its thread; await the asynchronous form instead")
    @inlinable
    public func push(contentsOf items: some Sequence<Element>) throws {
      if let target = try accept(contentsOf: items) { feeder.waitForRoom(target) }
    }

    /// Adds the items of a sequence, or none of them; waits when too many are on their way, without blocking a thread.
    @inlinable
    public nonisolated(nonsending) func push(contentsOf items: some Sequence<Element>) async throws {
      try Task.checkCancellation()
      if let target = try accept(contentsOf: items) { await feeder.waitForRoom(target) }
    }

    /// Waits until all items that were accepted so far have been added. Tries again where that failed before.
    ///
    /// - Throws: Why they could not be. They are kept; after ``StoreError/Code/outcomeUnknown`` some may be added twice.
    @available(*, noasync, message: "it blocks its thread; await the asynchronous form instead")
    public func flush() throws {
      try feeder.flush()
    }

    /// Waits until all items that were accepted so far have been added, without blocking a thread.
    public nonisolated(nonsending) func flush() async throws {
      try await feeder.flush()
    }

    /// Forgets the items that could not be added, so that others can be.
    ///
    /// - Returns: How many; 0 where nothing has failed.
    @discardableResult
    public func discard() -> Int { feeder.discard() }

    @inlinable
    func accept(_ item: Element) throws -> Int? {
      let accepted: Result<Int?, any Error>
      do throws(EncodingFailure) {
        accepted = try Element.StorageCodec.withEncoded(item) { bytes in Result { try feeder.accept(bytes) } }
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
          try Element.StorageCodec.withEncoded(item) { batch.append($0) }
        } catch {
          throw StoreError.unencodable(name, error)
        }
      }
      return try feeder.accept(batch)
    }
  }

  /// A producer of this queue, which adds items without waiting for their commits.
  ///
  /// - Parameters:
  ///   - priority: Of all its items.
  ///   - limit: How many items may be on their way; then `push` waits.
  public func producer(priority: QueuePriority = .normal, limit: Int = 10_000) -> Producer {
    Producer(self, priority, limit)
  }
}
