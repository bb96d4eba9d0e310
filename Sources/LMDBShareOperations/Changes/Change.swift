package import LMDBShare

/// One change of a structure's contents, with its values in the structure's representation.
package struct Change {
  package enum Action {
    case set(Place, [UInt8])
    case append([UInt8])
    case insert([UInt8], at: Int)
    case increment(Place, by: String)
    case delete([Place])
    case push([UInt8], level: Int, delay: Duration)
    case clear
  }

  var action: Action
  /// The condition of the change: the present bytes must equal these, or there must be none.
  var condition: Condition?

  package init(action: Action, condition: Condition? = nil) {
    self.action = action
    self.condition = condition
  }

  package enum Condition {
    case equals([UInt8])
    case absent
  }
}

/// Makes changes in one transaction.
package struct Changer: ~Copyable {
  private var known: [String: UntypedStructure] = [:]

  package init() {}

  /// The structure with a name, as the transaction sees it.
  package mutating func structure(_ name: String, _ txn: borrowing WriteTransaction) throws -> UntypedStructure {
    if let structure = known[name] { return structure }
    let structure = try txn.untyped(name)
    known[name] = structure
    return structure
  }

  /// Makes one change.
  ///
  /// - Returns: The result of an increment.
  @discardableResult
  package func make(_ change: Change, of structure: UntypedStructure, _ txn: borrowing WriteTransaction) throws
    -> String?
  {
    let contents = txn.contents(structure)
    let kind = structure.description.kind
    let name = "'\(Printable.text(structure.name))' is \(kind.withArticle)"
    switch change.action {
    case .set(let place, let bytes):
      try check(change.condition, place, contents)
      try set(place, bytes, contents)
    case .append(let bytes):
      guard kind == .list else { throw Problem("\(name), which does not support append; use set or push") }
      try contents.insert(bytes, at: contents.count)
    case .insert(let bytes, let position):
      guard kind == .list else { throw Problem("\(name), which does not support insert; use set or push") }
      try contents.insert(bytes, at: position < 0 ? contents.count + position : position)
    case .increment(let place, let amount):
      try check(change.condition, place, contents)
      return try increment(place, by: amount, contents)
    case .delete(let places):
      for place in places { try check(change.condition, place, contents) }
      try delete(places, contents, name)
    case .push(let bytes, let level, let delay):
      guard kind == .queue else { throw Problem("\(name), not a queue") }
      guard let priority = QueuePriority(level: level) else {
        throw Problem("\(level) is not a priority; give a level from 0 (taken first) to 7")
      }
      txn[txn.untypedQueue(structure)].push(StoredBytes(bytes), priority: priority, delay: delay)
    case .clear:
      guard kind.shape != .cell, kind != .array else { throw Problem("\(name), which cannot be empty") }
      contents.removeAll()
    }
    if let failure = contents.failure { throw failure }
    return nil
  }

  private func check(_ condition: Change.Condition?, _ place: Place, _ contents: UntypedContents) throws {
    guard let condition else { return }
    let present = try place.bytes(in: contents)
    switch condition {
    case .absent where present == nil: return
    case .equals(let expected) where present.map({ Types(contents.description).value.isSame($0, expected) }) ?? false:
      return
    case .absent, .equals:
      let types = Types(contents.description)
      let text = present.map { withBytes(of: $0) { "it is \(types.text($0, limit: 200))" } } ?? "there is nothing"
      throw Problem("nothing was changed: \(text)")
    }
  }

  private func set(_ place: Place, _ bytes: [UInt8], _ contents: UntypedContents) throws {
    switch place {
    case .value:
      guard contents.description.kind == .value else {
        throw Problem(
          "'\(Printable.text(contents.description.name))' is \(contents.description.kind.withArticle); only its holders change it"
        )
      }
      contents.setValue(bytes)
    case .key(let key, _): withBytes(of: key) { key in withBytes(of: bytes) { contents.set($0, forKey: key) } }
    case .position(let position):
      guard let position = Place.resolve(position, count: contents.count) else {
        throw place.missing(in: contents.description)
      }
      try contents.replace(position, bytes)
    }
  }

  private func delete(_ places: [Place], _ contents: UntypedContents, _ name: String) throws {
    // Positions refer to the state before anything is removed.
    var positions: Set<Int> = []
    for place in places {
      switch place {
      case .value: throw Problem("\(name), which always has a value; use drop to remove it")
      case .key(let key, _):
        guard contents.removeValue(forKey: key) else { throw place.missing(in: contents.description) }
      case .position(let position):
        guard contents.description.kind == .list else { throw Problem("\(name), whose count is fixed") }
        guard let position = Place.resolve(position, count: contents.count) else {
          throw place.missing(in: contents.description)
        }
        positions.insert(position)
      }
    }
    for position in positions.sorted(by: >) { contents.remove(position..<position + 1) }
  }

  /// Adds to a number; a missing key starts with 0.
  private func increment(_ place: Place, by amount: String, _ contents: UntypedContents) throws -> String {
    let types = Types(contents.description)
    let old = try place.bytes(in: contents)
    if old == nil, case .position = place { throw place.missing(in: contents.description) }
    guard let sum = try types.value.adding(amount, to: old) else {
      throw Problem("'\(Printable.text(contents.description.name))' holds \(types.value.title), no numbers")
    }
    try set(place, sum, contents)
    return withBytes(of: sum) { types.text($0) }
  }
}
