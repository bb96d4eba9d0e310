// What structures remember from one use of a transaction to the next, and how views detect that something was written since.

extension Transaction {
  /// The number of structures whose states the writer keeps after a transaction's end.
  static let usualStates = 64

  /// The number of writes to a database; it only grows.
  @inlinable @inline(__always)
  func generation(of database: Database) -> UInt32 {
    database.index < fields.value.generations.count ? fields.value.generations[database.index] : 0
  }

  /// Records a write: earlier views are out of date.
  @inlinable @inline(__always)
  func wrote(_ database: Database) {
    fields.value.writes &+= 1
    if database.index < fields.value.generations.count {
      fields.value.generations[database.index] &+= 1
    } else {
      wroteFirst(database)
    }
  }

  @usableFromInline @inline(never)
  func wroteFirst(_ database: Database) {
    let missing = database.index + 1 - fields.value.generations.count
    if missing > 0 { fields.value.generations.append(contentsOf: repeatElement(0, count: missing)) }
    fields.value.generations[database.index] &+= 1
  }

  /// The state of the structure with this database, if it is of this type.
  @inlinable @inline(__always)
  package func state<State: StructureState>(_ database: Database, as _: State.Type) -> State? {
    guard database.index < fields.value.states.count, let known = fields.value.states[database.index],
      type(of: known) == State.self
    else { return nil }
    return unsafe unsafeDowncast(known, to: State.self)
  }

  /// Keeps a structure's state until it is replaced.
  func setState(_ database: Database, _ state: any StructureState) {
    let index = database.index
    while fields.value.states.count <= index { fields.value.states.append(nil) }
    if fields.value.states[index] == nil { fields.value.stateNumbers.append(database) }
    fields.value.states[index] = state
  }

  /// Writes out what structures hold back.
  func flushStates() {
    for number in fields.value.stateNumbers { fields.value.states[number.index]?.flush(self) }
  }

  /// Removes the states of structures.
  func removeStates() {
    for number in fields.value.stateNumbers { fields.value.states[number.index] = nil }
    fields.value.stateNumbers.removeAll(keepingCapacity: true)
  }

  /// Removes the state of a database whose number is about to get another meaning.
  func forget(database: Database) {
    forgetTree(database)
    guard let index = fields.value.stateNumbers.firstIndex(of: database) else { return }
    fields.value.states[database.index] = nil
    fields.value.stateNumbers.remove(at: index)
  }
}

/// What a structure keeps in memory for one transaction.
@usableFromInline
package protocol StructureState: AnyObject {
  /// Writes out what was held back.
  func flush(_ core: Transaction)
}

/// Detects whether a transaction was written to, or has ended, since a view was taken. Views check it for every element.
@frozen @usableFromInline
struct Stamp {
  @usableFromInline let fields: Cell<Transaction.Fields>
  @usableFromInline let use: UInt64
  @usableFromInline var writes: UInt64

  /// Records the present state. The holder must keep the transaction's environment alive.
  @inlinable
  package init(_ core: Transaction) {
    fields = core.fields
    use = core.fields.value.use
    writes = core.fields.value.writes
  }

  /// Whether the transaction is still in the same use, and nothing was written since.
  @inlinable @inline(__always)
  var isCurrent: Bool { fields.value.use == use && fields.value.writes == writes }

  /// Records that writes since then did not matter.
  @inlinable
  mutating func renew() { writes = fields.value.writes }
}
