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
      /// Why items could not be added; they wait until somebody tries again.
      var error: (any Error)?
      /// How many items were ever accepted, and how many have been added.
      var accepted = 0
      var added = 0
      /// Who waits until so many have been added.
      var waits: [(target: Int, end: DispatchSemaphore)] = []
    }
    private let queue: SharedQueue
    private let priority: QueuePriority
    private let limit: Int
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "lmdbshare.producer")

    init(_ queue: SharedQueue, _ priority: QueuePriority, _ limit: Int) {
      self.queue = queue
      self.priority = priority
      self.limit = Swift.max(1, limit)
    }

    /// Adds an item; waits when too many are on their way.
    ///
    /// - Throws: Why earlier items could not be added; this one is then not accepted. ``flush()`` tries again.
    public func push(_ item: Element) throws {
      let (isFirst, wait) = try state.withLock { (state: inout State) throws -> (Bool, DispatchSemaphore?) in
        if let error = state.error { throw error }
        state.waiting.append(item)
        state.accepted += 1
        return (start(&state), state.waiting.count > limit ? addWait(&state) : nil)
      }
      if isFirst { thread.async { [self] in run() } }
      wait?.wait()
    }

    /// Waits until all items that were accepted so far have been added. Tries again where that failed before.
    ///
    /// - Throws: Why they could not be. They are kept; but an item that cannot be encoded is left out.
    public func flush() throws {
      let (isFirst, wait, target) = state.withLock { (state: inout State) -> (Bool, DispatchSemaphore?, Int) in
        let target = state.accepted
        guard state.added < target else { return (false, nil, target) }
        state.error = nil
        let wait = addWait(&state)
        return (start(&state), wait, target)
      }
      if isFirst { thread.async { [self] in run() } }
      wait?.wait()
      try state.withLock { state in
        guard let error = state.error else { return }
        // What was left out has been told of now.
        if state.added >= target { state.error = nil }
        throw error
      }
    }

    /// What ends when all that has been accepted is added, or nothing more can be.
    private func addWait(_ state: inout State) -> DispatchSemaphore {
      let end = DispatchSemaphore(value: 0)
      state.waits.append((state.accepted, end))
      return end
    }

    /// Whether the thread has to be set going.
    private func start(_ state: inout State) -> Bool {
      guard !state.isRunning else { return false }
      state.isRunning = true
      return true
    }

    private func run() {
      while true {
        let items = state.withLock { state -> [Element] in
          defer { state.waiting = [] }
          if state.waiting.isEmpty { state.isRunning = false }
          return state.waiting
        }
        if items.isEmpty { return }
        var rest = items[...]
        var most = queue.capacity ?? rest.count
        do {
          while !rest.isEmpty {
            let part = rest.prefix(most)
            do {
              try queue.push(contentsOf: part, priority: priority, timeout: .seconds(1 << 30))
            } catch let error as StoreError where error.code == .unencodable {
              // One by one then, so that only this one is left out.
              guard part.count == 1 else {
                most = 1
                continue
              }
              state.withLock { $0.error = error }
            }
            rest = rest.dropFirst(part.count)
            state.withLock { state in
              state.added += part.count
              let added = state.added
              end(&state) { $0 <= added }
            }
          }
        } catch {
          return state.withLock { state in
            state.waiting.insert(contentsOf: rest, at: 0)
            state.error = error
            state.isRunning = false
            end(&state) { _ in true }
          }
        }
      }
    }

    private func end(_ state: inout State, _ isOver: (Int) -> Bool) {
      for wait in state.waits where isOver(wait.target) { wait.end.signal() }
      state.waits.removeAll { isOver($0.target) }
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
