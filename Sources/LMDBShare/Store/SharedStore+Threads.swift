internal import Dispatch

// The asynchronous forms of methods that wait for other writers or for the disk. They run on a thread that may block, outside of
// the concurrency pool.

extension SharedStore {
  /// Removes a structure and its contents, without blocking a thread of the concurrency pool.
  ///
  /// - Parameters:
  ///   - name: The structure's name.
  ///   - timeout: How long to wait for another process or thread that writes; nil for no limit.
  /// - Returns: Whether the structure existed.
  /// - Throws: The errors of the synchronous form; `CancellationError` when the task is cancelled before.
  @discardableResult
  public nonisolated(nonsending) func remove(_ name: String, timeout: Duration? = nil) async throws -> Bool {
    try await onThread { try self.remove(name, timeout: timeout) }
  }

  /// Renames a structure, without blocking a thread of the concurrency pool.
  ///
  /// - Parameters:
  ///   - name: The structure's name.
  ///   - other: Its new name.
  ///   - timeout: How long to wait for another process or thread that writes; nil for no limit.
  /// - Throws: The errors of the synchronous form; `CancellationError` when the task is cancelled before.
  public nonisolated(nonsending) func rename(
    _ name: String, to other: String, timeout: Duration? = nil
  ) async throws {
    try await onThread { try self.rename(name, to: other, timeout: timeout) }
  }

  /// Stores all values of a structure anew, in the present representation of their type, without blocking a thread of the concurrency
  /// pool.
  ///
  /// - Parameters:
  ///   - name: The structure's name.
  ///   - type: The type of the elements, of the values of a dictionary, or of the value.
  ///   - timeout: How long to wait for another process or thread that writes; nil for no limit.
  /// - Returns: Whether it had another representation.
  /// - Throws: The errors of the synchronous form; `CancellationError` when the task is cancelled before.
  @discardableResult
  public nonisolated(nonsending) func upgrade<Element: Storable>(
    _ name: String, to type: Element.Type, timeout: Duration? = nil
  ) async throws -> Bool {
    try await onThread { try self.upgrade(name, to: type, timeout: timeout) }
  }

  /// Returns the disk space of free pages to the file system, without blocking a thread of the concurrency pool.
  ///
  /// - Parameter timeout: How long to wait for other writers at each turn; nil for no limit.
  /// - Returns: The number of bytes of the disk that were freed.
  /// - Throws: The errors of the synchronous form; `CancellationError` when the task is cancelled before.
  @discardableResult
  public nonisolated(nonsending) func trim(timeout: Duration? = nil) async throws -> Int {
    try await onThread { try self.trim(timeout: timeout) }
  }

  /// Syncs everything that was committed to the disk, without blocking a thread of the concurrency pool.
  public nonisolated(nonsending) func sync() async throws {
    try await onThread { try self.sync() }
  }

  /// Copies a snapshot of the store into another directory, without blocking a thread of the concurrency pool.
  ///
  /// - Parameters:
  ///   - path: A new or empty directory.
  ///   - compacting: Whether to leave out free pages; this takes longer, and produces a store that writes faster.
  /// - Throws: The errors of the synchronous form; `CancellationError` when the task is cancelled before.
  public nonisolated(nonsending) func backup(to path: String, compacting: Bool = false) async throws {
    try await onThread { try self.backup(to: path, compacting: compacting) }
  }

  /// Returns whether the transaction with that token has been committed, without blocking a thread of the concurrency pool.
  ///
  /// - Parameters:
  ///   - token: The transaction's token.
  ///   - timeout: How long to wait for a write in progress; nil for no limit.
  /// - Throws: The errors of the synchronous form; `CancellationError` when the task is cancelled before.
  public nonisolated(nonsending) func wasCommitted(_ token: CommitToken, timeout: Duration? = nil) async throws -> Bool
  {
    try await onThread { try self.wasCommitted(token, timeout: timeout) }
  }

  /// Replaces a store that no process has open with a compacted copy, without blocking a thread of the concurrency pool.
  ///
  /// - Throws: The errors of the synchronous form; `CancellationError` when the task is cancelled before.
  public static nonisolated(nonsending) func compact(path: String) async throws {
    try await onThread { try Self.compact(path: path) }
  }

  /// Opens a store in shared memory, which exists until the machine restarts, without blocking a thread of the concurrency pool.
  ///
  /// - Parameters:
  ///   - name: The name of the store: letters, digits, `.`, `-` and `_`.
  ///   - exclusive: Whether the store must be a new one.
  /// - Throws: The errors of the synchronous form; `CancellationError` when the task is cancelled before.
  public static nonisolated(nonsending) func ephemeral(
    named name: String, exclusive: Bool = false
  ) async throws -> SharedStore {
    try await onThread { try Self.ephemeral(named: name, exclusive: exclusive) }
  }

  /// Opens a new store in shared memory that has no name and is removed with its last process, without blocking a thread of the
  /// concurrency pool.
  public static nonisolated(nonsending) func ephemeral() async throws -> SharedStore {
    try await onThread { try Self.ephemeral() }
  }

  /// Removes the files of an ephemeral store, if it exists, without blocking a thread of the concurrency pool.
  ///
  /// - Throws: The errors of the synchronous form; `CancellationError` when the task is cancelled before.
  public static nonisolated(nonsending) func removeEphemeral(named name: String) async throws {
    try await onThread { try Self.removeEphemeral(named: name) }
  }
}

extension Worker {
  /// Opens the store that the worker shares with its starter, without blocking a thread of the concurrency pool.
  ///
  /// - Parameter options: The options for this process. The store is never created.
  /// - Throws: ``StoreError/Code/storeNotFound`` when the store no longer exists.
  public nonisolated(nonsending) func openStore(options: StoreOptions = StoreOptions()) async throws -> SharedStore {
    try await onThread { try self.openStore(options: options) }
  }
}

/// Runs `body` on a thread that may block.
nonisolated(nonsending) func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
  try Task.checkCancellation()
  // A separate queue has a separate thread: the threads of the global queues also run the timers of time limits.
  let thread = DispatchQueue(label: "lmdbshare.blocking")
  return try await withCheckedThrowingContinuation { continuation in
    thread.async { continuation.resume(with: Result { try body() }) }
  }
}
