internal import Dispatch
internal import Synchronization

extension SharedQueue {
  /// Adds items without waiting for their commits: what is added while a commit is under way goes into the next one.
  ///
  ///     let producer = jobs.producer()
  ///     for job in many { try producer.push(job) }
  ///     try producer.flush()
  ///
  /// That is what `multiprocessing.Queue.put` does, and many times faster than a transaction an item. Items that have not been
  /// flushed are lost when the process dies. The order of one producer's items is kept.
  public final class Producer: Sendable {
    private struct State {
      var waiting: [Element] = []
      var isRunning = false
      var error: (any Error)?
    }
    private let queue: SharedQueue
    private let priority: QueuePriority
    private let limit: Int
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "lmdbshare.producer")
    /// Entered while the thread works.
    private let running = DispatchGroup()

    init(_ queue: SharedQueue, _ priority: QueuePriority, _ limit: Int) {
      self.queue = queue
      self.priority = priority
      self.limit = Swift.max(1, limit)
    }

    /// Adds an item; waits when too many are on their way.
    ///
    /// - Throws: Why earlier items could not be added. They are kept, and tried again from here on.
    public func push(_ item: Element) throws {
      let (isFirst, isFull) = try state.withLock { state in
        try Self.throwError(&state)
        state.waiting.append(item)
        return (start(&state), state.waiting.count > limit)
      }
      if isFirst { thread.async { [self] in run() } }
      if isFull { try flush() }
    }

    /// Waits until all items have been added.
    ///
    /// - Throws: Why they could not be. They are kept, and tried again with the next call.
    public func flush() throws {
      let isFirst = try state.withLock { state in
        try Self.throwError(&state)
        return !state.waiting.isEmpty && start(&state)
      }
      if isFirst { thread.async { [self] in run() } }
      running.wait()
      try state.withLock { try Self.throwError(&$0) }
    }

    private static func throwError(_ state: inout State) throws {
      guard let error = state.error else { return }
      state.error = nil
      throw error
    }

    /// Whether the thread has to be set going.
    private func start(_ state: inout State) -> Bool {
      guard !state.isRunning else { return false }
      state.isRunning = true
      running.enter()
      return true
    }

    private func run() {
      while true {
        var items: [Element] = []
        let isDone = state.withLock { state in
          swap(&items, &state.waiting)
          if items.isEmpty { state.isRunning = false }
          return items.isEmpty
        }
        if isDone { return running.leave() }
        var rest = items[...]
        do {
          while !rest.isEmpty {
            let part = rest.prefix(queue.capacity ?? rest.count)
            try queue.push(contentsOf: part, priority: priority, timeout: .seconds(1 << 30))
            rest = rest.dropFirst(part.count)
          }
        } catch {
          state.withLock { state in
            state.waiting.insert(contentsOf: rest, at: 0)
            state.error = error
            state.isRunning = false
          }
          return running.leave()
        }
      }
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
