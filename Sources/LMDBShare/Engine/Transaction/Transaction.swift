internal import _LMDBShareLMDB
internal import _LMDBShareSystem

/// A read or write transaction, as the code that works in it refers to it: a plain pointer, which is free to pass on.
///
/// Its target belongs to the environment, for each reader's slot and for the writer, and is reused. It lives as long as the
/// environment object, which every structure's reference keeps alive. `handle` is nil while no transaction is in progress, and
/// `use` changes with each end; so a view that was kept too long stops with a message instead of reading pages that belong to
/// others.
@safe @frozen @usableFromInline
package struct Transaction {
  /// The mutable state.
  @safe @usableFromInline
  struct Fields {
    @usableFromInline var handle: OpaquePointer? = nil
    @usableFromInline var use: UInt64 = 1
    @usableFromInline var epoch: UInt64 = 0
    @usableFromInline var recordsVersion: (epoch: UInt64, version: UInt64) = (0, 0)
    @usableFromInline var environment: Unmanaged<Environment>?
    /// The number of writes to any database.
    @usableFromInline var writes: UInt64 = 0
    /// The number of changes that LMDB has made.
    var changes: UInt64 = 0
    @usableFromInline var writtenChannels: Channels = []
    @usableFromInline var generations: [UInt32] = []
    @usableFromInline var states: [(any StructureState)?] = []
    /// The databases that have states.
    var stateNumbers: [Database] = []
    @usableFromInline var idleToken: ViewToken? = nil
    @usableFromInline var hasFailed = false
    @usableFromInline let isWritable: Bool
    @usableFromInline var changedRecords: Bool = false
    @usableFromInline var snapshotID: Int = 0
    @usableFromInline var failure: StoreError? = nil
    var parked: OpaquePointer? = nil
    let slot: Int
    /// The writer's cursors, and those of databases that only LMDB reads.
    var cursors: [OpaquePointer] = unsafe []
    /// A reader's cursors.
    var idleCursors: [Cell<TreeCursor>] = []
    /// The snapshot of a reader.
    var snapshot = TreeSnapshot.none
    var trees: UnsafeMutablePointer<Transaction.KnownTree>? = nil
    /// The databases that LMDB has open for the writer.
    var open = OpenDatabases()
  }
  @usableFromInline let fields: Cell<Fields>

  /// LMDB's transaction while this one is in progress.
  @usableFromInline private(set) var handle: OpaquePointer? {
    @inlinable get { unsafe fields.value.handle }
    nonmutating set { unsafe fields.value.handle = newValue }
  }
  /// Nil in the first commit of a file that has no environment yet.
  package var environment: Environment? { unsafe fields.value.environment?.takeUnretainedValue() }
  /// Whether the transaction belongs to this environment.
  @inlinable @inline(__always)
  func belongs(to environment: Environment) -> Bool {
    unsafe fields.value.environment?.toOpaque() == Unmanaged.passUnretained(environment).toOpaque()
  }
  @inlinable var isWritable: Bool { fields.value.isWritable }
  /// A read transaction's slot in the pool.
  private var slot: Int { fields.value.slot }
  /// A reader's handle between two uses.
  var parked: OpaquePointer? {
    get { unsafe fields.value.parked }
    nonmutating set { unsafe fields.value.parked = newValue }
  }

  /// Changes with every end, so that values from an earlier use of this memory can be distinguished from current ones.
  @usableFromInline private(set) var use: UInt64 {
    @inlinable get { fields.value.use }
    nonmutating _modify { yield &fields.value.use }
  }

  /// The transaction's number: of the snapshot that is read, or that a commit will make.
  @usableFromInline private(set) var snapshotID: Int {
    @inlinable get { fields.value.snapshotID }
    nonmutating _modify { yield &fields.value.snapshotID }
  }
  /// Changes whenever data derived from the store may be out of date.
  @usableFromInline private(set) var epoch: UInt64 {
    @inlinable get { fields.value.epoch }
    nonmutating _modify { yield &fields.value.epoch }
  }
  /// The first failure of an operation that could not throw.
  @inlinable package var failure: StoreError? { hasFailed ? fields.value.failure : nil }
  /// Whether an operation has failed.
  @inlinable var hasFailed: Bool { fields.value.hasFailed }
  /// The channels of what was written; the commit wakes their waiters.
  @inlinable var writtenChannels: Channels {
    get { fields.value.writtenChannels }
    nonmutating _modify { yield &fields.value.writtenChannels }
  }
  /// For the floor above: the version of its own records, as of an epoch.
  @inlinable var recordsVersion: (epoch: UInt64, version: UInt64) {
    get { fields.value.recordsVersion }
    nonmutating _modify { yield &fields.value.recordsVersion }
  }
  /// For the floor above: whether this transaction has changed its own records.
  var changedRecords: Bool {
    get { fields.value.changedRecords }
    nonmutating _modify { yield &fields.value.changedRecords }
  }

  /// Creates the transaction of a slot of the pool.
  init(environment: Environment, slot: Int) {
    fields = unsafe Cell(Fields(environment: .passUnretained(environment), isWritable: false, slot: slot))
  }

  init(writerOf environment: Environment) {
    fields = unsafe Cell(Fields(environment: .passUnretained(environment), isWritable: true, slot: -1))
  }

  /// Creates the transaction for the first commit of a file that has no environment yet.
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

  // MARK: Lifetime of a reader

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
    // The copy of the meta page is complete while no later transaction has written its own: they alternate.
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

  /// Records the properties of the snapshot.
  @inline(__always)
  func note(_ snapshot: TreeSnapshot, _ id: Int) {
    fields.value.snapshot = snapshot
    snapshotID = id
    epoch &+= 1
  }

  /// Ends a read transaction; its handle is kept for the next one.
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

  /// Gives an idle transaction's handle back, and discards what was derived from the store: the environment is about to be
  /// closed, or opened again.
  func retire() {
    if let parked = unsafe parked { unsafe mdb_txn_abort(parked) }
    unsafe parked = nil
    // The next snapshot is recorded whatever its number is.
    snapshotID = -1
    fields.value.snapshot = .none
    forget()
  }

  /// Discards the states of structures.
  func forget() {
    removeStates()
    epoch &+= 1
  }

  /// Called in a forked child: the transaction is the parent's.
  private func abandon() {
    use &+= 1
    unsafe handle = nil
    unsafe parked = nil
  }

  // MARK: Lifetime of a writer

  func begin(_ begun: OpaquePointer, in environment: OpaquePointer) {
    unsafe handle = begun
    snapshotID = unsafe Int(mdb_txn_id(begun))
    epoch &+= 1
    fields.value.hasFailed = false
    writtenChannels = []
    changedRecords = false
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

  /// The number of databases that LMDB has opened in this transaction.
  var openedCount: Int { fields.value.open.uncommittedCount }

  /// Records that LMDB's environment was closed, and its databases with it.
  func closedAll() { fields.value.open.removeAll() }

  /// Works in a child transaction from now on; views of the previous part are out of date.
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

  /// Discards what the part has left in memory.
  func forgetPart(writtenChannels: Channels, changedRecords: Bool, changes: UInt64, opened: Int) {
    fields.value.open.abort(after: opened)
    fields.value.changes = changes
    self.writtenChannels = writtenChannels
    self.changedRecords = changedRecords
    fields.value.failure = nil
    fields.value.hasFailed = false
    fields.value.writes &+= 1
    recordsVersion = (0, 0)
    epoch &+= 1
  }

  // MARK: Checks

  /// The number of changes that LMDB has made in this transaction: a commit without changes makes no snapshot.
  var changes: UInt64 { fields.value.changes }

  /// Records LMDB's result of a change. All kinds of change go through here: storing and removing an entry, emptying a database,
  /// and creating, renaming and removing one.
  @inline(__always)
  func note(change code: Int32) { if code == 0 { fields.value.changes &+= 1 } }

  /// Whether the transaction is in progress.
  @inlinable @inline(__always)
  package var isLive: Bool { unsafe handle != nil }

  /// The handle; stops the program, with the name of what was used, when the transaction has ended.
  @inlinable @inline(__always)
  func live(_ name: @autoclosure () -> String) {
    if unsafe handle == nil { Transaction.stopEnded(name()) }
  }

  /// Stops the program, with the name of what was used, if that was taken from this object before its last end.
  @inlinable @inline(__always)
  func live(_ use: UInt64, _ name: @autoclosure () -> String) {
    if use != self.use { Transaction.stopEnded(name()) }
  }

  @usableFromInline @inline(never)
  static func stopEnded(_ name: String) -> Never {
    stop(
      "\(name) was used after its transaction ended; copy it out first, with Array(…) or Dictionary(…)")
  }

  /// Keeps the first error; the transaction will not commit.
  @usableFromInline func fail(_ error: StoreError) {
    guard !hasFailed else { return }
    fields.value.failure = error
    fields.value.hasFailed = true
  }

  /// Replaces the error by a more precise one.
  func replaceFailure(_ error: StoreError) { if hasFailed { fields.value.failure = error } }
  /// Returns the error, if there is one, and clears it: for a reader that continues.
  @usableFromInline func takeFailure() -> StoreError? {
    defer { fields.value.hasFailed = false }
    return failure
  }

  @inline(never)
  func fail(_ code: Int32, _ operation: String) {
    fail(StoreError(returnCode: code, operation))
  }
}
