/// The indices of the locks' notes in the file `owners`: a new lock gets the first index that no other lock has, so that the file
/// does not grow when locks are created and removed.
///
/// The catalogue contains the indices in use. A cached set of them is valid for one version of the catalogue. Since an undone
/// transaction's version is reused by another one, the lock that was created last must also still exist.
struct LockIndices: Sendable {
  private var taken: Set<UInt64> = []
  /// All indices below this one are in use.
  private var lowest: UInt64 = 1
  private var version: UInt64 = 0
  private var last: (name: String, identity: UInt64)?

  /// Returns the index for a lock that this transaction is about to add to the catalogue.
  ///
  /// - Complexity: O(1) if this process made the last change of the catalogue by adding a lock; otherwise O(*n*) in the number of
  ///   structures.
  mutating func next(for new: StructureDescription, _ catalogue: Database, _ core: Transaction) -> UInt64 {
    let present = Catalogue.version(catalogue, core)
    if !isCurrent(present, catalogue, core) { self = LockIndices(catalogue, core) }
    while taken.contains(lowest) { lowest += 1 }
    taken.insert(lowest)
    version = present &+ 1
    last = (new.name, new.identity)
    return lowest
  }

  private func isCurrent(_ present: UInt64, _ catalogue: Database, _ core: Transaction) -> Bool {
    guard present == version, let last else { return false }
    return (try? Catalogue.description(of: last.name, catalogue, core))?.identity == last.identity
  }

  init() {}

  private init(_ catalogue: Database, _ core: Transaction) { taken = Self.all(catalogue, core) }

  /// Returns the indices of all locks, including records of kinds that this version does not know. An index that is too large is no
  /// index.
  static func all(_ catalogue: Database, _ core: Transaction) -> Set<UInt64> {
    var found: Set<UInt64> = []
    let cursor = Cursor(core, catalogue)
    var isThere = cursor.move(.first)
    while isThere {
      if let record = cursor.value.utf8String() {
        for line in record.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: "index ".utf8) {
          if let index = UInt64(Substring(line.dropFirst(6))), index < StructureDescription.indexLimit {
            found.insert(index)
          }
        }
      }
      isThere = cursor.move(.next)
    }
    return found
  }
}
