internal import CLMDB
internal import CSystemShims

/// A read or write transaction, as what works in it refers to it: a plain pointer, which costs nothing to pass on.
///
/// What it points to belongs to the environment, for each reader's slot and for the writer, and is used again and again;
/// it lives as long as the environment's object, which every structure's reference keeps. `handle` is nil while no
/// transaction is under way, and `use` changes with each end; so whoever kept a view is told so instead of reading pages
/// that belong to others.
@safe @frozen @usableFromInline
package struct Transaction {
  /// What changes.
  @safe @usableFromInline
  struct Fields {
    @usableFromInline var handle: OpaquePointer? = nil
    @usableFromInline var use: UInt64 = 1
    @usableFromInline var epoch: UInt64 = 0
    @usableFromInline var catalogueVersion: (epoch: UInt64, version: UInt64) = (0, 0)
    @usableFromInline var environment: Unmanaged<Environment>?
    /// How often any database was written.
    @usableFromInline var writes: UInt64 = 0
    /// How many changes LMDB has made.
    var changes: UInt64 = 0
    @usableFromInline var writtenChannels: UInt64 = 0
    @usableFromInline var generations: [UInt32] = []
    @usableFromInline var states: [(any StructureState)?] = []
    @usableFromInline var idleToken: ViewToken? = nil
    @usableFromInline var hasFailed = false
    @usableFromInline let isWritable: Bool
    @usableFromInline var changedCatalogue: Bool = false
    @usableFromInline var snapshotID: Int = 0
    @usableFromInline var failure: StoreError? = nil
    var parked: OpaquePointer? = nil
    let slot: Int
    var cursors: [OpaquePointer] = unsafe []
    var idleCursors: [(database: UInt32, cursor: OpaquePointer)] = unsafe []
  }
  @usableFromInline let fields: Cell<Fields>

  /// LMDB's transaction while this one lives.
  @usableFromInline package private(set) var handle: OpaquePointer? {
    @inlinable get { unsafe fields.value.handle }
    nonmutating set { unsafe fields.value.handle = newValue }
  }
  /// Nil in the first commit of a file that has no environment yet.
  package var environment: Environment? { unsafe fields.value.environment?.takeUnretainedValue() }
  /// Whether it is a transaction of this environment.
  @inlinable @inline(__always)
  package func belongs(to environment: Environment) -> Bool {
    unsafe fields.value.environment?.toOpaque() == Unmanaged.passUnretained(environment).toOpaque()
  }
  @inlinable package var isWritable: Bool { fields.value.isWritable }
  /// A read transaction's place in the pool.
  private var slot: Int { fields.value.slot }
  /// A reader's handle between two uses.
  var parked: OpaquePointer? {
    get { unsafe fields.value.parked }
    nonmutating set { unsafe fields.value.parked = newValue }
  }

  /// Changes with every end, so that what was taken from an earlier use of this memory is told from the current one.
  @usableFromInline package private(set) var use: UInt64 {
    @inlinable get { fields.value.use }
    nonmutating _modify { yield &fields.value.use }
  }

  /// The transaction's number: of the snapshot that is read, or that a commit will make.
  @usableFromInline package private(set) var snapshotID: Int {
    @inlinable get { fields.value.snapshotID }
    nonmutating _modify { yield &fields.value.snapshotID }
  }
  /// Changes whenever what was derived from the store may be out of date.
  @usableFromInline package private(set) var epoch: UInt64 {
    @inlinable get { fields.value.epoch }
    nonmutating _modify { yield &fields.value.epoch }
  }
  /// The first failure of an operation that could not throw.
  @inlinable package var failure: StoreError? { hasFailed ? fields.value.failure : nil }
  /// Whether there is one.
  @inlinable package var hasFailed: Bool { fields.value.hasFailed }
  /// The channels of what was written, whose waiters the commit wakes.
  @inlinable package var writtenChannels: UInt64 {
    get { fields.value.writtenChannels }
    nonmutating _modify { yield &fields.value.writtenChannels }
  }
  /// The catalogue's version as of this epoch, kept by the layer above.
  @inlinable package var catalogueVersion: (epoch: UInt64, version: UInt64) {
    get { fields.value.catalogueVersion }
    nonmutating _modify { yield &fields.value.catalogueVersion }
  }
  /// Whether this transaction has changed the catalogue.
  package var changedCatalogue: Bool {
    get { fields.value.changedCatalogue }
    nonmutating _modify { yield &fields.value.changedCatalogue }
  }

  /// For a slot of the pool.
  init(environment: Environment, slot: Int) {
    fields = unsafe Cell(Fields(environment: .passUnretained(environment), isWritable: false, slot: slot))
  }

  init(writerOf environment: Environment) {
    fields = unsafe Cell(Fields(environment: .passUnretained(environment), isWritable: true, slot: -1))
  }

  /// For the first commit of a file that has no environment yet.
  init(creating handle: OpaquePointer) {
    fields = unsafe Cell(Fields(handle: handle, epoch: 1, environment: nil, isWritable: true, slot: -1))
  }

  func finishCreating() {
    flushStates()
    destroy()
  }

  /// Frees the memory.
  func destroy() { fields.destroy() }

  // MARK: Life of a reader

  func renew(_ environment: OpaquePointer) -> Int32 {
    var code: Int32 = 0
    if let parked = unsafe parked {
      code = unsafe mdb_txn_renew(parked)
    } else {
      code = unsafe mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &fields.value.parked)
    }
    guard code == 0 else { return code }
    var id = unsafe Int(mdb_txn_id(parked))
    if unsafe Self.newest(environment) != id {
      code = unsafe takeWhole(environment, &id)
      guard code == 0 else { return code }
    }
    if id != snapshotID || epoch == 0 {
      snapshotID = id
      epoch &+= 1
    }
    fields.value.hasFailed = false
    unsafe handle = parked
    return 0
  }

  /// Ends a read transaction; its handle waits for the next one.
  @usableFromInline
  package func end() {
    guard let environment = unsafe fields.value.environment else { return }
    unsafe environment._withUnsafeGuaranteedRef { environment in
      guard environment.isOfThisProcess else { return abandon() }
      closeCursors()
      use &+= 1
      unsafe handle = nil
      unsafe mdb_txn_reset(parked)
      environment.readers.release(slot)
    }
  }

  /// Gives an idle transaction's handle back, and forgets what was derived from the store: the environment is about to
  /// go, or to be opened anew.
  func retire() {
    if let parked = unsafe parked { unsafe mdb_txn_abort(parked) }
    unsafe parked = nil
    forget()
  }

  /// Lets go of what structures remember.
  func forget() {
    fields.value.states.removeAll()
    epoch &+= 1
  }

  /// In a forked child: the transaction is the parent's.
  private func abandon() {
    use &+= 1
    unsafe handle = nil
    unsafe parked = nil
  }

  // MARK: Life of a writer

  func begin(_ begun: OpaquePointer) {
    unsafe handle = begun
    snapshotID = unsafe Int(mdb_txn_id(begun))
    epoch &+= 1
    fields.value.hasFailed = false
    writtenChannels = 0
    changedCatalogue = false
    fields.value.changes = 0
    for index in fields.value.generations.indices { fields.value.generations[index] = 0 }
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

  // MARK: Parts of a writer's transaction

  /// Works in a child transaction from now on; views of the part before are out of date.
  func enter(part child: OpaquePointer) {
    closeCursors()
    use &+= 1
    unsafe handle = child
  }

  /// Works in the parent again.
  func leavePart(to parent: OpaquePointer) {
    closeCursors()
    use &+= 1
    unsafe handle = parent
  }

  /// What the part has left behind in memory is not true any more.
  func forgetPart(writtenChannels: UInt64, changedCatalogue: Bool, changes: UInt64) {
    fields.value.changes = changes
    self.writtenChannels = writtenChannels
    self.changedCatalogue = changedCatalogue
    fields.value.failure = nil
    fields.value.hasFailed = false
    fields.value.writes &+= 1
    catalogueVersion = (0, 0)
    epoch &+= 1
  }

  // MARK: Checks

  /// How many changes LMDB has made in this transaction: a commit without any makes no snapshot.
  var changes: UInt64 { fields.value.changes }

  /// Notes what LMDB answered to a change.
  @inline(__always)
  func note(change code: Int32) { if code == 0 { fields.value.changes &+= 1 } }

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
    Int(database) < fields.value.generations.count ? fields.value.generations[Int(database)] : 0
  }

  /// Notes a write: views taken before are out of date.
  @inlinable @inline(__always)
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
    let missing = Int(database) + 1 - fields.value.generations.count
    if missing > 0 { fields.value.generations.append(contentsOf: repeatElement(0, count: missing)) }
    fields.value.generations[Int(database)] &+= 1
  }

  /// Keeps the first failure; the transaction will not commit.
  @usableFromInline package func fail(_ error: StoreError) {
    guard !hasFailed else { return }
    fields.value.failure = error
    fields.value.hasFailed = true
  }

  /// Tells better why the transaction has failed.
  package func replaceFailure(_ error: StoreError) { if hasFailed { fields.value.failure = error } }
  /// The failure, if there is one, after which the transaction has not failed any more: of a reader that goes on.
  @usableFromInline package func takeFailure() -> StoreError? {
    defer { fields.value.hasFailed = false }
    return failure
  }

  @inline(never)
  func fail(_ code: Int32, _ operation: String) {
    fail(StoreError(returnCode: code, operation))
  }

  // MARK: States of structures

  /// What the structure with this database remembers, when it is of this type.
  @inlinable @inline(__always)
  package func state<State: StructureState>(_ database: UInt32, as _: State.Type) -> State? {
    guard Int(database) < fields.value.states.count, let known = fields.value.states[Int(database)],
      type(of: known) == State.self
    else { return nil }
    return unsafe unsafeDowncast(known, to: State.self)
  }

  /// Keeps what a structure remembers until it is replaced.
  package func setState(_ database: UInt32, _ state: any StructureState) {
    while fields.value.states.count <= Int(database) { fields.value.states.append(nil) }
    fields.value.states[Int(database)] = state
  }

  /// Writes out what structures hold back.
  package func flushStates() {
    for state in fields.value.states { state?.flush(self) }
  }

  // MARK: Cursors

  func openCursor(_ database: UInt32) -> OpaquePointer? {
    if let index = unsafe fields.value.idleCursors.lastIndex(where: { unsafe $0.database == database }) {
      return unsafe fields.value.idleCursors.remove(at: index).cursor
    }
    var cursor: OpaquePointer?
    let code = unsafe mdb_cursor_open(handle, database, &cursor)
    guard code == 0 else {
      fail(code, "open a cursor")
      return nil
    }
    unsafe fields.value.cursors.append(cursor!)
    return unsafe cursor
  }

  /// Takes a cursor back. A reader keeps it for the next one who asks; a writer closes it, since LMDB's cursors rely on
  /// a place that later writes may have moved (`mdb_cursor_last` after an append, say).
  func recycle(_ cursor: OpaquePointer, _ database: UInt32) {
    if !isWritable { return unsafe fields.value.idleCursors.append((database, cursor)) }
    if let index = unsafe fields.value.cursors.lastIndex(of: cursor) { unsafe fields.value.cursors.remove(at: index) }
    unsafe mdb_cursor_close(cursor)
  }

  /// Forgets what was kept of a database whose number is about to get another meaning.
  func forget(database: UInt32) {
    if Int(database) < fields.value.states.count { fields.value.states[Int(database)] = nil }
    while let index = unsafe fields.value.idleCursors.lastIndex(where: { unsafe $0.database == database }) {
      let cursor = unsafe fields.value.idleCursors.remove(at: index).cursor
      if let index = unsafe fields.value.cursors.lastIndex(of: cursor) {
        unsafe fields.value.cursors.remove(at: index)
      }
      unsafe mdb_cursor_close(cursor)
    }
  }

  private func closeCursors() {
    guard unsafe !fields.value.cursors.isEmpty else { return }
    unsafe fields.value.cursors.forEach { unsafe mdb_cursor_close($0) }
    unsafe fields.value.cursors.removeAll(keepingCapacity: true)
    unsafe fields.value.idleCursors.removeAll(keepingCapacity: true)
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

  /// As of now. Whoever keeps it keeps the transaction's environment, too.
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
