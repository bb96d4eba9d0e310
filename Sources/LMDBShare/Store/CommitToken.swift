/// A name for a transaction, by which any process can find out whether it was committed, even after a crash.
///
/// A program that dies between its commit and the answer to its caller does not know the outcome of the transaction.
/// Create a token first and keep it where it survives: in a file, or with the caller. Then write with it:
///
///     let token = try store.commitToken()
///     try journal.note(order, token)
///     try store.write(token: token) { txn in txn[orders].push(order) }
///
/// After a restart, ``SharedStore/wasCommitted(_:timeout:)`` answers. Writing again with the same token is safe, too: a committed
/// transaction is not repeated.
public struct CommitToken: Hashable, Sendable {
  /// The number of transactions with tokens that the store had seen when the token was created.
  let birth: UInt64
  let random: UInt64

  /// The length of its key.
  static let byteCount = 16

  func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    let words: [2 of UInt64] = [birth.bigEndian, random.bigEndian]
    return LMDBShare.withBytes(of: words, body)
  }
}

extension CommitToken: LosslessStringConvertible {
  /// The token as text: two hexadecimal numbers, separated by a hyphen.
  public var description: String { String(birth, radix: 16) + "-" + String(random, radix: 16) }

  /// Creates a token from its text; nil when the text is not a token.
  public init?(_ description: String) {
    let parts = description.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let birth = UInt64(parts[0], radix: 16), let random = UInt64(parts[1], radix: 16),
      random != 0
    else { return nil }
    self.birth = birth
    self.random = random
  }
}

extension CommitToken: Codable {
  /// Encodes the token as its text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// Decodes the token from its text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let token = CommitToken(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "this is not a commit token")
    }
    self = token
  }
}

extension SharedStore {
  /// Creates a token for a future transaction.
  ///
  /// Use the token soon: after 65,536 later tokens it is refused.
  ///
  /// - Complexity: O(log *n*); nothing is written.
  public func commitToken() throws -> CommitToken {
    let tokens = try environment.database(CommitTokens.database)
    let core = try environment.beginRead()
    defer { core.end() }
    let birth = tokens.map { CommitTokens.Memory($0, core).committed } ?? 0
    if let failure = core.failure { throw failure }
    return CommitToken(birth: birth, random: UInt64.random(in: 1...UInt64.max))
  }

  /// Returns whether the transaction with that token has been committed.
  ///
  /// Waits for a write that is under way. A transaction that is not committed then will not be, unless its writer has yet to
  /// begin. The store remembers the newest 65,536 tokens.
  ///
  /// - Parameters:
  ///   - token: The transaction's token.
  ///   - timeout: How long to wait for a write that is under way; nil for no limit.
  /// - Throws: ``StoreError/Code/outcomeUnknown`` when the token is older than those that the store remembers, or the store is
  ///   open only for reading and the token is not found; ``StoreError/Code/writerBusy``.
  /// - Complexity: O(log *n*).
  public func wasCommitted(_ token: CommitToken, timeout: Duration? = nil) throws -> Bool {
    if try isThere(token) { return true }
    // A caller that is writing has already waited.
    if environment.isWriting { return false }
    guard !environment.options.isReadOnly else {
      throw StoreError(
        .outcomeUnknown, "look for a commit token",
        reason: "it is not there, but a process that died at the end of its commit may have left it to the next writer",
        advice: "use a store that is open for writing")
    }
    // A process that died at the very end of its commit has left it to the next writer to publish it.
    environment.abort(try environment.beginWrite(until: timeout.map { .now + $0 }))
    return try isThere(token)
  }

  private func isThere(_ token: CommitToken) throws(StoreError) -> Bool {
    guard let tokens = try environment.database(CommitTokens.database) else { return false }
    let core = try environment.beginRead()
    defer { core.end() }
    let found = CommitTokens.find(token, tokens, core)
    if let failure = core.failure { throw failure }
    return try found.get()
  }

  /// Changes the store as ``write(_:)`` does, at most once for this token.
  ///
  /// - Throws: The errors of ``write(_:)``; ``StoreError/Code/alreadyCommitted``, and then `body` did not run;
  ///   ``StoreError/Code/outcomeUnknown`` when the token is older than those that the store remembers.
  @discardableResult
  public func write<R: ~Copyable>(
    token: CommitToken, _ body: (inout WriteTransaction) throws -> R
  ) throws -> R {
    try writeNow { txn in
      try CommitTokens.note(token, txn.core, txn.store.environment)
      return try body(&txn)
    }
  }

