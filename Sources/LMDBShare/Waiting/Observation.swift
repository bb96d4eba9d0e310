/// A structure as it is, and again after each commit that changed it, by whatever process.
///
///     for try await contents in names.observe() {
///       print(contents.count)
///     }
///
/// Whoever takes long sees the newest state next, not those in between: nothing is queued. The last state is never missed.
/// Now and then an element comes though nothing has changed: after a commit by a program that does not tell what it
/// touched, or to one of more than 63 structures of a store.
///
/// An element holds its snapshot for as long as it is kept; between elements none is held. Cancelling the task ends the loop
/// with `CancellationError`; removing the structure ends it with ``StoreError/Code/structureRemoved``.
public struct Observation<Structure: SharedStructure>: AsyncSequence {
  /// What one snapshot of the structure is.
  public typealias Element = Structure.View
  let structure: Structure

  /// Starts from the present state.
  public func makeAsyncIterator() -> Iterator { Iterator(structure: structure) }

  /// Gives one state after the other.
  public struct Iterator: AsyncIteratorProtocol {
    let structure: Structure
    /// The number of the snapshot that was given last.
    var known: Int?

    /// The present state at first, then the next one after a change.
    public mutating func next() async throws -> Element? { try await next(isolation: nil) }

    /// The present state at first, then the next one after a change.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
      let link = structure.link
      let snapshot = try await link.store.snapshot(after: known, of: link.channel)
      known = snapshot.id
      return try structure.view(of: snapshot)
    }
  }
}

/// The store as it is, and again after each commit, by whatever process: see ``SharedStore/changes()``.
public struct StoreChanges: AsyncSequence {
  /// One state of the store.
  public typealias Element = Snapshot
  let store: SharedStore

  /// Starts from the present state.
  public func makeAsyncIterator() -> Iterator { Iterator(store: store) }

  /// Gives one state after the other.
  public struct Iterator: AsyncIteratorProtocol {
    let store: SharedStore
    /// The number of the snapshot that was given last.
    var known: Int?

    /// The present state at first, then the next one after a commit.
    public mutating func next() async throws -> Snapshot? { try await next(isolation: nil) }

    /// The present state at first, then the next one after a commit.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Snapshot? {
      let snapshot = try await store.snapshot(after: known, of: Channels.everyCommit)
      known = snapshot.id
      return snapshot
    }
  }
}

extension SharedStructure {
  /// The structure as it is, and again after each commit that changed it.
  public func observe() -> Observation<Self> { Observation(structure: self) }
}

extension SharedStore {
  /// The store as it is, and again after each commit, by whatever process.
  ///
  ///     for try await snapshot in store.changes() {
  ///       print(try snapshot[total], try snapshot[names].count)
  ///     }
  ///
  /// As with ``Observation``, whoever takes long sees the newest state next. Snapshots hold pages while they are kept.
  public func changes() -> StoreChanges { StoreChanges(store: self) }

  /// A snapshot; not before a commit after `known` has touched one of the channels.
  nonisolated(nonsending) func snapshot(after known: Int?, of channels: UInt64) async throws -> Snapshot {
    try Task.checkCancellation()
    while true {
      if let known { _ = try await environment.change(of: channels, after: known) }
      let snapshot = try snapshot()
      if snapshot.id != known { return snapshot }
      snapshot.end()
    }
  }
}
