/// A sequence of a structure's states: the present one, and one after each commit that changes it, by any process.
///
///     for try await contents in names.observe() {
///       print(contents.count)
///     }
///
/// A slow consumer sees the newest state next, and skips those in between: nothing is queued. The last state is never missed.
/// Occasionally an element arrives although nothing has changed: after a commit by a program that does not announce its changes,
/// or in a store with more than 63 structures.
///
/// An element holds its snapshot while it is kept; between elements no snapshot is held. Cancelling the task ends the loop
/// with `CancellationError`; removing the structure ends it with ``StoreError/Code/structureRemoved``.
public struct Observation<Structure: SharedStructure>: AsyncSequence {
  /// A state of the structure: a view, or a value.
  public typealias Element = Structure.View
  let structure: Structure

  /// Returns an iterator that starts with the present state.
  public func makeAsyncIterator() -> Iterator { Iterator(structure: structure) }

  /// An asynchronous iterator over states.
  public struct Iterator: AsyncIteratorProtocol {
    let structure: Structure
    /// The number of the snapshot that was returned last.
    var known: Int?

    /// Returns the present state at first, then the state after the next change.
    public mutating func next() async throws -> Element? { try await next(isolation: nil) }

    /// Returns the present state at first, then the state after the next change.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
      let snapshot = try await structure.store.snapshot(after: known, of: structure.channel)
      known = snapshot.id
      return try snapshot[structure]
    }
  }
}

/// A sequence of the store's states: the present one, and one after each commit, by any process. See ``SharedStore/changes()``.
public struct StoreChanges: AsyncSequence {
  /// A state of the store.
  public typealias Element = Snapshot
  let store: SharedStore

  /// Returns an iterator that starts with the present state.
  public func makeAsyncIterator() -> Iterator { Iterator(store: store) }

  /// An asynchronous iterator over states.
  public struct Iterator: AsyncIteratorProtocol {
    let store: SharedStore
    /// The number of the snapshot that was returned last.
    var known: Int?

    /// Returns the present state at first, then the state after the next commit.
    public mutating func next() async throws -> Snapshot? { try await next(isolation: nil) }

    /// Returns the present state at first, then the state after the next commit.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Snapshot? {
      let snapshot = try await store.snapshot(after: known, of: Channels.everyCommit)
      known = snapshot.id
      return snapshot
    }
  }
}

extension SharedStructure {
  /// Returns the present state of the structure, and the state after each commit that changes it.
  public func observe() -> Observation<Self> { Observation(structure: self) }
}

extension SharedStore {
  /// Returns the present state of the store, and the state after each commit, by any process.
  ///
  ///     for try await snapshot in store.changes() {
  ///       print(try snapshot[total], try snapshot[names].count)
  ///     }
  ///
  /// As with ``Observation``, a slow consumer sees the newest state next. Snapshots hold pages while they are kept.
  public func changes() -> StoreChanges { StoreChanges(store: self) }

  /// Returns a snapshot, but not before a commit after `known` has touched one of the channels.
  nonisolated(nonsending) func snapshot(after known: Int?, of channels: Channels) async throws -> Snapshot {
    try Task.checkCancellation()
    while true {
      if let known { _ = try await environment.change(of: channels, after: known) }
      let snapshot = try snapshot()
      if snapshot.id != known { return snapshot }
      snapshot.end()
    }
  }
}
