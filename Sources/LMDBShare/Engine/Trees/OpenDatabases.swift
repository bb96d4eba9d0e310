internal import _LMDBShareLMDB

/// The databases that LMDB has open for the writer, with LMDB's numbers.
///
/// LMDB copies its table of open databases for each transaction, so the least recently used ones are closed again. Only the
/// writer's thread uses LMDB's database handles. Readers look up entries by themselves, so closing a handle is safe.
@safe struct OpenDatabases {
  /// How many stay open from one transaction to the next.
  static let usual = 32
  /// Stands for no database.
  private static let none = MDB_dbi.max

  /// LMDB's numbers, indexed by the process's own.
  private var opened: [MDB_dbi] = []
  /// Indexed by LMDB's numbers: the process's own numbers, the names, and the transaction of the last use, 0 for closed
  /// databases.
  private var numbers: [Database] = []
  private var names: [[UInt8]] = []
  private var lastUses: [UInt64] = []
  private var count = 0
  /// The databases that the running transaction has opened: its abort closes them.
  private var uncommitted: [MDB_dbi] = []
  /// The number of the running transaction.
  private var turn: UInt64 = 0

  /// The number of databases that the running transaction has opened.
  var uncommittedCount: Int { uncommitted.count }

  /// LMDB's number of a database that is open.
  @inline(__always)
  mutating func find(_ database: Database) -> MDB_dbi? {
    guard database.index < opened.count else { return nil }
    let dbi = opened[database.index]
    guard dbi != Self.none else { return nil }
    lastUses[Int(dbi)] = turn
    return dbi
  }

  /// LMDB's number of the database that is open under a name, and whether this transaction has used it.
  func find(named name: [UInt8]) -> (dbi: MDB_dbi, isInUse: Bool)? {
    for dbi in lastUses.indices where lastUses[dbi] > 0 && names[dbi] == name {
      return (MDB_dbi(dbi), lastUses[dbi] == turn)
    }
    return nil
  }

  /// Records a database that the running transaction has opened.
  mutating func note(_ database: Database, _ name: [UInt8], as dbi: MDB_dbi) {
    while opened.count <= database.index { opened.append(Self.none) }
    while lastUses.count <= Int(dbi) {
      numbers.append(.missing)
      names.append([])
      lastUses.append(0)
    }
    opened[database.index] = dbi
    numbers[Int(dbi)] = database
    names[Int(dbi)] = name
    lastUses[Int(dbi)] = turn
    uncommitted.append(dbi)
    count += 1
  }

  /// Records that a database is closed.
  private mutating func forget(_ dbi: MDB_dbi) {
    guard lastUses[Int(dbi)] > 0 else { return }
    opened[numbers[Int(dbi)].index] = Self.none
    names[Int(dbi)] = []
    lastUses[Int(dbi)] = 0
    count -= 1
  }

  /// Begins a write transaction: closes the least recently used databases when more than the usual number are open.
  mutating func begin(_ environment: OpaquePointer) {
    turn += 1
    uncommitted.removeAll(keepingCapacity: true)
    guard count > Self.usual else { return }
    // In most cases it is one.
    guard count > Self.usual + 4 else {
      while count > Self.usual, unsafe closeUnused(environment) {}
      return
    }
    let open = lastUses.indices.filter { lastUses[$0] > 0 }.sorted { lastUses[$0] < lastUses[$1] }
    for dbi in open.prefix(count - Self.usual) { unsafe close(MDB_dbi(dbi), environment) }
  }

  /// Closes the least recently used database; returns false when the running transaction has used all that are open.
  mutating func closeUnused(_ environment: OpaquePointer) -> Bool {
    var oldest: (dbi: Int, use: UInt64) = (0, turn)
    for dbi in lastUses.indices where lastUses[dbi] > 0 && lastUses[dbi] < oldest.use { oldest = (dbi, lastUses[dbi]) }
    guard oldest.use < turn else { return false }
    unsafe close(MDB_dbi(oldest.dbi), environment)
    return true
  }

  /// Closes a database, which the running transaction has not used.
  mutating func close(_ dbi: MDB_dbi, _ environment: OpaquePointer) {
    unsafe mdb_dbi_close(environment, dbi)
    forget(dbi)
  }

  /// Records that LMDB has closed what the transaction, or its last part, has opened: all but the first `count`.
  mutating func abort(after count: Int = 0) {
    guard uncommitted.count > count else { return }
    for dbi in uncommitted[count...] { forget(dbi) }
    uncommitted.removeSubrange(count...)
  }

  /// Records that LMDB's environment was closed.
  mutating func removeAll() {
    for index in opened.indices { opened[index] = Self.none }
    numbers.removeAll()
    names.removeAll()
    lastUses.removeAll()
    uncommitted.removeAll()
    count = 0
  }
}
