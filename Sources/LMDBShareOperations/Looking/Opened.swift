package import LMDBShare

/// A store, or an LMDB environment that other programs made, open for reading.
package final class Opened {
  package let environment: Environment
  /// Nil for an environment of another program.
  package let store: SharedStore?

  package init(_ store: SharedStore?, _ environment: Environment) {
    self.store = store
    self.environment = environment
  }

  deinit { if store == nil { environment.close() } }

  package var format: String { store == nil ? "LMDB, of another program" : "lmdbshare 1" }

  /// Whether commits were made that may not be on disk.
  package var hasUnsyncedCommits: Bool {
    (try? environment.directory.descriptor.status(of: StoreDirectory.unsyncedFile)).flatMap { $0 } != nil
  }

  package func statistics() throws -> StoreStatistics { try store?.statistics() ?? environment.statistics() }

  /// A database and its tree.
  package struct NamedDatabase {
    /// Nil for the unnamed one.
    package var name: String?
    package var tree: TreeStatistics
    package var layout: DatabaseLayout
  }

  /// The displayed name of the unnamed database.
  package static let unnamed = "(main)"

  /// Whether a name means the unnamed database: a database with that name takes precedence.
  package static func isUnnamed(_ name: String, in databases: [NamedDatabase]) -> Bool {
    name == unnamed && !databases.contains { $0.name == name }
  }

  /// All databases, the unnamed one first.
  package func databases() throws -> [NamedDatabase] {
    try reading { core in
      var found = [NamedDatabase(tree: core.statistics(.main), layout: core.layout(.main))]
      for name in try core.databaseNames() {
        let database = try core.withDatabase(name) { number in
          NamedDatabase(name: name, tree: core.statistics(number), layout: core.layout(number))
        }
        if let database { found.append(database) }
      }
      return found
    }
  }

  /// Calls `body` with one snapshot; throws errors in reading it.
  package func reading<R>(_ body: (Transaction) throws -> R) throws -> R {
    let core = try environment.beginRead()
    defer { core.end() }
    let result = try body(core)
    if let failure = core.failure { throw failure }
    return result
  }
}
