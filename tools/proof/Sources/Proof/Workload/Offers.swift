extension Model {
  /// The queue whose items are leased. The model cannot know when a lease of a dead process ends: it is given what was taken, and
  /// decides whether that was allowed.
  struct Offers {
    private(set) var last = 0
    /// Items without a lease, by number, with the number of their leases.
    private(set) var ready: [Int: Int] = [:]
    private(set) var leased: [Int: (owner: Owner, attempts: Int)] = [:]
    /// Items that were returned too often.
    private(set) var dead: Set<Int> = []

    /// One life of one process.
    struct Owner: Hashable {
      let slot: Int
      let life: Int
    }

    mutating func push(_: Int) {
      last += 1
      ready[last] = 0
    }

    /// Whether `owner` was allowed to take this item with this attempt, given who may have died by then.
    mutating func lease(
      _ sequence: Int, attempt: Int, by owner: Owner, mayBeDead: (Owner) -> Bool
    ) -> String? {
      if let smallest = ready.keys.min(), sequence > smallest { return "item \(sequence) was taken before \(smallest)" }
      let attempts: Int
      if let before = ready[sequence] {
        attempts = before
      } else if let lease = leased[sequence] {
        guard mayBeDead(lease.owner) else { return "item \(sequence) was leased to two at once" }
        guard lease.attempts < Structures.mostAttempts else { return "item \(sequence) was leased too often" }
        attempts = lease.attempts
      } else {
        return "item \(sequence) was leased after it had gone"
      }
      guard attempt == attempts + 1 else { return "attempt \(attempt) of item \(sequence) should be \(attempts + 1)" }
      ready[sequence] = nil
      leased[sequence] = (owner, attempt)
      return nil
    }

    /// Returns an error if there are items although nothing was leased.
    func nothing() -> String? { ready.isEmpty ? nil : "nothing was leased, though \(ready.count) items are there" }

    mutating func acknowledge(_ sequence: Int, by owner: Owner) -> String? {
      guard leased[sequence]?.owner == owner else { return "item \(sequence) was acknowledged by another process" }
      leased[sequence] = nil
      return nil
    }

    mutating func release(_ sequence: Int, by owner: Owner, isTried: Bool = true) -> String? {
      guard let lease = leased[sequence], lease.owner == owner else {
        return "item \(sequence) was released by another process"
      }
      leased[sequence] = nil
      if !isTried {
        ready[sequence] = lease.attempts - 1
        return nil
      }
      if lease.attempts >= Structures.mostAttempts { dead.insert(sequence) } else { ready[sequence] = lease.attempts }
      return nil
    }

    /// Compares with the contents of a store at a moment when no owner lives.
    func difference(ready there: Set<Int>, leased held: Set<Int>, dead letters: Set<Int>) -> String? {
      let all = Set(ready.keys).union(leased.keys).union(dead)
      if there.count + held.count + letters.count != all.count || there.union(held).union(letters) != all {
        return "of \(all.count) items there are \(there.count) ready, \(held.count) leased, \(letters.count) dead"
      }
      if !Set(ready.keys).isSubset(of: there) { return "items without a lease are not ready" }
      let worn = dead.union(leased.filter { $0.value.attempts >= Structures.mostAttempts }.keys)
      if !letters.isSubset(of: worn) { return "items are given up that were not tried too often" }
      if !dead.isSubset(of: letters) { return "items that were given up are tried again" }
      return nil
    }
  }
}
