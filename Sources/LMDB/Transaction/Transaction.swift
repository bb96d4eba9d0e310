internal import CLMDB
internal import CSystemShims

/// The living half of a read or write transaction, shared by the views made from it.
///
/// `handle` is nil once the transaction has ended; whatever kept a view is then told so instead of reading pages that
/// belong to others.
@safe @usableFromInline
package final class Transaction {
  /// What changes.
  @safe @usableFromInline
  struct Fields {
    @usableFromInline var handle: OpaquePointer? = nil
    @usableFromInline var parked: OpaquePointer? = nil
    @usableFromInline var use: UInt64 = 1
    @usableFromInline var snapshotID: Int = 0
    @usableFromInline var epoch: UInt64 = 0
    @usableFromInline var failure: StoreError? = nil
    @usableFromInline var hasFailed = false
    /// How often any database was written.
    @usableFromInline var writes: UInt64 = 0
    @usableFromInline var generations: [UInt32] = []
    @usableFromInline var states: [(any StructureState)?] = []
    @usableFromInline var cursors: [OpaquePointer] = unsafe []
    @usableFromInline var idleCursors: [(database: UInt32, cursor: OpaquePointer)] = unsafe []
    @usableFromInline var idleTokens: [InPlaceToken] = []
    @usableFromInline var writtenSignals: UInt64 = 0
    @usableFromInline var catalogueVersion: (epoch: UInt64, version: UInt64) = (0, 0)
    @usableFromInline var changedCatalogue: Bool = false
  }
  @usableFromInline let fields = Cell(Fields())

  /// LMDB's transaction while this one lives.
  @usableFromInline package private(set) var handle: OpaquePointer? {
    @inlinable get { unsafe fields.value.handle }
    set { unsafe fields.value.handle = newValue }
  }
  @usableFromInline package let environment: Environment?
  package let isWritable: Bool
  /// A read transaction's place in the pool.
  private let slot: Int
  /// A reader's handle between two uses.
  private var parked: OpaquePointer? {
    get { unsafe fields.value.parked }
    set { unsafe fields.value.parked = newValue }
  }
  /// Kept alive by a snapshot that outlives its creator's scope.
  private var owner: AnyObject?

  /// Changes with every end, so that what was taken from an earlier use of this object is told from the current one.
  @usableFromInline package private(set) var use: UInt64 {
    @inlinable get { fields.value.use }
    _modify { yield &fields.value.use }
  }

  /// The transaction's number: of the snapshot that is read, or that a commit will make.
  @usableFromInline package private(set) var snapshotID: Int {
    @inlinable get { fields.value.snapshotID }
    _modify { yield &fields.value.snapshotID }
  }
  /// Changes whenever what was derived from the store may be out of date.
  @usableFromInline package private(set) var epoch: UInt64 {
    @inlinable get { fields.value.epoch }
    _modify { yield &fields.value.epoch }
  }
  /// The first failure of an operation that could not throw.
  @usableFromInline package private(set) var failure: StoreError? {
    @inlinable get { fields.value.failure }
    _modify { yield &fields.value.failure }
  }
  /// Whether there is one.
  @inlinable package var hasFailed: Bool { fields.value.hasFailed }
  /// How often each database was written in this transaction, by number.
  @usableFromInline package private(set) var generations: [UInt32] {
    @inlinable get { fields.value.generations }
    _modify { yield &fields.value.generations }
  }
  /// What structures remember of this transaction, by number of their database.
  private var states: [(any StructureState)?] {
    get { fields.value.states }
    _modify { yield &fields.value.states }
  }
  /// Cursors that are open, and by database those that wait to be used again.
  private var cursors: [OpaquePointer] {
    get { unsafe fields.value.cursors }
    set { unsafe fields.value.cursors = newValue }
  }
  private var idleCursors: [(database: UInt32, cursor: OpaquePointer)] {
    get { unsafe fields.value.idleCursors }
    set { unsafe fields.value.idleCursors = newValue }
  }
  var idleTokens: [InPlaceToken] {
    get { fields.value.idleTokens }
    _modify { yield &fields.value.idleTokens }
  }
  /// Which signal words the commit has to bump, a bit each.
  @inlinable package var writtenSignals: UInt64 {
    get { fields.value.writtenSignals }
    _modify { yield &fields.value.writtenSignals }
  }
  /// The catalogue's version as of this epoch, kept by the layer above.
  @inlinable package var catalogueVersion: (epoch: UInt64, version: UInt64) {
    get { fields.value.catalogueVersion }
    _modify { yield &fields.value.catalogueVersion }
  }
  /// Whether this transaction has changed the catalogue.
  package var changedCatalogue: Bool {
    get { fields.value.changedCatalogue }
    _modify { yield &fields.value.changedCatalogue }
  }

  init(environment: Environment, slot: Int) {
    self.environment = environment
    self.slot = slot
    isWritable = false
  }

  init(writerOf environment: Environment) {
    // Unowned in spirit: the environment keeps its writer, and both end together in `Environment.close`.
    self.environment = environment
    slot = -1
    isWritable = true
  }

  /// For the first commit of a file that has no environment yet.
  init(creating handle: OpaquePointer) {
    environment = nil
    slot = -1
    isWritable = true
    unsafe self.handle = handle
    epoch = 1
  }

  func finishCreating() {
    flushStates()
    unsafe handle = nil
  }

  deinit {
    defer { fields.destroy() }
    guard let environment, !isWritable, environment.forkCount == lms_fork_count() else { return }
    if unsafe handle != nil {
      // A snapshot whose last reference went.
      closeCursors()
      unsafe mdb_txn_abort(parked)
      environment.readers.release(slot)
    } else if let parked = unsafe parked {
      unsafe mdb_txn_abort(parked)
    }
  }

  // MARK: Life of a reader

  func renew(_ environment: OpaquePointer) -> Int32 {
    var code: Int32 = 0
    if let parked = unsafe parked {
      code = unsafe mdb_txn_renew(parked)
    } else {
      code = unsafe mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &parked)
    }
    guard code == 0 else { return code }
    let id = unsafe Int(mdb_txn_id(parked))
    if id != snapshotID || epoch == 0 {
      snapshotID = id
      epoch &+= 1
    }
    failure = nil
    fields.value.hasFailed = false
    unsafe handle = parked
    return 0
  }

  func reset() {
    closeCursors()
    use &+= 1
    unsafe handle = nil
    unsafe mdb_txn_reset(parked)
  }

  /// Gives an idle reader's handle back: the environment is about to go, and somebody may still refer to the object.
  func retire() {
    if let parked = unsafe parked { unsafe mdb_txn_abort(parked) }
    unsafe parked = nil
  }

  /// In a forked child: the transaction is the parent's.
  func abandon() {
    use &+= 1
    unsafe handle = nil
    unsafe parked = nil
  }

  /// Ends a read transaction.
  @usableFromInline
  package func end() {
    environment?.end(self, slot: slot)
  }

  /// Lets the transaction live until its last view is gone; `owner` stays alive with it.
  package func detach(keeping owner: AnyObject) {
    self.owner = owner
    environment?.readers.replaceIdle(slot)
  }

  /// Ends a detached transaction before its last view is gone.
  package func endDetached() {
    guard let environment, unsafe handle != nil else { return }
    guard environment.forkCount == lms_fork_count() else { return abandon() }
    closeCursors()
    use &+= 1
    unsafe handle = nil
    unsafe mdb_txn_abort(parked)
    unsafe parked = nil
    environment.readers.release(slot)
    owner = nil
  }

  // MARK: Life of a writer

  func begin(_ begun: OpaquePointer) {
    unsafe handle = begun
    snapshotID = unsafe Int(mdb_txn_id(begun))
    epoch &+= 1
    failure = nil
    fields.value.hasFailed = false
    writtenSignals = 0
    changedCatalogue = false
    for index in generations.indices { generations[index] = 0 }
  }

  func commit() -> Int32 {
    closeCursors()
    let ended = unsafe handle
    use &+= 1
    unsafe handle = nil
    return unsafe mdb_txn_commit(ended)
  }

  func abort() {
    closeCursors()
    let ended = unsafe handle
    use &+= 1
    unsafe handle = nil
    unsafe mdb_txn_abort(ended)
    epoch &+= 1
  }

  // MARK: Checks

  /// Whether the transaction still lives.
  @inlinable @inline(__always)
  package var isLive: Bool { unsafe handle != nil }

  /// The handle; stops the program, naming what was used, when the transaction has ended.
  @inlinable @inline(__always)
  package func live(_ name: @autoclosure () -> String) {
    if unsafe handle == nil { Transaction.stopEnded(name()) }
  }

  /// Stops the program, naming what was used, when it was taken from this object before its last end.
  @inlinable @inline(__always)
  package func live(_ use: UInt64, _ name: @autoclosure () -> String) {
    if use != self.use { Transaction.stopEnded(name()) }
  }

  @usableFromInline @inline(never)
  package static func stopEnded(_ name: String) -> Never {
    stop(
      "\(name) was used after its transaction ended; copy it out first, with Array(…) or Dictionary(…)")
  }

  /// How often a database was written in this transaction.
  @inlinable @inline(__always)
  package func generation(of database: UInt32) -> UInt32 {
    Int(database) < generations.count ? generations[Int(database)] : 0
  }

  /// Notes a write: views taken before are out of date.
  @inlinable
  package func wrote(_ database: UInt32) {
    fields.value.writes &+= 1
    if Int(database) < fields.value.generations.count {
      fields.value.generations[Int(database)] &+= 1
    } else {
      wroteFirst(database)
    }
  }

  @usableFromInline @inline(never)
  func wroteFirst(_ database: UInt32) {
    if Int(database) >= generations.count {
      generations.append(contentsOf: repeatElement(0, count: Int(database) + 1 - generations.count))
    }
    generations[Int(database)] &+= 1
  }

  /// Keeps the first failure; the transaction will not commit.
  @usableFromInline package func fail(_ error: StoreError) {
    guard !hasFailed else { return }
    failure = error
    fields.value.hasFailed = true
  }

  @inline(never)
  func fail(_ code: Int32, _ operation: String) {
    fail(StoreError(returnCode: code, operation))
  }

  // MARK: States of structures

  /// What the structure with this database remembers, when it is of this type.
  @usableFromInline @inline(__always)
  package func state<State: StructureState>(_ database: UInt32, as _: State.Type) -> State? {
    guard Int(database) < states.count, let known = states[Int(database)], type(of: known) == State.self else {
      return nil
    }
    return unsafe unsafeDowncast(known, to: State.self)
  }

  /// Keeps what a structure remembers until it is replaced.
  package func setState(_ database: UInt32, _ state: any StructureState) {
    while states.count <= Int(database) { states.append(nil) }
    states[Int(database)] = state
  }

  /// Writes out what structures hold back.
  package func flushStates() {
    for state in states { state?.flush(self) }
  }

  // MARK: Cursors

  func openCursor(_ database: UInt32) -> OpaquePointer? {
    if let index = unsafe idleCursors.lastIndex(where: { unsafe $0.database == database }) {
      return unsafe idleCursors.remove(at: index).cursor
    }
    var cursor: OpaquePointer?
    let code = unsafe mdb_cursor_open(handle, database, &cursor)
    guard code == 0 else {
      fail(code, "open a cursor")
      return nil
    }
    unsafe cursors.append(cursor!)
    return unsafe cursor
  }

  /// Takes a cursor back. A reader keeps it for the next one who asks; a writer closes it, since LMDB's cursors rely on
  /// a place that later writes may have moved (`mdb_cursor_last` after an append, say).
  func recycle(_ cursor: OpaquePointer, _ database: UInt32) {
    if !isWritable { return unsafe idleCursors.append((database, cursor)) }
    if let index = unsafe cursors.lastIndex(of: cursor) { unsafe cursors.remove(at: index) }
    unsafe mdb_cursor_close(cursor)
  }

  private func closeCursors() {
    guard unsafe !cursors.isEmpty else { return }
    unsafe cursors.forEach { unsafe mdb_cursor_close($0) }
    unsafe cursors.removeAll(keepingCapacity: true)
    unsafe idleCursors.removeAll(keepingCapacity: true)
  }
}

/// What a structure keeps in memory for one transaction.
@usableFromInline
package protocol StructureState: AnyObject {
  /// Writes out what was held back.
  func flush(_ core: Transaction)
}

/// Tells whether what was taken from a transaction is still true of it: cheap to ask, and asked for every element.
@frozen @usableFromInline
package struct Stamp {
  @usableFromInline let fields: Cell<Transaction.Fields>
  @usableFromInline package let use: UInt64
  @usableFromInline var writes: UInt64

  /// As of now. Whoever keeps it keeps the transaction, too.
  @inlinable
  package init(_ core: Transaction) {
    fields = core.fields
    use = core.fields.value.use
    writes = core.fields.value.writes
  }

  /// Whether the transaction is in the same use, and nothing at all was written since.
  @inlinable @inline(__always)
  package var isCurrent: Bool { fields.value.use == use && fields.value.writes == writes }

  /// Notes that writes since then did not matter.
  @inlinable
  package mutating func renew() { writes = fields.value.writes }
}