  /// Changes the store from a task, as ``write(_:)`` does, at most once for this token.
  ///
  /// - Throws: ``StoreError/Code/alreadyCommitted``, and then `body` did not run; ``StoreError/Code/outcomeUnknown`` when
  ///   the token is older than those that the store remembers.
  @discardableResult
  public nonisolated(nonsending) func write<R>(
    token: CommitToken, _ body: @escaping @Sendable (inout WriteTransaction) throws -> sending R
  ) async throws -> sending R {
    try await write { txn in
      try CommitTokens.note(token, txn.core, txn.store.environment)
      return try body(&txn)
    }
  }
}

/// The tokens of committed transactions: a database from token to snapshot number. Its first key, of zeros, is not a token: its
/// value records what is known about tokens that were removed.
///
/// Tokens sort by the number of committed ones at their creation. The store counts them itself: LMDB's transaction numbers start
/// again in a compacted copy.
enum CommitTokens {
  static let database = ".commits"
  static let remembered = 65_536
  private static let memoryKey = CommitToken(birth: 0, random: 0)

  /// The value under the first key.
  struct Memory {
    /// The highest birth of the tokens that were removed; nil when there were none.
    var forgotten: UInt64?
    /// The number of committed transactions with tokens.
    var committed: UInt64 = 0

    init(_ database: Database, _ core: Transaction) {
      memoryKey.withBytes { key in
        guard let bytes = core.get(database, key) else { return }
        committed = bytes.littleEndian(at: 0) ?? 0
        forgotten = bytes.littleEndian(at: 8)
      }
    }

    func store(_ database: Database, _ core: Transaction) {
      var writer = ByteWriter()
      writer.append(littleEndian: committed)
      if let forgotten { writer.append(littleEndian: forgotten) }
      memoryKey.withBytes { key in writer.withBytes { _ = core.put(database, key, $0) } }
    }
  }

  /// Whether the token is stored.
  static func find(
    _ token: CommitToken, _ database: Database, _ core: Transaction
  ) -> Result<Bool, StoreError> {
    if token.withBytes({ core.get(database, $0) != nil }) { return .success(true) }
    if let forgotten = Memory(database, core).forgotten, token.birth <= forgotten {
      return .failure(
        StoreError(
          .outcomeUnknown, "look for a commit token",
          reason: "the token is older than the \(remembered) that the store remembers",
          advice: "read the store to see whether the transaction is there, and use a new token"))
    }
    return .success(false)
  }

  /// Adds the token to the running transaction.
  static func note(_ token: CommitToken, _ core: Transaction, _ environment: Environment) throws(StoreError) {
    _ = try core.createDatabase(database, [])
    let tokens = environment.number(database)
    if try find(token, tokens, core).get() {
      throw StoreError(
        .alreadyCommitted, "write", reason: "a transaction with this token has been committed before",
        advice: "continue: its changes are committed; use a new token for each transaction")
    }
    token.withBytes { key in
      withBytes(of: UInt64(core.snapshotID).littleEndian) { _ = core.put(tokens, key, $0) }
    }
    var memory = Memory(tokens, core)
    memory.committed &+= 1
    forget(tokens, core, &memory)
    memory.store(tokens, core)
  }

  /// Removes the oldest tokens when there are too many.
  private static func forget(_ tokens: Database, _ core: Transaction, _ memory: inout Memory) {
    var count = core.count(tokens)
    guard count > remembered + 1 else { return }
    let cursor = Cursor(core, tokens)
    while count > remembered + 1, memoryKey.withBytes({ cursor.seek($0) }) {
      let isMemory = memoryKey.withBytes { cursor.key.hasSameBytes(as: $0) }
      if isMemory, !cursor.move(.next) { return }
      guard let birth = cursor.key.extracting(first: 8).bigEndian(UInt64.self) else { return }
      memory.forgotten = max(memory.forgotten ?? 0, birth)
      cursor.delete()
      count -= 1
    }
  }
}
