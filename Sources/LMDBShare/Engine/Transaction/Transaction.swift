internal import _LMDBShareLMDB
internal import _LMDBShareSystem

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
    /// Of which databases there are states.
    var stateNumbers: [UInt32] = []
    @usableFromInline var idleToken: ViewToken? = nil
    @usableFromInline var hasFailed = false
    @usableFromInline let isWritable: Bool
    @usableFromInline var changedCatalogue: Bool = false
    @usableFromInline var snapshotID: Int = 0
    @usableFromInline var failure: StoreError? = nil
    var parked: OpaquePointer? = nil
    let slot: Int
    /// The writer's, and those of what only LMDB reads.
    var cursors: [OpaquePointer] = unsafe []
    /// A reader's.
    var idleCursors: [Cell<TreeCursor>] = []
    /// What a reader sees.
    var snapshot = TreeSnapshot.none
    var trees: UnsafeMutablePointer<Transaction.KnownTree>? = nil
    /// What LMDB has open for the writer.
    var open = OpenDatabases()
  }
  @usableFromInline let fields: Cell<Fields>

  /// LMDB's transaction while this one lives.
  @usableFromInline private(set) var handle: OpaquePointer? {
    @inlinable get { unsafe fields.value.handle }
    nonmutating set { unsafe fields.value.handle = newValue }
  }
  /// Nil in the first commit of a file that has no environment yet.
  package var environment: Environment? { unsafe fields.value.environment?.takeUnretainedValue() }
  /// Whether it is a transaction of this environment.
  @inlinable @inline(__always)
  func belongs(to environment: Environment) -> Bool {
    unsafe fields.value.environment?.toOpaque() == Unmanaged.passUnretained(environment).toOpaque()
  }
  @inlinable var isWritable: Bool { fields.value.isWritable }
  /// A read transaction's place in the pool.
  private var slot: Int { fields.value.slot }
  /// A reader's handle between two uses.
  var parked: OpaquePointer? {
    get { unsafe fields.value.parked }
    nonmutating set { unsafe fields.value.parked = newValue }
  }

  /// Changes with every end, so that what was taken from an earlier use of this memory is told from the current one.
  @usableFromInline private(set) var use: UInt64 {
    @inlinable get { fields.value.use }
    nonmutating _modify { yield &fields.value.use }
  }

  /// The transaction's number: of the snapshot that is read, or that a commit will make.
  @usableFromInline private(set) var snapshotID: Int {
    @inlinable get { fields.value.snapshotID }
    nonmutating _modify { yield &fields.value.snapshotID }
  }
  /// Changes whenever what was derived from the store may be out of date.
  @usableFromInline private(set) var epoch: UInt64 {
    @inlinable get { fields.value.epoch }
    nonmutating _modify { yield &fields.value.epoch }
  }
  /// The first failure of an operation that could not throw.
  @inlinable package var failure: StoreError? { hasFailed ? fields.value.failure : nil }
  /// Whether there is one.
  @inlinable var hasFailed: Bool { fields.value.hasFailed }
  /// The channels of what was written, whose waiters the commit wakes.
  @inlinable var writtenChannels: UInt64 {
    get { fields.value.writtenChannels }
    nonmutating _modify { yield &fields.value.writtenChannels }
  }
  /// The catalogue's version as of this epoch, kept by the layer above.
  @inlinable var catalogueVersion: (epoch: UInt64, version: UInt64) {
    get { fields.value.catalogueVersion }
    nonmutating _modify { yield &fields.value.catalogueVersion }
  }
  /// Whether this transaction has changed the catalogue.
  var changedCatalogue: Bool {
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
  func destroy() {
    for place in fields.value.idleCursors { recycle(place, isCurrent: false) }
    unsafe fields.value.trees?.deallocate()
    fields.destroy()
  }

  // MARK: Life of a reader

  /// Takes a new snapshot.
  func renew(_ environment: OpaquePointer, _ map: PageMap) -> Int32 {
    var code: Int32 = 0
    if let parked = unsafe parked {
      code = unsafe mdb_txn_renew(parked)
    } else {
      code = unsafe mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &fields.value.parked)
    }
    guard code == 0 else { return code }
    var id = unsafe Int(mdb_txn_id(parked))
    // What the meta page told is whole while no later transaction than this one has written its own: they take turns.
    if id != snapshotID || epoch == 0 {
      if let pages = map.snapshot(id), map.newest == id {
        note(pages, id)
      } else {
        code = takeWhole(map, &id)
      }
    } else if map.newest != id {
      code = takeWhole(map, &id)
    }
    guard code == 0 else { return code }
    fields.value.hasFailed = false
    unsafe handle = parked
    return 0
  }

  /// Notes what the snapshot is.
  @inline(__always)
  func note(_ snapshot: TreeSnapshot, _ id: Int) {
    fields.value.snapshot = snapshot
    snapshotID = id
    epoch &+= 1
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
      if fields.value.stateNumbers.count > Self.usualStates { removeStates() }
      environment.readers.release(slot)
    }
  }

  /// Gives an idle transaction's handle back, and forgets what was derived from the store: the environment is about to
  /// go, or to be opened anew.
  func retire() {
    if let parked = unsafe parked { unsafe mdb_txn_abort(parked) }
    unsafe parked = nil
    // The next snapshot is noted whatever its number is.
    snapshotID = -1
    fields.value.snapshot = .none
    forget()
  }

  /// Lets go of what structures remember.
  func forget() {
    removeStates()
    epoch &+= 1
  }

  /// In a forked child: the transaction is the parent's.
  private func abandon() {
    use &+= 1
    unsafe handle = nil
    unsafe parked = nil
  }

  // MARK: Life of a writer

  func begin(_ begun: OpaquePointer, in environment: OpaquePointer) {
    unsafe handle = begun
    snapshotID = unsafe Int(mdb_txn_id(begun))
    epoch &+= 1
    fields.value.hasFailed = false
    writtenChannels = 0
    changedCatalogue = false
    fields.value.changes = 0
    unsafe fields.value.open.begin(environment)
    // A program may use any number of structures, one after the other.
    if fields.value.stateNumbers.count > Self.usualStates { removeStates() }
  }

  func commit() -> Int32 {
    closeCursors()
    let ended = unsafe handle
    use &+= 1
    unsafe handle = nil
    let code = unsafe mdb_txn_commit(ended)
    if code != 0 { fields.value.open.abort() }
    return code
  }

  func abort() {
    closeCursors()
    let ended = unsafe handle
    use &+= 1
    unsafe handle = nil
    unsafe mdb_txn_abort(ended)
    fields.value.open.abort()
    epoch &+= 1
  }

  // MARK: Parts of a writer's transaction

  /// How many databases LMDB has opened in this transaction.
  var openedCount: Int { fields.value.open.uncommittedCount }

  /// Notes that LMDB's environment was closed, and its databases with it.
  func closedAll() { fields.value.open.removeAll() }

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
  func forgetPart(writtenChannels: UInt64, changedCatalogue: Bool, changes: UInt64, opened: Int) {
    fields.value.open.abort(after: opened)
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
  func live(_ name: @autoclosure () -> String) {
    if unsafe handle == nil { Transaction.stopEnded(name()) }
  }

  /// Stops the program, naming what was used, when it was taken from this object before its last end.
  @inlinable @inline(__always)
  func live(_ use: UInt64, _ name: @autoclosure () -> String) {
    if use != self.use { Transaction.stopEnded(name()) }
  }

  @usableFromInline @inline(never)
  static func stopEnded(_ name: String) -> Never {
    stop(
      "\(name) was used after its transaction ended; copy it out first, with Array(…) or Dictionary(…)")
  }

  /// Keeps the first failure; the transaction will not commit.
  @usableFromInline func fail(_ error: StoreError) {
    guard !hasFailed else { return }
    fields.value.failure = error
    fields.value.hasFailed = true
  }

  /// Tells better why the transaction has failed.
  func replaceFailure(_ error: StoreError) { if hasFailed { fields.value.failure = error } }
  /// The failure, if there is one, after which the transaction has not failed any more: of a reader that goes on.
  @usableFromInline func takeFailure() -> StoreError? {
    defer { fields.value.hasFailed = false }
    return failure
  }

  @inline(never)
  func fail(_ code: Int32, _ operation: String) {
    fail(StoreError(returnCode: code, operation))
  }
}
